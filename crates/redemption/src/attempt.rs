//! One voucher, amount and currency under one key, and its tries. Truth is per attempt, not per answer:
//! [`Attempt::judge`] says what an answer means together with what came before.

use crate::outcome::{Discrepancy, OutcomeKind, Redemption};
use crate::{Code, Next, Outcome};
use mozarto::{Meaning, Money, PayIn, Receipt, Rejection, Signal, redact_pin};
use std::fmt;

/// An attempt's name: a UUID, sent as `Idempotency-Key`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AttemptKey(String);

impl AttemptKey {
    /// Takes a fresh UUID over.
    pub fn new(uuid: String) -> Self {
        Self(uuid)
    }

    /// The UUID's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AttemptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An attempt from its submission to its outcome.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub(crate) key: AttemptKey,
    /// Where it is posted, whatever the merchant changes meanwhile.
    pub(crate) endpoint: String,
    pub(crate) pay_in: PayIn,
    tries: Vec<Try>,
    transaction_id: Option<String>,
    /// Whether the embedder was told `unconfirmed`: once is enough, and `failed` never follows it.
    pub(crate) unconfirmed_told: bool,
    /// A try was answered "already redeemed". From then on only a success says more.
    reported_used: bool,
    /// A rejection that proves the voucher untouched, held back while another try still runs.
    proof: Option<Signal>,
    /// Nothing may be sent again.
    closed_to_tries: bool,
}

/// What is known about one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Try {
    /// Sent; the customer may have stopped waiting, but an answer may still come.
    Running,
    /// Answered, or sure to stay without an answer.
    Ended(Money),
}

/// What an answer means for the attempt, and the signal that says so: the answer's own, or an earlier proof.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) signal: Signal,
}

impl Attempt {
    pub(crate) fn new(key: AttemptKey, endpoint: String, pay_in: PayIn) -> Self {
        Self {
            key,
            endpoint,
            pay_in,
            tries: Vec::new(),
            transaction_id: None,
            unconfirmed_told: false,
            reported_used: false,
            proof: None,
            closed_to_tries: false,
        }
    }

    /// The number of the last try, from 1; 0 before the first.
    pub(crate) fn try_number(&self) -> u32 {
        u32::try_from(self.tries.len()).unwrap_or(u32::MAX)
    }

    /// Begins the next try.
    pub(crate) fn begin_try(&mut self) {
        self.tries.push(Try::Running);
    }

    /// Whether the customer may try again under the same key.
    pub(crate) fn may_retry(&self) -> bool {
        !self.closed_to_tries
    }

    /// Whether an answer may still come.
    pub(crate) fn is_running(&self) -> bool {
        self.tries.contains(&Try::Running)
    }

    /// What support can find the attempt by.
    pub(crate) fn reference(&self) -> String {
        self.transaction_id.clone().unwrap_or_else(|| self.key.0.clone())
    }

    /// The customer has stopped waiting for the last try. It may still be answered.
    pub(crate) fn time_out(&self) -> Outcome {
        self.outcome(OutcomeKind::Unconfirmed, Code::NoAnswer, Money::Unknown, Next::Status)
    }

    /// The try could not begin: nothing left the page.
    pub(crate) fn not_sent(&mut self) -> Outcome {
        self.begin_try();
        let meaning = Meaning { signal: Signal::NotSent, transaction_id: None, retry_after: None };
        self.judge(self.try_number(), &meaning, true).map_or_else(|| self.time_out(), |verdict| verdict.outcome)
    }

