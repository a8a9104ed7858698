//! What operators watch, as numbers: counted where it happens, read from the ledger when it is asked for, and written as
//! Prometheus reads it (`OpenMetrics` text). One registry per proxy, nothing global.
//!
//! Labels are words of ours alone: nothing that a browser or Mozarto sent becomes one. Left to others: who may read them
//! (`health`), and what each means to an operator (README, "Metrics").

use crate::ledger::{Figures, State};
use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::time::Duration;
use tokio::time::Instant;

/// The content type of [`Metrics::text`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// From a fast ledger to a try that ran into its deadline.
const SECONDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 45.0];

type Labelled<M> = Family<[(&'static str, &'static str); 1], M, fn() -> M>;

/// How many lines of the log have begun with `ALARM`. The log counts them (`telemetry`), the metrics show them.
#[derive(Clone, Debug, Default)]
pub struct Alarms(Counter);

impl Alarms {
    /// One more.
    pub(crate) fn one_more(&self) {
        self.0.inc();
    }
}

/// Why a request was refused before anything of it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Address,
    Session,
    Customer,
    Guesses,
    Breaker,
    InFlight,
    Ledger,
    Ending,
    Origin,
    NoSession,
    SessionExpired,
    Foreign,
}

impl Refused {
    const ALL: [Self; 12] = [
        Self::Address,
        Self::Session,
        Self::Customer,
        Self::Guesses,
        Self::Breaker,
        Self::InFlight,
        Self::Ledger,
        Self::Ending,
        Self::Origin,
        Self::NoSession,
        Self::SessionExpired,
        Self::Foreign,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Session => "session",
            Self::Customer => "customer",
            Self::Guesses => "guesses",
            Self::Breaker => "breaker",
            Self::InFlight => "in_flight",
            Self::Ledger => "ledger",
            Self::Ending => "ending",
            Self::Origin => "origin",
            Self::NoSession => "no_session",
            Self::SessionExpired => "session_expired",
            Self::Foreign => "foreign",
        }
    }
}

/// A step of the ledger.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Begin,
    End,
    Close,
    Attempt,
}

impl Step {
    fn as_str(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::End => "end",
            Self::Close => "close",
            Self::Attempt => "attempt",
        }
    }
}

/// What is true at the moment, for one reading.
#[derive(Debug, Default)]
pub(crate) struct Now {
    /// `None` where the ledger cannot be read: then its numbers are left out rather than made up.
    pub(crate) figures: Option<Figures>,
    pub(crate) tries_running: usize,
    pub(crate) held_ends: usize,
    pub(crate) breaker_is_open: bool,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    status: u16,
}

