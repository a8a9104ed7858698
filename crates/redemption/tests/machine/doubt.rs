//! What tries prove together: after an unknown one only a success or a proof ends the attempt, in whatever order the
//! answers come.

use crate::support::{
    PIN, after, answered, answered_by, asked_options, coded, fired, granted, happen, key, options, pin, redeeming,
    rejection, running, sends, submitted, success, told, unconfirmed,
};
use PhaseName::{Checking, Editing, Preparing, Redeemed, Redeeming, Unconfirmed, Waiting};
use mozarto::Answer;
use redemption::{Event, FormError, Keeping, PhaseName, Screen, TimerKind};

#[test]
fn after_an_unknown_try_what_is_not_processed_is_retried_and_the_doubt_stays() {
    for second in ["PSP_RATE_LIMITED", "NOT_SENT"] {
        let mut machine = redeeming();
        happen(&mut machine, [answered(1, coded("PSP_TIMEOUT")), Event::RetryRequested, answered(2, coded(second))]);
        assert!(matches!(machine.view().screen, Screen::Waiting { in_doubt: true, .. }), "{second}");
        let effects = machine.handle(Event::Cancelled);
        let (kind, _, money, next) = told(&effects).expect("an outcome");
        assert_eq!((kind, money, next), ("unconfirmed", "unknown", "status"), "{second}");
    }
}

#[test]
fn after_an_unknown_try_already_redeemed_is_unconfirmed_and_cannot_be_tried_again() {
    let mut machine = redeeming();
    machine.handle(answered(1, coded("PSP_TIMEOUT")));
    machine.handle(Event::RetryRequested);
    let effects = machine.handle(answered(2, rejection("Voucher already redeemed")));
    assert_eq!(told(&effects), Some(("unconfirmed", "VOUCHER_ALREADY_REDEEMED", "unknown", "support")));
    let Screen::Unconfirmed { may_retry, may_finish, .. } = machine.view().screen else { panic!("unconfirmed") };
    assert!(!may_retry && !may_finish);
    assert_eq!(sends(&machine.handle(Event::RetryRequested)), 0);
}

#[test]
fn after_an_unknown_try_every_other_refusal_stops_at_once_and_proves_nothing() {
    for refusal in [
        rejection("Voucher blocked"),
        rejection("Payment provider rejected the request"),
        rejection("Rules action is not matched"),
        rejection("Missing required field: voucherPin"),
        coded("INVALID_PSP_CREDENTIALS"),
        coded("ATTEMPT_FOREIGN"),
        coded("VOUCHER_IN_USE"),
    ] {
        let mut machine = redeeming();
        happen(&mut machine, [answered(1, coded("PSP_TIMEOUT")), Event::RetryRequested]);
        let effects = machine.handle(answered(2, refusal.clone()));
        let (kind, _, money, next) = told(&effects).expect("an outcome");
        assert_eq!((kind, money, next), ("unconfirmed", "unknown", "support"), "{refusal:?}");
        assert_eq!(sends(&machine.handle(Event::RetryRequested)), 0, "{refusal:?}");
    }
}

#[test]
fn after_an_unknown_try_a_recognised_invalid_pin_or_mismatch_proves_the_voucher_untouched() {
    for message in ["Invalid voucher PIN", "Mismatched amount", "Mismatched currency"] {
        let mut machine = redeeming();
        happen(&mut machine, [answered(1, coded("PSP_TIMEOUT")), Event::RetryRequested]);
        let effects = machine.handle(answered(2, rejection(message)));
        let (kind, _, money, next) = told(&effects).expect("an outcome");
        assert_eq!((kind, money, next, machine.phase()), ("rejected", "no", "edit", Editing), "{message}");
    }
}

#[test]
fn a_try_that_times_out_is_retried_and_its_late_success_counts_in_every_phase_that_follows() {
    let timed_out = || after(asked_options(), [pin(PIN), submitted(), granted(1), fired(TimerKind::Try, 1)]);
    let retry = || fired(TimerKind::Retry, 1);
    for (phase, events) in [
        (Waiting, vec![]),
        (Preparing, vec![retry()]),
        (Redeeming, vec![retry(), granted(2)]),
        (Checking, vec![retry(), granted(2), answered(2, running())]),
        (Unconfirmed, vec![Event::Cancelled]),
    ] {
        let mut machine = timed_out();
        happen(&mut machine, events);
        assert_eq!(machine.phase(), phase);
        let effects = machine.handle(answered(1, success()));
        assert_eq!((told(&effects), machine.phase()), (Some(("redeemed", "REDEEMED", "yes", "none")), Redeemed));
        assert_eq!(sends(&machine.handle(granted(2))), 0, "{phase:?}");
    }
}

