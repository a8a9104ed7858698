//! What an answer means for its attempt. Truth is per attempt, not per answer: after a try that nobody knows the end of,
//! only a success, a settlement by staff, proof or a closed key ends it.
//!
//! Two kinds of answers: [`Attempt::judge`] takes the answer of a try, [`Attempt::judge_status`] what a proxy that keeps
//! attempts says when it is asked. The second is the ledger's word on the whole attempt.

use crate::attempt::{Attempt, Try};
use crate::outcome::{Discrepancy, Redemption};
use crate::{Code, Keeping, Next, Outcome, OutcomeKind};
use mozarto::{Meaning, Money, Receipt, Rejection, Signal};

/// The longest `Retry-After` that is waited out.
const LONGEST_WAIT_S: u64 = 60;
/// How many asks in a row may tell nothing.
const FAILED_ASKS: u32 = 3;
/// How many asks in a row may find a try still running: over a minute, and longer than an upstream deadline.
const RUNNING_ASKS: u32 = 12;

/// What the answer of a try means for the attempt, and the signal that says so: the answer's own, or an earlier proof.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) signal: Signal,
    pub(crate) then: Then,
}

/// What follows from the answer of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The outcome.
    End,
    /// The same attempt again, if tries are left; else the outcome.
    Retry,
    /// Ask for the status; the outcome, if asking tells nothing.
    Ask,
    /// A fresh session, once; else the outcome.
    Renew,
}

/// What a status means for the attempt.
#[derive(Clone, Debug)]
pub(crate) enum Status {
    /// The attempt has ended.
    End(Box<Outcome>, Signal),
    /// Ask again, in so many milliseconds.
    Again(u32),
    /// Nothing seems to have been taken: have the attempt closed, which proves it.
    Close,
    /// A fresh session is wanted.
    Renew,
    /// No try runs, and the same attempt may be tried again.
    Idle,
    /// Not to be found out now.
    Open,
}

impl Attempt {
    /// The customer has stopped waiting for the last try. It may still be answered.
    pub(crate) fn time_out(&mut self) -> Verdict {
        let outcome = self.nothing_heard();
        self.standing = Some(outcome.clone());
        Verdict { outcome, signal: Signal::NoAnswer, then: Then::Retry }
    }

    /// The try could not begin: nothing left the page.
    pub(crate) fn not_sent(&mut self) -> Verdict {
        self.begin_try();
        self.never_left += 1;
        let meaning = Meaning { signal: Signal::NotSent, transaction_id: None, retry_after: None };
        self.judge(self.try_number(), &meaning, Keeping::No).unwrap_or_else(|| self.time_out())
    }

    /// What the answer of a try means for the attempt. `None` where it changes nothing: the try is unknown or has
    /// ended.
    pub(crate) fn judge(&mut self, try_number: u32, meaning: &Meaning, keeping: Keeping) -> Option<Verdict> {
        let index = usize::try_from(try_number).ok()?.checked_sub(1)?;
        let this_try = self.tries.get_mut(index).filter(|state| **state == Try::Running)?;
        let kept = keeping != Keeping::No;
        let signal = believed(&meaning.signal, kept);
        let used = matches!(signal, Signal::Rejected(Rejection::AlreadyRedeemed));
        let sent = keeping != Keeping::Replayed;
        // Without a ledger "already redeemed" may be the doing of this very try, which a browser has repeated.
        *this_try = Try::Ended(match signal.money() {
            _ if !sent => Money::No,
            _ if used && !kept => Money::Unknown,
            money => money,
        });
        self.note_transaction(meaning);
        let ended_before = if sent { None } else { self.ledgers_word(&signal) };
        let verdict = match ended_before {
            Some(outcome) => {
                self.closed_to_tries = true;
                Verdict { outcome, signal, then: Then::End }
            }
            None => self.judged(index, &signal, used, kept),
        };
        self.note_retry_after(meaning);
        self.standing = Some(verdict.outcome.clone());
        Some(verdict)
    }

