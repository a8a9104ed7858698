//! How much time the proxy adds, how many redemptions it sustains, what memory it takes and how soon it is ready, with
//! each commit on disk. Beside it stand the sandbox alone and, where it is installed, a plain nginx in front of it. Prints;
//! asserts nothing.
//!
//! ```sh
//! cargo build --profile server -p mozarto-sandbox -p flexepin-cashier-proxy --bins --examples
//! target/server/examples/bench --help
//! ```
//!
//! It starts the programs that stand beside it, the sandbox as Mozarto. The load comes from this process: reqwest over
//! kept-alive connections, first 200 requests a second whether or not the ones before are answered, then 64 clients that
//! each send the next request when the last is answered.

mod load;
mod machine;
mod nodes;
mod program;

use anyhow::Context;
use clap::Parser;
use load::{Load, RATE, Target, Took};
use machine::Memory;
use program::{Program, nginx};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long the load of a fixed rate lasts.
const AT_A_RATE: Duration = Duration::from_secs(20);
/// How long the clients that wait for each answer go on.
const SUSTAINED: Duration = Duration::from_secs(15);
/// How often a soak tells its memory.
const SOAK_LINES: u32 = 20;

/// Measures the proxy on this machine; asserts nothing
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    /// The folder of the databases; beside the programs unless set, not a temporary folder, which may be no disk
    #[arg(long, value_name = "PATH")]
    folder: Option<PathBuf>,
    /// Goes on for so many seconds at the fixed rate, and tells the proxy's memory now and then
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    soak: u32,
    /// Measures three proxies on a fresh database of this PostgreSQL server too: a database's address, for a user who may
    /// make others
    #[arg(long, value_name = "URL", conflicts_with = "own_postgres")]
    postgres: Option<String>,
    /// Measures three proxies on a PostgreSQL server that is started for it, in the folder of the databases, too
    #[arg(long)]
    own_postgres: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let programs = std::env::current_exe()?.ancestors().nth(2).context("no folder of programs")?.to_owned();
    let folder = arguments.folder.as_ref().unwrap_or(&programs);
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(folder)?;
    // Fails when another part of the process was first, and then it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let load = Load::new()?;
    let sandbox = Program::sandbox(&programs).await?;
    let direct = Target::sandbox(&format!("{}/v1/api/mozarto/cashier", sandbox.url));
    say(&format!("disk            {}", machine::disk(folder.path())))?;
    say(&format!("processors      {}", std::thread::available_parallelism()?))?;
    say("load generator  this process: reqwest, kept-alive connections, on the same machine\n")?;
    one_proxy(&arguments, &load, &programs, folder.path(), &sandbox, &direct).await?;
    if let Some(server) = nodes::Server::ready(&arguments, folder.path())? {
        three_nodes(&load, &programs, folder.path(), &sandbox, &direct, &server).await?;
    }
    Ok(())
}

/// One proxy on SQLite, beside the sandbox alone and nginx.
async fn one_proxy(
    arguments: &Arguments,
    load: &Load,
    programs: &Path,
    folder: &Path,
    sandbox: &Program,
    direct: &Target,
) -> anyhow::Result<()> {
    let database = format!("sqlite://{}", folder.join("cashier.db").display());
    let proxy = Program::proxy(programs, &sandbox.url, &database, folder).await?;
    say("ONE PROXY ON SQLITE")?;
    say(&format!("start to ready, an empty ledger: {} ms\n", proxy.ready_after.as_millis()))?;
    let through = Target::proxies(&[&proxy.url]);
    say(&format!("{RATE} requests a second for {} s", AT_A_RATE.as_secs()))?;
    let alone = at_a_rate(load, direct).await?;
    say(&format!("  sandbox directly   {alone}"))?;
    match nginx(folder, &sandbox.url).await {
        Ok(nginx) => {
            let target = Target::sandbox(&format!("{}/v1/api/mozarto/cashier", nginx.url));
            say(&compared("through nginx    ", &at_a_rate(load, &target).await?, &alone))?;
        }
        Err(why) => say(&format!("  through nginx      NOT MEASURED: {why:#}"))?,
    }
    say(&compared("through the proxy", &at_a_rate(load, &through).await?, &alone))?;
    say(&format!("  the proxy's memory: {}\n", Memory::of(proxy.id())))?;
    if arguments.soak > 0 {
        soak(load, &through, &proxy, arguments.soak).await?;
    }
    sustained(load, &through).await?;
    say(&format!("  the proxy's memory: {}\n", Memory::of(proxy.id())))?;
    drop(proxy);
    let again = Program::proxy(programs, &sandbox.url, &database, folder).await?;
    let attempts = through.asked();
    say(&format!("killed; start to ready, a ledger of {attempts} attempts: {} ms\n", again.ready_after.as_millis()))
}