#[test]
fn a_late_answer_of_the_only_try_is_the_truth_about_it() {
    let mut machine = redeeming();
    machine.handle(fired(TimerKind::Try, 1));
    let effects = machine.handle(answered(1, rejection("Mismatched amount")));
    assert_eq!(told(&effects), Some(("rejected", "MISMATCHED_AMOUNT", "no", "edit")));
    assert!(machine.handle(fired(TimerKind::Retry, 1)).is_empty());
}

#[test]
fn an_earlier_trys_failure_changes_nothing_while_the_next_is_running() {
    for late in [coded("PSP_TIMEOUT"), rejection("Invalid voucher PIN"), coded("INVALID_PSP_CREDENTIALS")] {
        let mut machine = redeeming();
        happen(&mut machine, [fired(TimerKind::Try, 1), Event::RetryRequested]);
        let effects = machine.handle(answered(1, late));
        assert_eq!((told(&effects), machine.phase()), (None, Redeeming));
    }
}

#[test]
fn a_proof_that_came_while_another_try_ran_is_told_when_that_one_has_ended() {
    let mut machine = redeeming();
    happen(&mut machine, [fired(TimerKind::Try, 1), Event::RetryRequested]);
    machine.handle(answered(1, rejection("Invalid voucher PIN")));
    let effects = machine.handle(answered(2, Answer::none()));
    assert_eq!(told(&effects), Some(("rejected", "INVALID_VOUCHER_PIN", "no", "edit")));
}

#[test]
fn no_rejection_overrides_a_try_that_still_runs() {
    let mut machine = redeeming();
    happen(&mut machine, [fired(TimerKind::Try, 1), Event::RetryRequested]);
    let effects = machine.handle(answered(2, rejection("Invalid voucher PIN")));
    assert_eq!(told(&effects), Some(("unconfirmed", "INVALID_VOUCHER_PIN", "unknown", "status")));
    let effects = machine.handle(answered(1, success()));
    assert_eq!(told(&effects), Some(("redeemed", "REDEEMED", "yes", "none")));
}

#[test]
fn after_already_redeemed_no_late_answer_but_a_success_says_more() {
    for keeping in [Keeping::Kept, Keeping::No] {
        for late in ["PSP_RATE_LIMITED", "NOT_SENT", "INVALID_PSP_CREDENTIALS", "4075"] {
            let mut machine = redeeming();
            happen(&mut machine, [fired(TimerKind::Try, 1), Event::RetryRequested]);
            machine.handle(answered_by(keeping, 2, rejection("Voucher already redeemed")));
            let late = if late == "4075" { rejection("Invalid voucher PIN") } else { coded(late) };
            assert_eq!(told(&machine.handle(answered_by(keeping, 1, late.clone()))), None, "{late:?}");
            assert!(matches!(machine.view().screen, Screen::Unconfirmed { may_retry: false, .. }), "{late:?}");
        }
    }
}

#[test]
fn failed_never_follows_unconfirmed() {
    let mut machine = unconfirmed();
    machine.handle(Event::RetryRequested);
    let effects = machine.handle(answered_by(Keeping::Replayed, 2, coded("INVALID_PSP_CREDENTIALS")));
    assert_eq!(told(&effects), Some(("rejected", "INVALID_PSP_CREDENTIALS", "no", "edit")));
    assert_eq!((machine.phase(), machine.view().form.error), (Editing, Some(FormError::Untouched)));
}

#[test]
fn what_is_open_in_hand_is_known_from_the_first_send_to_the_outcome_for_whoever_outlives_the_machine() {
    let mut machine = after(options(), [pin(PIN)]);
    assert_eq!(machine.open(), None, "nothing was sent");
    machine.handle(submitted());
    let open = machine.open().expect("a request is about to leave");
    assert_eq!((open.attempt, open.reference.as_str()), (key(), key().as_str()));
    happen(&mut machine, [answered(1, coded("PSP_TIMEOUT")), Event::Cancelled]);
    assert!(machine.phase() == Unconfirmed && machine.open().is_some(), "nobody knows yet");
    happen(&mut machine, [Event::RetryRequested, answered(2, success())]);
    assert_eq!((machine.phase(), machine.open()), (Redeemed, None));

    for (answer, open) in [(rejection("Invalid voucher PIN"), false), (coded("INVALID_PSP_CREDENTIALS"), false)] {
        let mut machine = redeeming();
        machine.handle(answered(1, answer));
        assert_eq!(machine.open().is_some(), open);
    }
    let mut asked = after(asked_options(), [pin(PIN), submitted()]);
    assert_eq!((asked.phase(), asked.open()), (Preparing, None), "beforeSubmit runs; nothing has left");
    happen(&mut asked, [granted(1), answered(1, coded("PSP_TIMEOUT")), Event::RetryRequested]);
    assert!(asked.phase() == Preparing && asked.open().is_some(), "a try has left before");
}
