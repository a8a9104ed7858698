#![doc = include_str!("../README.md")]

mod answers;
mod args;
mod attempts;
mod breaker;
mod clock;
mod customer;
mod guard;
mod health;
mod ledger;
mod listen;
mod live;
mod mark;
mod metrics;
mod notify;
mod openapi;
mod outcomes;
mod own;
mod pay_in;
mod pin_key;
mod reload;
mod reply;
mod requests;
mod routes;
mod session;
mod settings;
mod support;
mod telemetry;
mod tls;
mod truth;
mod upkeep;
mod upstream;
mod user_token;

pub use args::{Args, AttemptsCommand, Command, LimitArgs, MozartoUser, SettleAs};
use attempts::Attempts;
use clock::Clock;
use guard::Guard;
use ledger::sql::Sql;
use ledger::{Ledger, Unavailable};
pub use live::Live;
use mark::MarkFile;
pub use metrics::Alarms;
use metrics::Metrics;
pub use notify::Receiver;
use notify::{Courier, Delivering};
pub use pin_key::PinKeys;
pub use reload::Reloader;
use routes::Shared;
use secrecy::ExposeSecret;
pub use session::SessionKeys;
pub use settings::{Limits, Secrets, SessionSettings, Settings, SettingsError, Times, database_url};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
pub use support::support;
pub use telemetry::{LogFormat, Telemetry};
pub use tls::Tls;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use upstream::Mozarto;
pub use upstream::StartError;

/// How long answers may take to reach their browsers when the last try has ended and the proxy is to end.
const GRACE: Duration = Duration::from_secs(1);

/// How long the upkeep and the last deliveries, and then the ledger, may take for their last.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// A proxy that is ready to serve: its ledger is open and its settings are complete.
pub struct Proxy {
    attempts: Arc<Attempts>,
    clock: Arc<Clock>,
    courier: Option<Courier>,
    mark: MarkFile,
    settings: Settings,
    metrics: Option<TcpListener>,
}

impl Proxy {
    /// Opens the ledger.
    ///
    /// # Errors
    /// When the database is corrupt, another program's, from a newer version, or cannot be written; when the address of
    /// the metrics is taken.
    pub async fn open(settings: Settings) -> Result<Self, StartError> {
        Self::open_counting(settings, &Alarms::default()).await
    }

    /// The same, and the metrics show the log's alarms.
    ///
    /// # Errors
    /// As [`Proxy::open`].
    pub async fn open_counting(settings: Settings, alarms: &Alarms) -> Result<Self, StartError> {
        let metrics = match settings.metrics_listen {
            Some(address) => Some(TcpListener::bind(address).await.map_err(|error| {
                StartError(format!("cannot listen on {address}: {error}; give another address by --metrics-listen"))
            })?),
            None => None,
        };
        let clock = Arc::new(Clock::new(settings.clock_offset_file.clone()));
        let ledger = Sql::open(
            settings.database_url.expose_secret(),
            &settings.pin_keys.now(),
            Arc::clone(&clock),
            settings.times.lease,
        )
        .await;
        let ledger = ledger.map_err(|error| StartError(error.to_string()))?;
        let mark = MarkFile::new(settings.mark_file.clone());
        let unusable = |unavailable: Unavailable| StartError(unavailable.to_string());
        let noted = mark.noted().map_err(StartError)?;
        mark.check(noted, ledger.mark().await.map_err(unusable)?).map_err(StartError)?;
        mark.raise(ledger.observe().await.map_err(unusable)?).map_err(StartError)?;
        let mozarto = Mozarto::new(&settings, Arc::clone(&clock))?;
        let attempts = Attempts::new(Arc::new(ledger), mozarto, &settings, Arc::clone(&clock), Metrics::new(alarms));
        let courier = |receiver| Courier::new(receiver, Arc::clone(&clock), Arc::clone(&attempts.metrics));
        let courier = settings.receiver.clone().map(courier).transpose()?;
        Ok(Self { attempts: Arc::new(attempts), clock, courier, mark, settings, metrics })
    }

    /// Where the metrics are read, if anywhere.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Cancelled, it ends the waiting for what cannot be written: what it means then stands in the log alone. Without
    /// it [`serve`] waits for as long as that takes.
    pub fn giving_up(&self) -> CancellationToken {
        self.attempts.giving_up.clone()
    }

    /// Reads secrets and certificates again while [`serve`] runs.
    pub fn reloader(&self) -> Reloader {
        Reloader::new(&self.settings, Arc::clone(&self.attempts.ledger))
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
            Self::Broken => f.write_str("ended early; see ALARM in the log before it is started again"),
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
    let Proxy { attempts, clock, courier, mark, settings, metrics } = proxy;
    let (ending, times) = (attempts.ending.clone(), settings.times);
    let guard = Arc::new(Guard::new(&settings, &clock));
    let ledger: Arc<dyn Ledger> = Arc::clone(&attempts.ledger);
    let mut upkeep = tokio::spawn(upkeep::run(Arc::clone(&ledger), mark, times, ending.clone()));
    let delivering = Delivering::start(courier, Arc::clone(&ledger), Arc::clone(&attempts.outcome_written));
    let told = ending.clone();
    tokio::spawn(async move {
        shutdown.await;
        told.cancel();
    });
    let mut watched = tokio::spawn({
        let (ledger, giving_up) = (Arc::clone(&ledger), attempts.giving_up.clone());
        let delivering_broken = delivering.broken();
        // Whether all were whole to the end.
        async move {
            let whole = tokio::select! {
                // Told to end, the upkeep may take a while for its last writes.
                ended = &mut upkeep => ended.is_ok() && ending.is_cancelled(),
                () = ledger.stopped() => false,
                () = delivering_broken => false,
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
    // Until the last try has ended: who waits for that wants to see it. Aborted when this function ends.
    let mut watchers = JoinSet::new();
    if let Some(listener) = metrics {
        watchers.spawn(axum::serve(listener, health::router(Arc::clone(&attempts))).into_future());
    }
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
    // What the last tries have brought is delivered meanwhile, or after the next start.
    let (whole, ()) = tokio::join!(timeout(LAST_WRITES, &mut watched), delivering.end(LAST_WRITES));
    let whole = whole.map_or(true, |watched| watched.unwrap_or(false));
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
