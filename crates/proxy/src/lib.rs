#![doc = include_str!("../README.md")]

mod answers;
mod args;
mod attempts;
mod breaker;
mod clock;
mod ledger;
mod listen;
mod mark;
mod notify;
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

pub use args::{Args, AttemptsCommand, Command, SettleAs};
use attempts::Attempts;
use clock::Clock;
use ledger::Ledger;
use ledger::sql::Sql;
use mark::MarkFile;
pub use notify::Receiver;
use notify::{Courier, Delivering};
pub use pin_key::PinKeys;
use routes::Shared;
pub use settings::{Secrets, Settings, SettingsError, Times, Token};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
pub use support::support;
use tokio::net::TcpListener;
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
    courier: Option<Courier>,
    mark: MarkFile,
    settings: Settings,
}

impl Proxy {
    /// Opens the ledger.
    ///
    /// # Errors
    /// When the database is corrupt, another program's, from a newer version, or cannot be written.
    pub async fn open(settings: Settings) -> Result<Self, StartError> {
        let clock = Arc::new(Clock::new(settings.clock_offset_file.clone()));
        let ledger =
            Sql::open(&settings.database_url, &settings.pin_keys, Arc::clone(&clock), settings.times.lease).await;
        let ledger = ledger.map_err(|error| StartError(error.to_string()))?;
        let mark = MarkFile::new(settings.mark_file.clone());
        let now = ledger.observe().await.map_err(|unavailable| StartError(unavailable.to_string()))?;
        mark.check(now).map_err(StartError)?;
        let mozarto = Mozarto::new(&settings, Arc::clone(&clock))?;
        let receiver = settings.receiver.clone();
        let courier = receiver.map(|receiver| Courier::new(receiver, Arc::clone(&clock))).transpose()?;
        let attempts = Attempts::new(Arc::new(ledger), mozarto, &settings, Arc::clone(&clock));
        Ok(Self { attempts: Arc::new(attempts), courier, mark, settings })
    }

    /// Cancelled, it ends the waiting for what cannot be written: what it means then stands in the log alone. Without
    /// it [`serve`] waits for as long as that takes.
    pub fn giving_up(&self) -> CancellationToken {
        self.attempts.giving_up.clone()
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
    let Proxy { attempts, courier, mark, settings } = proxy;
    let (ending, times) = (attempts.ending.clone(), settings.times);
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
            company_token: Some("token".to_owned()),
            pin_key: Some("a key of the tests, long enough.".to_owned()),
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
