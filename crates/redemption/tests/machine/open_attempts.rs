//! Open attempts besides the one in hand: another voucher meanwhile, finishing with the same PIN, what is held back,
//! what is told, and how they go.

use crate::support::{
    DAY_MS, NOW_MS, OTHER_PIN, PIN, TWIN_PIN, after, answered, answered_by, asked, asks, coded, eur, fired, happen,
    in_use, key, numbered_key, options, pin, record, records_read, records_read_at, redeeming, rejection, requests,
    sends, status, status_of, stored, submitted, submitted_as, success, told, unconfirmed, untouched, with_card,
};
use PhaseName::{Editing, Redeemed, Redeeming, Unconfirmed};
use redemption::{
    AmountOption, AmountView, CardState, Effect, Event, FieldError, FormError, Keeping, Next, Options, OutcomeKind,
    PhaseName, Screen, Stage, TimerKind,
};

#[test]
fn an_unconfirmed_attempt_is_put_aside_for_another_voucher_under_its_own_key() {
    let mut machine = unconfirmed();
    let effects = machine.handle(Event::AnotherRequested);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::ClearPin)));
    assert_eq!(stored(&effects), [], "its record stays");
    let [card] = &machine.view().cards[..] else { panic!("one card") };
    assert_eq!((&card.attempt, &card.state), (&key(), &CardState::Open(Next::Status)));
    assert!(card.may_finish && !card.may_dismiss);
    machine.handle(pin(OTHER_PIN));
    let effects = machine.handle(submitted_as(&numbered_key(2)));
    assert_eq!(requests(&effects)[0].attempt, numbered_key(2));
    assert_eq!(machine.view().cards.len(), 1);
}

#[test]
fn a_reset_puts_an_open_attempt_aside_and_takes_ended_cards_away() {
    for mut machine in [unconfirmed(), after(options(), [records_read([record(Stage::Sent)])])] {
        let effects = machine.handle(Event::ResetRequested);
        assert_eq!((machine.phase(), machine.view().cards.len(), stored(&effects)), (Editing, 1, vec![]));
        let number = asked(&machine.handle(Event::CameBack))[0].2;
        machine.handle(status(number, success()));
        assert_eq!(machine.view().cards.len(), 1);
        machine.handle(Event::ResetRequested);
        assert!(machine.view().cards.is_empty());
    }
}

#[test]
fn a_pin_that_ends_as_an_open_attempts_is_held_back_and_nothing_is_sent() {
    for typed in [PIN, TWIN_PIN] {
        let mut machine = with_card();
        machine.handle(pin(typed));
        let effects = machine.handle(submitted_as(&numbered_key(2)));
        assert_eq!((sends(&effects), machine.phase()), (0, Editing));
        let held = FieldError::HeldBack { last_four: "3456".into() };
        assert_eq!(machine.view().form.pin_error, Some(held));
    }
    let mut machine = with_card();
    machine.handle(pin(TWIN_PIN));
    let number = asked(&machine.handle(Event::StatusRequested(key())))[0].2;
    machine.handle(status(number, untouched()));
    assert_eq!(sends(&machine.handle(submitted_as(&numbered_key(2)))), 1, "the open attempt has ended");
}

#[test]
fn an_open_attempt_is_finished_with_the_same_pin_under_the_same_key_and_for_the_same_amount() {
    let choice = Options { amount: AmountOption::OneOf(vec![eur(1000), eur(5000)]), ..options() };
    let mut machine = with_card();
    machine.handle(Event::OptionsChanged(Box::new(choice)));
    machine.handle(Event::FinishRequested(key()));
    let form = machine.view().form;
    assert_eq!(form.finishing.as_deref(), Some("3456"));
    assert_eq!(form.amount, AmountView::Fixed(eur(2500)));
    machine.handle(pin(OTHER_PIN));
    assert_eq!(sends(&machine.handle(submitted_as(&numbered_key(2)))), 0);
    assert_eq!(machine.view().form.pin_error, Some(FieldError::OtherPin { last_four: "3456".into() }));
    machine.handle(pin(PIN));
    let effects = machine.handle(submitted_as(&numbered_key(3)));
    let [request] = requests(&effects)[..] else { panic!("one request") };
    assert_eq!((request.attempt.clone(), request.pay_in.amount), (key(), eur(2500)));
    assert_eq!(request.pay_in.voucher_pin.expose(), PIN);
    assert_eq!(stored(&effects), [(key(), Some(Stage::Sent))]);
    assert!(machine.view().cards.is_empty(), "it is in hand");
    let effects = machine.handle(answered(request.try_number, success()));
    assert_eq!(told(&effects), Some(("redeemed", "REDEEMED", "yes", "none")));
}

