//! What is done about an attempt: POST, GET and DELETE of hop 1, between the ledger and Mozarto.
//!
//! A POST runs in a task of its own, from the question whether it may be sent to the writing of its end. A browser that
//! leaves, or has waited long enough, does not stop it; shutting down waits for it. What cannot be written after it was
//! sent is held here and written later.

use crate::answers;
use crate::ledger::{Begun, Closed, Ended, Kept, Ledger, Posted};
use crate::own::Own;
use crate::pin_key::PinKeys;
use crate::reply::{self, Passed};
use crate::settings::Times;
use crate::truth::Said;
use crate::upstream::Mozarto;
use axum::response::{IntoResponse, Response};
use mozarto::PayIn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};
use uuid::Uuid;

/// The pause before what could not be written is tried again.
const HELD_PAUSE: Duration = Duration::from_millis(250);
/// How long the end of the program waits for what cannot be written. After the next start such an attempt has an unknown
/// try, which is true.
const HELD_AT_THE_END: Duration = Duration::from_secs(10);
/// The ledger may take this part of the time within which a POST is answered.
const LEDGER_PART: u32 = 3;

const NOT_WRITABLE: &str = "The attempt cannot be written down at the moment; nothing was sent";
const ENDING: &str = "The proxy is about to end; nothing was sent";

/// The attempts and all that is needed for them.
pub(crate) struct Attempts {
    pub(crate) ledger: Arc<dyn Ledger>,
    mozarto: Arc<Mozarto>,
    pin_keys: PinKeys,
    times: Times,
    /// The POSTs that run.
    pub(crate) posts: TaskTracker,
    /// How many ends of tries wait to be written. While there are any, nothing new is sent.
    held: AtomicUsize,
    /// Told when the program is to end.
    pub(crate) ending: CancellationToken,
}

impl Attempts {
    pub(crate) fn new(ledger: Arc<dyn Ledger>, mozarto: Mozarto, pin_keys: PinKeys, times: Times) -> Self {
        Self {
            ledger,
            mozarto: Arc::new(mozarto),
            pin_keys,
            times,
            posts: TaskTracker::new(),
            held: AtomicUsize::new(0),
            ending: CancellationToken::new(),
        }
    }

