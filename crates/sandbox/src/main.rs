//! The sandbox as a program. It starts when it has its address, says so in one line on stdout, logs to stderr,
//! and ends on SIGTERM or ctrl-c.

use anyhow::Context;
use clap::Parser;
use mozarto_sandbox::Sandbox;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tracing::{info, level_filters::LevelFilter, warn};
use tracing_subscriber::EnvFilter;

/// Plays Mozarto's cashier endpoint with scripted PINs and faults. For development and tests; no voucher is worth
/// anything.
#[derive(Parser)]
#[command(name = "mozarto-sandbox", version)]
struct Arguments {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "MOZARTO_SANDBOX_LISTEN", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { listen } = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy())
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    if !listen.ip().is_loopback() {
        warn!("{listen} is not loopback: others can reach this sandbox");
    }
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}; name another address with --listen"))?;
    let told_to_end = told_to_end().context("cannot listen for SIGTERM and ctrl-c")?;
    writeln!(std::io::stdout(), "mozarto-sandbox listens on http://{}", listener.local_addr()?)?;
    mozarto_sandbox::serve(listener, Sandbox::default(), told_to_end).await?;
    info!("ended");
    Ok(())
}

/// Done at the first signal to end. Signals are caught from the call on, not from the first poll.
#[cfg(unix)]
fn told_to_end() -> std::io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Done at ctrl-c.
#[cfg(windows)]
fn told_to_end() -> std::io::Result<impl Future<Output = ()> + Send> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
