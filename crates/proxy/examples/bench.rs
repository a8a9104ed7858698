//! How much time the proxy adds and how many redemptions it sustains, with each commit on disk. Prints; asserts
//! nothing.
//!
//! ```sh
//! cargo build --profile server -p mozarto-sandbox -p flexepin-cashier-proxy --bins --examples
//! target/server/examples/bench [folder of the database]
//! ```
//!
//! It starts the two programs that stand beside it, the sandbox as Mozarto. The load comes from this process: reqwest
//! over kept-alive connections, first 50 requests a second whether or not the ones before are answered, then 64
//! clients that each send the next request when the last is answered. Without a folder the database is put beside the
//! programs, not into a temporary folder, which may be no disk.

use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use uuid::Uuid;

const RATE: u32 = 50;
const RATE_SECONDS: u32 = 15;
const CLIENTS: usize = 64;
const SUSTAINED: Duration = Duration::from_secs(15);
const TOKEN: &str = "sandbox-company";

fn main() -> anyhow::Result<()> {
    let programs = std::env::current_exe()?;
    let programs = programs.ancestors().nth(2).ok_or_else(|| anyhow::anyhow!("no folder of programs"))?.to_owned();
    let folder = std::env::args().nth(1).map_or_else(|| programs.clone(), PathBuf::from);
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(folder)?;
    let sandbox = Program::start(Command::new(programs.join("mozarto-sandbox")).args(["--listen", "127.0.0.1:0"]))?;
    let mut proxy = Command::new(programs.join("flexepin-cashier-proxy"));
    proxy.args(["--listen", "127.0.0.1:0", "--insecure-no-sessions", "--mozarto-url", &sandbox.url]);
    proxy.args(["--limit-address=0", "--limit-customer=0"]);
    proxy.arg("--database-url").arg(format!("sqlite://{}", folder.path().join("cashier.db").display()));
    proxy.env("CASHIER_COMPANY_TOKEN", TOKEN).env("CASHIER_PIN_KEY", "the key of the benchmark, 32 bytes");
    let proxy = Program::start(&mut proxy)?;
    // Fails when another part of the process was first, and then it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let load = Arc::new(Load { client: reqwest::Client::builder().no_proxy().build()?, next: AtomicU64::new(0) });
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(
        &load,
        &sandbox,
        &proxy,
        folder.path(),
    ))
}

async fn run(load: &Arc<Load>, sandbox: &Program, proxy: &Program, folder: &Path) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "disk            {}", disk(folder))?;
    writeln!(out, "processors      {}", std::thread::available_parallelism()?)?;
    writeln!(out, "load generator  this process: reqwest, kept-alive connections, on the same machine\n")?;
    let direct = Target { url: format!("{}/v1/api/mozarto/cashier", sandbox.url), is_proxy: false };
    let through = Target { url: format!("{}/cashier/flexepin", proxy.url), is_proxy: true };
    writeln!(out, "{RATE} requests a second for {RATE_SECONDS} s")?;
    // Once for nothing: connections, caches, the first pages of the log.
    at_a_rate(load, &through, 1).await?;
    let alone = at_a_rate(load, &direct, RATE_SECONDS).await?;
    let added = at_a_rate(load, &through, RATE_SECONDS).await?;
    writeln!(out, "  sandbox directly   {alone}\n  through the proxy  {added}")?;
    let ms = (added.median.as_secs_f64() - alone.median.as_secs_f64()) * 1000.0;
    writeln!(out, "  added at the median: {ms:.2} ms\n")?;
    let (sustained, per_second) = sustained(load, &through).await?;
    writeln!(out, "{CLIENTS} clients for {} s\n  through the proxy  {sustained}", SUSTAINED.as_secs())?;
    writeln!(out, "  sustained: {per_second:.0} redemptions a second")?;
    Ok(())
}

/// A program that listens; ends with this one.
struct Program {
    url: String,
    child: Child,
}

