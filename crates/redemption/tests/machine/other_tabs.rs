//! Tabs that share their records: what one has begun, tried, ended or put away, the others learn of and say nothing
//! against.

use crate::support::{
    PIN, after, answered, answered_by, asked, asked_options, asks, coded, fired, granted, happen, key, numbered_key,
    options, pin, record, records_read, redeeming, refused, rejection, sends, status, submitted, submitted_as, told,
    unconfirmed, untouched, with_card,
};
use PhaseName::{Checking, Editing, Failed, Unconfirmed, Waiting};
use redemption::{
    AmountOption, CardState, Event, Keeping, Method, Options, PhaseName, Record, Screen, Stage, TimerKind,
};

#[test]
fn a_voucher_that_another_tab_has_begun_since_is_held_back_also_at_the_confirmation_and_after_before_submit() {
    let other_tab = || records_read([Record { key: numbered_key(5), ..record(Stage::Sent) }]);
    let typed = Options { amount: AmountOption::Typed, ..options() };
    let failed = [pin(PIN), submitted(), answered(1, coded("PSP_RATE_LIMITED")), Event::Cancelled];
    for (name, options, before, last) in [
        ("submit", options(), vec![pin(PIN)], submitted()),
        ("confirm", typed, vec![pin(PIN), Event::AmountEdited("25".into()), submitted()], Event::Confirmed),
        ("permission", asked_options(), vec![pin(PIN), submitted()], granted(1)),
        ("try again", options(), failed.into(), Event::RetryRequested),
    ] {
        let mut machine = after(options, [records_read([])]);
        happen(&mut machine, before);
        machine.handle(other_tab());
        assert_eq!(sends(&machine.handle(last)), 0, "{name}");
    }
}

#[test]
fn what_became_of_an_attempt_whose_record_is_gone_is_asked_and_its_card_can_be_dismissed_at_once() {
    let mut machine = with_card();
    let effects = machine.handle(records_read([]));
    assert_eq!((asks(&effects).len(), machine.view().cards[0].may_dismiss), (1, true));
    assert!(asks(&machine.handle(records_read([]))).is_empty(), "once");
    machine.handle(Event::Dismissed(key()));
    assert!(machine.view().cards.is_empty());
    let mut machine = unconfirmed();
    let effects = machine.handle(records_read([]));
    assert_eq!((asks(&effects).len(), machine.phase()), (1, Unconfirmed));
}

#[test]
fn a_try_of_another_tab_is_a_try_whose_end_is_not_known_here() {
    let other_tabs_try = || records_read([Record { tries: 2, ..record(Stage::Sent) }]);
    let limited = || answered(1, coded("PSP_RATE_LIMITED"));
    for (events, phase) in [
        (vec![pin(PIN), submitted(), limited()], Waiting),
        (vec![pin(PIN), submitted(), limited(), Event::Cancelled], Checking),
    ] {
        let mut machine = after(options(), events);
        machine.handle(other_tabs_try());
        assert_eq!(machine.phase(), phase);
        assert!(!matches!(machine.view().screen, Screen::Waiting { in_doubt: false, .. }));
        machine.handle(Event::Cancelled);
        assert_ne!(machine.phase(), Failed, "nothing says untouched any more");
    }
    let mut machine = redeeming();
    machine.handle(other_tabs_try());
    let effects = machine.handle(answered(1, coded("INVALID_PSP_CREDENTIALS")));
    assert_eq!(told(&effects).map(|told| (told.0, told.2)), Some(("unconfirmed", "unknown")));
}

#[test]
fn what_another_tab_is_sending_is_a_card_and_is_asked_about() {
    let mut machine = after(options(), [records_read([])]);
    let effects = machine.handle(records_read([record(Stage::Sent)]));
    assert_eq!((asked(&effects), machine.phase()), (vec![(Method::Get, key(), 1)], Editing));
    let effects = machine.handle(records_read([record(Stage::Sent)]));
    assert_eq!((asks(&effects).len(), machine.view().cards.len()), (0, 1), "once");
}

#[test]
fn an_attempt_that_another_tab_put_away_is_not_tried_beside_another_one_and_not_asked_about_without_end() {
    let other = Record { key: numbered_key(7), ..record(Stage::Unconfirmed) };
    let mut machine = after(options(), [records_read([record(Stage::Unconfirmed), other.clone()])]);
    machine.handle(records_read([other]));
    happen(&mut machine, [Event::FinishRequested(key()), pin(PIN)]);
    let effects = machine.handle(submitted_as(&numbered_key(2)));
    assert_eq!((sends(&effects), machine.phase()), (0, Checking));
    let number = asked(&effects)[0].2;
    machine.handle(status(number, coded("PSP_TIMEOUT")));
    assert_eq!(machine.phase(), Unconfirmed, "the customer decides");
}

#[test]
fn a_proof_that_was_held_back_is_none_once_another_page_has_tried_without_a_ledger() {
    let mut machine = redeeming();
    happen(&mut machine, [fired(TimerKind::Try, 1), Event::RetryRequested]);
    machine.handle(answered_by(Keeping::No, 2, rejection("Invalid voucher PIN")));
    machine.handle(records_read([Record { tries: 3, ..record(Stage::Sent) }]));
    let effects = machine.handle(answered_by(Keeping::No, 1, coded("PSP_RATE_LIMITED")));
    assert_eq!((told(&effects), machine.phase()), (None, Unconfirmed), "the other page may have entered another PIN");
}

#[test]
fn a_try_that_never_left_here_hides_no_try_of_another_tab() {
    let before = [pin(PIN), submitted(), granted(1), answered(1, coded("PSP_RATE_LIMITED"))];
    let mut machine = after(asked_options(), before);
    happen(&mut machine, [fired(TimerKind::Retry, 1), refused(2)]);
    assert!(matches!(machine.view().screen, Screen::Waiting { in_doubt: false, .. }));
    machine.handle(records_read([Record { tries: 2, ..record(Stage::Sent) }]));
    assert!(matches!(machine.view().screen, Screen::Waiting { in_doubt: true, .. }));
}

#[test]
fn what_was_said_to_be_untouched_is_open_again_when_another_page_tries_it() {
    let mut card = with_card();
    happen(&mut card, [Event::StatusRequested(key()), status(2, untouched())]);
    let mut failed = after(options(), [pin(PIN), submitted(), answered(1, coded("INVALID_PSP_CREDENTIALS"))]);
    for machine in [&mut card, &mut failed] {
        machine.handle(records_read([Record { tries: 2, ..record(Stage::Sent) }]));
        let view = machine.view();
        assert!(!view.cards.iter().any(|card| matches!(card.state, CardState::Ended(_))));
        assert_ne!(machine.phase(), Failed);
    }
}
