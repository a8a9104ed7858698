//! No order of events panics or prints the PIN, and nothing undoes a success.

use crate::support::{
    OTHER_PIN, PIN, accepted, answered_by, coded, eur, fired, granted, html, in_use, key, numbered_key, options, pin,
    record, records_read, refused, rejection, running, sends, status_of, submitted, submitted_as, success, untouched,
};
use mozarto::Answer;
use proptest::prelude::*;
use redemption::{AmountOption, Effect, Event, Field, Keeping, Machine, Options, PhaseName, Screen, Stage, TimerKind};

fn any_answer() -> impl Strategy<Value = Answer> {
    prop::sample::select(vec![
        success(),
        accepted(),
        rejection("Invalid voucher PIN"),
        rejection("Voucher already redeemed"),
        rejection(PIN),
        coded("PSP_TIMEOUT"),
        coded("PSP_RATE_LIMITED"),
        coded("UNKNOWN_PSP_ERROR"),
        coded("NOT_SENT"),
        coded("SESSION_EXPIRED"),
        coded("ATTEMPT_MISMATCH"),
        coded("ATTEMPT_UNKNOWN"),
        coded("ATTEMPT_CLOSED"),
        coded("ATTEMPT_UNCONFIRMED"),
        in_use(&numbered_key(2), "t-2"),
        running(),
        untouched(),
        html(),
        Answer::none(),
    ])
}

/// Whatever a browser, a customer and a network can make happen.
fn any_event() -> impl Strategy<Value = Event> {
    use TimerKind::{Ask, BeforeSubmit, Retry, Slow, Tick, Try};
    let try_number = || 0..5_u32;
    let attempt = || prop::sample::select(vec![key(), numbered_key(2)]);
    let keeping = prop::sample::select(vec![Keeping::No, Keeping::Kept, Keeping::Replayed]);
    let kind = prop::sample::select(vec![BeforeSubmit, Slow, Try, Retry, Tick, Ask]);
    let stage = prop::sample::select(vec![Stage::Sent, Stage::Unconfirmed, Stage::Untouched]);
    prop_oneof![
        3 => prop::sample::select(vec![
            pin(PIN),
            pin(OTHER_PIN),
            submitted(),
            submitted_as(&numbered_key(2)),
            Event::Confirmed,
            Event::WentBack,
            Event::Cancelled,
            Event::RetryRequested,
            Event::EditRequested,
            Event::AnotherRequested,
            Event::CameBack,
            Event::ResetRequested,
            Event::AmountEdited("25".into()),
            Event::FieldLeft(Field::Pin),
            records_read([]),
        ]),
        1 => "[0-9 ]{0,20}".prop_map(|text| pin(&text)),
        1 => attempt().prop_map(Event::StatusRequested),
        1 => attempt().prop_map(Event::FinishRequested),
        1 => attempt().prop_map(Event::Dismissed),
        1 => stage.prop_map(|stage| records_read([record(stage)])),
        1 => try_number().prop_map(granted),
        1 => try_number().prop_map(refused),
        2 => (keeping, try_number(), any_answer()).prop_map(|(by, number, answer)| answered_by(by, number, answer)),
        2 => (attempt(), try_number(), any_answer()).prop_map(|(key, number, answer)| status_of(&key, number, answer)),
        2 => (kind, try_number()).prop_map(|(kind, number)| fired(kind, number)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_events_panics_or_prints_the_pin(
        events in prop::collection::vec(any_event(), 0..50),
        before_submit: bool,
        typed: bool,
    ) {
        let amount = if typed { AmountOption::Typed } else { AmountOption::Fixed(eur(2500)) };
        let mut machine = Machine::new(Options { before_submit, amount, ..options() });
        for event in events {
            let before = machine.phase();
            let reset = matches!(event, Event::ResetRequested);
            let effects = machine.handle(event);
            prop_assert!(sends(&effects) <= 1);
            prop_assert!(sends(&effects) == 0 || machine.phase() == PhaseName::Redeeming);
            if before == PhaseName::Redeemed && !reset {
                prop_assert_eq!(machine.phase(), PhaseName::Redeemed, "nothing undoes a success");
            }
            let stored = effects.iter().position(|effect| matches!(effect, Effect::Store(_)));
            let sent = effects.iter().position(|effect| matches!(effect, Effect::Send(_)));
            prop_assert!(sent.is_none() || stored < sent && stored.is_some(), "the record is stored before");
            let view = machine.view();
            prop_assert!(!matches!(view.screen, Screen::Form) || !view.form.locked);
            let printed = format!("{machine:?} {effects:?} {view:?}");
            prop_assert!(!printed.contains(PIN) && !printed.contains(OTHER_PIN));
        }
    }
}
