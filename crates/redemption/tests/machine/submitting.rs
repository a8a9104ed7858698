//! The form up to the moment its request leaves.

use crate::support::{
    OTHER_PIN, PIN, after, asked_options, before_submit, coded, eur, fired, granted, key, options, pin, redeeming,
    refused, requests, sends, submitted, unconfirmed,
};
use mozarto::{AmountError, PinError};
use redemption::{
    AmountOption, AmountView, Effect, Event, Field, FieldError, Focus, FormError, Machine, Notice, Options, PhaseName,
    Reason, Screen, Secret, TimerKind,
};

fn choice(amounts: &[u64]) -> Options {
    Options { amount: AmountOption::OneOf(amounts.iter().map(|minor| eur(*minor)).collect()), ..options() }
}

#[test]
fn a_submit_sends_exactly_one_try_with_the_forms_request() {
    let mut machine = after(options(), [pin("1234 5678-9012 3456")]);
    let effects = machine.handle(submitted());
    let [request] = requests(&effects)[..] else { panic!("one request") };
    assert_eq!((request.attempt.clone(), request.try_number), (key(), 1));
    assert_eq!(request.endpoint, options().endpoint);
    assert_eq!(request.pay_in.voucher_pin.expose(), PIN);
    assert_eq!(request.pay_in.amount, eur(2500));
    assert_eq!(request.pay_in.user_id, options().user_id);
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
    let all = Options { email: None, ..choice(&[1000, 2500]) };
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
    assert_eq!(sends(&after(choice(&[2500]), [pin(PIN)]).handle(submitted())), 1);
}

#[test]
fn before_submit_is_asked_first_and_its_no_sends_nothing() {
    for answer in [refused(1), fired(TimerKind::BeforeSubmit, 1)] {
        let mut machine = after(asked_options(), [pin(PIN)]);
        let effects = machine.handle(submitted());
        assert_eq!((sends(&effects), before_submit(&effects)), (0, Some((1, Reason::Submit))));
        assert_eq!(sends(&machine.handle(answer)), 0);
        assert_eq!((machine.phase(), machine.view().form.error), (PhaseName::Editing, Some(FormError::NotStarted)));
        assert_eq!(sends(&machine.handle(granted(1))), 0, "its answer comes too late");
    }
    let mut machine = after(asked_options(), [pin(PIN), submitted()]);
    assert_eq!(sends(&machine.handle(granted(1))), 1);
}

#[test]
fn what_before_submit_gives_goes_into_the_request() {
    let with_token = Options { session_token: Some(Secret::new("old".into())), ..asked_options() };
    let mut machine = after(with_token, [pin(PIN), submitted()]);
    let effects = machine.handle(Event::BeforeSubmitAnswered {
        attempt: key(),
        try_number: 1,
        permission: redemption::Permission::Granted {
            headers: vec![("X-Shop".into(), Secret::new("a".into()))],
            session_token: Some(Secret::new("fresh".into())),
        },
    });
    let [request] = requests(&effects)[..] else { panic!("one request") };
    assert_eq!(request.session_token.as_ref().map(Secret::expose), Some("fresh"));
    assert_eq!(request.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["X-Shop"]);
}

#[test]
fn an_attempt_keeps_the_endpoint_that_it_began_with() {
    let moved = Options { endpoint: "https://elsewhere.example/".into(), ..options() };
    let mut machine = unconfirmed();
    machine.handle(Event::OptionsChanged(Box::new(moved)));
    let asked = machine.handle(Event::StatusRequested(key()));
    assert_eq!(crate::support::asks(&asked)[0].endpoint, options().endpoint);
    let effects = machine.handle(Event::RetryRequested);
    assert_eq!(requests(&effects)[0].endpoint, options().endpoint);
}

#[test]
fn changed_options_keep_what_was_typed_and_the_amount_that_is_still_there() {
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

#[test]
fn the_form_is_locked_while_an_attempt_is_in_hand_and_a_reset_is_refused_while_one_is_sent() {
    let mut machine = redeeming();
    assert!(machine.view().form.locked && machine.is_sending());
    machine.handle(Event::ResetRequested);
    machine.handle(pin(OTHER_PIN));
    assert_eq!(machine.phase(), PhaseName::Redeeming);
    machine.handle(crate::support::answered(1, coded("PSP_TIMEOUT")));
    assert!(machine.is_sending(), "another try follows by itself");
    machine.handle(Event::Cancelled);
    assert!(!machine.is_sending());
}
