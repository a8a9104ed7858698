//! What became of an attempt, by asking: after an answer that says to ask, after a reload, on the customer's wish, and
//! later by itself.

use crate::support::{
    DAY_MS, NOW_MS, PIN, after, answered, asked, asked_options, asks, coded, fired, html, key, numbered_key, options,
    pin, record, records_read, redeeming, requests, running, sends, status, stored, success, timer, told, unconfirmed,
    untouched,
};
use PhaseName::{Checking, Editing, Unconfirmed, Waiting};
use mozarto::Answer;
use redemption::{CardState, Event, FormError, Machine, Method, PhaseName, Reason, Record, Screen, Stage, TimerKind};

/// A page that finds the record of an attempt whose request has left.
fn reloaded() -> Machine {
    after(options(), [records_read([record(Stage::Sent)])])
}

/// Answers asks in the same way, as long as more are to follow. Gives back the waits between them.
fn ask_until_the_end(machine: &mut Machine, mut number: u32, answer: &Answer, kept: bool) -> Vec<u32> {
    let mut waits = Vec::new();
    loop {
        let effects =
            machine.handle(Event::StatusAnswered { attempt: key(), number, answer: Box::new(answer.clone()), kept });
        let Some((timer, ms)) = timer(&effects, TimerKind::Ask).filter(|_| machine.phase() == Checking) else {
            return waits;
        };
        waits.push(ms);
        let effects = machine.handle(Event::TimerFired(timer));
        number = asked(&effects)[0].2;
        assert!(waits.len() < 50, "asking comes to an end");
    }
}

#[test]
fn a_try_that_still_runs_is_asked_about_until_its_end_is_known() {
    for answer in [running(), coded("ATTEMPT_IN_PROGRESS"), coded("ATTEMPT_MISMATCH")] {
        let mut machine = redeeming();
        let effects = machine.handle(answered(1, answer));
        assert_eq!((told(&effects), machine.phase()), (None, Checking));
        assert_eq!(asked(&effects), [(Method::Get, key(), 2)]);
        let effects = machine.handle(status(2, running()));
        assert_eq!(timer(&effects, TimerKind::Ask).map(|(_, ms)| ms), Some(1000));
        let effects = machine.handle(fired(TimerKind::Ask, 2));
        assert_eq!(asked(&effects), [(Method::Get, key(), 3)]);
        let effects = machine.handle(status(3, success()));
        assert_eq!(told(&effects), Some(("redeemed", "REDEEMED", "yes", "none")));
        assert_eq!(stored(&effects), [(key(), None)]);
    }
}

#[test]
fn a_reload_finds_the_record_and_asks_before_anything_else() {
    let mut machine = Machine::new(options());
    let effects = machine.handle(records_read([record(Stage::Sent)]));
    assert_eq!(asked(&effects), [(Method::Get, key(), 1)]);
    let Screen::Checking { summary, reference } = machine.view().screen else { panic!("checking") };
    assert_eq!((summary.last_four.as_str(), reference.as_str()), ("3456", key().as_str()));
    let effects = machine.handle(status(1, success()));
    assert_eq!(told(&effects), Some(("redeemed", "REDEEMED", "yes", "none")));
    assert_eq!(stored(&effects), [(key(), None)]);
}

#[test]
fn the_newest_attempt_that_was_just_sent_is_in_view_and_the_others_are_cards() {
    let records = [
        Record { key: numbered_key(3), began_at_ms: NOW_MS - 10, ..record(Stage::Unconfirmed) },
        Record { key: numbered_key(2), began_at_ms: NOW_MS - 5, ..record(Stage::Sent) },
        record(Stage::Sent),
    ];
    let mut machine = Machine::new(options());
    let effects = machine.handle(records_read(records));
    assert_eq!(machine.phase(), Checking);
    let cards: Vec<_> = machine.view().cards.into_iter().map(|card| card.attempt).collect();
    assert_eq!(cards, [key(), numbered_key(3)], "the oldest first");
    assert_eq!(asks(&effects).len(), 3, "each is asked about");
    assert_eq!(stored(&effects), []);
}

#[test]
fn a_customer_who_has_typed_already_and_an_old_record_get_a_card() {
    let old = Record { began_at_ms: NOW_MS - DAY_MS, ..record(Stage::Sent) };
    for (typed, record) in [(PIN, record(Stage::Sent)), ("", old), ("", record(Stage::Unconfirmed))] {
        let mut machine = after(options(), [pin(typed)]);
        let effects = machine.handle(records_read([record]));
        assert_eq!((machine.phase(), asked(&effects)), (Editing, vec![(Method::Get, key(), 1)]));
        assert_eq!(machine.view().cards[0].state, CardState::Checking);
    }
}

