#![doc = include_str!("../README.md")]

mod answers;
mod attempts;
mod clock;
mod ledger;
mod listen;
mod outcomes;
mod own;
mod pay_in;
mod pin_key;
mod reply;
mod routes;
mod settings;
mod support;
mod truth;
mod upkeep;
mod upstream;

use attempts::Attempts;
use clock::Clock;
use ledger::Ledger;
use ledger::sqlite::Sqlite;
pub use pin_key::PinKeys;
use routes::Shared;
pub use settings::{Args, AttemptsCommand, Command, Secrets, Settings, SettingsError, SettleAs, Times, Token};
use std::sync::Arc;
use std::time::Duration;
pub use support::support;
use tokio::net::TcpListener;
use tracing::info;
use upstream::Mozarto;
pub use upstream::StartError;

/// How long answers may take to reach their browsers when the last try has ended and the proxy is to end.
const GRACE: Duration = Duration::from_secs(1);

/// A proxy that is ready to serve: its ledger is open and its settings are complete.
pub struct Proxy {
    attempts: Arc<Attempts>,
    clock: Arc<Clock>,
    settings: Settings,
}

impl Proxy {
    /// Opens the ledger.
    ///
    /// # Errors
    /// When the database is corrupt, another program's, from a newer version, or cannot be written.
    pub async fn open(settings: Settings) -> Result<Self, StartError> {
        let clock = Arc::new(Clock::new(settings.clock_offset_file.clone()));
        let ledger = Sqlite::open(&settings.database_url, &settings.pin_keys, Arc::clone(&clock)).await;
        let ledger = ledger.map_err(|error| StartError(error.to_string()))?;
        let mozarto = Mozarto::new(&settings, Arc::clone(&clock))?;
        let attempts = Attempts::new(Arc::new(ledger), mozarto, settings.pin_keys.clone(), settings.times);
        Ok(Self { attempts: Arc::new(attempts), clock, settings })
    }
}

/// Serves the proxy until `shutdown` is done and every running try has ended and is written down.
pub async fn serve(listener: TcpListener, proxy: Proxy, shutdown: impl Future<Output = ()> + Send + 'static) {
    let Proxy { attempts, clock, settings } = proxy;
    let (ending, times) = (attempts.ending.clone(), settings.times);
    let ledger: Arc<dyn Ledger> = Arc::clone(&attempts.ledger);
    let upkeep = tokio::spawn(upkeep::run(Arc::clone(&ledger), clock, times.upstream_deadline, ending.clone()));
    tokio::spawn(async move {
        shutdown.await;
        ending.cancel();
    });
    let shared =
        Shared { attempts: Arc::clone(&attempts), times, outcomes_token: settings.outcomes_token.map(Arc::new) };
    let router = routes::router(shared, settings.allow_origins);
    let connections = listen::accept(listener, router, times.head_within, &attempts.ending).await;
    attempts.posts.close();
    info!(tries = attempts.posts.len(), "told to end; running tries are waited for");
    tokio::select! {
        () = connections.shutdown() => {}
        // A browser that keeps half a request to itself would hold a graceful end for ever.
        () = async {
            attempts.posts.wait().await;
            tokio::time::sleep(GRACE).await;
        } => {}
    }
    attempts.posts.wait().await;
    // It ends by itself, and a defect of its own is no reason to lose more.
    let _ = upkeep.await;
    ledger.shut().await;
}
