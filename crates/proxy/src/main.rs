//! The proxy as a program: reads its settings, listens, and ends gracefully.

use clap::Parser;
use flexepin_cashier_proxy::{Args, Mozarto, Settings, UPSTREAM_DEADLINE, serve};
use std::io::Write;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
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
    writeln!(std::io::stdout(), "flexepin-cashier-proxy listens on http://{}", listener.local_addr()?)?;
    serve(listener, mozarto, settings.allow_origins, asked_to_stop()).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Ctrl-C, or what a service manager sends.
async fn asked_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Where signals cannot be had the program ends by being killed.
    let _ = interrupt.await;
}