#[test]
fn after_a_reload_an_unconfirmed_attempt_in_hand_is_finished_with_the_same_pin() {
    let mut machine = after(options(), [records_read([record(Stage::Sent)]), status(1, coded("PSP_TIMEOUT"))]);
    assert!(matches!(machine.view().screen, Screen::Unconfirmed { may_finish: true, may_retry: false, .. }));
    happen(&mut machine, [Event::FinishRequested(key()), pin(PIN)]);
    let effects = machine.handle(submitted_as(&numbered_key(2)));
    assert_eq!(requests(&effects)[0].attempt, key());
    let effects = machine.handle(answered(requests(&effects)[0].try_number, rejection("Voucher already redeemed")));
    assert_eq!((told(&effects), machine.phase()), (None, Unconfirmed), "it was told before");
    assert!(matches!(machine.view().screen, Screen::Unconfirmed { may_finish: false, may_retry: false, .. }));
}

#[test]
fn a_mistyped_pin_with_the_same_last_four_proves_nothing_of_an_open_attempt_without_a_ledger() {
    let mut machine = with_card();
    happen(&mut machine, [Event::FinishRequested(key()), pin(TWIN_PIN)]);
    let effects = machine.handle(submitted_as(&numbered_key(2)));
    let try_number = requests(&effects)[0].try_number;
    let answer = answered_by(Keeping::No, try_number, rejection("Invalid voucher PIN"));
    let effects = machine.handle(answer);
    let kind = told(&effects).map_or("unconfirmed", |told| told.0);
    assert_eq!((kind, machine.phase()), ("unconfirmed", Unconfirmed));
}

#[test]
fn a_pin_that_is_not_the_attempts_own_is_asked_for_again() {
    let mut machine = with_card();
    happen(&mut machine, [Event::FinishRequested(key()), pin(TWIN_PIN)]);
    let effects = machine.handle(submitted_as(&numbered_key(2)));
    let effects = machine.handle(answered(requests(&effects)[0].try_number, coded("ATTEMPT_MISMATCH")));
    let number = asked(&effects)[0].2;
    machine.handle(status(number, coded("PSP_TIMEOUT")));
    assert_eq!(machine.phase(), Unconfirmed, "nothing is tried again with that PIN");
    assert!(matches!(machine.view().screen, Screen::Unconfirmed { may_finish: true, may_retry: false, .. }));
}

#[test]
fn finishing_can_be_left() {
    let mut machine = with_card();
    happen(&mut machine, [Event::FinishRequested(key()), pin(PIN), Event::EditRequested]);
    let view = machine.view();
    assert_eq!((view.form.finishing, view.cards.len()), (None, 1));
    assert_eq!(sends(&machine.handle(submitted_as(&numbered_key(2)))), 0, "the PIN was erased");
}

#[test]
fn an_attempt_that_ends_while_its_pin_is_entered_says_so() {
    let mut machine = with_card();
    happen(&mut machine, [Event::StatusRequested(key()), Event::FinishRequested(key()), pin(PIN)]);
    machine.handle(status(2, success()));
    let form = machine.view().form;
    assert_eq!((form.finishing, form.error), (None, Some(FormError::Ended)));
}

#[test]
fn a_late_success_of_an_attempt_that_was_put_aside_is_told_and_shown_on_its_card() {
    let mut machine = after(options(), [pin(PIN), submitted(), fired(TimerKind::Try, 1), Event::Cancelled]);
    happen(&mut machine, [Event::AnotherRequested, pin(OTHER_PIN), submitted_as(&numbered_key(2))]);
    let effects = machine.handle(answered(1, success()));
    assert_eq!(told(&effects), Some(("redeemed", "REDEEMED", "yes", "none")));
    assert_eq!(stored(&effects), [(key(), None)]);
    assert_eq!(machine.phase(), Redeeming, "the other voucher goes on");
    let [card] = &machine.view().cards[..] else { panic!("one card") };
    let CardState::Ended(outcome) = &card.state else { panic!("ended") };
    assert!(matches!(outcome.kind, OutcomeKind::Redeemed(_)) && card.may_dismiss && !card.may_finish);
}

