//! A customer's ways through the machine, and what the embedder is told on them.

use crate::support::{
    PIN, after, answered, coded, eur, fired, granted, key, options, pin, redeeming, refused, rejection, sends,
    submitted, success, success_of, told,
};
use mozarto::{AmountError, PinError};
use proptest::prelude::*;
use redemption::{
    AmountOption, AmountView, Effect, Event, Field, FieldError, Focus, FormError, Machine, Notice, Options,
    OutcomeKind, PhaseName, Screen, TimerKind,
};

#[test]
fn a_submit_sends_exactly_one_try_with_the_forms_request() {
    let mut machine = after(options(), [pin("1234 5678-9012 3456")]);
    let effects = machine.handle(submitted());
    let request = effects
        .iter()
        .find_map(|effect| match effect {
            Effect::Send(request) => Some(request),
            _ => None,
        })
        .expect("one request");
    assert_eq!((request.attempt.clone(), request.try_number), (key(), 1));
    assert_eq!(request.endpoint, options().endpoint);
    assert_eq!(request.pay_in.voucher_pin.expose(), PIN);
    assert_eq!(request.pay_in.amount, eur(2500));
    assert_eq!(request.pay_in.user_id, options().user_id);
    assert_eq!(sends(&effects), 1);
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::Notify(Notice::Submitted(attempt)) if *attempt == key()))
    );
}

#[test]
fn a_second_submit_sends_nothing() {
    let mut machine = redeeming();
    assert_eq!(sends(&machine.handle(submitted())), 0);
}

#[test]
fn a_success_is_a_receipt_from_the_answer_and_erases_the_pin() {
    let mut machine = redeeming();
    let effects = machine.handle(answered(1, success()));
    assert_eq!(told(&effects), Some(("redeemed", "REDEEMED", "yes", "none")));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::ClearPin)));
    let Screen::Redeemed(outcome) = machine.view().screen else { panic!("a receipt") };
    let OutcomeKind::Redeemed(redemption) = outcome.kind else { panic!("a redemption") };
    assert_eq!(redemption.amount, Some(eur(2500)));
    assert_eq!(redemption.serial.as_deref(), Some("FP-9876543210"));
    assert_eq!(redemption.discrepancy, None);
    assert_eq!(outcome.reference, "64a1f2b3c4d5e6f7a8b9c0d1");
    assert!(!format!("{machine:?}").contains(PIN));
}

#[test]
fn a_receipt_over_another_amount_says_what_was_asked() {
    let mut machine = redeeming();
    machine.handle(answered(1, success_of(50.0)));
    let Screen::Redeemed(outcome) = machine.view().screen else { panic!("a receipt") };
    let OutcomeKind::Redeemed(redemption) = outcome.kind else { panic!("a redemption") };
    assert_eq!(redemption.amount, Some(eur(5000)));
    assert_eq!(redemption.discrepancy.map(|discrepancy| discrepancy.requested), Some(eur(2500)));
}

#[test]
fn a_rejection_is_shown_at_the_field_at_fault_and_the_pin_is_kept() {
    let choice = Options { amount: AmountOption::OneOf(vec![eur(1000), eur(2500)]), ..options() };
    let pin_error = |error: FieldError| (Some(error), None);
    for (options, message, code, (at_pin, at_amount)) in [
        (options(), "Invalid voucher PIN", "INVALID_VOUCHER_PIN", pin_error(FieldError::InvalidPin)),
        (options(), "Mismatched amount", "MISMATCHED_AMOUNT", pin_error(FieldError::MismatchedAmount(eur(2500)))),
        (choice, "Mismatched amount", "MISMATCHED_AMOUNT", (None, Some(FieldError::MismatchedAmount(eur(2500))))),
        (
            options(),
            "Mismatched currency",
            "MISMATCHED_CURRENCY",
            pin_error(FieldError::MismatchedCurrency(eur(1).currency())),
        ),
        (
            options(),
            "Voucher already redeemed",
            "VOUCHER_ALREADY_REDEEMED",
            pin_error(FieldError::AlreadyRedeemed { reference: key().as_str().into() }),
        ),
        (options(), "Voucher blocked", "VOUCHER_REJECTED", pin_error(FieldError::VoucherRejected)),
        (options(), "Missing required field: voucherPin", "REQUEST_INVALID", pin_error(FieldError::Refused)),
    ] {
        let mut machine = after(options, [Event::AmountChosen(1), pin(PIN), submitted()]);
        let effects = machine.handle(answered(1, rejection(message)));
        let (kind, told_code, money, _) = told(&effects).expect(message);
        assert_eq!((kind, told_code, money), ("rejected", code, "no"), "{message}");
        let form = machine.view().form;
        let amount_error = match form.amount {
            AmountView::Choice { error, .. } => error,
            _ => None,
        };
        assert_eq!((form.pin_error, amount_error), (at_pin, at_amount), "{message}");
        assert_eq!(sends(&machine.handle(submitted())), 1, "the PIN is still in the form: {message}");
    }
}

