//! One voucher, amount and currency under one key, and its tries. Truth is per attempt, not per answer:
//! [`Attempt::judge`] says what an answer means together with what came before.

use crate::outcome::{Discrepancy, OutcomeKind, Redemption};
use crate::{Code, Next, Outcome};
use mozarto::{Meaning, Money, PayIn, Receipt, Rejection, Signal};
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
    /// Whether the embedder was told `unconfirmed`: once is enough.
    pub(crate) unconfirmed_told: bool,
    /// Nothing may be sent again: the voucher was reported used, or the redemption is pending elsewhere.
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

impl Attempt {
    pub(crate) fn new(key: AttemptKey, endpoint: String, pay_in: PayIn) -> Self {
        Self {
            key,
            endpoint,
            pay_in,
            tries: Vec::new(),
            transaction_id: None,
            unconfirmed_told: false,
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
        self.judge(self.try_number(), &meaning, true).unwrap_or_else(|| self.time_out())
    }

    /// What the answer of a try means for the attempt. `None` where it changes nothing: the try is unknown or has
    /// ended.
    pub(crate) fn judge(&mut self, try_number: u32, meaning: &Meaning, attempt_kept: bool) -> Option<Outcome> {
        let index = usize::try_from(try_number).ok()?.checked_sub(1)?;
        let this_try = self.tries.get_mut(index).filter(|state| **state == Try::Running)?;
        *this_try = Try::Ended(meaning.signal.money());
        if let Some(id) = &meaning.transaction_id {
            self.transaction_id = Some(id.clone());
        }
        let others_may_have_taken_it =
            self.tries.iter().enumerate().any(|(at, state)| at != index && *state != Try::Ended(Money::No));
        let code = Code::from(&meaning.signal);
        if matches!(meaning.signal, Signal::Pending | Signal::Rejected(Rejection::AlreadyRedeemed)) {
            self.closed_to_tries = true;
        }
        Some(match &meaning.signal {
            Signal::Redeemed(receipt) => self.redeemed(receipt),
            signal if signal.money() == Money::Unknown => {
                let next = if *signal == Signal::UnknownError { Next::Support } else { Next::Status };
                self.closed_to_tries |= next == Next::Support;
                self.outcome(OutcomeKind::Unconfirmed, code, Money::Unknown, next)
            }
            signal if others_may_have_taken_it && !self.is_ended_by(signal) => {
                // The likeliest taker of a voucher that is now refused is our own lost try.
                let retried = matches!(signal, Signal::RateLimited | Signal::NotSent);
                self.closed_to_tries |= !retried;
                let next = if retried { Next::Status } else { Next::Support };
                self.outcome(OutcomeKind::Unconfirmed, code, Money::Unknown, next)
            }
            Signal::Rejected(Rejection::AlreadyRedeemed) => {
                let money = if attempt_kept { Money::No } else { Money::Unknown };
                self.outcome(OutcomeKind::Rejected, code, money, Next::Support)
            }
            Signal::Rejected(_) | Signal::ProviderRejected => {
                self.outcome(OutcomeKind::Rejected, code, Money::No, Next::Edit)
            }
            Signal::RequestInvalid(_) => self.outcome(OutcomeKind::Rejected, code, Money::No, Next::Edit),
            Signal::RateLimited | Signal::NotSent => {
                self.outcome(OutcomeKind::Failed, code, Money::No, Next::SameAttempt)
            }
            _ => self.outcome(OutcomeKind::Failed, code, Money::No, Next::None),
        })
    }

    /// Whether an answer proves the voucher untouched although another try may have taken it: a taken voucher is never
    /// called invalid or mismatched. Not while another try still runs.
    fn is_ended_by(&self, signal: &Signal) -> bool {
        use Rejection::{InvalidPin, MismatchedAmount, MismatchedCurrency};
        let recognised = matches!(signal, Signal::Rejected(InvalidPin | MismatchedAmount | MismatchedCurrency));
        recognised && !self.tries.contains(&Try::Running)
    }

    fn redeemed(&self, receipt: &Receipt) -> Outcome {
        let requested = self.pay_in.amount;
        let differs = receipt.amount.is_some_and(|amount| amount != requested);
        let redemption = Redemption {
            amount: receipt.amount,
            serial: receipt.serial.clone(),
            transaction_id: self.transaction_id.clone(),
            discrepancy: differs.then_some(Discrepancy { requested }),
        };
        self.outcome(OutcomeKind::Redeemed(redemption), Code::Redeemed, Money::Yes, Next::None)
    }

    fn outcome(&self, kind: OutcomeKind, code: Code, money: Money, next: Next) -> Outcome {
        Outcome { kind, code, money, next, attempt: self.key.clone(), reference: self.reference() }
    }
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
        let outcome = last.expect("an answer to a running try counts");
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
        assert_eq!(outcome.map(|outcome| (outcome.money, outcome.next)), Some((Money::Unknown, Next::Support)));
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
        let outcome = attempt.judge(2, &meaning(rejected(Rejection::InvalidPin)), true).expect("a running try");
        assert_eq!(outcome.kind, OutcomeKind::Unconfirmed);
        let outcome = attempt.judge(1, &meaning(redeemed()), true).expect("a running try");
        assert_eq!(outcome.money, Money::Yes);
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
        assert_eq!(attempt.judge(1, &meaning, true).map(|outcome| outcome.reference).as_deref(), Some("t1"));
        assert_eq!(attempt.reference(), "t1");
    }
}
