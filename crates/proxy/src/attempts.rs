//! What is done about an attempt: POST, GET and DELETE of hop 1, between the ledger and Mozarto.
//!
//! A POST runs in a task of its own, from the question whether it may be sent to the writing of its end. A browser that
//! leaves, or has waited long enough, does not stop it; shutting down waits for it. What follows once a try is
//! on disk as sending is in `tries`.

mod tries;

use crate::answers;
use crate::breaker::Breaker;
use crate::clock::Clock;
use crate::guard::{Caller, too_many};
use crate::ledger::{Begun, Closed, Kept, Ledger, Posted, State};
use crate::live::Live;
use crate::metrics::{Metrics, Refused, Step};
use crate::own::{Own, WAIT_SECONDS};
use crate::pay_in::Posting;
use crate::pin_key::PinKeys;
use crate::reply;
use crate::requests;
use crate::settings::{Settings, Times};
use crate::upstream::Mozarto;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};
use uuid::Uuid;

const NOT_WRITABLE: &str = "The attempt cannot be written down at the moment; nothing was sent";
const ENDING: &str = "The proxy is about to end; nothing was sent";
const TOO_MANY: &str = "Too many tries run at the moment; nothing was sent";
const NO_ANSWERS: &str = "Mozarto does not answer at the moment; nothing was sent";
const OTHER_KEYS: &str = "Vouchers cannot be told apart at the moment; nothing was sent";
const TOO_LATE: &str = "The proxy was held up; nothing was sent";
const NOT_WHOLE: &str = "The request did not come whole; nothing was sent";

/// The attempts and all that is needed for them.
pub(crate) struct Attempts {
    pub(crate) ledger: Arc<dyn Ledger>,
    mozarto: Arc<Mozarto>,
    pin_keys: Live<PinKeys>,
    times: Times,
    /// The POSTs that run.
    pub(crate) posts: TaskTracker,
    /// How many ends of tries wait to be written. While there are any, nothing new is sent.
    held: AtomicUsize,
    /// How many more tries may run.
    room: Semaphore,
    most_tries: usize,
    pub(crate) breaker: Arc<Breaker>,
    pub(crate) metrics: Arc<Metrics>,
    clock: Arc<Clock>,
    /// Told when the program is to end.
    pub(crate) ending: CancellationToken,
    /// Told when it is to end without what cannot be written.
    pub(crate) giving_up: CancellationToken,
    /// How many ends of tries were not written.
    pub(crate) lost: AtomicUsize,
    /// Whether anybody is told of outcomes.
    pub(crate) delivers: bool,
    /// Poked after an outcome was written that the merchant is to be told.
    pub(crate) outcome_written: Arc<Notify>,
}

impl Attempts {
    pub(crate) fn new(
        ledger: Arc<dyn Ledger>,
        mozarto: Mozarto,
        settings: &Settings,
        clock: Arc<Clock>,
        metrics: Metrics,
    ) -> Self {
        Self {
            ledger,
            mozarto: Arc::new(mozarto),
            pin_keys: settings.pin_keys.clone(),
            times: settings.times,
            posts: TaskTracker::new(),
            held: AtomicUsize::new(0),
            room: Semaphore::new(room(settings.most_tries)),
            most_tries: room(settings.most_tries),
            metrics: Arc::new(metrics),
            breaker: Arc::new(Breaker::new(settings.breaker_failures)),
            clock,
            ending: CancellationToken::new(),
            giving_up: CancellationToken::new(),
            lost: AtomicUsize::new(0),
            delivers: settings.receiver.is_some(),
            outcome_written: Arc::default(),
        }
    }

    /// POST: at most one try, and an answer in time. `since` is when the request arrived.
    pub(crate) async fn post(self: &Arc<Self>, key: Uuid, posting: Posting, since: Instant) -> Response {
        requests::about(key);
        let this = Arc::clone(self);
        let post = self.posts.spawn(requests::carried(async move { this.run(key, posting).await }));
        match timeout_at(since + self.times.answer_within, post).await {
            Ok(Ok(response)) => response,
            Ok(Err(failed)) => {
                error!(attempt = %key, %failed, "a POST ended in a defect of the proxy's");
                Own::Pending.into_response()
            }
            // The task goes on, and its end is written.
            Err(_) => Own::Pending.into_response(),
        }
    }