#[test]
fn a_refused_field_that_the_customer_does_not_have_is_the_merchants_set_up() {
    let mut machine = redeeming();
    let effects = machine.handle(answered(1, rejection("Missing required field: userId")));
    assert_eq!(told(&effects), Some(("failed", "REQUEST_INVALID", "no", "none")));
    assert_eq!(machine.phase(), PhaseName::Failed);
}

#[test]
fn set_up_failures_leave_the_voucher_untouched_and_lead_back_to_the_form() {
    let mut machine = redeeming();
    let effects = machine.handle(answered(1, coded("INVALID_PSP_CREDENTIALS")));
    assert_eq!(told(&effects), Some(("failed", "INVALID_PSP_CREDENTIALS", "no", "none")));
    let Screen::Failed { may_retry, .. } = machine.view().screen else { panic!("failed") };
    assert!(!may_retry);
    machine.handle(Event::EditRequested);
    assert_eq!(sends(&machine.handle(submitted())), 1);
}

#[test]
fn the_provider_rejecting_is_said_above_the_form() {
    let mut machine = redeeming();
    machine.handle(answered(1, rejection("Payment provider rejected the request")));
    assert_eq!(machine.view().form.error, Some(FormError::ProviderRejected));
}

#[test]
fn a_try_that_times_out_is_unconfirmed_and_its_late_success_still_counts() {
    let mut machine = redeeming();
    let effects = machine.handle(fired(TimerKind::Try, 1));
    assert_eq!(told(&effects), Some(("unconfirmed", "NO_ANSWER", "unknown", "status")));
    let effects = machine.handle(answered(1, success()));
    assert_eq!(told(&effects), Some(("redeemed", "REDEEMED", "yes", "none")));
}

#[test]
fn a_late_answer_of_the_only_try_is_the_truth_about_it() {
    let mut machine = redeeming();
    machine.handle(fired(TimerKind::Try, 1));
    let effects = machine.handle(answered(1, rejection("Mismatched amount")));
    assert_eq!(told(&effects), Some(("rejected", "MISMATCHED_AMOUNT", "no", "edit")));
}

#[test]
fn a_retry_is_the_same_attempt_and_unconfirmed_is_told_once() {
    let mut machine = redeeming();
    assert!(told(&machine.handle(answered(1, coded("PSP_TIMEOUT")))).is_some());
    let effects = machine.handle(Event::RetryRequested);
    let tries: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send(request) => Some((request.attempt.clone(), request.try_number)),
            _ => None,
        })
        .collect();
    assert_eq!(tries, [(key(), 2)]);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Notify(_))), "retries tell nothing");
    assert_eq!(told(&machine.handle(answered(2, coded("PSP_TIMEOUT")))), None);
    assert_eq!(machine.phase(), PhaseName::Unconfirmed);
}

#[test]
fn after_an_unknown_try_already_redeemed_is_unconfirmed_and_cannot_be_tried_again() {
    let mut machine = redeeming();
    machine.handle(answered(1, coded("PSP_TIMEOUT")));
    machine.handle(Event::RetryRequested);
    machine.handle(answered(2, rejection("Voucher already redeemed")));
    let Screen::Unconfirmed { may_retry, outcome, .. } = machine.view().screen else { panic!("unconfirmed") };
    assert!(!may_retry);
    assert_eq!(outcome.next.as_str(), "support");
    assert_eq!(sends(&machine.handle(Event::RetryRequested)), 0);
}

#[test]
fn an_earlier_trys_late_success_wins_while_the_next_is_running_and_its_failure_does_not() {
    for (late, phase) in [(success(), PhaseName::Redeemed), (coded("PSP_TIMEOUT"), PhaseName::Redeeming)] {
        let mut machine = redeeming();
        machine.handle(fired(TimerKind::Try, 1));
        machine.handle(Event::RetryRequested);
        machine.handle(answered(1, late));
        assert_eq!(machine.phase(), phase);
    }
}

#[test]
fn a_typed_amount_is_confirmed_before_anything_is_sent() {
    let typed = Options { amount: AmountOption::Typed, ..options() };
    let mut machine = after(typed, [pin(PIN), Event::AmountEdited("25.00".into())]);
    assert_eq!(sends(&machine.handle(submitted())), 0);
    let Screen::Confirm(summary) = machine.view().screen else { panic!("a confirmation") };
    assert_eq!((summary.amount, summary.last_four.as_str()), (eur(2500), "3456"));
    assert_eq!(sends(&machine.handle(submitted())), 0, "a double click confirms nothing");
    assert_eq!(sends(&machine.handle(Event::Confirmed)), 1);
    assert_eq!(sends(&machine.handle(Event::Confirmed)), 0);
}

