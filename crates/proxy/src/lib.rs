#![doc = include_str!("../README.md")]

mod answers;
mod args;
mod attempts;
mod clock;
mod customer;
mod guard;
mod ledger;
mod listen;
mod live;
mod outcomes;
mod own;
mod pay_in;
mod pin_key;
mod reload;
mod reply;
mod routes;
mod session;
mod settings;
mod support;
mod tls;
mod truth;
mod upkeep;
mod upstream;

pub use args::{Args, AttemptsCommand, Command, LimitArgs, MozartoUser, SettleAs};
use attempts::Attempts;
use clock::Clock;
use guard::Guard;
use ledger::Ledger;
use ledger::sqlite::Sqlite;
pub use live::Live;
pub use pin_key::PinKeys;
pub use reload::Reloader;
use routes::Shared;
use secrecy::ExposeSecret;
pub use session::SessionKeys;
pub use settings::{Limits, Secrets, SessionSettings, Settings, SettingsError, Times, database_url};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
pub use support::support;
pub use tls::Tls;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use upstream::Mozarto;
pub use upstream::StartError;

/// How long answers may take to reach their browsers when the last try has ended and the proxy is to end.
const GRACE: Duration = Duration::from_secs(1);

/// How long the upkeep, and then the ledger, may take for their last writes.
const LAST_WRITES: Duration = Duration::from_secs(5);

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
        let ledger = Sqlite::open(settings.database_url.expose_secret(), &settings.pin_keys, Arc::clone(&clock)).await;
        let ledger = ledger.map_err(|error| StartError(error.to_string()))?;
        let mozarto = Mozarto::new(&settings, Arc::clone(&clock))?;
        let (pin_keys, times) = (settings.pin_keys.clone(), settings.times);
        let attempts =
            Attempts::new(Arc::new(ledger), mozarto, pin_keys, times, settings.most_tries, Arc::clone(&clock));
        Ok(Self { attempts: Arc::new(attempts), clock, settings })
    }

    /// Cancelled, it ends the waiting for what cannot be written: what it means then stands in the log alone. Without
    /// it [`serve`] waits for as long as that takes.
    pub fn giving_up(&self) -> CancellationToken {
        self.attempts.giving_up.clone()
    }

    /// Reads secrets and certificates again while [`serve`] runs.
    pub fn reloader(&self) -> Reloader {
        Reloader::new(&self.settings)
    }
}

/// The proxy has ended otherwise than it was told to, or with something left undone. Exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndError {
    /// The ends of so many tries could not be written: their attempts are unknown after the next start.
    Lost(usize),
    /// A part of the program has ended by a defect, so the rest has ended, too.
    Broken,
}

impl fmt::Display for EndError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(tries) => write!(f, "the ends of {tries} tries were not written; see ALARM in the log"),
            Self::Broken => f.write_str("ended by a defect; start it again, and see ALARM in the log"),
        }
    }
}

impl std::error::Error for EndError {}

/// Serves the proxy until `shutdown` is done and every running try has ended and is written down.
///
/// # Errors
/// When a part of the proxy has ended early, or what came of a try could not be written before the order to give up.
pub async fn serve(
    listener: TcpListener,
    proxy: Proxy,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), EndError> {
    let Proxy { attempts, clock, settings } = proxy;
    let (ending, times) = (attempts.ending.clone(), settings.times);
    let guard = Arc::new(Guard::new(&settings, &clock));
    let ledger: Arc<dyn Ledger> = Arc::clone(&attempts.ledger);
    let mut upkeep = tokio::spawn(upkeep::run(Arc::clone(&ledger), clock, times.upstream_deadline, ending.clone()));
    let told = ending.clone();
    tokio::spawn(async move {
        shutdown.await;
        told.cancel();
    });
    let mut watched = tokio::spawn({
        let (ledger, giving_up) = (Arc::clone(&ledger), attempts.giving_up.clone());
        // Whether both were whole to the end.
        async move {
            let whole = tokio::select! {
                // Told to end, the upkeep may take a while for its last writes.
                ended = &mut upkeep => ended.is_ok() && ending.is_cancelled(),
                () = ledger.stopped() => false,
            };
            if !whole {
                error!("ALARM: a part of the proxy has ended by a defect; all of it ends");
                // Where nothing can be written any more there is nothing to wait for.
                if timeout(Duration::ZERO, ledger.stopped()).await.is_ok() {
                    giving_up.cancel();
                }
                ending.cancel();
            }
            whole
        }
    });
    let shared = Shared { attempts: Arc::clone(&attempts), times, guard, outcomes_token: settings.outcomes_token };
    let terms = listen::Terms { head_within: times.head_within, limits: settings.limits, tls: settings.tls };
    let connections = listen::accept(listener, routes::router(shared), terms, &attempts.ending).await;
    attempts.posts.close();
    info!(tries = attempts.posts.len(), "told to end; running tries are waited for");
    tokio::select! {
        () = connections.shutdown() => {}
        // A browser that keeps half a request to itself would hold a graceful end for ever.
        () = async {
            attempts.posts.wait().await;
            sleep(GRACE).await;
        } => {}
    }
    attempts.posts.wait().await;
    // Somebody else's lock may keep both from writing their last, and nothing of it is worth waiting for much longer.
    let whole = timeout(LAST_WRITES, &mut watched).await.map_or(true, |watched| watched.unwrap_or(false));
    // From here on the ledger ends as it should.
    watched.abort();
    let _ = timeout(LAST_WRITES, ledger.shut()).await;
    match attempts.lost.load(Ordering::SeqCst) {
        _ if !whole => Err(EndError::Broken),
        0 => Ok(()),
        tries => Err(EndError::Lost(tries)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[tokio::test]
    async fn a_proxy_whose_ledger_has_ended_ends_with_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = format!("--database-url=sqlite://{}", folder.path().join("cashier.db").display());
        let args = ["proxy", "--insecure-no-sessions", "--mozarto-url=http://127.0.0.1:1", &database];
        let secrets = Secrets {
            company_token: Some("token".into()),
            pin_key: Some("a key of the tests, long enough.".into()),
            ..Secrets::default()
        };
        let settings = Settings::new(Args::parse_from(args), secrets).expect("complete settings");
        let proxy = Proxy::open(settings).await.expect("it opens");
        let ledger = Arc::clone(&proxy.attempts.ledger);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let served = tokio::spawn(serve(listener, proxy, std::future::pending()));
        // As after a defect of the writer's: nothing can be written any more.
        ledger.shut().await;
        let ended = timeout(Duration::from_secs(30), served).await.expect("it ends by itself");
        assert_eq!(ended.expect("no panic"), Err(EndError::Broken));
    }
}