    fn judged(&mut self, index: usize, signal: &Signal, used: bool, kept: bool) -> Verdict {
        let others_untouched = self.tries.iter().enumerate().all(|(at, t)| at == index || *t == Try::Ended(Money::No));
        let in_doubt = !others_untouched || self.has_others_tries() || self.reported_used;
        self.reported_used |= used;
        self.closed_to_tries |=
            signal.forbids_tries() || matches!(signal, Signal::UnknownError | Signal::AttemptUnconfirmed);
        let verdict = |outcome, then| Verdict { outcome, signal: signal.clone(), then };
        let ends = matches!(signal, Signal::Redeemed(_) | Signal::SettledUntouched)
            || (*signal == Signal::AttemptClosed && !self.reported_used);
        if let Some(outcome) = ends.then(|| self.ledgers_word(signal)).flatten() {
            return verdict(outcome, Then::End);
        }
        // Without a ledger nobody has compared a PIN that was entered again, here or on another page.
        let of_this_voucher = kept || !(self.reentered || self.has_others_tries());
        if signal.proves_untouched() && !of_this_voucher || *signal == Signal::AttemptMismatch {
            // It speaks of another PIN than the one that was lost: the right one may still be entered.
            self.pay_in = None;
            self.other_pin = true;
            return verdict(self.nothing_heard(), if kept { Then::Ask } else { Then::End });
        }
        if !of_this_voucher && self.proof.take().is_some() {
            // Another page has entered the PIN since: the proof may be of another one than it has sent.
            self.closed_to_tries = self.reported_used;
        }
        if in_doubt && !self.reported_used && signal.proves_untouched() {
            self.proof = Some(signal.clone());
            self.closed_to_tries = true;
        }
        if let Some(proof) = self.proof.clone().filter(|_| !self.is_running() && !self.reported_used) {
            return Verdict { outcome: self.alone(&proof, kept), signal: proof, then: Then::End };
        }
        let unknown = signal.money() == Money::Unknown;
        let outcome = if in_doubt && !unknown {
            // The likeliest taker of a voucher that is now refused is our own lost try.
            self.closed_to_tries |= !was_not_processed(signal);
            self.unconfirmed(signal)
        } else if unknown {
            self.unconfirmed(signal)
        } else {
            self.alone(signal, kept)
        };
        let then = match signal {
            Signal::TryRunning | Signal::AttemptInProgress => Then::Ask,
            Signal::SessionRefused => Then::Renew,
            signal if signal.is_retried() && self.may_retry() => Then::Retry,
            _ => Then::End,
        };
        verdict(outcome, then)
    }

    /// What a status means for the attempt. `kept` says whether the proxy keeps it: without that, whatever it says
    /// proves nothing.
    pub(crate) fn judge_status(&mut self, meaning: &Meaning, kept: bool) -> Status {
        let signal = &meaning.signal;
        self.note_retry_after(meaning);
        if *signal == Signal::SessionRefused && !std::mem::replace(&mut self.asks.renewed, true) {
            return Status::Renew;
        }
        if !kept {
            return self.asked_in_vain();
        }
        self.note_transaction(meaning);
        self.asks.not_found = if *signal == Signal::AttemptUnknown { self.asks.not_found + 1 } else { 0 };
        if let Some(outcome) = self.ledgers_word(signal) {
            self.standing = Some(outcome.clone());
            return Status::End(Box::new(outcome), signal.clone());
        }
        match signal {
            Signal::TryRunning | Signal::AttemptInProgress => self.ask_again(RUNNING_ASKS),
            // A POST may still be on its way: once is not enough.
            Signal::AttemptUnknown if self.asks.not_found < 2 => self.ask_again(RUNNING_ASKS),
            Signal::AttemptUnknown if !self.asks.closing => Status::Close,
            // Without the PIN nothing is sent again from here, so it can be closed.
            Signal::RateLimited | Signal::NotSent if self.pay_in.is_none() && !self.asks.closing => Status::Close,
            signal if signal.is_retried() => {
                // The ledger takes tries again, whatever closed the attempt before.
                self.closed_to_tries = self.reported_used;
                self.standing = Some(self.unconfirmed(signal));
                if self.may_retry() { Status::Idle } else { Status::Open }
            }
            Signal::Pending | Signal::UnknownError | Signal::AttemptUnconfirmed | Signal::AttemptForeign => {
                self.closed_to_tries |= *signal != Signal::AttemptForeign;
                self.standing = Some(self.unconfirmed(signal));
                Status::Open
            }
            _ => self.asked_in_vain(),
        }
    }

    fn asked_in_vain(&mut self) -> Status {
        self.asks.failed += 1;
        if self.asks.failed < FAILED_ASKS { self.ask_again(FAILED_ASKS) } else { Status::Open }
    }

    fn ask_again(&mut self, at_most: u32) -> Status {
        self.asks.in_a_row += 1;
        if self.asks.in_a_row >= at_most {
            return Status::Open;
        }
        Status::Again((1000 << (self.asks.in_a_row - 1).min(3)).max(self.retry_after_ms))
    }