#[test]
fn the_locales_decimal_separator_is_understood_where_it_is_the_locales() {
    for (separator, text, expected) in [
        (',', "25,00", Ok(())),
        (',', "25.00", Ok(())),
        ('.', "25.00", Ok(())),
        ('.', " 25 ", Ok(())),
        ('.', "２５", Ok(())),
        ('.', "25,00", Err(AmountError::NotANumber)),
        (',', "1.000", Err(AmountError::TooManyDecimals { allowed: 2 })),
        ('.', "25.001", Err(AmountError::TooManyDecimals { allowed: 2 })),
        ('.', "1e9", Err(AmountError::NotANumber)),
        ('.', "-5", Err(AmountError::NotPositive)),
        ('.', "0", Err(AmountError::NotPositive)),
        ('.', "", Err(AmountError::Empty)),
    ] {
        let options = Options { amount: AmountOption::Typed, decimal_separator: separator, ..options() };
        let machine = after(options, [pin(PIN), Event::AmountEdited(text.into()), submitted()]);
        let AmountView::Typed { error, .. } = machine.view().form.amount else { panic!("typed") };
        assert_eq!(error, expected.err().map(FieldError::Amount), "{separator} {text:?}");
    }
}

#[test]
fn what_is_missing_is_called_so_on_submit_and_the_first_fault_gets_the_focus() {
    let all = Options { amount: AmountOption::OneOf(vec![eur(1000), eur(2500)]), email: None, ..options() };
    let mut machine = Machine::new(all);
    let effects = machine.handle(submitted());
    let form = machine.view().form;
    assert_eq!(form.pin_error, Some(FieldError::Pin(PinError::Empty)));
    assert!(matches!(form.amount, AmountView::Choice { error: Some(FieldError::AmountNotChosen), .. }));
    assert_eq!(form.email.and_then(|email| email.error), Some(FieldError::EmailMissing));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Focus(Focus::Field(Field::Pin)))));
}

#[test]
fn a_field_is_called_wrong_after_it_was_left_and_not_while_it_is_typed() {
    let mut machine = after(options(), [pin("123")]);
    assert_eq!(machine.view().form.pin_error, None);
    machine.handle(Event::FieldLeft(Field::Pin));
    assert_eq!(machine.view().form.pin_error, Some(FieldError::Pin(PinError::Length { digits: 3 })));
    machine.handle(pin("1234"));
    assert_eq!(machine.view().form.pin_error, None);
}

#[test]
fn an_empty_field_that_is_left_is_not_called_wrong() {
    let machine = after(options(), [Event::FieldLeft(Field::Pin)]);
    assert_eq!(machine.view().form.pin_error, None);
}

#[test]
fn the_only_amount_is_chosen_already() {
    let one = Options { amount: AmountOption::OneOf(vec![eur(2500)]), ..options() };
    assert_eq!(sends(&after(one, [pin(PIN)]).handle(submitted())), 1);
}

#[test]
fn before_submit_is_asked_first_and_its_no_sends_nothing() {
    let asked = Options { before_submit: true, ..options() };
    for answer in [refused(1), fired(TimerKind::BeforeSubmit, 1)] {
        let mut machine = after(asked.clone(), [pin(PIN)]);
        let effects = machine.handle(submitted());
        assert_eq!(sends(&effects), 0);
        assert!(effects.iter().any(|effect| matches!(effect, Effect::AskBeforeSubmit(ask) if ask.try_number == 1)));
        assert_eq!(sends(&machine.handle(answer)), 0);
        assert_eq!((machine.phase(), machine.view().form.error), (PhaseName::Editing, Some(FormError::NotStarted)));
        assert_eq!(sends(&machine.handle(granted(1))), 0, "its answer comes too late");
    }
    let mut machine = after(asked, [pin(PIN), submitted()]);
    assert_eq!(sends(&machine.handle(granted(1))), 1);
}

#[test]
fn a_later_try_that_before_submit_refuses_is_a_try_that_never_left() {
    let asked = Options { before_submit: true, ..options() };
    for (first, phase) in [("PSP_TIMEOUT", PhaseName::Unconfirmed), ("PSP_RATE_LIMITED", PhaseName::Failed)] {
        let events = [pin(PIN), submitted(), granted(1), answered(1, coded(first)), Event::RetryRequested];
        let mut machine = after(asked.clone(), events);
        machine.handle(refused(2));
        assert_eq!(machine.phase(), phase, "{first}");
    }
}

