//! The merchant's own server is told of each outcome: a POST of one line of the books, signed, again and again until it
//! is answered 2xx. Owns the deliveries that are under way; starts with `serve` where there is a `--notify-url`, and
//! ends with it.
//!
//! What is due, and in which order, is the ledger's: of each customer the earliest outcome only. A delivery may come
//! twice, when its answer was lost or could not be written: the receiver credits once per attempt.
//!
//! Source: CONTRACT, "Hop 3"; Standard Webhooks specification 1.0.

mod signature;
#[cfg(test)]
mod tests;

use crate::clock::{Clock, rfc3339};
use crate::ledger::{Delivery, Entry, Ledger};
use crate::live::Live;
use crate::metrics::Metrics;
use crate::outcomes;
use crate::settings::{NOTIFY_SECRET, is_this_machine};
use crate::upstream::{self, StartError};
use axum::http::{StatusCode, header};
use governor::Jitter;
use reqwest::{Client, Url, redirect, retry};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
pub(crate) use signature::SigningSecrets;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

const MOST_AT_ONCE: u32 = 8;
/// Longer than a delivery takes. Those of a process that has gone are due again after it.
const CLAIM: Duration = Duration::from_mins(1);
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// The merchant's own server, as `--notify-url` and `CASHIER_NOTIFY_SECRET` name it. Prints neither: the address may
/// hold a secret in its path.
#[derive(Clone)]
pub struct Receiver {
    url: Url,
    pub(crate) secrets: Live<SigningSecrets>,
}

impl Receiver {
    /// Checks both. The error names the setting that is wrong, and quotes nothing.
    pub(crate) fn new(url: &str, secret: &SecretString) -> Result<Self, String> {
        let error = |why: &str| format!("--notify-url (or CASHIER_NOTIFY_URL) {why}");
        let url = Url::parse(url).map_err(|_| error("is no URL: write it such as https://shop.example/flexepin"))?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(error("must be without user, password and fragment"));
        }
        if !(url.scheme() == "https" || (url.scheme() == "http" && is_this_machine(&url))) {
            return Err(error("must be https; http only to localhost, 127.0.0.0/8 and [::1]"));
        }
        Ok(Self { url, secrets: Live::new(signing_secrets(secret)?) })
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[receiver]")
    }
}

/// The secrets of `CASHIER_NOTIFY_SECRET`.
pub(crate) fn signing_secrets(text: &SecretString) -> Result<SigningSecrets, String> {
    SigningSecrets::parse(text.expose_secret()).map_err(|why| format!("{NOTIFY_SECRET} {why}"))
}

/// How long things may take; tests may shorten it.
#[derive(Clone, Copy, Debug)]
struct Times {
    /// An answer.
    answer_within: Duration,
    /// Between two looks for what is due, when nothing says that there is something.
    look_each: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { answer_within: Duration::from_secs(15), look_each: Duration::from_secs(5) }
    }
}

/// Who delivers.
pub(crate) struct Courier {
    client: Client,
    receiver: Receiver,
    clock: Arc<Clock>,
    metrics: Arc<Metrics>,
    times: Times,
}

/// The task that delivers, or none.
pub(crate) struct Delivering {
    task: Option<JoinHandle<()>>,
    told_to_end: CancellationToken,
    /// Cancelled when the task has gone otherwise than by its own end.
    broken: CancellationToken,
}

impl Delivering {
    /// Starts it, where there is somebody to deliver to. `written` is poked after an outcome was written.
    pub(crate) fn start(courier: Option<Courier>, ledger: Arc<dyn Ledger>, written: Arc<Notify>) -> Self {
        let (told_to_end, broken) = (CancellationToken::new(), CancellationToken::new());
        let task = courier.map(|courier| {
            let (told, guard) = (told_to_end.clone(), broken.clone().drop_guard());
            tokio::spawn(async move {
                courier.run(ledger, written, told).await;
                guard.disarm();
            })
        });
        Self { task, told_to_end, broken }
    }

    /// Done when it has ended by a defect; never, where nothing is delivered.
    pub(crate) fn broken(&self) -> impl Future<Output = ()> + Send + 'static {
        let (told_to_end, broken) = (self.told_to_end.clone(), self.broken.clone());
        async move {
            broken.cancelled().await;
            if told_to_end.is_cancelled() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Ends it. What is under way has so long; what comes to nothing is due again later.
    pub(crate) async fn end(self, within: Duration) {
        self.told_to_end.cancel();
        let Some(mut task) = self.task else { return };
        if timeout(within, &mut task).await.is_err() {
            info!("deliveries under way are given up; they are due again in a minute");
            task.abort();
        }
    }
}

impl Courier {
    /// Sets the HTTP client up.
    pub(crate) fn new(receiver: Receiver, clock: Arc<Clock>, metrics: Arc<Metrics>) -> Result<Self, StartError> {
        Self::hasty(receiver, clock, metrics, Times::default())
    }

