//! Trying again: what is retried by itself, when, and how often.

use crate::support::{
    PIN, accepted, after, after_seconds, answered, asked_options, before_submit, coded, fired, granted, happen, html,
    key, pin, redeeming, refused, requests, sends, stored, submitted, timer, told, uncoded,
};
use PhaseName::{Failed, Redeeming, Unconfirmed, Waiting};
use mozarto::Answer;
use redemption::{Event, Machine, PhaseName, Reason, Screen, Secret, Stage, TimerKind};

/// Answers the try that runs, and all automatic ones that follow, in the same way. Gives back the waits between them
/// and what was told at the end.
fn spend_all_tries(machine: &mut Machine, answer: &Answer) -> (Vec<u32>, Option<(&'static str, &'static str)>) {
    let mut waits = Vec::new();
    for try_number in 1.. {
        let effects = machine.handle(answered(try_number, answer.clone()));
        let Some((retry, ms)) = timer(&effects, TimerKind::Retry) else {
            return (waits, told(&effects).map(|(kind, _, _, next)| (kind, next)));
        };
        assert_eq!(told(&effects), None, "retries tell nothing");
        waits.push(ms);
        let effects = machine.handle(Event::TimerFired(retry));
        let [request] = requests(&effects)[..] else { panic!("one more try") };
        assert_eq!((request.attempt.clone(), request.try_number), (key(), try_number + 1));
        assert_eq!(request.pay_in.voucher_pin.expose(), PIN);
        assert_eq!(stored(&effects), [(key(), Some(Stage::Sent))]);
    }
    unreachable!("tries come to an end")
}

#[test]
fn five_tries_are_made_with_1_2_4_and_8_seconds_between_and_then_it_is_told_once() {
    for (answer, expected, phase) in [
        (coded("PSP_TIMEOUT"), ("unconfirmed", "status"), Unconfirmed),
        (coded("PSP_UNAVAILABLE"), ("unconfirmed", "status"), Unconfirmed),
        (uncoded(500, "Internal server error"), ("unconfirmed", "status"), Unconfirmed),
        (Answer::none(), ("unconfirmed", "status"), Unconfirmed),
        (html(), ("unconfirmed", "status"), Unconfirmed),
        (coded("PSP_RATE_LIMITED"), ("failed", "same-attempt"), Failed),
        (uncoded(429, "Too many requests"), ("failed", "same-attempt"), Failed),
        (coded("NOT_SENT"), ("failed", "same-attempt"), Failed),
    ] {
        let mut machine = redeeming();
        let (waits, told) = spend_all_tries(&mut machine, &answer);
        assert_eq!(waits.len(), 4, "{answer:?}");
        for (wait, base) in waits.iter().zip([1000, 2000, 4000, 8000]) {
            assert!((base / 5 * 4..=base / 5 * 6).contains(wait), "{wait} of {base}");
        }
        assert_eq!((told, machine.phase()), (Some(expected), phase), "{answer:?}");
    }
}

#[test]
fn once_automatic_tries_are_spent_the_customers_own_sends_the_same_key_and_unconfirmed_is_not_told_again() {
    let mut machine = redeeming();
    spend_all_tries(&mut machine, &coded("PSP_TIMEOUT"));
    let effects = machine.handle(Event::RetryRequested);
    assert_eq!(requests(&effects)[0].attempt, key());
    let effects = machine.handle(answered(6, coded("PSP_TIMEOUT")));
    assert_eq!((told(&effects), machine.phase()), (None, Unconfirmed));
}

#[test]
fn what_staff_or_nobody_can_find_out_is_not_retried() {
    for answer in [accepted(), coded("UNKNOWN_PSP_ERROR"), coded("A_NEW_CODE"), coded("ATTEMPT_UNCONFIRMED")] {
        let mut machine = redeeming();
        let effects = machine.handle(answered(1, answer.clone()));
        assert_eq!((timer(&effects, TimerKind::Retry), machine.phase()), (None, Unconfirmed));
        assert_eq!(sends(&machine.handle(Event::RetryRequested)), 0, "{answer:?}");
    }
}

#[test]
fn a_retry_after_of_a_minute_is_waited_out_and_a_longer_one_stops_and_says_when() {
    let wait_after = |seconds| {
        let mut machine = redeeming();
        let effects = machine.handle(answered(1, after_seconds(seconds, coded("PSP_RATE_LIMITED"))));
        (machine, timer(&effects, TimerKind::Retry).map(|(_, ms)| ms), told(&effects))
    };
    for (seconds, expected_ms) in [(2, 2000), (60, 60_000)] {
        let (machine, ms, told) = wait_after(seconds);
        assert_eq!((machine.phase(), ms, told), (Waiting, Some(expected_ms), None));
        let Screen::Waiting { seconds: shown, in_doubt, .. } = machine.view().screen else { panic!("waiting") };
        assert_eq!((shown, in_doubt), (seconds, false));
    }
    let (machine, ms, told_then) = wait_after(61);
    assert_eq!((ms, told_then), (None, Some(("failed", "PSP_RATE_LIMITED", "no", "same-attempt"))));
    assert!(matches!(machine.view().screen, Screen::Failed { may_retry: true, retry_in_s: Some(61), .. }));
}