/// Several proxies on one PostgreSQL server; each request goes to the next.
async fn three_nodes(
    load: &Load,
    programs: &Path,
    folder: &Path,
    sandbox: &Program,
    direct: &Target,
    server: &nodes::Server,
) -> anyhow::Result<()> {
    let database = server.fresh_database().await?;
    let mut proxies = Vec::new();
    for number in 0..3 {
        let home = folder.join(format!("node-{number}"));
        std::fs::create_dir(&home)?;
        proxies.push(Program::proxy(programs, &sandbox.url, &database.url, &home).await?);
    }
    say("THREE PROXIES ON ONE POSTGRESQL SERVER, on this machine too; each request goes to the next")?;
    let ready: Vec<String> = proxies.iter().map(|proxy| format!("{} ms", proxy.ready_after.as_millis())).collect();
    say(&format!("start to ready, the first with an empty database: {}\n", ready.join(", ")))?;
    let urls: Vec<&str> = proxies.iter().map(|proxy| proxy.url.as_str()).collect();
    let through = Target::proxies(&urls);
    say(&format!("{RATE} requests a second for {} s", AT_A_RATE.as_secs()))?;
    let alone = at_a_rate(load, direct).await?;
    say(&format!("  sandbox directly     {alone}"))?;
    say(&compared("through the proxies", &at_a_rate(load, &through).await?, &alone))?;
    for proxy in &proxies {
        say(&format!("  a proxy's memory: {}", Memory::of(proxy.id())))?;
    }
    sustained(load, &through).await?;
    drop(proxies);
    database.drop_it().await
}

async fn at_a_rate(load: &Load, target: &Target) -> anyhow::Result<Took> {
    load.warm_up(target).await;
    load.at_a_rate(target, AT_A_RATE).await
}

async fn sustained(load: &Load, target: &Target) -> anyhow::Result<()> {
    let (took, per_second) = load.sustained(target, SUSTAINED).await?;
    say(&format!("{} clients for {} s\n  {took}", load::CLIENTS, SUSTAINED.as_secs()))?;
    say(&format!("  sustained: {per_second:.0} redemptions a second"))
}

/// Memory at intervals, under the fixed rate.
async fn soak(load: &Load, target: &Target, proxy: &Program, seconds: u32) -> anyhow::Result<()> {
    say(&format!("{RATE} requests a second for {seconds} s more"))?;
    let began = Instant::now();
    let line = Duration::from_secs(u64::from(seconds)) / SOAK_LINES;
    for _ in 0..SOAK_LINES {
        let took = load.at_a_rate(target, line).await?;
        let (after, memory) = (began.elapsed().as_secs(), Memory::of(proxy.id()));
        say(&format!("  {after:>5} s  {took}; {memory}"))?;
    }
    say("")
}

/// What stands between a client and the sandbox, beside the sandbox alone.
fn compared(name: &str, took: &Took, alone: &Took) -> String {
    let ms = |time: Duration, of: Duration| (time.as_secs_f64() - of.as_secs_f64()) * 1000.0;
    let median = ms(took.median, alone.median);
    let slow = ms(took.slowest_of_99_percent, alone.slowest_of_99_percent);
    format!("  {name}  {took}; added: median {median:.2} ms, 99 % {slow:.2} ms")
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("nobody reads")
}