#[test]
fn an_attempt_that_was_untouched_when_its_page_went_is_closed_so_that_its_voucher_is_free() {
    let mut machine = Machine::new(options());
    let effects = machine.handle(records_read([record(Stage::Untouched)]));
    assert_eq!(asked(&effects).iter().map(|ask| ask.0).collect::<Vec<_>>(), [Method::Delete]);
    assert_eq!(stored(&effects), [(key(), None)]);
    assert_eq!((machine.phase(), machine.view().cards.len()), (Editing, 0));
}

#[test]
fn what_the_proxy_does_not_know_is_closed_at_the_second_time_and_is_untouched_once_that_is_said() {
    let mut machine = reloaded();
    machine.handle(status(1, coded("ATTEMPT_UNKNOWN")));
    machine.handle(fired(TimerKind::Ask, 1));
    let effects = machine.handle(status(2, coded("ATTEMPT_UNKNOWN")));
    assert_eq!((told(&effects), asked(&effects)), (None, vec![(Method::Delete, key(), 3)]));
    let effects = machine.handle(status(3, untouched()));
    assert_eq!(told(&effects), Some(("rejected", "ATTEMPT_CLOSED", "no", "edit")));
    assert_eq!(stored(&effects), [(key(), None)]);
    assert_eq!((machine.phase(), machine.view().form.error), (Editing, Some(FormError::Untouched)));
}

#[test]
fn one_404_proves_nothing_a_request_may_still_be_on_its_way() {
    let mut machine = reloaded();
    let effects = machine.handle(status(1, coded("ATTEMPT_UNKNOWN")));
    assert_eq!((told(&effects), asks(&effects).len(), machine.phase()), (None, 0, Checking));
}

#[test]
fn a_close_that_finds_a_try_running_is_no_end() {
    let mut machine = reloaded();
    machine.handle(status(1, coded("ATTEMPT_UNKNOWN")));
    machine.handle(fired(TimerKind::Ask, 1));
    machine.handle(status(2, coded("ATTEMPT_UNKNOWN")));
    let effects = machine.handle(status(3, running()));
    assert_eq!((told(&effects), machine.phase()), (None, Checking));
    let (timer, _) = timer(&effects, TimerKind::Ask).expect("it asks on");
    let effects = machine.handle(Event::TimerFired(timer));
    assert_eq!(asked(&effects), [(Method::Get, key(), 4)]);
}

#[test]
fn three_asks_in_vain_are_unconfirmed() {
    for (answer, kept) in [(Answer::none(), false), (html(), false), (success(), false), (untouched(), false)] {
        let mut machine = reloaded();
        let waits = ask_until_the_end(&mut machine, 1, &answer, kept);
        assert_eq!((waits, machine.phase()), (vec![1000, 2000], Unconfirmed), "{answer:?} proves nothing");
        assert_eq!(sends(&machine.handle(Event::RetryRequested)), 0, "the PIN is in no storage");
        let Screen::Unconfirmed { may_retry, may_finish, .. } = machine.view().screen else { panic!("unconfirmed") };
        assert!(!may_retry && may_finish);
    }
}

#[test]
fn a_running_try_is_asked_about_for_longer_than_any_upstream_deadline_and_then_it_is_unconfirmed() {
    let mut machine = reloaded();
    let waits = ask_until_the_end(&mut machine, 1, &running(), true);
    assert_eq!(waits[..5], [1000, 2000, 4000, 8000, 8000]);
    assert!(waits.iter().sum::<u32>() > 45_000);
    assert_eq!(machine.phase(), Unconfirmed);
}

#[test]
fn an_idle_attempt_is_tried_again_where_the_pin_is_at_hand() {
    let mut machine = redeeming();
    machine.handle(answered(1, coded("ATTEMPT_IN_PROGRESS")));
    let effects = machine.handle(status(2, coded("PSP_TIMEOUT")));
    assert_eq!((told(&effects), machine.phase()), (None, Waiting));
    let (retry, _) = timer(&effects, TimerKind::Retry).expect("a wait");
    let effects = machine.handle(Event::TimerFired(retry));
    assert_eq!(requests(&effects)[0].attempt, key());
}

#[test]
fn an_idle_attempt_is_unconfirmed_where_the_pin_is_gone_and_closed_where_its_last_try_was_not_processed() {
    let mut machine = reloaded();
    let effects = machine.handle(status(1, coded("PSP_TIMEOUT")));
    assert_eq!(told(&effects), Some(("unconfirmed", "PSP_TIMEOUT", "unknown", "status")));
    for not_processed in ["PSP_RATE_LIMITED", "NOT_SENT"] {
        let mut machine = reloaded();
        let effects = machine.handle(status(1, coded(not_processed)));
        assert_eq!(asked(&effects), [(Method::Delete, key(), 2)], "{not_processed}");
        let effects = machine.handle(status(2, untouched()));
        assert_eq!(told(&effects), Some(("rejected", "ATTEMPT_CLOSED", "no", "edit")));
    }
}

