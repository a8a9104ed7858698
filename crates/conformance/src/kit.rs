//! What a check works with: vouchers whose tries the kit's Mozarto answers, the widget's requests, and the ways a check
//! can end. One [`Kit`] belongs to one check; all of a run share what is behind it.

mod voucher;

use crate::browser::{self, Ask, Got};
use crate::observed::Observed;
use crate::upstream::{Says, sandbox_prefix};
use crate::{Behind, Customer, Setup, Times};
use mozarto::{ErrorCode, Signal};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use url::Url;
use uuid::Uuid;
pub(crate) use voucher::Voucher;

/// Why a check ended without a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The proxy breaks the rule.
    Fails(String),
    /// The rule cannot be checked here, or is none of this proxy's.
    NotSupported(String),
    /// Nothing can be checked any more.
    Setup(String),
}

/// A check's end: one line of what was seen.
pub(crate) type Found = Result<&'static str, Stop>;

/// Ends a check with a failure unless something holds.
macro_rules! ensure {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err($crate::kit::Stop::Fails(format!($($why)+)));
        }
    };
}
pub(crate) use ensure;

/// What all checks of a run share.
pub(crate) struct Shared {
    pub(crate) setup: Setup,
    pub(crate) client: Client,
    pub(crate) observed: Observed,
}

/// One check's way to the proxy.
pub(crate) struct Kit {
    shared: Arc<Shared>,
    /// Whether the proxy keeps attempts.
    pub(crate) keeps: bool,
    unseen: AtomicBool,
}

impl Kit {
    pub(crate) fn new(shared: Arc<Shared>, keeps: bool) -> Self {
        Self { shared, keeps, unseen: AtomicBool::new(false) }
    }

    pub(crate) fn setup(&self) -> &Setup {
        &self.shared.setup
    }

    pub(crate) fn times(&self) -> Times {
        self.shared.setup.times
    }

    pub(crate) fn observed(&self) -> &Observed {
        &self.shared.observed
    }

    /// Whether the check would have looked at what was sent, and could not.
    pub(crate) fn missed_something(&self) -> bool {
        self.unseen.load(Ordering::Relaxed)
    }

    /// A fresh voucher whose tries are answered so.
    pub(crate) fn voucher(&self, script: &[Says]) -> Result<Voucher, Stop> {
        let amount = self.setup().amount;
        let digits =
            |count: u32| format!("{:0>width$}", Uuid::new_v4().as_u128() % 10_u128.pow(count), width = count as usize);
        match &self.setup().behind {
            Behind::Kit(upstream) => {
                let pin = format!("77{}", digits(14));
                let notes = upstream.play(&pin, amount, script);
                Ok(Voucher { pin, amount, notes: Some(notes) })
            }
            Behind::Sandbox => {
                let prefix = sandbox_prefix(script).ok_or_else(|| needs_the_kit("the sandbox cannot play this"))?;
                // In the wording that names it, which the sandbox takes from the last digit.
                Ok(Voucher { pin: format!("{prefix}{}0", digits(7)), amount, notes: None })
            }
            Behind::Unseen => Err(needs_the_kit("what Mozarto answers must be provoked")),
        }
    }

    /// A fresh voucher that must not be sent. Where it is all the same, Mozarto calls its PIN invalid.
    pub(crate) fn unsent(&self) -> Voucher {
        let digits = Uuid::new_v4().as_u128() % 10_u128.pow(8);
        self.voucher(&[Says::InvalidPin]).unwrap_or_else(|_| Voucher {
            pin: format!("99004075{digits:0>8}"),
            amount: self.setup().amount,
            notes: None,
        })
    }

    /// The kit's own Mozarto, for a check that cannot do without.
    pub(crate) fn upstream(&self) -> Result<&crate::Upstream, Stop> {
        match &self.setup().behind {
            Behind::Kit(upstream) => Ok(upstream),
            _ => Err(needs_the_kit("what reaches Mozarto must be seen")),
        }
    }

    /// The second customer.
    pub(crate) fn other(&self) -> Result<&Customer, Stop> {
        let missing = || Stop::NotSupported("needs a second customer: --other-header, or --other-user-id".to_owned());
        self.setup().other.as_ref().ok_or_else(missing)
    }

    /// How many tries of a voucher have reached Mozarto, which must be as many.
    pub(crate) fn sent(&self, voucher: &Voucher, wanted: usize) -> Result<(), Stop> {
        let Some(notes) = &voucher.notes else {
            self.unseen.store(true, Ordering::Relaxed);
            return Ok(());
        };
        let sent = notes.requests().len();
        ensure!(sent == wanted, "{} sent upstream, and not {}", times(sent), times(wanted));
        Ok(())
    }

