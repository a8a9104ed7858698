//! The attempts, in memory: what each is, and what POST of it says.

use super::reading::Order;
use super::trying::Tried;
use super::{Flaw, LIMIT, Model, own};
use mozarto::{Amount, Money, Rejection, Signal};
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;
use tokio::time::timeout;

/// An answer that can be given again.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) retry_after: Option<String>,
    pub(crate) replayed: bool,
}

impl Kept {
    pub(crate) fn new(status: u16, body: String) -> Self {
        Self { status, body, retry_after: None, replayed: false }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Sending(Instant),
    Open,
    Final,
    Unconfirmed,
    Closed,
}

/// One attempt.
pub(crate) struct Attempt {
    pub(super) owner: Option<String>,
    pin: String,
    amount: Option<Amount>,
    raw: String,
    pub(super) phase: Phase,
    pub(super) unknown: bool,
    forbids: bool,
    tries: usize,
    posts: usize,
    pub(super) last: Kept,
    /// What Mozarto said, where `last` is our own word instead.
    pub(super) raw_last: Kept,
    pub(super) signal: Signal,
}

/// All attempts, and which each customer has begun.
#[derive(Default)]
pub(crate) struct Book {
    pub(super) attempts: HashMap<String, Attempt>,
    made: HashMap<String, BTreeSet<String>>,
}

pub(super) fn pending() -> Kept {
    Kept::new(202, json!({ "status": "pending" }).to_string())
}

pub(super) fn closed() -> Kept {
    own(410, Some("ATTEMPT_CLOSED"), "closed")
}

impl Model {
    /// One POST, from its place in the book to its answer.
    pub(crate) async fn posted(self: Arc<Self>, order: Order) -> Kept {
        if !self.made.keeps_attempts {
            return match self.allowed(&order) {
                Err(kept) => kept,
                Ok(()) => self.tried(&order).await.told,
            };
        }
        if let Err(kept) = self.begun(&order) {
            if kept.replayed && self.sends_final_again(&order) {
                self.tried(&order).await;
            }
            return kept;
        }
        let model = Arc::clone(&self);
        let mut run = Box::pin(async move {
            let tried = model.tried(&order).await;
            model.ended(&order.key, tried)
        });
        if self.has(Flaw::WaitsForTheTry) {
            return tokio::spawn(run).await.expect("no panic");
        }
        let within = self.made.answer_within;
        if self.has(Flaw::TryEndsWithTheBrowser) {
            // Dropped with the request, until it goes on by itself.
            let Ok(kept) = timeout(within, &mut run).await else {
                tokio::spawn(run);
                return pending();
            };
            return kept;
        }
        // The task goes on when nobody waits for it any more.
        timeout(within, tokio::spawn(run)).await.map_or_else(|_| pending(), |kept| kept.expect("no panic"))
    }

    /// A customer's limit on new attempts: bob's, so that alice can be asked about everything else.
    fn allowed(&self, order: &Order) -> Result<(), Kept> {
        if order.owner != "bob" {
            return Ok(());
        }
        let mut book = self.book.lock().expect("not poisoned");
        let made = book.made.entry(order.owner.clone()).or_default();
        let new = made.insert(order.key.clone());
        if made.len() > LIMIT && (new || self.has(Flaw::LimitsOpenAttempts)) {
            Err(own(429, Some("TOO_MANY_TRIES"), "later"))
        } else {
            Ok(())
        }
    }

    fn sends_final_again(&self, order: &Order) -> bool {
        let book = self.book.lock().expect("not poisoned");
        let posts = book.attempts.get(&order.key).map_or(0, |attempt| attempt.posts);
        self.has(Flaw::SendsFinalAgain) && posts > 2
    }

    /// Marks an attempt as sending, or says why not.
    fn begun(&self, order: &Order) -> Result<(), Kept> {
        let known = self.book.lock().expect("not poisoned").attempts.contains_key(&order.key);
        if known {
            if self.has(Flaw::LimitsOpenAttempts) {
                self.allowed(order)?;
            }
            self.existing(order)?;
        } else {
            self.allowed(order)?;
        }
        self.voucher_is_free(order)?;
        let mut book = self.book.lock().expect("not poisoned");
        let attempt = book.attempts.entry(order.key.clone()).or_insert_with(|| Attempt {
            owner: Some(order.owner.clone()),
            pin: order.pin.clone(),
            amount: order.amount,
            raw: order.raw.clone(),
            phase: Phase::Open,
            unknown: false,
            forbids: false,
            tries: 0,
            posts: 1,
            last: own(504, None, "no answer"),
            raw_last: own(504, None, "no answer"),
            signal: Signal::NoAnswer,
        });
        attempt.phase = Phase::Sending(Instant::now());
        attempt.tries += 1;
        Ok(())
    }

