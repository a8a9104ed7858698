//! Every (phase, event) pair: which phase it leads to, and that a wrong-phase event changes nothing at all.

use crate::support::{
    PIN, after, answered, coded, fired, granted, key, options, pin, redeeming, refused, submitted, success,
};
use redemption::{AmountOption, Event, Field, Machine, Options, PhaseName, TimerKind};

const PHASES: [PhaseName; 7] = [
    PhaseName::Editing,
    PhaseName::Confirming,
    PhaseName::Preparing,
    PhaseName::Redeeming,
    PhaseName::Redeemed,
    PhaseName::Unconfirmed,
    PhaseName::Failed,
];

/// A machine in this phase, with a valid form behind it.
fn in_phase(phase: PhaseName) -> Machine {
    let typed = Options { amount: AmountOption::Typed, ..options() };
    let asked = Options { before_submit: true, ..options() };
    let machine = match phase {
        PhaseName::Editing => after(options(), [pin(PIN)]),
        PhaseName::Confirming => after(typed, [pin(PIN), Event::AmountEdited("25".into()), submitted()]),
        PhaseName::Preparing => after(asked, [pin(PIN), submitted()]),
        PhaseName::Redeeming => redeeming(),
        PhaseName::Redeemed => after(options(), [pin(PIN), submitted(), answered(1, success())]),
        PhaseName::Unconfirmed => after(options(), [pin(PIN), submitted(), answered(1, coded("PSP_TIMEOUT"))]),
        PhaseName::Failed => after(options(), [pin(PIN), submitted(), answered(1, coded("PSP_RATE_LIMITED"))]),
    };
    assert_eq!(machine.phase(), phase);
    machine
}

/// Every kind of event, and the phase it leads to from each phase in the order of [`PHASES`]; `None` where it means
/// nothing there.
fn table() -> Vec<(&'static str, Event, [Option<PhaseName>; 7])> {
    use PhaseName::{Confirming, Editing, Failed, Preparing, Redeemed, Redeeming, Unconfirmed};
    let editing_only = [Some(Editing), None, None, None, None, None, None];
    let nowhere = [None; 7];
    vec![
        ("pin edited", pin("12"), editing_only),
        ("amount chosen", Event::AmountChosen(0), editing_only),
        ("amount edited", Event::AmountEdited("5".into()), editing_only),
        ("email edited", Event::EmailEdited("a@b.c".into()), editing_only),
        ("field left", Event::FieldLeft(Field::Pin), editing_only),
        ("field error set", Event::FieldErrorSet(Field::Pin, Some("no".into())), editing_only),
        ("submitted", submitted(), [Some(Redeeming), None, None, None, None, None, None]),
        ("confirmed", Event::Confirmed, [None, Some(Redeeming), None, None, None, None, None]),
        ("went back", Event::WentBack, [None, Some(Editing), None, None, None, None, None]),
        ("granted", granted(1), [None, None, Some(Redeeming), None, None, None, None]),
        ("granted for another try", granted(2), nowhere),
        ("refused", refused(1), [None, None, Some(Editing), None, None, None, None]),
        ("cancelled", Event::Cancelled, [None, None, Some(Editing), None, None, None, None]),
        ("answered", answered(1, success()), [None, None, None, Some(Redeemed), None, None, None]),
        ("answered, another try", answered(2, success()), nowhere),
        ("before-submit timer", fired(TimerKind::BeforeSubmit, 1), [None, None, Some(Editing), None, None, None, None]),
        ("slow timer", fired(TimerKind::Slow, 1), [None, None, None, Some(Redeeming), None, None, None]),
        ("try timer", fired(TimerKind::Try, 1), [None, None, None, Some(Unconfirmed), None, None, None]),
        ("another try's timer", fired(TimerKind::Try, 2), nowhere),
        ("retry requested", Event::RetryRequested, [None, None, None, None, None, Some(Redeeming), Some(Redeeming)]),
        ("edit requested", Event::EditRequested, [None, None, None, None, None, None, Some(Editing)]),
        (
            "reset requested",
            Event::ResetRequested,
            [Some(Editing), Some(Editing), Some(Editing), None, Some(Editing), Some(Editing), Some(Editing)],
        ),
        (
            "options changed",
            Event::OptionsChanged(Box::new(options())),
            [
                Some(Editing),
                Some(Confirming),
                Some(Preparing),
                Some(Redeeming),
                Some(Redeemed),
                Some(Unconfirmed),
                Some(Failed),
            ],
        ),
    ]
}

#[test]
fn every_pair_leads_where_the_table_says_and_the_others_change_nothing() {
    for (name, event, expected) in table() {
        for (phase, expected) in PHASES.into_iter().zip(expected) {
            let mut machine = in_phase(phase);
            let before = (machine.view(), format!("{machine:?}"));
            let effects = machine.handle(event.clone());
            if let Some(expected) = expected {
                assert_eq!(machine.phase(), expected, "{phase:?}, {name}");
            } else {
                assert!(effects.is_empty(), "{phase:?}, {name}: {effects:?}");
                assert_eq!((machine.view(), format!("{machine:?}")), before, "{phase:?}, {name}");
            }
        }
    }
}

/// Fails to compile when an event is added, so that the table is thought of; says which events the table has.
fn kind(event: &Event) -> usize {
    match event {
        Event::OptionsChanged(_) => 0,
        Event::PinEdited(_) => 1,
        Event::AmountChosen(_) => 2,
        Event::AmountEdited(_) => 3,
        Event::EmailEdited(_) => 4,
        Event::FieldLeft(_) => 5,
        Event::FieldErrorSet(..) => 6,
        Event::Submitted { .. } => 7,
        Event::Confirmed => 8,
        Event::WentBack => 9,
        Event::BeforeSubmitAnswered { .. } => 10,
        Event::Cancelled => 11,
        Event::Answered { .. } => 12,
        Event::TimerFired(_) => 13,
        Event::RetryRequested => 14,
        Event::EditRequested => 15,
        Event::ResetRequested => 16,
    }
}

#[test]
fn the_table_has_every_event() {
    let kinds: std::collections::HashSet<usize> = table().iter().map(|(_, event, _)| kind(event)).collect();
    assert_eq!(kinds.len(), 17);
}

#[test]
fn another_attempts_events_change_nothing_in_any_phase() {
    let other = redemption::AttemptKey::new("another".into());
    assert_ne!(other, key());
    let strangers = || {
        let timer = redemption::Timer { attempt: other.clone(), try_number: 1, kind: TimerKind::Try };
        let answer =
            Event::Answered { attempt: other.clone(), try_number: 1, answer: Box::new(success()), attempt_kept: true };
        let permission = Event::BeforeSubmitAnswered {
            attempt: other.clone(),
            try_number: 1,
            permission: redemption::Permission::Refused,
        };
        [Event::TimerFired(timer), answer, permission]
    };
    for phase in PHASES {
        for event in strangers() {
            let mut machine = in_phase(phase);
            let before = format!("{machine:?}");
            assert!(machine.handle(event.clone()).is_empty(), "{phase:?}");
            assert_eq!(format!("{machine:?}"), before, "{phase:?}");
        }
    }
}
