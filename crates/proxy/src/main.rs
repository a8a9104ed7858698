//! The proxy as a program: reads its settings, listens, and ends gracefully; or does what support staff ask for.

use clap::Parser;
use flexepin_cashier_proxy::{
    Alarms, Args, Command, Proxy, Reloader, Secrets, Settings, Telemetry, database_url, serve, support,
};
use listenfd::ListenFd;
use secrecy::ExposeSecret;
use std::io::Write;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return give_up(&format_args!("no threads can be had: {error}"), 1),
    };
    let code = runtime.block_on(program());
    // What reads a disk that does not answer holds up nobody.
    runtime.shutdown_background();
    code
}

async fn program() -> ExitCode {
    let mut args = Args::parse();
    // Support staff's commands are not what a collector waits for.
    let otlp_endpoint = args.otlp_endpoint.as_deref().filter(|url| !url.is_empty() && args.command.is_none());
    let telemetry = match Telemetry::begin(args.log_format, otlp_endpoint) {
        Ok(telemetry) => telemetry,
        Err(error) => return give_up(&error, 2),
    };
    if let Some(Command::Attempts(command)) = args.command.take() {
        let database_url = match database_url(args.database_url.as_deref()) {
            Ok(url) => url,
            Err(error) => return give_up(&error, 2),
        };
        return match support(command, database_url.expose_secret(), args.test_clock_offset_file).await {
            Ok(text) if std::io::stdout().write_all(text.as_bytes()).is_ok() => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(error) => give_up(&error, 1),
        };
    }
    let settings = match Secrets::from_env().and_then(|secrets| Settings::new(args, secrets)) {
        Ok(settings) => settings,
        Err(error) => return give_up(&error, 2),
    };
    let ran = run(settings, &telemetry.alarms()).await;
    telemetry.end().await;
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => give_up(&format_args!("{error:#}"), 1),
    }
}

fn give_up(why: &dyn std::fmt::Display, code: u8) -> ExitCode {
    // Where even stderr is gone there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "flexepin-cashier-proxy: {why}");
    ExitCode::from(code)
}

async fn run(settings: Settings, alarms: &Alarms) -> anyhow::Result<()> {
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    survive_full_files().map_err(|error| anyhow::anyhow!("signals cannot be caught: {error}"))?;
    let listener = listener(settings.listen).await?;
    let proxy = Proxy::open_counting(settings, alarms).await?;
    if let Some(address) = proxy.metrics_address() {
        tracing::info!("metrics are at http://{address}/metrics");
    }
    let giving_up = proxy.giving_up();
    reload_when_told(proxy.reloader()).map_err(|error| anyhow::anyhow!("cannot listen for SIGHUP: {error}"))?;
    let told_to_end =
        told_to_end(giving_up).map_err(|error| anyhow::anyhow!("cannot listen for SIGTERM and ctrl-c: {error}"))?;
    writeln!(std::io::stdout(), "flexepin-cashier-proxy listens on {scheme}://{}", listener.local_addr()?)?;
    serve(listener, proxy, told_to_end).await?;
    tracing::info!("stopped");
    Ok(())
}

/// The socket that the service manager hands over, else one of our own. One that is handed over stays open while one
/// process ends and the next starts, and what connects meanwhile waits in it.
async fn listener(address: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    let handed_over = ListenFd::from_env()
        .take_tcp_listener(0)
        .map_err(|error| anyhow::anyhow!("the socket that was handed over (LISTEN_FDS) cannot be used: {error}"))?;
    if let Some(socket) = handed_over {
        socket.set_nonblocking(true)?;
        return Ok(TcpListener::from_std(socket)?);
    }
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| anyhow::anyhow!("cannot listen on {address}: {error}; give another address by --listen"))
}

/// Reads secrets and certificates again at each SIGHUP. The signal is caught from the call on.
#[cfg(unix)]
fn reload_when_told(reloader: Reloader) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            reloader.reload().await;
        }
    });
    Ok(())
}

#[cfg(windows)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there is a signal to listen for")]
fn reload_when_told(_: Reloader) -> std::io::Result<()> {
    Ok(())
}

/// Where files may not grow beyond a limit (`ulimit -f`) the system ends a program that tries. As long as the signal is
/// caught the write fails instead, and the ledger says so.
#[cfg(target_os = "linux")]
fn survive_full_files() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    /// SIGXFSZ, as on every processor that Rust's Linux targets share but MIPS.
    const FILE_TOO_LARGE: i32 = 25;
    // The handler stays when the listener is dropped.
    signal(SignalKind::from_raw(FILE_TOO_LARGE)).map(drop)
}

#[cfg(not(target_os = "linux"))]
fn survive_full_files() -> std::io::Result<()> {
    Ok(())
}

/// Done at the first signal to end; `giving_up` is told at the second. Signals are caught from the call on, not from
/// the first poll.
#[cfg(unix)]
fn told_to_end(giving_up: CancellationToken) -> std::io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut signal = async move || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    Ok(async move {
        signal().await;
        tokio::spawn(async move {
            signal().await;
            giving_up.cancel();
        });
    })
}

/// Done at ctrl-c; `giving_up` is told at the second.
#[cfg(windows)]
fn told_to_end(giving_up: CancellationToken) -> std::io::Result<impl Future<Output = ()> + Send> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
        tokio::spawn(async move {
            interrupt.recv().await;
            giving_up.cancel();
        });
    })
}
