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
mod tests {
    use super::*;
    use crate::{AmountOption, AttemptKey, Options};
    use Signal::{
        InvalidPspCredentials, NoAnswer, NotSent, Pending, PspTimeout, RateLimited, ServerError, UnknownError,
    };
    use mozarto::{Amount, OpenAttempt, PayIn, VoucherPin};

    fn attempt() -> Attempt {
        let currency = "EUR".parse().expect("a currency");
        let pay_in = PayIn {
            voucher_pin: VoucherPin::from_wire("1234567890123456").expect("16 digits"),
            amount: Amount::from_minor(2500, currency).expect("positive"),
            user_id: None,
            email: None,
            brand_id: None,
        };
        let options = Options {
            endpoint: "https://shop.example/cashier".into(),
            currency,
            amount: AmountOption::Typed,
            user_id: None,
            email: None,
            brand_id: None,
            session_token: None,
            timeout_ms: 30_000,
            before_submit: false,
            decimal_separator: '.',
        };
        Attempt::new(AttemptKey::new("key".into()), &options, pay_in, 0)
    }

    fn meaning(signal: Signal) -> Meaning {
        Meaning { signal, transaction_id: None, retry_after: None }
    }

    fn rejected(rejection: Rejection) -> Signal {
        Signal::Rejected(rejection)
    }

    fn redeemed() -> Signal {
        Signal::Redeemed(Receipt::default())
    }

    /// What the last of these answers, each to a try of its own, means for the attempt.
    fn after(signals: &[Signal]) -> (String, Code, Money, Next) {
        let mut attempt = attempt();
        let mut last = None;
        for signal in signals {
            attempt.begin_try();
            last = attempt.judge(attempt.try_number(), &meaning(signal.clone()), Keeping::Kept);
        }
        let outcome = last.expect("an answer to a running try counts").outcome;
        let kind = match outcome.kind {
            OutcomeKind::Redeemed(_) => "redeemed",
            OutcomeKind::Rejected => "rejected",
            OutcomeKind::Unconfirmed => "unconfirmed",
            OutcomeKind::Failed => "failed",
        };
        (kind.into(), outcome.code, outcome.money, outcome.next)
    }

    #[test]
    fn one_answer_means_what_its_row_says() {
        for (signal, kind, money, next) in [
            (redeemed(), "redeemed", Money::Yes, Next::None),
            (Pending, "unconfirmed", Money::Unknown, Next::Status),
            (rejected(Rejection::InvalidPin), "rejected", Money::No, Next::Edit),
            (rejected(Rejection::MismatchedAmount), "rejected", Money::No, Next::Edit),
            (rejected(Rejection::MismatchedCurrency), "rejected", Money::No, Next::Edit),
            (rejected(Rejection::AlreadyRedeemed), "rejected", Money::No, Next::Support),
            (rejected(Rejection::Other), "rejected", Money::No, Next::Edit),
            (InvalidPspCredentials, "failed", Money::No, Next::None),
            (Signal::RequestInvalid(vec![]), "rejected", Money::No, Next::Edit),
            (Signal::NoRule, "failed", Money::No, Next::None),
            (Signal::NotConfigured, "failed", Money::No, Next::None),
            (Signal::ProviderRejected, "rejected", Money::No, Next::Edit),
            (Signal::Unauthorized, "failed", Money::No, Next::None),
            (PspTimeout, "unconfirmed", Money::Unknown, Next::Status),
            (Signal::PspUnavailable, "unconfirmed", Money::Unknown, Next::Status),
            (RateLimited, "failed", Money::No, Next::SameAttempt),
            (ServerError, "unconfirmed", Money::Unknown, Next::Status),
            (UnknownError, "unconfirmed", Money::Unknown, Next::Support),
            (NoAnswer, "unconfirmed", Money::Unknown, Next::Status),
            (NotSent, "failed", Money::No, Next::SameAttempt),
        ] {
            let code = Code::from(&signal);
            assert_eq!(after(std::slice::from_ref(&signal)), (kind.into(), code, money, next), "{signal}");
        }
    }