#[test]
fn a_card_tells_unconfirmed_once_and_only_where_no_page_has_before() {
    let sent = || after(options(), [pin(OTHER_PIN), records_read([record(Stage::Sent)])]);
    let mut machine = sent();
    let effects = machine.handle(status(1, coded("PSP_TIMEOUT")));
    assert_eq!(told(&effects), Some(("unconfirmed", "PSP_TIMEOUT", "unknown", "status")));
    assert_eq!(stored(&effects), [(key(), Some(Stage::Unconfirmed))]);
    machine.handle(Event::StatusRequested(key()));
    assert_eq!(told(&machine.handle(status(2, coded("PSP_TIMEOUT")))), None);
    let mut other_tabs = after(options(), [records_read([]), records_read([record(Stage::Sent)])]);
    assert_eq!(told(&other_tabs.handle(status(1, coded("PSP_TIMEOUT")))), None, "the tab that sends it tells it");
}

#[test]
fn an_open_attempt_can_be_dismissed_after_a_day_and_its_voucher_is_free_then() {
    let mut machine = with_card();
    assert!(machine.handle(Event::Dismissed(key())).is_empty());
    machine.handle(records_read_at(NOW_MS + DAY_MS - 1001, [record(Stage::Unconfirmed)]));
    assert!(!machine.view().cards[0].may_dismiss && machine.handle(Event::Dismissed(key())).is_empty());
    machine.handle(records_read_at(NOW_MS + DAY_MS, [record(Stage::Unconfirmed)]));
    assert!(machine.view().cards[0].may_dismiss);
    let effects = machine.handle(Event::Dismissed(key()));
    assert_eq!((stored(&effects), machine.view().cards.len()), (vec![(key(), None)], 0));
    machine.handle(pin(PIN));
    assert_eq!(sends(&machine.handle(submitted_as(&numbered_key(2)))), 1);
}

#[test]
fn an_open_attempt_that_turns_out_untouched_is_rejected_and_never_failed() {
    let mut machine = with_card();
    machine.handle(Event::StatusRequested(key()));
    let effects = machine.handle(status(2, coded("INVALID_PSP_CREDENTIALS")));
    assert_eq!(told(&effects), Some(("rejected", "INVALID_PSP_CREDENTIALS", "no", "edit")));
    assert_eq!(stored(&effects), [(key(), None)]);
}

#[test]
fn a_holder_whose_card_has_ended_is_asked_about_again() {
    let holder = numbered_key(7);
    let mut machine = redeeming();
    machine.handle(answered(1, in_use(&holder, "t-7")));
    machine.handle(status_of(&holder, 1, untouched()));
    machine.handle(submitted_as(&numbered_key(2)));
    let effects = machine.handle(Event::Answered {
        attempt: numbered_key(2),
        try_number: 1,
        answer: Box::new(in_use(&holder, "t-7")),
        keeping: Keeping::Kept,
    });
    assert_eq!(asked(&effects).iter().map(|ask| ask.1.clone()).collect::<Vec<_>>(), [holder]);
}

#[test]
fn a_holder_that_is_in_hand_gets_no_card() {
    let (first, second) = (numbered_key(7), key());
    let mut machine = redeeming();
    happen(&mut machine, [fired(TimerKind::Try, 1), Event::RetryRequested, answered(2, in_use(&first, "t-7"))]);
    happen(&mut machine, [Event::AnotherRequested, status_of(&first, 1, coded("PSP_TIMEOUT"))]);
    happen(&mut machine, [Event::FinishRequested(first), pin(PIN), submitted_as(&numbered_key(8))]);
    assert_eq!(machine.phase(), Redeeming);
    let effects = machine.handle(answered(1, in_use(&numbered_key(7), "t-7")));
    assert!(asks(&effects).is_empty());
    let cards: Vec<_> = machine.view().cards.into_iter().map(|card| card.attempt).collect();
    assert_eq!(cards, [second], "the one that was put aside");
}

#[test]
fn nothing_undoes_a_success() {
    let mut machine = after(options(), [records_read([record(Stage::Sent)]), status(1, success())]);
    for event in [status(1, untouched()), answered(1, rejection("Invalid voucher PIN")), Event::CameBack] {
        machine.handle(event);
        assert_eq!(machine.phase(), Redeemed);
    }
}