#[test]
fn what_staff_must_find_out_waits_for_them_and_their_word_ends_it() {
    for (settled, expected) in [
        (success(), ("redeemed", "REDEEMED", "yes", "none")),
        (coded("ATTEMPT_SETTLED_UNTOUCHED"), ("rejected", "ATTEMPT_SETTLED_UNTOUCHED", "no", "edit")),
    ] {
        let mut machine = reloaded();
        let effects = machine.handle(status(1, coded("ATTEMPT_UNCONFIRMED")));
        assert_eq!(told(&effects), Some(("unconfirmed", "ATTEMPT_UNCONFIRMED", "unknown", "support")));
        let Screen::Unconfirmed { may_finish, .. } = machine.view().screen else { panic!("unconfirmed") };
        assert!(!may_finish, "nothing is sent any more");
        let effects = machine.handle(Event::StatusRequested(key()));
        let number = asked(&effects)[0].2;
        assert_eq!(told(&machine.handle(status(number, settled))), Some(expected));
    }
}

#[test]
fn what_was_unconfirmed_can_be_finished_once_the_proxy_takes_tries_again() {
    let mut machine = reloaded();
    machine.handle(status(1, coded("ATTEMPT_UNCONFIRMED")));
    let number = asked(&machine.handle(Event::StatusRequested(key())))[0].2;
    machine.handle(status(number, coded("PSP_TIMEOUT")));
    assert!(matches!(machine.view().screen, Screen::Unconfirmed { may_finish: true, .. }), "another page has tried it");
}

#[test]
fn an_open_attempt_is_asked_about_later_by_itself_less_and_less_often() {
    let mut machine = unconfirmed();
    let mut later = Vec::new();
    let mut number = 1;
    for _ in 0..7 {
        let effects = machine.handle(fired(TimerKind::Ask, number));
        number = asked(&effects)[0].2;
        let effects = machine.handle(status(number, coded("ATTEMPT_UNCONFIRMED")));
        assert_eq!(told(&effects), None, "told once");
        later.push(timer(&effects, TimerKind::Ask).map(|(_, ms)| ms / 1000));
    }
    assert_eq!(later, [60, 120, 240, 480, 600, 600, 600].map(Some));
}

#[test]
fn a_proxy_that_keeps_no_attempts_is_not_asked_again_by_itself_and_one_that_was_not_reached_is() {
    for (answer, later) in [(html(), None), (Answer::none(), Some(30_000))] {
        let mut machine = reloaded();
        let mut effects = Vec::new();
        for number in 1..=3 {
            let in_vain = Box::new(answer.clone());
            effects = machine.handle(Event::StatusAnswered { attempt: key(), number, answer: in_vain, kept: false });
            machine.handle(fired(TimerKind::Ask, number));
            if machine.phase() == Unconfirmed {
                break;
            }
        }
        assert_eq!(timer(&effects, TimerKind::Ask).map(|(_, ms)| ms), later, "{answer:?}");
        assert_eq!(asks(&machine.handle(Event::CameBack)).len(), 1, "the customer may ask");
    }
}

#[test]
fn being_online_again_asks_at_once_about_whatever_is_open() {
    for mut machine in [reloaded(), unconfirmed()] {
        assert_eq!(asks(&machine.handle(Event::CameBack)).len(), 1);
    }
    let mut machine = reloaded();
    machine.handle(Event::AnotherRequested);
    assert_eq!(asks(&machine.handle(Event::CameBack)).len(), 1, "a card too");
}

#[test]
fn an_answer_to_an_earlier_ask_changes_nothing() {
    let mut machine = reloaded();
    machine.handle(Event::CameBack);
    let before = format!("{machine:?}");
    assert!(machine.handle(status(1, success())).is_empty());
    assert_eq!(format!("{machine:?}"), before);
}

#[test]
fn before_submit_is_asked_for_a_status_and_once_more_when_the_session_is_over() {
    let mut machine = after(asked_options(), [records_read([record(Stage::Sent)])]);
    let effects = machine.handle(Event::CameBack);
    assert_eq!((asks(&effects)[0].ask.reason, asks(&effects)[0].before_submit), (Reason::Status, true));
    let effects = machine.handle(status(2, coded("SESSION_EXPIRED")));
    assert_eq!((asks(&effects)[0].ask.reason, asks(&effects)[0].method), (Reason::Session, Method::Get));
    let effects = machine.handle(status(3, coded("SESSION_EXPIRED")));
    assert_ne!(asks(&effects).first().map(|ask| ask.ask.reason), Some(Reason::Session));
    assert_eq!(machine.phase(), Checking);
}

#[test]
fn in_checking_another_voucher_can_be_redeemed() {
    let mut machine = reloaded();
    machine.handle(Event::AnotherRequested);
    assert_eq!((machine.phase(), machine.view().cards.len()), (Editing, 1));
    let late = machine.handle(status(1, success()));
    assert_eq!(told(&late), Some(("redeemed", "REDEEMED", "yes", "none")), "what was asked is still heard");
}