    /// GET: what is known about the attempt.
    pub(crate) async fn status(&self, key: Uuid, caller: &Caller) -> Response {
        requests::about(key);
        match self.metrics.timed(Step::Attempt, self.ledger.attempt(key)).await {
            Ok(Some(kept)) if caller.is_foreign(&kept) => Own::Foreign.into_response(),
            Ok(Some(kept)) => answers::later(kept, self.clock.wall_ms()),
            Ok(None) if self.ledger.forgets() => Own::Unconfirmed(None).into_response(),
            Ok(None) => Own::Unknown.into_response(),
            Err(unavailable) => {
                error!(attempt = %key, %unavailable, "the ledger cannot be read");
                Own::LedgerUnreadable.into_response()
            }
        }
    }

    /// DELETE: closes what nothing has been taken for.
    pub(crate) async fn close(&self, key: Uuid, subject: Option<&str>) -> Response {
        requests::about(key);
        match self.metrics.timed(Step::Close, self.ledger.close(key, subject.map(str::to_owned))).await {
            Ok(Closed::Untouched) => {
                info!(attempt = %key, "closed as untouched");
                Own::Untouched.into_response()
            }
            Ok(Closed::Kept(kept)) => answers::later(*kept, self.clock.wall_ms()),
            Ok(Closed::Foreign) => Own::Foreign.into_response(),
            Ok(Closed::Forgotten) => Own::Unconfirmed(None).into_response(),
            Err(unavailable) => {
                error!(attempt = %key, %unavailable, "the ledger cannot be written");
                Own::LedgerUnreadable.into_response()
            }
        }
    }

    /// How many ends of tries wait to be written.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    /// How many tries have not ended.
    pub(crate) fn tries_running(&self) -> usize {
        self.most_tries - self.room.available_permits()
    }

    async fn run(&self, key: Uuid, posting: Posting) -> Response {
        let pay_in = &posting.pay_in;
        let posted = Posted {
            key,
            owner: posting.customer.user_id.clone(),
            voucher: self.pin_keys.now().hashes(&pay_in.voucher_pin),
            amount_minor: i64::try_from(pay_in.amount.minor()).unwrap_or(i64::MAX),
            currency: pay_in.amount.currency().code().to_owned(),
            brand: pay_in.brand_id.clone(),
            session: posting.session.clone(),
            most_guesses: posting.most_guesses,
        };
        // Held until the end of the try is written.
        let Ok(_room) = self.room.try_acquire() else {
            return self.without_a_step(&posted, Refused::InFlight, WAIT_SECONDS).await;
        };
        let by = Instant::now() + self.times.ledger_within;
        // What is begun at the last moment takes a while to be committed; others take this process for gone only later.
        let send_by = by + self.times.lease.saturating_sub(self.times.ledger_within) / 2;
        let is_ending = self.ending.is_cancelled();
        // Asked before the try is marked as sending: dropped it was not used.
        let pass = self.breaker.ask();
        let may_send = !is_ending && self.held() == 0 && pass.is_ok();
        let begun = match self.metrics.timed(Step::Begin, self.ledger.begin(posted.clone(), may_send, by)).await {
            Ok(begun) => begun,
            Err(unavailable) => {
                warn!(attempt = %key, %unavailable, "not sent: the ledger cannot be written");
                return self.without_a_step(&posted, Refused::Ledger, WAIT_SECONDS).await;
            }
        };
        let (why, wait) = match &pass {
            _ if is_ending => (Refused::Ending, WAIT_SECONDS),
            // Rounded up: a widget that comes a moment too early waits once more.
            Err(wait) => (Refused::Breaker, (*wait + Duration::from_millis(999)).as_secs()),
            Ok(_) => (Refused::Ledger, WAIT_SECONDS),
        };
        let refused = match begun {
            Begun::Send(number) if Instant::now() < send_by => {
                return self.run_try(key, number, posting, pass.ok()).await;
            }
            // This process stood still, and others may take it for gone: nothing leaves of what they may have given up.
            Begun::Send(number) => {
                warn!(attempt = %key, "not sent: it took too long from the ledger to here");
                let ended = reply::not_sent(TOO_LATE).ended(key, number);
                return match self.write_end(ended, None).await {
                    Some(kept) => answers::of(kept),
                    None => Own::Pending.into_response(),
                };
            }
            Begun::Kept(kept) => return answers::without_a_try(*kept, self.clock.wall_ms()),
            Begun::NotNow => return self.without_a_step(&posted, why, wait).await,
            Begun::Foreign => Own::Foreign,
            Begun::Mismatch => Own::Mismatch,
            Begun::InUse(holder) => Own::InUse(holder),
            Begun::SessionSpent => Own::SessionExpired,
            Begun::Wait(wait) => too_many(wait, Refused::Guesses),
            Begun::LacksPinKey(id) => {
                error!(attempt = %key, id, "not sent: attempts are open under a key that CASHIER_PIN_KEY lacks; put it back, behind the newer ones");
                Own::NotSent(OTHER_KEYS, WAIT_SECONDS)
            }
        };
        if matches!(refused, Own::NotSent(..)) {
            self.metrics.refused(Refused::Ledger);
        }
        info!(attempt = %key, status = refused.stored().status, "not sent");
        refused.into_response()
    }