    /// What the answer of a try means for the attempt. `None` where it changes nothing: the try is unknown or has
    /// ended. `attempt_kept` says whether the proxy keeps this attempt: without that, "already redeemed" may be the
    /// doing of this very try, which a browser has repeated.
    pub(crate) fn judge(&mut self, try_number: u32, meaning: &Meaning, attempt_kept: bool) -> Option<Verdict> {
        let index = usize::try_from(try_number).ok()?.checked_sub(1)?;
        let this_try = self.tries.get_mut(index).filter(|state| **state == Try::Running)?;
        let signal = &meaning.signal;
        let used = matches!(signal, Signal::Rejected(Rejection::AlreadyRedeemed));
        *this_try = Try::Ended(if used && !attempt_kept { Money::Unknown } else { signal.money() });
        if let Some(id) = &meaning.transaction_id {
            self.transaction_id = Some(redact_pin(id, &self.pay_in.voucher_pin).into_owned());
        }
        let others_untouched = self.tries.iter().enumerate().all(|(at, t)| at == index || *t == Try::Ended(Money::No));
        let in_doubt = !others_untouched || self.reported_used;
        self.reported_used |= used;
        self.closed_to_tries |= used || matches!(signal, Signal::Pending | Signal::UnknownError);
        if let Signal::Redeemed(receipt) = signal {
            return Some(Verdict { outcome: self.redeemed(receipt), signal: signal.clone() });
        }
        if in_doubt && !self.reported_used && is_proof(signal) {
            self.proof = Some(signal.clone());
            self.closed_to_tries = true;
        }
        if let Some(proof) = self.proof.clone().filter(|_| !self.is_running() && !self.reported_used) {
            return Some(Verdict { outcome: self.alone(&proof, attempt_kept), signal: proof });
        }
        let unknown = signal.money() == Money::Unknown;
        let outcome = if in_doubt && !unknown {
            // The likeliest taker of a voucher that is now refused is our own lost try.
            self.closed_to_tries |= !is_retried(signal);
            self.unconfirmed(signal)
        } else if unknown {
            self.unconfirmed(signal)
        } else {
            self.alone(signal, attempt_kept)
        };
        Some(Verdict { outcome, signal: signal.clone() })
    }

    /// What an answer means where no other try may have taken the voucher, and it has not.
    fn alone(&self, signal: &Signal, attempt_kept: bool) -> Outcome {
        let code = Code::from(signal);
        match signal {
            Signal::Rejected(Rejection::AlreadyRedeemed) => {
                let money = if attempt_kept { Money::No } else { Money::Unknown };
                self.outcome(OutcomeKind::Rejected, code, money, Next::Support)
            }
            Signal::Rejected(_) | Signal::ProviderRejected | Signal::RequestInvalid(_) => {
                self.outcome(OutcomeKind::Rejected, code, Money::No, Next::Edit)
            }
            signal if is_retried(signal) => self.outcome(OutcomeKind::Failed, code, Money::No, Next::SameAttempt),
            _ => self.outcome(OutcomeKind::Failed, code, Money::No, Next::None),
        }
    }

    fn unconfirmed(&self, signal: &Signal) -> Outcome {
        let asked = is_retried(signal) || (signal.money() == Money::Unknown && *signal != Signal::UnknownError);
        let waits = self.proof.is_some() && self.is_running();
        let next = if !self.reported_used && (asked || waits) { Next::Status } else { Next::Support };
        self.outcome(OutcomeKind::Unconfirmed, Code::from(signal), Money::Unknown, next)
    }

    fn redeemed(&self, receipt: &Receipt) -> Outcome {
        let requested = self.pay_in.amount;
        let differs = receipt.amount.is_some_and(|amount| amount != requested)
            || receipt.currency.as_deref().is_some_and(|currency| currency != requested.currency().code());
        let redemption = Redemption {
            amount: receipt.amount,
            currency: receipt.currency.clone(),
            serial: receipt.serial.as_ref().map(|text| redact_pin(text, &self.pay_in.voucher_pin).into_owned()),
            transaction_id: self.transaction_id.clone(),
            discrepancy: differs.then_some(Discrepancy { requested }),
        };
        self.outcome(OutcomeKind::Redeemed(redemption), Code::Redeemed, Money::Yes, Next::None)
    }

    fn outcome(&self, kind: OutcomeKind, code: Code, money: Money, next: Next) -> Outcome {
        Outcome { kind, code, money, next, attempt: self.key.clone(), reference: self.reference() }
    }
}