    fn hasty(receiver: Receiver, clock: Arc<Clock>, metrics: Arc<Metrics>, times: Times) -> Result<Self, StartError> {
        let client = Client::builder()
            .tls_backend_preconfigured(upstream::tls()?)
            // The line is for that address alone: one that moved is a failure that somebody sees.
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .connect_timeout(CONNECT_DEADLINE)
            .timeout(times.answer_within)
            .referer(false)
            // A variable meant for another program must not send the books elsewhere.
            .no_proxy()
            .user_agent(concat!("flexepin-cashier-proxy/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| StartError(format!("the HTTP client cannot be set up: {error}")))?;
        Ok(Self { client, receiver, clock, metrics, times })
    }

    /// Delivers what is due, until it is told to end.
    async fn run(self, ledger: Arc<dyn Ledger>, written: Arc<Notify>, told_to_end: CancellationToken) {
        let this = Arc::new(self);
        let mut under_way = JoinSet::new();
        let mut is_readable = true;
        while !told_to_end.is_cancelled() {
            let room = MOST_AT_ONCE.saturating_sub(u32::try_from(under_way.len()).unwrap_or(MOST_AT_ONCE));
            let due = if room == 0 { Ok(Vec::new()) } else { ledger.claim_deliveries(room, CLAIM).await };
            match &due {
                Err(unavailable) if is_readable => {
                    warn!(%unavailable, "it cannot be looked for outcomes to deliver; it is tried again");
                }
                Ok(_) if !is_readable => info!("outcomes to deliver can be looked for again"),
                _ => {}
            }
            is_readable = due.is_ok();
            for delivery in due.unwrap_or_default() {
                let (this, ledger) = (Arc::clone(&this), Arc::clone(&ledger));
                under_way.spawn(async move { this.deliver(ledger.as_ref(), delivery).await });
            }
            let has_room = under_way.len() < MOST_AT_ONCE as usize;
            let mut ended = tokio::select! {
                () = told_to_end.cancelled() => None,
                // Its customer's next may be due.
                ended = under_way.join_next(), if !under_way.is_empty() => ended,
                () = written.notified(), if has_room => None,
                () = sleep(this.times.look_each) => None,
            };
            while let Some(delivery) = ended {
                seen(&delivery);
                ended = under_way.try_join_next();
            }
        }
        while let Some(ended) = under_way.join_next().await {
            seen(&ended);
        }
    }

    /// Delivers one outcome once, and writes down what came of it.
    async fn deliver(&self, ledger: &dyn Ledger, Delivery { entry, failures }: Delivery) {
        let Entry { sequence, attempt, .. } = &entry;
        let began = Instant::now();
        let posted = self.post(&entry).await;
        let took = began.elapsed();
        self.metrics.delivered(posted.is_ok(), took);
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let written = match posted {
            Ok(()) => {
                info!(attempt, sequence, ms, "the merchant was told");
                ledger.delivered(*sequence).await
            }
            Err(cause) => {
                let pause = pause(failures);
                warn!(
                    attempt,
                    sequence,
                    cause,
                    failures,
                    ms,
                    again_in_s = pause.as_secs(),
                    "the merchant was not told"
                );
                ledger.not_delivered(*sequence, pause).await
            }
        };
        if let Err(unavailable) = written {
            warn!(attempt, sequence, %unavailable, "what came of a delivery cannot be written; it comes again");
        }
    }

    /// The error is for the operator, and holds nothing of what was sent or of where to.
    async fn post(&self, entry: &Entry) -> Result<(), String> {
        let body = event(entry).to_string();
        let (id, timestamp) = (format!("outcome-{}", entry.attempt), self.clock.wall_seconds());
        let signature = self.receiver.secrets.now().sign(&id, timestamp, body.as_bytes());
        let request = self
            .client
            .post(self.receiver.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body);
        match request.send().await.map(|response| response.status()) {
            Ok(status) if status.is_success() => Ok(()),
            Ok(status) => Err(answered(status)),
            Err(error) => Err(format!("{:#}", anyhow::Error::new(error.without_url()))),
        }
    }
}

fn event(entry: &Entry) -> Value {
    json!({
        "type": format!("flexepin.{}", entry.outcome),
        "timestamp": rfc3339(entry.at),
        "data": outcomes::line(entry),
    })
}

fn answered(status: StatusCode) -> String {
    let moved = if status.is_redirection() { ", and no redirect is followed" } else { "" };
    format!("the answer was {}{moved}", status.as_u16())
}

fn seen(ended: &Result<(), tokio::task::JoinError>) {
    if let Err(failed) = ended {
        error!(%failed, "ALARM: a delivery ended in a defect of the proxy's; it comes again in a minute");
    }
}

/// How long to wait after the delivery that follows so many failures: 5 s, doubling, at most an hour, each 20 % more or
/// less, so that what failed together does not come back together.
fn pause(failures: u32) -> Duration {
    let pause = FIRST_PAUSE.saturating_mul(1 << failures.min(16)).min(LONGEST_PAUSE);
    Jitter::up_to(pause * 4 / 10) + pause * 8 / 10
}