/// What is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Histogram, fn() -> Histogram>,
    upstream: Histogram,
    ledger: Labelled<Histogram>,
    notify: Histogram,
    tries: Family<[(&'static str, String); 1], Counter>,
    refused: Labelled<Counter>,
    deliveries: Labelled<Counter>,
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

impl Metrics {
    /// All at nothing, but for the alarms, which the log counts.
    pub(crate) fn new(alarms: &Alarms) -> Self {
        let this = Self {
            registry: Registry::with_prefix("cashier"),
            requests: Family::new_with_constructor(seconds),
            upstream: seconds(),
            ledger: Family::new_with_constructor(seconds),
            notify: seconds(),
            tries: Family::default(),
            refused: Family::new_with_constructor(Counter::default),
            deliveries: Family::new_with_constructor(Counter::default),
        };
        // There from the start: what is missing raises no alert.
        for refused in Refused::ALL {
            let _ = this.refused.get_or_create(&[("reason", refused.as_str())]);
        }
        for result in ["delivered", "failed"] {
            let _ = this.deliveries.get_or_create(&[("result", result)]);
        }
        this.registered(alarms)
    }

    fn registered(mut self, alarms: &Alarms) -> Self {
        let registry = &mut self.registry;
        registry.register("requests_seconds", "Requests of browsers, until their answer", self.requests.clone());
        registry.register("upstream_seconds", "Tries at Mozarto, until what came of them", self.upstream.clone());
        registry.register("ledger_seconds", "Steps of the ledger", self.ledger.clone());
        registry.register("notify_seconds", "Deliveries to the merchant's server", self.notify.clone());
        registry.register("tries", "Tries that have ended, by what Mozarto's answer means", self.tries.clone());
        registry.register("refused", "Requests of which nothing was sent, by the reason", self.refused.clone());
        registry.register("deliveries", "Deliveries to the merchant's server", self.deliveries.clone());
        registry.register("alarms", "Lines of the log that begin with ALARM", alarms.0.clone());
        registry.register("build", "The program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        self
    }

    /// A request of a browser was answered.
    pub(crate) fn answered(&self, method: &Method, status: StatusCode, took: Duration) {
        // Methods are any word that a client likes.
        let method = match *method {
            Method::GET => "GET",
            Method::POST => "POST",
            Method::DELETE => "DELETE",
            Method::OPTIONS => "OPTIONS",
            _ => "other",
        };
        let labels = Answered { method, status: status.as_u16() };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A try has ended, and means that, in `mozarto`'s words.
    pub(crate) fn tried(&self, meaning: &str, took: Duration) {
        self.upstream.observe(took.as_secs_f64());
        self.tries.get_or_create(&[("meaning", meaning.to_owned())]).inc();
    }

    /// A request was refused.
    pub(crate) fn refused(&self, why: Refused) {
        self.refused.get_or_create(&[("reason", why.as_str())]).inc();
    }

    /// The merchant's server was told, or could not be.
    pub(crate) fn delivered(&self, delivered: bool, took: Duration) {
        self.notify.observe(took.as_secs_f64());
        let result = if delivered { "delivered" } else { "failed" };
        self.deliveries.get_or_create(&[("result", result)]).inc();
    }

    /// Does a step of the ledger and takes its time.
    pub(crate) async fn timed<T>(&self, step: Step, done: impl Future<Output = T>) -> T {
        let since = Instant::now();
        let done = done.await;
        self.ledger.get_or_create(&[("operation", step.as_str())]).observe(since.elapsed().as_secs_f64());
        done
    }

    /// All of it as text.
    pub(crate) fn text(&self, now: Now) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode_registry(&mut text, &self.registry);
        let _ = encode_registry(&mut text, &at_the_moment(now));
        let _ = encode_eof(&mut text);
        text
    }
}

/// A registry of what is read at this moment.
fn at_the_moment(now: Now) -> Registry {
    let mut registry = Registry::with_prefix("cashier");
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let mut gauge = |name: &str, help: &str, value: i64| {
        let gauge: Gauge = Gauge::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    };
    gauge("tries_running", "Tries that have not ended", count(now.tries_running));
    gauge(
        "held_ends",
        "Ends of tries that wait to be written; while there are any nothing is sent",
        count(now.held_ends),
    );
    gauge("breaker_open", "1 while nothing is sent because Mozarto does not answer", i64::from(now.breaker_is_open));
    let Some(figures) = now.figures else { return registry };
    gauge("unknown_attempts", "Attempts not ended that have a try of which nobody knows what became", figures.unknown);
    gauge("oldest_unknown_seconds", "How long ago the oldest of them was recorded", figures.oldest_unknown_seconds);
    gauge("undelivered_outcomes", "Outcomes that the merchant's server was not told yet", figures.undelivered);
    gauge("oldest_undelivered_seconds", "For how long the oldest of them waits", figures.oldest_undelivered_seconds);
    let attempts: Labelled<Gauge> = Family::new_with_constructor(Gauge::default);
    for state in [State::Recorded, State::Sending, State::Open, State::Unconfirmed] {
        attempts.get_or_create(&[("state", state.as_str())]).set(0);
    }
    for (state, number) in figures.attempts {
        attempts.get_or_create(&[("state", state.as_str())]).set(number);
    }
    registry.register("attempts", "Attempts that hold a voucher, by their state", attempts);
    registry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::State;

    #[test]
    fn what_may_raise_an_alert_is_there_from_the_start() {
        let text = Metrics::new(&Alarms::default()).text(Now::default());
        for line in [
            "cashier_refused_total{reason=\"breaker\"} 0",
            "cashier_deliveries_total{result=\"failed\"} 0",
            "cashier_alarms_total 0",
            "cashier_breaker_open 0",
            "cashier_held_ends 0",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        assert!(!text.contains("cashier_unknown_attempts"), "not known is left out: {text}");
    }

    #[test]
    fn what_was_counted_and_what_is_true_now_stand_in_one_text() {
        let alarms = Alarms::default();
        let metrics = Metrics::new(&alarms);
        alarms.one_more();
        metrics.tried("rejected: invalid-pin", Duration::from_millis(30));
        metrics.answered(&Method::POST, StatusCode::OK, Duration::from_millis(3));
        metrics.answered(&"BREW".parse().expect("a method"), StatusCode::METHOD_NOT_ALLOWED, Duration::ZERO);
        let figures =
            Figures { attempts: vec![(State::Open, 3)], unknown: 2, oldest_unknown_seconds: 60, ..Figures::default() };
        let text = metrics.text(Now { figures: Some(figures), breaker_is_open: true, ..Now::default() });
        for line in [
            "cashier_alarms_total 1",
            "cashier_tries_total{meaning=\"rejected: invalid-pin\"} 1",
            "cashier_upstream_seconds_bucket{le=\"0.025\"} 0",
            "cashier_upstream_seconds_bucket{le=\"0.05\"} 1",
            "cashier_requests_seconds_count{method=\"POST\",status=\"200\"} 1",
            "cashier_requests_seconds_count{method=\"other\",status=\"405\"} 1",
            "cashier_attempts{state=\"open\"} 3",
            "cashier_unknown_attempts 2",
            "cashier_oldest_unknown_seconds 60",
            "cashier_breaker_open 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        assert!(text.contains("cashier_build_info{version="), "{text}");
        assert_eq!(text.matches("# EOF").count(), 1);
    }
}