    /// POST: at most one try, and an answer in time. `since` is when the request arrived.
    pub(crate) async fn post(self: &Arc<Self>, key: Uuid, pay_in: PayIn, since: Instant) -> Response {
        let this = Arc::clone(self);
        let post = self.posts.spawn(async move { this.run(key, pay_in, since).await });
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
    pub(crate) async fn status(&self, key: Uuid) -> Response {
        match self.ledger.attempt(key).await {
            Ok(Some(kept)) => answers::of(kept),
            Ok(None) => Own::Unknown.into_response(),
            Err(unavailable) => {
                error!(attempt = %key, %unavailable, "the ledger cannot be read");
                Own::LedgerUnreadable.into_response()
            }
        }
    }

    /// DELETE: closes what nothing has been taken for.
    pub(crate) async fn close(&self, key: Uuid) -> Response {
        match self.ledger.close(key).await {
            Ok(Closed::Untouched) => {
                info!(attempt = %key, "closed as untouched");
                Own::Untouched.into_response()
            }
            Ok(Closed::Kept(kept)) => answers::of(*kept),
            Err(unavailable) => {
                error!(attempt = %key, %unavailable, "the ledger cannot be written");
                Own::LedgerUnreadable.into_response()
            }
        }
    }

    async fn run(&self, key: Uuid, pay_in: PayIn, since: Instant) -> Response {
        let posted = Posted {
            key,
            owner: pay_in.user_id.clone().unwrap_or_default(),
            voucher: self.pin_keys.hashes(&pay_in.voucher_pin),
            amount_minor: i64::try_from(pay_in.amount.minor()).unwrap_or(i64::MAX),
            currency: pay_in.amount.currency().code().to_owned(),
            brand: pay_in.brand_id.clone(),
        };
        let is_ending = self.ending.is_cancelled();
        let may_send = !is_ending && self.held.load(Ordering::SeqCst) == 0;
        let begun = match self.ledger.begin(posted, may_send, since + self.times.answer_within / LEDGER_PART).await {
            Ok(begun) => begun,
            Err(unavailable) => {
                warn!(attempt = %key, %unavailable, "not sent: the ledger cannot be written");
                return Own::NotSent(NOT_WRITABLE).into_response();
            }
        };
        let refused = match begun {
            Begun::Send(number) => return self.run_try(key, number, pay_in).await,
            Begun::Kept(kept) => return answers::without_a_try(*kept),
            Begun::NotNow => Own::NotSent(if is_ending { ENDING } else { NOT_WRITABLE }),
            Begun::Foreign => Own::Foreign,
            Begun::Mismatch => Own::Mismatch,
            Begun::InUse(holder) => Own::InUse(holder),
        };
        info!(attempt = %key, status = refused.stored().status, "not sent");
        refused.into_response()
    }

    /// The try is on disk as sending. From here on its end must be written, whatever happens.
    async fn run_try(&self, key: Uuid, number: i64, pay_in: PayIn) -> Response {
        let began = Instant::now();
        let mozarto = Arc::clone(&self.mozarto);
        // In a task of its own: a defect in it must not lose the try.
        let sent = tokio::spawn(async move {
            let sent = mozarto.send(&pay_in).await;
            let passed = reply::passed_on(sent, &pay_in.voucher_pin);
            let logged_id = passed.meaning.transaction_id.clone().filter(|id| may_log(id, &pay_in, &mozarto));
            (passed, logged_id)
        });
        let (passed, logged_id) = sent.await.unwrap_or_else(|failed| {
            error!(attempt = %key, %failed, "a try ended in a defect of the proxy's");
            (reply::lost("The proxy failed while it was waiting for Mozarto"), None)
        });
        let Passed { answer, meaning, redeemed } = passed;
        info!(
            attempt = %key,
            number,
            status = answer.status,
            meaning = %meaning.signal,
            money = meaning.signal.money().as_str(),
            transaction = logged_id,
            ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "tried"
        );
        let ended = Ended {
            key,
            number,
            answer,
            said: Said::from(&meaning.signal),
            meaning: meaning.signal.to_string(),
            transaction_id: meaning.transaction_id,
            redeemed,
            presumed: false,
        };
        match self.write_end(ended).await {
            Some(kept) => answers::of(kept),
            None => Own::Pending.into_response(),
        }
    }

    /// Writes a try's end, however long that takes. `None` only where the program ends before it could.
    async fn write_end(&self, ended: Ended) -> Option<Kept> {
        let mut held = None;
        let give_up = async {
            self.ending.cancelled().await;
            sleep(HELD_AT_THE_END).await;
        };
        tokio::pin!(give_up);
        loop {
            match self.ledger.end(ended.clone()).await {
                Ok(kept) => {
                    if held.is_some() {
                        info!(attempt = %ended.key, "what was held is written");
                    }
                    return kept;
                }
                Err(unavailable) => {
                    if held.is_none() {
                        error!(attempt = %ended.key, %unavailable, "the end of a try cannot be written; it is held, and nothing new is sent");
                        held = Some(Held::one_more(&self.held));
                    }
                    if timeout(HELD_PAUSE, &mut give_up).await.is_ok() {
                        error!(attempt = %ended.key, meaning = ended.meaning, "ALARM: the end of a try was not written");
                        return None;
                    }
                }
            }
        }
    }
}

/// Counts one held end for as long as it lives.
struct Held<'a>(&'a AtomicUsize);

impl<'a> Held<'a> {
    fn one_more(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// An id is one word and none of the customer's or the merchant's: an answer may echo anything anywhere.
fn may_log(id: &str, pay_in: &PayIn, mozarto: &Mozarto) -> bool {
    id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && pay_in.user_id.as_deref() != Some(id)
        && !mozarto.is_token_in(id)
}