impl Program {
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        let name = command.get_program().to_owned();
        let spawned = command.env("RUST_LOG", "warn").stdout(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| anyhow::anyhow!("{}: {error}; build it first", name.display()))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let url = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        Ok(Self { url, child })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to do.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

struct Target {
    url: String,
    is_proxy: bool,
}

struct Load {
    client: reqwest::Client,
    next: AtomicU64,
}

impl Load {
    /// One redemption of a voucher of its own; how long it took, where it was redeemed.
    async fn redeem(&self, target: &Target) -> Option<Duration> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let body = json!({
            "pspType": "FLEXEPIN", "type": "PAYIN", "voucherPin": format!("99000000{number:08}"), "baseamount": 25, "currency": "EUR",
            "currencyCode": "EUR", "userId": format!("user-{number}"), "email": "player@shop.example",
        });
        let mut request = self.client.post(&target.url).header("content-type", "application/json");
        request = if target.is_proxy {
            request.header("idempotency-key", Uuid::new_v4().to_string())
        } else {
            request.bearer_auth(TOKEN).header("x-user-authorization", "Bearer bench")
        };
        let began = Instant::now();
        let response = request.body(body.to_string()).send().await.ok()?;
        let redeemed = response.status().is_success() && response.text().await.ok()?.contains("\"isSuccess\":true");
        redeemed.then(|| began.elapsed())
    }
}

/// What a run took.
struct Took {
    median: Duration,
    slowest_of_99_percent: Duration,
    redeemed: usize,
    not_redeemed: usize,
}

impl Took {
    fn of(times: Vec<Option<Duration>>) -> anyhow::Result<Self> {
        let asked = times.len();
        let mut times: Vec<Duration> = times.into_iter().flatten().collect();
        times.sort_unstable();
        anyhow::ensure!(!times.is_empty(), "nothing was redeemed");
        let (redeemed, at) = (times.len(), |percent: usize| times[(times.len() - 1) * percent / 100]);
        Ok(Self { median: at(50), slowest_of_99_percent: at(99), redeemed, not_redeemed: asked - redeemed })
    }
}

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let (median, slow) = (ms(self.median), ms(self.slowest_of_99_percent));
        write!(f, "median {median:.2} ms, 99 % {slow:.2} ms, redeemed {}, not {}", self.redeemed, self.not_redeemed)
    }
}

async fn at_a_rate(load: &Arc<Load>, target: &Target, seconds: u32) -> anyhow::Result<Took> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
    let mut running = JoinSet::new();
    for _ in 0..RATE * seconds {
        ticks.tick().await;
        let (load, target) = (Arc::clone(load), Target { url: target.url.clone(), ..*target });
        running.spawn(async move { load.redeem(&target).await });
    }
    Took::of(running.join_all().await)
}

async fn sustained(load: &Arc<Load>, target: &Target) -> anyhow::Result<(Took, f64)> {
    let began = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..CLIENTS {
        let (load, target) = (Arc::clone(load), Target { url: target.url.clone(), ..*target });
        running.spawn(async move {
            let mut times = Vec::new();
            while began.elapsed() < SUSTAINED {
                times.push(load.redeem(&target).await);
            }
            times
        });
    }
    let took = Took::of(running.join_all().await.into_iter().flatten().collect())?;
    let redeemed = u32::try_from(took.redeemed).unwrap_or(u32::MAX);
    let per_second = f64::from(redeemed) / began.elapsed().as_secs_f64();
    Ok((took, per_second))
}

/// The file system of a folder, and how long it takes to put 4 KB on it for sure.
fn disk(folder: &Path) -> String {
    let folder_path = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let mounted = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (device, at, kind) = (words.next()?, words.next()?, words.next()?);
        folder_path.starts_with(at).then(|| (at.len(), format!("{device} at {at} ({kind})")))
    });
    let name = mounted.max_by_key(|(length, _)| *length).map_or_else(|| "unknown".to_owned(), |(_, name)| name);
    let sync = sync_time(&folder.join("sync"))
        .map_or_else(|error| error.to_string(), |time| format!("{:.2} ms", time.as_secs_f64() * 1000.0));
    format!("{name}; 4 KB written and synced: {sync} at the median")
}

fn sync_time(file: &Path) -> std::io::Result<Duration> {
    let mut open = std::fs::File::create(file)?;
    let mut times = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        open.write_all(&[0; 4096])?;
        open.sync_data()?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}
