//! What answers and statuses mean for an attempt, row by row.

use super::*;
use crate::{AmountOption, AttemptKey, Options};
use Signal::{InvalidPspCredentials, NoAnswer, NotSent, Pending, PspTimeout, RateLimited, ServerError, UnknownError};
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
        (Signal::TryRunning, ("unconfirmed", unknown, Next::Status, Ask), ("unconfirmed", unknown, Next::Status, Ask)),
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
        (Signal::SessionRefused, ("failed", no, Next::Session, Renew), ("unconfirmed", unknown, Next::Status, Renew)),
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