#[test]
fn a_long_retry_after_on_an_attempt_in_doubt_is_unconfirmed() {
    let mut machine = redeeming();
    happen(&mut machine, [answered(1, coded("PSP_TIMEOUT")), Event::RetryRequested]);
    let effects = machine.handle(answered(2, after_seconds(300, coded("NOT_SENT"))));
    assert_eq!(told(&effects), Some(("unconfirmed", "NOT_SENT", "unknown", "status")));
    assert!(matches!(machine.view().screen, Screen::Unconfirmed { retry_in_s: Some(300), may_retry: true, .. }));
}

#[test]
fn the_wait_counts_down_and_the_customer_may_try_now_or_stop() {
    let mut machine = redeeming();
    machine.handle(answered(1, after_seconds(10, coded("PSP_TIMEOUT"))));
    let seconds = |machine: &Machine| match machine.view().screen {
        Screen::Waiting { seconds, .. } => seconds,
        other => panic!("{other:?}"),
    };
    assert_eq!(seconds(&machine), 10);
    let effects = machine.handle(fired(TimerKind::Tick, 1));
    assert_eq!((seconds(&machine), timer(&effects, TimerKind::Tick).is_some()), (9, true));
    assert_eq!(sends(&machine.handle(Event::RetryRequested)), 1);
    assert_eq!(sends(&machine.handle(fired(TimerKind::Retry, 1))), 0, "the wait is over");
}

#[test]
fn who_stops_waiting_is_told_what_the_tries_so_far_prove() {
    for (answer, expected) in [
        (coded("PSP_TIMEOUT"), ("unconfirmed", "PSP_TIMEOUT", "unknown", "status")),
        (coded("NOT_SENT"), ("failed", "NOT_SENT", "no", "same-attempt")),
    ] {
        let mut machine = redeeming();
        machine.handle(answered(1, answer));
        assert_eq!(told(&machine.handle(Event::Cancelled)), Some(expected));
    }
}

#[test]
fn who_was_offline_tries_at_once_when_back_and_who_was_asked_to_wait_waits() {
    for (answer, sent) in [(Answer::none(), 1), (coded("PSP_RATE_LIMITED"), 0)] {
        let mut machine = redeeming();
        machine.handle(answered(1, answer));
        assert_eq!(sends(&machine.handle(Event::CameBack)), sent);
    }
}

#[test]
fn a_session_that_is_over_is_renewed_once() {
    let mut machine = after(asked_options(), [pin(PIN), submitted(), granted(1)]);
    let effects = machine.handle(answered(1, coded("SESSION_EXPIRED")));
    assert_eq!((told(&effects), before_submit(&effects)), (None, Some((2, Reason::Session))));
    let effects = machine.handle(Event::BeforeSubmitAnswered {
        attempt: key(),
        try_number: 2,
        permission: redemption::Permission::Granted {
            headers: vec![],
            session_token: Some(Secret::new("fresh".into())),
        },
    });
    assert_eq!(requests(&effects)[0].session_token.as_ref().map(Secret::expose), Some("fresh"));
    let effects = machine.handle(answered(2, coded("SESSION_REQUIRED")));
    assert_eq!(told(&effects), Some(("failed", "SESSION_REQUIRED", "no", "session")));
    assert!(matches!(machine.view().screen, Screen::Failed { may_retry: true, .. }));
}

#[test]
fn a_session_that_nobody_can_renew_is_failed_or_unconfirmed_after_an_unknown_try() {
    let mut machine = redeeming();
    let effects = machine.handle(answered(1, coded("SESSION_EXPIRED")));
    assert_eq!(told(&effects), Some(("failed", "SESSION_REQUIRED", "no", "session")));
    let mut machine = redeeming();
    happen(&mut machine, [answered(1, coded("PSP_TIMEOUT")), Event::RetryRequested]);
    let effects = machine.handle(answered(2, coded("SESSION_EXPIRED")));
    assert_eq!(told(&effects), Some(("unconfirmed", "SESSION_REQUIRED", "unknown", "status")));
}

#[test]
fn renewing_a_session_is_no_sixth_automatic_try() {
    let mut machine = after(asked_options(), [pin(PIN), submitted(), granted(1)]);
    for try_number in 1..5 {
        machine.handle(answered(try_number, coded("PSP_RATE_LIMITED")));
        happen(&mut machine, [fired(TimerKind::Retry, try_number), granted(try_number + 1)]);
    }
    assert_eq!(machine.phase(), Redeeming);
    let effects = machine.handle(answered(5, coded("SESSION_EXPIRED")));
    assert_eq!(told(&effects), Some(("failed", "SESSION_REQUIRED", "no", "session")));
    assert_eq!(sends(&machine.handle(granted(6))), 0);
}

#[test]
fn a_later_try_that_before_submit_refuses_is_a_try_that_never_left() {
    for (first, in_doubt) in [("PSP_TIMEOUT", true), ("PSP_RATE_LIMITED", false)] {
        let mut machine = after(asked_options(), [pin(PIN), submitted(), granted(1), answered(1, coded(first))]);
        let effects = machine.handle(fired(TimerKind::Retry, 1));
        assert_eq!(before_submit(&effects), Some((2, Reason::Retry)));
        machine.handle(refused(2));
        let Screen::Waiting { in_doubt: found, .. } = machine.view().screen else { panic!("waiting") };
        assert_eq!(found, in_doubt, "{first}");
    }
}