    /// A POST of a voucher as the widget sends it, and its try's answer.
    pub(crate) async fn post(&self, key: &str, voucher: &Voucher) -> Result<Got, Stop> {
        let who = &self.setup().customer;
        self.post_body(who, key, voucher.body(who).to_string()).await
    }

    /// A POST of a body in somebody's name, and its try's answer. A slow proxy may well say 202 first; then it is
    /// asked, as a widget does.
    pub(crate) async fn post_body(&self, who: &Customer, key: &str, body: String) -> Result<Got, Stop> {
        let got = self.ask(self.post_ask(Some(who), Some(key), body)).await?;
        if self.keeps && got.signal() == Signal::TryRunning { self.when_done(who, key).await } else { Ok(got) }
    }

    /// A POST of a voucher, and its own answer, also where that is 202.
    pub(crate) async fn post_once(&self, key: &str, voucher: &Voucher) -> Result<Got, Stop> {
        let who = &self.setup().customer;
        self.ask(self.post_ask(Some(who), Some(key), voucher.body(who).to_string())).await
    }

    /// Asks until no try runs, for as long as one may run.
    pub(crate) async fn when_done(&self, who: &Customer, key: &str) -> Result<Got, Stop> {
        let times = self.times();
        let until = Instant::now() + times.upstream_deadline + times.slack;
        let key = key.trim_matches('"').to_lowercase();
        loop {
            let got = self.of_key(Method::GET, who, &key).await?;
            if got.signal() != Signal::TryRunning || Instant::now() > until {
                return Ok(got);
            }
            sleep(Duration::from_millis(200).min(times.slack / 8)).await;
        }
    }

    /// A POST that is still to be sent.
    pub(crate) fn post_ask<'a>(&self, who: Option<&'a Customer>, key: Option<&'a str>, body: String) -> Ask<'a> {
        let url = self.setup().endpoint.clone();
        Ask { method: Method::POST, url, key, who, body: Some(body), more: HeaderMap::new() }
    }

    /// What is known of a key.
    pub(crate) async fn get(&self, key: &str) -> Result<Got, Stop> {
        self.of_key(Method::GET, &self.setup().customer, key).await
    }

    /// Closes a key.
    pub(crate) async fn delete(&self, key: &str) -> Result<Got, Stop> {
        self.of_key(Method::DELETE, &self.setup().customer, key).await
    }

    /// GET or DELETE of a key.
    pub(crate) async fn of_key(&self, method: Method, who: &Customer, key: &str) -> Result<Got, Stop> {
        let url = attempt_url(&self.setup().endpoint, key);
        self.ask(Ask { method, url, key: None, who: Some(who), body: None, more: HeaderMap::new() }).await
    }

    /// Any request.
    pub(crate) async fn ask(&self, ask: Ask<'_>) -> Result<Got, Stop> {
        let got = self.ask_within_limits(ask).await?;
        if got.code() == Some(ErrorCode::TooManyTries) {
            return Err(Stop::Setup(
                "the proxy's own limit came first (TOO_MANY_TRIES): raise it for this run".to_owned(),
            ));
        }
        Ok(got)
    }

    /// Any request, also where `TOO_MANY_TRIES` is what is waited for.
    pub(crate) async fn ask_within_limits(&self, ask: Ask<'_>) -> Result<Got, Stop> {
        let asked = crate::observed::asked(&ask, &self.setup().endpoint);
        let what = ask.method.clone();
        let got = browser::send(&self.shared.client, ask).await;
        let got = got.map_err(|why| Stop::Fails(format!("{what} was not answered: {why}")))?;
        self.shared.observed.add(asked, &got);
        Ok(got)
    }
}

/// A fresh attempt's key.
pub(crate) fn fresh_key() -> String {
    Uuid::new_v4().to_string()
}

/// Where an attempt is asked for: its key is a path segment before any query.
pub(crate) fn attempt_url(endpoint: &Url, key: &str) -> Url {
    let mut url = endpoint.clone();
    let path = format!("{}/{key}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

pub(crate) fn needs_the_kit(why: &str) -> Stop {
    Stop::NotSupported(format!("{why}: only with --upstream-listen"))
}

fn times(count: usize) -> String {
    match count {
        0 => "nothing".to_owned(),
        1 => "one try".to_owned(),
        count => format!("{count} tries"),
    }
}
