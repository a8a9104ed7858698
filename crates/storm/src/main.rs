//! The storm as a program: reads its settings, runs, prints what it found. Exit code 0 when everything is as it must
//! be, 1 when not or when it could not run.

use anyhow::Context;
use cashier_storm::{Nodes, Postgres, Program, Settings, Subject, Upstream, run};
use clap::Parser;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Runs thousands of redemptions through the real proxy while everything fails, and compares four ledgers.
///
/// Plays Mozarto, the customers and the merchant; kills the proxy, locks its database, fills its disk and sets its
/// clock. On PostgreSQL it is several proxies behind a balancer: they are killed, ended and made to stand still, and so is
/// the server where it is the storm's own. Everything is on loopback and in a temporary folder.
#[derive(Parser)]
#[command(name = "cashier-storm", version)]
struct Arguments {
    /// How many vouchers; 10000 unless set, 300 with --short
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    redemptions: Option<u32>,
    /// Repeats the faults of each voucher and try; a fresh one unless set
    #[arg(long)]
    seed: Option<u64>,
    /// For a test suite: fewer vouchers, and time runs twice as fast
    #[arg(long)]
    short: bool,
    /// The proxy's program; the one beside this unless set
    #[arg(long, value_name = "PATH")]
    proxy: Option<PathBuf>,
    /// Several proxies on a fresh database of this PostgreSQL server: a database's address, for a user who may make others
    #[arg(long, value_name = "URL", group = "server")]
    postgres: Option<String>,
    /// Several proxies on a PostgreSQL server that the storm starts, and kills now and then
    #[arg(long, group = "server")]
    own_postgres: bool,
    /// How many proxies on one server
    #[arg(long, value_name = "NUMBER", requires = "server", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=20))]
    nodes: u8,
}

#[tokio::main]
async fn main() -> ExitCode {
    let work = storm(Arguments::parse());
    let done = tokio::select! {
        done = work => done,
        // The proxy and its folder go with the storm.
        ended = told_to_end() => ended.and_then(|()| anyhow::bail!("told to end")),
    };
    done.unwrap_or_else(|error| {
        say(&format!("cashier-storm: {error:#}"));
        ExitCode::FAILURE
    })
}

async fn storm(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let number = |otherwise| arguments.redemptions.unwrap_or(otherwise);
    let settings = if arguments.short {
        Settings::short(usize::try_from(number(300))?, seed)
    } else {
        Settings::storm(usize::try_from(number(10_000))?, seed)
    };
    let binary = match arguments.proxy {
        Some(path) => path,
        None => beside_this()?,
    };
    let server = arguments.own_postgres.then_some(Postgres::Own).or(arguments.postgres.map(Postgres::At));
    let mozarto = Upstream::start(settings.gap)?;
    let begin = |settings: &Settings, on: &str| {
        let Settings { redemptions, at_once, .. } = settings;
        say(&format!("{redemptions} redemptions, seed {seed}, {at_once} at once, {}, {on}", binary.display()));
    };
    if let Some(server) = server {
        let settings = settings.over_nodes();
        begin(&settings, &format!("{} proxies on PostgreSQL", arguments.nodes));
        let nodes = Nodes::start(&binary, &mozarto.url, &settings, &server, arguments.nodes.into()).await?;
        return over(nodes, &settings, &mozarto).await;
    }
    begin(&settings, "one proxy on SQLite");
    over(Program::start(&binary, &mozarto.url, &settings).await?, &settings, &mozarto).await
}

async fn over(proxy: impl Subject, settings: &Settings, mozarto: &Upstream) -> anyhow::Result<ExitCode> {
    let proxy = Arc::new(proxy);
    let report = run(settings, mozarto, Arc::clone(&proxy), say).await;
    proxy.stop().await;
    let report = report?;
    say(&report.to_string());
    if report.is_good() {
        return Ok(ExitCode::SUCCESS);
    }
    let log = proxy.log();
    if !log.is_empty() {
        say(&format!("the proxy's last words:\n{}", log.join("\n")));
    }
    Ok(ExitCode::FAILURE)
}

fn beside_this() -> anyhow::Result<PathBuf> {
    let this = std::env::current_exe()?;
    let name = format!("flexepin-cashier-proxy{}", std::env::consts::EXE_SUFFIX);
    let path = this.parent().context("a program lies in a folder")?.join(name);
    anyhow::ensure!(
        path.exists(),
        "{} is not there: build it with cargo build -p flexepin-cashier-proxy, or name it with --proxy",
        path.display()
    );
    Ok(path)
}

fn say(line: &str) {
    // Where nobody reads, there is nobody to tell.
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[cfg(unix)]
async fn told_to_end() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(windows)]
async fn told_to_end() -> anyhow::Result<()> {
    Ok(tokio::signal::ctrl_c().await?)
}