#[test]
fn an_attempt_keeps_the_endpoint_that_it_began_with() {
    let moved = Options { endpoint: "https://elsewhere.example/".into(), ..options() };
    let mut machine = redeeming();
    machine.handle(answered(1, coded("PSP_TIMEOUT")));
    machine.handle(Event::OptionsChanged(Box::new(moved)));
    let effects = machine.handle(Event::RetryRequested);
    let endpoints = effects.iter().filter_map(|effect| match effect {
        Effect::Send(request) => Some(request.endpoint.clone()),
        _ => None,
    });
    assert_eq!(endpoints.collect::<Vec<_>>(), [options().endpoint]);
}

#[test]
fn changed_options_keep_what_was_typed_and_the_amount_that_is_still_there() {
    let choice = |amounts: &[u64]| Options {
        amount: AmountOption::OneOf(amounts.iter().map(|minor| eur(*minor)).collect()),
        ..options()
    };
    let mut machine = after(choice(&[1000, 2500]), [pin(PIN), Event::AmountChosen(1)]);
    machine.handle(Event::OptionsChanged(Box::new(choice(&[2500, 5000]))));
    assert!(matches!(machine.view().form.amount, AmountView::Choice { chosen: Some(0), .. }));
    assert_eq!(sends(&machine.handle(submitted())), 1);
}

#[test]
fn the_embedder_is_told_when_the_form_becomes_complete_and_valid() {
    let mut machine = Machine::new(options());
    let changes = |effects: Vec<Effect>| {
        effects.into_iter().find_map(|effect| match effect {
            Effect::Notify(Notice::Changed { complete, valid }) => Some((complete, valid)),
            _ => None,
        })
    };
    assert_eq!(changes(machine.handle(pin("123"))), None);
    assert_eq!(changes(machine.handle(pin(PIN))), Some((true, true)));
    assert_eq!(changes(machine.handle(pin(&format!("{PIN}7")))), Some((true, false)));
    assert_eq!(changes(machine.handle(pin(""))), Some((false, false)));
}

#[test]
fn a_slow_try_is_said_to_be_slow() {
    let mut machine = redeeming();
    assert!(matches!(machine.view().screen, Screen::Progress { slow: false, cancellable: false, .. }));
    machine.handle(fired(TimerKind::Slow, 1));
    assert!(matches!(machine.view().screen, Screen::Progress { slow: true, .. }));
}

/// Whatever a browser, a customer and a network can make happen, in any order.
fn any_event() -> impl Strategy<Value = Event> {
    let try_number = 0..4_u32;
    let answer = prop_oneof![
        Just(success()),
        Just(rejection("Invalid voucher PIN")),
        Just(rejection("Voucher already redeemed")),
        Just(coded("PSP_TIMEOUT")),
        Just(coded("PSP_RATE_LIMITED")),
        Just(coded("UNKNOWN_PSP_ERROR")),
        Just(coded("NOT_SENT")),
    ];
    let kind = prop::sample::select(vec![TimerKind::BeforeSubmit, TimerKind::Slow, TimerKind::Try]);
    prop_oneof![
        Just(pin(PIN)),
        "[0-9 ]{0,20}".prop_map(|text| pin(&text)),
        Just(submitted()),
        Just(Event::Confirmed),
        Just(Event::WentBack),
        Just(Event::Cancelled),
        Just(Event::RetryRequested),
        Just(Event::EditRequested),
        Just(Event::AmountEdited("25".into())),
        try_number.clone().prop_map(granted),
        try_number.clone().prop_map(refused),
        (try_number.clone(), answer).prop_map(|(try_number, answer)| answered(try_number, answer)),
        (kind, try_number).prop_map(|(kind, try_number)| fired(kind, try_number)),
    ]
}

proptest! {
    #[test]
    fn no_order_of_events_panics_or_prints_the_pin(events in prop::collection::vec(any_event(), 0..40), asked: bool, typed: bool) {
        let amount = if typed { AmountOption::Typed } else { AmountOption::Fixed(eur(2500)) };
        let mut machine = Machine::new(Options { before_submit: asked, amount, ..options() });
        for event in events {
            let before = machine.phase();
            let effects = machine.handle(event);
            prop_assert!(sends(&effects) <= 1);
            prop_assert!(sends(&effects) == 0 || machine.phase() == PhaseName::Redeeming);
            if before == PhaseName::Redeemed {
                prop_assert_eq!(machine.phase(), PhaseName::Redeemed, "nothing undoes a success");
            }
            let printed = format!("{machine:?} {effects:?} {:?}", machine.view());
            prop_assert!(!printed.contains(PIN));
        }
    }
}
