//! A try, from the moment that it is on disk as sending until its end is written: sending it once, reading what came
//! back, and holding what the ledger cannot take. A POST (`attempts`) begins it, after asking whether it may be sent.

use super::Attempts;
use crate::answers;
use crate::breaker::Pass;
use crate::ledger::{Ended, Kept};
use crate::metrics::Step;
use crate::own::Own;
use crate::pay_in::Posting;
use crate::reply;
use crate::requests;
use crate::upstream::Sent;
use axum::response::{IntoResponse, Response};
use mozarto::PayIn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tracing::{Instrument, error, error_span, info};
use uuid::Uuid;

/// The pause before what could not be written is tried again.
const HELD_PAUSE: Duration = Duration::from_millis(250);

impl Attempts {
    /// The try is on disk as sending. From here on its end must be written, whatever happens.
    pub(super) async fn run_try(&self, key: Uuid, number: i64, posting: Posting, pass: Option<Pass>) -> Response {
        let began = Instant::now();
        let mozarto = Arc::clone(&self.mozarto);
        // In a task of its own: a defect in it must not lose the try.
        let span = error_span!("mozarto", otel.kind = "client", number, attempt = %key);
        let sending = async move {
            let Posting { pay_in, customer, .. } = posting;
            let sent = mozarto.send(&pay_in, &customer).await;
            if let Some(pass) = pass {
                pass.ended(matches!(sent, Sent::Answered(_)));
            }
            let passed = reply::passed_on(sent, &pay_in.voucher_pin, pay_in.email.as_deref());
            let logged_id = passed.meaning.transaction_id.clone().filter(|id| may_log(id, &pay_in));
            (passed, logged_id)
        };
        let sent = tokio::spawn(requests::carried(sending.instrument(span)));
        let (passed, logged_id) = sent.await.unwrap_or_else(|failed| {
            error!(attempt = %key, %failed, "a try ended in a defect of the proxy's");
            (reply::lost("The proxy failed while it was waiting for Mozarto"), None)
        });
        let signal = &passed.meaning.signal;
        self.metrics.tried(&signal.to_string(), began.elapsed());
        info!(
            attempt = %key,
            number,
            status = passed.answer.status,
            meaning = %signal,
            money = signal.money().as_str(),
            transaction = logged_id.as_deref(),
            ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "tried"
        );
        let ended = passed.ended(key, number);
        match self.write_end(ended, logged_id.as_deref()).await {
            Some(kept) => answers::of(kept),
            None => Own::Pending.into_response(),
        }
    }

    /// Writes a try's end, however long that takes. `None` only where the program was told to give up: after the next
    /// start such an attempt has an unknown try, which is true.
    pub(super) async fn write_end(&self, ended: Ended, logged_id: Option<&str>) -> Option<Kept> {
        let mut held = None;
        loop {
            let written = tokio::select! {
                written = self.metrics.timed(Step::End, self.ledger.end(ended.clone())) => written,
                () = self.giving_up.cancelled() => break,
            };
            match written {
                Ok(kept) => {
                    if held.is_some() {
                        info!(attempt = %ended.key, "what was held is written");
                    }
                    if kept.is_none() {
                        self.lost.fetch_add(1, Ordering::SeqCst);
                        error!(attempt = %ended.key, meaning = ended.meaning, transaction = logged_id,
                            "ALARM: the ledger does not know the attempt of a try that has ended; was an older one put in its place?");
                    }
                    if ended.redeemed.is_some() {
                        self.outcome_written.notify_one();
                    }
                    return kept;
                }
                Err(unavailable) if held.is_none() => {
                    error!(attempt = %ended.key, %unavailable, "the end of a try cannot be written; it is held, and nothing new is sent");
                    held = Some(Held::one_more(&self.held));
                }
                Err(_) => {}
            }
            if timeout(HELD_PAUSE, self.giving_up.cancelled()).await.is_ok() {
                break;
            }
        }
        self.lost.fetch_add(1, Ordering::SeqCst);
        error!(attempt = %ended.key, meaning = ended.meaning, transaction = logged_id, "ALARM: the end of a try could not be written before the program's");
        None
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

/// An id is one word and not the customer's: an answer may echo anything anywhere. Secrets were taken out before.
fn may_log(id: &str, pay_in: &PayIn) -> bool {
    id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && pay_in.user_id.as_deref() != Some(id)
}