    /// A wait of up to a minute is waited out; a longer one ends the automatic tries.
    fn note_retry_after(&mut self, meaning: &Meaning) {
        let seconds = meaning.retry_after.map_or(0, |wait| wait.as_secs());
        self.retry_in_s = Some(seconds).filter(|seconds| *seconds > LONGEST_WAIT_S);
        let ms = meaning.retry_after.filter(|_| seconds <= LONGEST_WAIT_S).map_or(0, |wait| wait.as_millis());
        self.retry_after_ms = u32::try_from(ms).unwrap_or(0);
    }

    fn note_transaction(&mut self, meaning: &Meaning) {
        if let Some(id) = &meaning.transaction_id {
            self.transaction_id = Some(self.without_pin(id));
        }
    }

    /// The end of an attempt that a proxy which keeps it tells of: it would say `ATTEMPT_UNCONFIRMED` if it did not
    /// know. `None` where this is no end.
    fn ledgers_word(&self, signal: &Signal) -> Option<Outcome> {
        match signal {
            Signal::Redeemed(receipt) => Some(self.redeemed(receipt)),
            Signal::AttemptClosed | Signal::SettledUntouched => {
                Some(self.outcome(OutcomeKind::Rejected, Code::from(signal), Money::No, Next::Edit))
            }
            signal if signal.is_the_proxys() || signal.is_retried() || signal.money() != Money::No => None,
            signal => Some(self.alone(signal, true)),
        }
    }

    /// What an answer means where no other try may have taken the voucher, and it has not.
    fn alone(&self, signal: &Signal, kept: bool) -> Outcome {
        let (kind, money, next) = match signal {
            Signal::Rejected(Rejection::AlreadyRedeemed) => {
                (OutcomeKind::Rejected, if kept { Money::No } else { Money::Unknown }, Next::Support)
            }
            Signal::Rejected(_) | Signal::ProviderRejected | Signal::RequestInvalid(_) => {
                (OutcomeKind::Rejected, Money::No, Next::Edit)
            }
            Signal::VoucherInUse(Some(_)) => (OutcomeKind::Rejected, Money::No, Next::Status),
            Signal::VoucherInUse(None) => (OutcomeKind::Rejected, Money::No, Next::Support),
            Signal::RateLimited | Signal::NotSent | Signal::TooManyTries => {
                (OutcomeKind::Failed, Money::No, Next::SameAttempt)
            }
            Signal::SessionRefused => (OutcomeKind::Failed, Money::No, Next::Session),
            _ => (OutcomeKind::Failed, Money::No, Next::None),
        };
        self.outcome(kind, Code::from(signal), money, next)
    }

    fn unconfirmed(&self, signal: &Signal) -> Outcome {
        let for_support = match signal {
            Signal::UnknownError | Signal::AttemptUnconfirmed => true,
            signal => signal.money() != Money::Unknown && !was_not_processed(signal),
        };
        let waits = self.proof.is_some() && self.is_running();
        let next = if !self.reported_used && (!for_support || waits) { Next::Status } else { Next::Support };
        self.outcome(OutcomeKind::Unconfirmed, Code::from(signal), Money::Unknown, next)
    }

    fn redeemed(&self, receipt: &Receipt) -> Outcome {
        let requested = self.amount;
        let differs = receipt.amount.is_some_and(|amount| amount != requested)
            || receipt.currency.as_deref().is_some_and(|currency| currency != requested.currency().code());
        let redemption = Redemption {
            amount: receipt.amount,
            currency: receipt.currency.clone(),
            serial: receipt.serial.as_ref().map(|text| self.without_pin(text)),
            transaction_id: self.transaction_id.clone(),
            discrepancy: differs.then_some(Discrepancy { requested }),
        };
        self.outcome(OutcomeKind::Redeemed(redemption), Code::Redeemed, Money::Yes, Next::None)
    }
}

/// What only a proxy that keeps attempts can know is a code in no table, or no documented answer, from another.
fn believed(signal: &Signal, kept: bool) -> Signal {
    match signal {
        Signal::NotSent | Signal::SessionRefused | Signal::TooManyTries => signal.clone(),
        Signal::TryRunning if !kept => Signal::NoAnswer,
        signal if signal.is_the_proxys() && !kept => Signal::UnknownError,
        signal => signal.clone(),
    }
}

/// Whether an answer says that its try was not processed, so that another may be.
fn was_not_processed(signal: &Signal) -> bool {
    matches!(signal, Signal::RateLimited | Signal::NotSent | Signal::SessionRefused | Signal::TooManyTries)
}

#[cfg(test)]
mod tests;