    #[test]
    fn after_an_unknown_try_only_proof_ends_the_attempt() {
        for (second, kind, money, next) in [
            (redeemed(), "redeemed", Money::Yes, Next::None),
            (rejected(Rejection::InvalidPin), "rejected", Money::No, Next::Edit),
            (rejected(Rejection::MismatchedAmount), "rejected", Money::No, Next::Edit),
            (rejected(Rejection::MismatchedCurrency), "rejected", Money::No, Next::Edit),
            (rejected(Rejection::AlreadyRedeemed), "unconfirmed", Money::Unknown, Next::Support),
            (rejected(Rejection::Other), "unconfirmed", Money::Unknown, Next::Support),
            (InvalidPspCredentials, "unconfirmed", Money::Unknown, Next::Support),
            (Signal::RequestInvalid(vec![]), "unconfirmed", Money::Unknown, Next::Support),
            (Signal::Unauthorized, "unconfirmed", Money::Unknown, Next::Support),
            (RateLimited, "unconfirmed", Money::Unknown, Next::Status),
            (NotSent, "unconfirmed", Money::Unknown, Next::Status),
            (NoAnswer, "unconfirmed", Money::Unknown, Next::Status),
        ] {
            let found = after(&[PspTimeout, second.clone()]);
            assert_eq!(found, (kind.into(), Code::from(&second), money, next), "{second}");
        }
    }

    #[test]
    fn a_try_that_did_not_leave_changes_no_truth() {
        assert_eq!(after(&[RateLimited, NotSent, rejected(Rejection::Other)]).2, Money::No);
    }

    #[test]
    fn already_redeemed_proves_nothing_where_the_proxy_keeps_no_attempts() {
        let mut attempt = attempt();
        attempt.begin_try();
        let outcome = attempt.judge(1, &meaning(rejected(Rejection::AlreadyRedeemed)), Keeping::No);
        let outcome = outcome.expect("a running try").outcome;
        assert_eq!((outcome.kind, outcome.money, outcome.next), (OutcomeKind::Rejected, Money::Unknown, Next::Support));
    }

    #[test]
    fn after_already_redeemed_only_a_success_says_more() {
        for signal in [NotSent, RateLimited, InvalidPspCredentials, rejected(Rejection::InvalidPin), PspTimeout] {
            for keeping in [Keeping::Kept, Keeping::No] {
                let mut attempt = attempt();
                attempt.begin_try();
                attempt.begin_try();
                attempt.judge(1, &meaning(rejected(Rejection::AlreadyRedeemed)), keeping);
                let outcome = attempt.judge(2, &meaning(signal.clone()), keeping).expect("a running try").outcome;
                let found = (outcome.kind, outcome.money, outcome.next);
                assert_eq!(found, (OutcomeKind::Unconfirmed, Money::Unknown, Next::Support), "{signal}");
                assert!(!attempt.may_retry());
            }
        }
    }

    #[test]
    fn an_echoed_pin_is_no_reference() {
        let mut attempt = attempt();
        attempt.begin_try();
        let meaning = Meaning { transaction_id: Some("id 1234567890123456".into()), ..meaning(UnknownError) };
        attempt.judge(1, &meaning, Keeping::Kept);
        assert_eq!(attempt.reference(), "id [PIN]");
    }

    #[test]
    fn nothing_is_sent_again_after_already_redeemed_pending_or_an_unclassified_error() {
        for (signal, may_retry) in [
            (rejected(Rejection::AlreadyRedeemed), false),
            (Pending, false),
            (UnknownError, false),
            (PspTimeout, true),
            (NoAnswer, true),
            (NotSent, true),
        ] {
            let mut attempt = attempt();
            attempt.begin_try();
            attempt.judge(1, &meaning(signal.clone()), Keeping::Kept);
            assert_eq!(attempt.may_retry(), may_retry, "{signal}");
        }
    }

    #[test]
    fn no_rejection_overrides_a_try_that_still_runs() {
        let mut attempt = attempt();
        attempt.begin_try();
        attempt.begin_try();
        let first =
            attempt.judge(2, &meaning(rejected(Rejection::InvalidPin)), Keeping::Kept).expect("a running try").outcome;
        assert_eq!((first.kind, first.next), (OutcomeKind::Unconfirmed, Next::Status));
        assert!(!attempt.may_retry());
        let mut without_answer = attempt.clone();
        let success = attempt.judge(1, &meaning(redeemed()), Keeping::Kept).expect("a running try").outcome;
        assert_eq!(success.money, Money::Yes);
        let last = without_answer.judge(1, &meaning(NoAnswer), Keeping::Kept).expect("a running try").outcome;
        assert_eq!((last.kind, last.code, last.money), (OutcomeKind::Rejected, Code::InvalidPin, Money::No));
    }