    fn existing(&self, order: &Order) -> Result<(), Kept> {
        let mut book = self.book.lock().expect("not poisoned");
        let Some(attempt) = book.attempts.get_mut(&order.key) else { return Ok(()) };
        attempt.posts += 1;
        let foreign = attempt.owner.as_ref().is_some_and(|owner| *owner != order.owner);
        if foreign && !self.has(Flaw::AnybodyMayPostAnyKey) {
            return Err(own(403, Some("ATTEMPT_FOREIGN"), "not yours"));
        }
        if attempt.phase == Phase::Closed {
            return Err(closed());
        }
        let other_voucher = attempt.pin != order.pin && !self.has(Flaw::AnyVoucher);
        let other_amount = attempt.amount != order.amount && !self.has(Flaw::AnyAmount);
        let other_text = self.has(Flaw::AmountsAsText) && attempt.raw != order.raw;
        if other_voucher || other_amount || other_text {
            return Err(own(422, Some("ATTEMPT_MISMATCH"), "another voucher or amount"));
        }
        match attempt.phase {
            Phase::Sending(_) if self.has(Flaw::SecondPostIsSent) => Ok(()),
            Phase::Sending(_) if self.has(Flaw::SecondPostIsPending) => Err(pending()),
            Phase::Sending(_) => Err(own(409, Some("ATTEMPT_IN_PROGRESS"), "being tried")),
            Phase::Final => Err(Kept { replayed: true, ..attempt.last.clone() }),
            Phase::Unconfirmed if attempt.forbids || self.has(Flaw::UnconfirmedIsNeverSent) => {
                Err(attempt.last.clone())
            }
            Phase::Open if self.has(Flaw::NotSentIsFinal) && attempt.signal == Signal::NotSent => {
                Err(attempt.last.clone())
            }
            _ => Ok(()),
        }
    }

    fn voucher_is_free(&self, order: &Order) -> Result<(), Kept> {
        let book = self.book.lock().expect("not poisoned");
        let holds = |attempt: &Attempt| {
            let ended = matches!(attempt.phase, Phase::Final | Phase::Closed) && !self.has(Flaw::InUseForEver);
            attempt.pin == order.pin && !ended
        };
        let holder = book.attempts.iter().find(|(key, attempt)| **key != order.key && holds(attempt));
        let Some((key, attempt)) = holder else { return Ok(()) };
        let same = attempt.owner.as_deref() == Some(order.owner.as_str());
        let unguarded = if same { Flaw::InUseNotForTheSame } else { Flaw::InUseNotForOthers };
        if self.has(unguarded) {
            return Ok(());
        }
        let mut body =
            json!({ "status": "error", "isSuccess": false, "errorCode": "VOUCHER_IN_USE", "message": "in use" });
        if (same && !self.has(Flaw::InUseNamesNothing)) || self.has(Flaw::InUseNamesToEverybody) {
            body["attempt"] = key.as_str().into();
            body["reference"] = key.as_str().into();
        }
        Err(Kept::new(409, body.to_string()))
    }

    /// Writes a try's end into the book; gives what POST says.
    fn ended(&self, key: &str, tried: Tried) -> Kept {
        let mut book = self.book.lock().expect("not poisoned");
        let attempt = book.attempts.get_mut(key).expect("it was begun");
        if attempt.phase == Phase::Closed {
            return closed();
        }
        let Tried { told, kept, signal } = tried;
        let before = attempt.unknown;
        attempt.unknown |= signal.money() == Money::Unknown;
        attempt.forbids |= signal.forbids_tries() && !self.sends_after(&signal);
        let redeemed = matches!(signal, Signal::Redeemed(_));
        let invalid = signal == Signal::Rejected(Rejection::InvalidPin);
        let flawed = before
            && ((self.has(Flaw::SuccessAfterUnknownIsUnconfirmed) && redeemed && attempt.tries == 2)
                || (self.has(Flaw::InvalidPinAfterUnknownIsUnconfirmed) && invalid)
                || (self.has(Flaw::RateLimitAfterUnknownIsUnconfirmed) && signal == Signal::RateLimited));
        attempt.phase = if flawed {
            Phase::Unconfirmed
        } else if redeemed || (before && signal.proves_untouched()) {
            Phase::Final
        } else if signal.is_retried() {
            Phase::Open
        } else if attempt.unknown {
            Phase::Unconfirmed
        } else {
            Phase::Final
        };
        attempt.signal = signal;
        attempt.raw_last = kept.clone();
        let unconfirmed = attempt.phase == Phase::Unconfirmed && before;
        attempt.last = if unconfirmed { own(202, Some("ATTEMPT_UNCONFIRMED"), "not known") } else { kept };
        if unconfirmed && !self.has(Flaw::AlreadyRedeemedAfterUnknownPasses) { attempt.last.clone() } else { told }
    }

    fn sends_after(&self, signal: &Signal) -> bool {
        match signal {
            Signal::Pending => self.has(Flaw::SendsAfterPending),
            _ => self.has(Flaw::SendsAfterAlreadyRedeemed),
        }
    }
}

impl Attempt {
    pub(super) fn never_sent(owner: Option<&str>) -> Self {
        Self {
            owner: owner.map(str::to_owned),
            pin: String::new(),
            amount: None,
            raw: String::new(),
            phase: Phase::Closed,
            unknown: false,
            forbids: false,
            tries: 0,
            posts: 0,
            last: closed(),
            raw_last: closed(),
            signal: Signal::AttemptClosed,
        }
    }
}