/// Whether an answer proves the voucher untouched although another try may have taken it: a taken voucher is never
/// called invalid or mismatched.
fn is_proof(signal: &Signal) -> bool {
    use Rejection::{InvalidPin, MismatchedAmount, MismatchedCurrency};
    matches!(signal, Signal::Rejected(InvalidPin | MismatchedAmount | MismatchedCurrency))
}

/// Whether an answer says that its try was not processed, and the next may be.
fn is_retried(signal: &Signal) -> bool {
    matches!(signal, Signal::RateLimited | Signal::NotSent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Signal::{
        InvalidPspCredentials, NoAnswer, NotSent, Pending, PspTimeout, RateLimited, ServerError, UnknownError,
    };
    use mozarto::{Amount, VoucherPin};

    fn attempt() -> Attempt {
        let currency = "EUR".parse().expect("a currency");
        let pay_in = PayIn {
            voucher_pin: VoucherPin::from_wire("1234567890123456").expect("16 digits"),
            amount: Amount::from_minor(2500, currency).expect("positive"),
            user_id: None,
            email: None,
            brand_id: None,
        };
        Attempt::new(AttemptKey::new("key".into()), "https://shop.example/cashier".into(), pay_in)
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
            last = attempt.judge(attempt.try_number(), &meaning(signal.clone()), true);
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
        let outcome = attempt.judge(1, &meaning(rejected(Rejection::AlreadyRedeemed)), false);
        let outcome = outcome.expect("a running try").outcome;
        assert_eq!((outcome.kind, outcome.money, outcome.next), (OutcomeKind::Rejected, Money::Unknown, Next::Support));
    }

    #[test]
    fn after_already_redeemed_only_a_success_says_more() {
        for signal in [NotSent, RateLimited, InvalidPspCredentials, rejected(Rejection::InvalidPin), PspTimeout] {
            for attempt_kept in [true, false] {
                let mut attempt = attempt();
                attempt.begin_try();
                attempt.begin_try();
                attempt.judge(1, &meaning(rejected(Rejection::AlreadyRedeemed)), attempt_kept);
                let outcome = attempt.judge(2, &meaning(signal.clone()), attempt_kept).expect("a running try").outcome;
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
        attempt.judge(1, &meaning, true);
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
            attempt.judge(1, &meaning(signal.clone()), true);
            assert_eq!(attempt.may_retry(), may_retry, "{signal}");
        }
    }

    #[test]
    fn no_rejection_overrides_a_try_that_still_runs() {
        let mut attempt = attempt();
        attempt.begin_try();
        attempt.begin_try();
        let first = attempt.judge(2, &meaning(rejected(Rejection::InvalidPin)), true).expect("a running try").outcome;
        assert_eq!((first.kind, first.next), (OutcomeKind::Unconfirmed, Next::Status));
        assert!(!attempt.may_retry());
        let mut without_answer = attempt.clone();
        let success = attempt.judge(1, &meaning(redeemed()), true).expect("a running try").outcome;
        assert_eq!(success.money, Money::Yes);
        let last = without_answer.judge(1, &meaning(NoAnswer), true).expect("a running try").outcome;
        assert_eq!((last.kind, last.code, last.money), (OutcomeKind::Rejected, Code::InvalidPin, Money::No));
    }

    #[test]
    fn a_try_is_answered_once() {
        let mut attempt = attempt();
        attempt.begin_try();
        assert!(attempt.judge(1, &meaning(PspTimeout), true).is_some());
        assert!(attempt.judge(1, &meaning(redeemed()), true).is_none());
        assert!(attempt.judge(0, &meaning(redeemed()), true).is_none());
        assert!(attempt.judge(9, &meaning(redeemed()), true).is_none());
    }

    #[test]
    fn the_reference_is_the_transaction_once_it_is_known() {
        let mut attempt = attempt();
        attempt.begin_try();
        assert_eq!(attempt.time_out().reference, "key");
        let meaning = Meaning { transaction_id: Some("t1".into()), ..meaning(UnknownError) };
        assert_eq!(attempt.judge(1, &meaning, true).map(|verdict| verdict.outcome.reference).as_deref(), Some("t1"));
        assert_eq!(attempt.reference(), "t1");
    }
}