    #[test]
    fn a_try_is_answered_once() {
        let mut attempt = attempt();
        attempt.begin_try();
        assert!(attempt.judge(1, &meaning(PspTimeout), Keeping::Kept).is_some());
        assert!(attempt.judge(1, &meaning(redeemed()), Keeping::Kept).is_none());
        assert!(attempt.judge(0, &meaning(redeemed()), Keeping::Kept).is_none());
        assert!(attempt.judge(9, &meaning(redeemed()), Keeping::Kept).is_none());
    }

    #[test]
    fn the_reference_is_the_transaction_once_it_is_known() {
        let mut attempt = attempt();
        attempt.begin_try();
        assert_eq!(attempt.time_out().outcome.reference, "key");
        let meaning = Meaning { transaction_id: Some("t1".into()), ..meaning(UnknownError) };
        assert_eq!(
            attempt.judge(1, &meaning, Keeping::Kept).map(|verdict| verdict.outcome.reference).as_deref(),
            Some("t1")
        );
        assert_eq!(attempt.reference(), "t1");
    }

    fn in_use(named: bool) -> Signal {
        Signal::VoucherInUse(named.then(|| OpenAttempt { attempt: "other".into(), reference: None }))
    }

    fn kind(outcome: &Outcome) -> &'static str {
        match outcome.kind {
            OutcomeKind::Redeemed(_) => "redeemed",
            OutcomeKind::Rejected => "rejected",
            OutcomeKind::Unconfirmed => "unconfirmed",
            OutcomeKind::Failed => "failed",
        }
    }

    #[test]
    fn what_the_proxy_says_of_an_attempt_means_what_the_contract_says() {
        use Then::{Ask, End, Renew, Retry};
        let (no, unknown) = (Money::No, Money::Unknown);
        for (signal, first, after_unknown) in [
            (
                Signal::TryRunning,
                ("unconfirmed", unknown, Next::Status, Ask),
                ("unconfirmed", unknown, Next::Status, Ask),
            ),
            (
                Signal::AttemptInProgress,
                ("unconfirmed", unknown, Next::Status, Ask),
                ("unconfirmed", unknown, Next::Status, Ask),
            ),
            (
                Signal::AttemptMismatch,
                ("unconfirmed", unknown, Next::Status, Ask),
                ("unconfirmed", unknown, Next::Status, Ask),
            ),
            (
                Signal::AttemptUnconfirmed,
                ("unconfirmed", unknown, Next::Support, End),
                ("unconfirmed", unknown, Next::Support, End),
            ),
            (in_use(true), ("rejected", no, Next::Status, End), ("unconfirmed", unknown, Next::Support, End)),
            (in_use(false), ("rejected", no, Next::Support, End), ("unconfirmed", unknown, Next::Support, End)),
            (Signal::AttemptClosed, ("rejected", no, Next::Edit, End), ("rejected", no, Next::Edit, End)),
            (Signal::SettledUntouched, ("rejected", no, Next::Edit, End), ("rejected", no, Next::Edit, End)),
            (
                Signal::SessionRefused,
                ("failed", no, Next::Session, Renew),
                ("unconfirmed", unknown, Next::Status, Renew),
            ),
            (Signal::AttemptForeign, ("failed", no, Next::None, End), ("unconfirmed", unknown, Next::Support, End)),
            (Signal::TooManyTries, ("failed", no, Next::SameAttempt, End), ("unconfirmed", unknown, Next::Status, End)),
            (NotSent, ("failed", no, Next::SameAttempt, Retry), ("unconfirmed", unknown, Next::Status, Retry)),
        ] {
            for (before, expected) in [(None, first), (Some(PspTimeout), after_unknown)] {
                let mut attempt = attempt();
                if let Some(earlier) = &before {
                    attempt.begin_try();
                    attempt.judge(1, &meaning(earlier.clone()), Keeping::Kept);
                }
                attempt.begin_try();
                let number = attempt.try_number();
                let found = attempt.judge(number, &meaning(signal.clone()), Keeping::Kept).expect("a running try");
                let Verdict { outcome, then, .. } = found;
                assert_eq!((kind(&outcome), outcome.money, outcome.next, then), expected, "{signal} after {before:?}");
            }
        }
    }

    #[test]
    fn a_proxy_that_keeps_no_attempts_cannot_say_that_a_voucher_is_untouched() {
        for signal in [Signal::AttemptClosed, Signal::SettledUntouched, Signal::AttemptForeign, in_use(true)] {
            let mut attempt = attempt();
            attempt.begin_try();
            let found = attempt.judge(1, &meaning(signal.clone()), Keeping::No).expect("a running try");
            assert_eq!((kind(&found.outcome), found.outcome.money), ("unconfirmed", Money::Unknown), "{signal}");
            assert!(matches!(attempt.judge_status(&meaning(signal), false), Status::Again(_)));
        }
    }

    #[test]
    fn a_replayed_answer_is_the_ledgers_word_on_the_attempt() {
        for (signal, expected) in [
            (rejected(Rejection::AlreadyRedeemed), ("rejected", Money::No, Next::Support)),
            (redeemed(), ("redeemed", Money::Yes, Next::None)),
            (InvalidPspCredentials, ("failed", Money::No, Next::None)),
        ] {
            let mut attempt = attempt();
            attempt.begin_try();
            attempt.judge(1, &meaning(NoAnswer), Keeping::No);
            attempt.begin_try();
            let outcome = attempt.judge(2, &meaning(signal.clone()), Keeping::Replayed).expect("a running try").outcome;
            assert_eq!((kind(&outcome), outcome.money, outcome.next), expected, "{signal}");
        }
    }

    #[test]
    fn a_status_is_an_end_a_reason_to_ask_again_or_nothing() {
        let ends = |signal: Signal| match attempt_with_unknown_try().judge_status(&meaning(signal), true) {
            Status::End(outcome, _) => Some((kind(&outcome), outcome.money)),
            _ => None,
        };
        assert_eq!(ends(redeemed()), Some(("redeemed", Money::Yes)));
        assert_eq!(ends(rejected(Rejection::AlreadyRedeemed)), Some(("rejected", Money::No)));
        assert_eq!(ends(Signal::AttemptClosed), Some(("rejected", Money::No)));
        assert_eq!(ends(InvalidPspCredentials), Some(("failed", Money::No)));
        for signal in [Signal::TryRunning, NoAnswer, RateLimited, Pending, UnknownError, Signal::AttemptUnconfirmed] {
            assert_eq!(ends(signal.clone()), None, "{signal}");
        }
    }

    fn attempt_with_unknown_try() -> Attempt {
        let mut attempt = attempt();
        attempt.begin_try();
        attempt.judge(1, &meaning(NoAnswer), Keeping::No);
        attempt
    }

    #[test]
    fn three_asks_in_vain_are_enough_and_a_running_try_is_asked_about_for_longer_than_any_deadline() {
        let asked = |signal: &Signal, kept| {
            let mut attempt = attempt_with_unknown_try();
            let mut waits = Vec::new();
            while let Status::Again(ms) = attempt.judge_status(&meaning(signal.clone()), kept) {
                waits.push(ms);
            }
            waits
        };
        assert_eq!(asked(&redeemed(), false), [1000, 2000]);
        let running = asked(&Signal::TryRunning, true);
        assert_eq!(running[..5], [1000, 2000, 4000, 8000, 8000]);
        assert!(running.iter().sum::<u32>() > 60_000);
    }

    #[test]
    fn an_attempt_that_the_proxy_does_not_know_is_closed_at_the_second_time() {
        let mut attempt = attempt_with_unknown_try();
        let unknown = meaning(Signal::AttemptUnknown);
        assert!(matches!(attempt.judge_status(&unknown, true), Status::Again(_)));
        assert!(matches!(attempt.judge_status(&unknown, true), Status::Close));
    }

    #[test]
    fn the_waits_double_and_differ_by_a_fifth_at_most() {
        let mut attempt = attempt();
        for base in [1000, 2000, 4000, 8000] {
            attempt.begin_try();
            let wait = attempt.backoff_ms();
            assert!((base / 5 * 4..=base / 5 * 6).contains(&wait), "{wait} of {base}");
            assert!(attempt.retries_by_itself());
        }
        attempt.begin_try();
        assert!(!attempt.retries_by_itself(), "five tries are enough");
    }

    #[test]
    fn a_server_that_wants_more_than_a_minute_gets_it() {
        let mut attempt = attempt();
        attempt.begin_try();
        let wait = Some(std::time::Duration::from_mins(5));
        attempt.judge(1, &Meaning { retry_after: wait, ..meaning(RateLimited) }, Keeping::Kept);
        assert_eq!((attempt.retry_in_s, attempt.retries_by_itself()), (Some(300), false));
    }
}
