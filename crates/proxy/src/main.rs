//! The proxy as a program: reads its settings, listens, and ends gracefully.

use clap::Parser;
use flexepin_cashier_proxy::{Args, Mozarto, Settings, UPSTREAM_DEADLINE, serve};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let settings = match Settings::new(args, std::env::var("CASHIER_COMPANY_TOKEN").ok()) {
        Ok(settings) => settings,
        Err(error) => return give_up(&error, 2),
    };
    match run(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => give_up(&format_args!("{error:#}"), 1),
    }
}

fn give_up(why: &dyn std::fmt::Display, code: u8) -> ExitCode {
    // Where even stderr is gone there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "flexepin-cashier-proxy: {why}");
    ExitCode::from(code)
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    let mozarto = Mozarto::new(settings.mozarto_url, settings.company_token, UPSTREAM_DEADLINE)?;
    let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
        anyhow::anyhow!("cannot listen on {}: {error}; give another address by --listen", settings.listen)
    })?;
    let told_to_end =
        told_to_end().map_err(|error| anyhow::anyhow!("cannot listen for SIGTERM and ctrl-c: {error}"))?;
    writeln!(std::io::stdout(), "flexepin-cashier-proxy listens on http://{}", listener.local_addr()?)?;
    serve(listener, mozarto, settings.allow_origins, told_to_end).await?;
    tracing::info!("stopped");
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