    /// A POST for which no step of the ledger can be done now: what is known already is answered, and all else was not
    /// sent. Only a try that runs, or an answer that stands, says more than that.
    async fn without_a_step(&self, posted: &Posted, why: Refused, wait: u64) -> Response {
        self.metrics.refused(why);
        let why = not_sent_because(why);
        info!(attempt = %posted.key, why, "not sent");
        let known =
            self.metrics.timed(Step::Attempt, self.ledger.attempt(posted.key)).await.inspect_err(|unavailable| {
                warn!(attempt = %posted.key, %unavailable, "the ledger cannot be read, either");
            });
        let stands = |kept: &Kept| match kept.state {
            State::Recorded | State::Open => kept.unknown_try,
            _ => true,
        };
        let Some(known) = known.ok().flatten() else { return Own::NotSent(why, wait).into_response() };
        match posted.refused_by(&known) {
            Some(Begun::Foreign) => Own::Foreign.into_response(),
            Some(_) => Own::Mismatch.into_response(),
            None if stands(&known) => answers::without_a_try(known, self.clock.wall_ms()),
            None => Own::NotSent(why, wait).into_response(),
        }
    }

    /// A POST whose body stalled or was cut: no try of it left, but one of an earlier POST of this key may have.
    pub(crate) async fn cut_short(&self, key: Uuid, caller: &Caller) -> Response {
        match self.ledger.attempt(key).await {
            Ok(Some(kept)) if caller.is_foreign(&kept) => Own::Foreign.into_response(),
            Ok(Some(kept)) if kept.state != State::Recorded || kept.unknown_try => {
                answers::later(kept, self.clock.wall_ms())
            }
            Ok(_) => Own::NotSent(NOT_WHOLE, WAIT_SECONDS).into_response(),
            Err(unavailable) => {
                error!(attempt = %key, %unavailable, "the ledger cannot be read");
                Own::LedgerUnreadable.into_response()
            }
        }
    }
}

/// What the merchant reads about a try that was not sent.
fn not_sent_because(why: Refused) -> &'static str {
    match why {
        Refused::Breaker => NO_ANSWERS,
        Refused::InFlight => TOO_MANY,
        Refused::Ending => ENDING,
        _ => NOT_WRITABLE,
    }
}

/// How many tries may run at once; 0 is no limit.
fn room(most_tries: usize) -> usize {
    if most_tries == 0 { Semaphore::MAX_PERMITS } else { most_tries.min(Semaphore::MAX_PERMITS) }
}
