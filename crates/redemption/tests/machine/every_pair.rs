//! Every (phase, event) pair: which phase it leads to, and that a wrong-phase event changes nothing at all.

use crate::support::{
    PIN, after, answered, asked_options, coded, fired, granted, key, numbered_key, options, pin, record, records_read,
    redeeming, refused, running, status, status_of, submitted, success, unconfirmed,
};
use PhaseName::{Checking, Confirming, Editing, Failed, Preparing, Redeemed, Redeeming, Unconfirmed, Waiting};
use redemption::{
    AmountOption, Event, Field, Keeping, Machine, Options, Permission, PhaseName, Stage, Timer, TimerKind,
};

const PHASES: [PhaseName; 9] =
    [Editing, Confirming, Preparing, Redeeming, Waiting, Checking, Redeemed, Unconfirmed, Failed];

/// A machine in this phase, with a valid form behind it.
fn in_phase(phase: PhaseName) -> Machine {
    let typed = Options { amount: AmountOption::Typed, ..options() };
    let answered_first = |answer| after(options(), [pin(PIN), submitted(), answered(1, answer)]);
    let machine = match phase {
        Editing => after(options(), [pin(PIN)]),
        Confirming => after(typed, [pin(PIN), Event::AmountEdited("25".into()), submitted()]),
        Preparing => after(asked_options(), [pin(PIN), submitted()]),
        Redeeming => redeeming(),
        Waiting => answered_first(coded("PSP_TIMEOUT")),
        Checking => answered_first(running()),
        Redeemed => answered_first(success()),
        Unconfirmed => unconfirmed(),
        Failed => after(options(), [pin(PIN), submitted(), answered(1, coded("PSP_RATE_LIMITED")), Event::Cancelled]),
    };
    assert_eq!(machine.phase(), phase);
    machine
}

/// From which phase to which.
type Way = (PhaseName, PhaseName);

/// Every kind of event, and from which phases it leads where; in the others it means nothing.
fn table() -> Vec<(&'static str, Event, Vec<Way>)> {
    let everywhere = || PHASES.into_iter().map(|phase| (phase, phase)).collect();
    let everywhere_but = |others: &[Way]| {
        let to = |phase| others.iter().find(|(from, _)| *from == phase).map_or(phase, |(_, to)| *to);
        PHASES.into_iter().map(|phase| (phase, to(phase))).collect()
    };
    let editing = || vec![(Editing, Editing)];
    vec![
        ("pin edited", pin("12"), editing()),
        ("amount chosen", Event::AmountChosen(0), editing()),
        ("amount edited", Event::AmountEdited("5".into()), editing()),
        ("email edited", Event::EmailEdited("a@b.c".into()), editing()),
        ("field left", Event::FieldLeft(Field::Pin), editing()),
        ("field error set", Event::FieldErrorSet(Field::Pin, Some("no".into())), editing()),
        ("submitted", submitted(), vec![(Editing, Redeeming)]),
        ("confirmed", Event::Confirmed, vec![(Confirming, Redeeming)]),
        ("went back", Event::WentBack, vec![(Confirming, Editing)]),
        ("granted", granted(1), vec![(Preparing, Redeeming)]),
        ("granted for another try", granted(2), vec![]),
        ("refused", refused(1), vec![(Preparing, Editing)]),
        ("cancelled", Event::Cancelled, vec![(Preparing, Editing), (Waiting, Unconfirmed)]),
        ("answered", answered(1, success()), vec![(Redeeming, Redeemed)]),
        ("answered, another try", answered(2, success()), vec![]),
        ("status answered", status(2, success()), vec![(Checking, Redeemed)]),
        ("status answered, another ask", status(1, success()), vec![]),
        ("records read, as before", records_read([record(Stage::Sent)]), everywhere_but(&[(Failed, Checking)])),
        ("records read, gone", records_read([]), everywhere_but(&[(Waiting, Checking), (Failed, Checking)])),
        ("came back", Event::CameBack, vec![(Checking, Checking), (Unconfirmed, Unconfirmed)]),
        ("before-submit timer", fired(TimerKind::BeforeSubmit, 1), vec![(Preparing, Editing)]),
        ("slow timer", fired(TimerKind::Slow, 1), vec![(Redeeming, Redeeming)]),
        ("try timer", fired(TimerKind::Try, 1), vec![(Redeeming, Waiting)]),
        ("another try's timer", fired(TimerKind::Try, 2), vec![]),
        ("retry timer", fired(TimerKind::Retry, 1), vec![(Waiting, Redeeming)]),
        ("another try's retry timer", fired(TimerKind::Retry, 2), vec![]),
        ("tick", fired(TimerKind::Tick, 1), vec![(Waiting, Waiting)]),
        ("ask timer", fired(TimerKind::Ask, 1), vec![(Unconfirmed, Unconfirmed)]),
        ("ask timer of the ask that runs", fired(TimerKind::Ask, 2), vec![(Checking, Checking)]),
        (
            "retry requested",
            Event::RetryRequested,
            vec![(Waiting, Redeeming), (Unconfirmed, Redeeming), (Failed, Redeeming)],
        ),
        ("status requested", Event::StatusRequested(key()), vec![(Unconfirmed, Unconfirmed)]),
        ("finish requested, with the PIN at hand", Event::FinishRequested(key()), vec![]),
        ("another requested", Event::AnotherRequested, vec![(Checking, Editing), (Unconfirmed, Editing)]),
        ("dismissed, in hand", Event::Dismissed(key()), vec![]),
        ("edit requested", Event::EditRequested, vec![(Failed, Editing)]),
        (
            "reset requested",
            Event::ResetRequested,
            vec![
                (Editing, Editing),
                (Confirming, Editing),
                (Preparing, Editing),
                (Checking, Editing),
                (Redeemed, Editing),
                (Unconfirmed, Editing),
                (Failed, Editing),
            ],
        ),
        ("options changed", Event::OptionsChanged(Box::new(options())), everywhere()),
    ]
}

#[test]
fn every_pair_leads_where_the_table_says_and_the_others_change_nothing() {
    for (name, event, ways) in table() {
        for phase in PHASES {
            let mut machine = in_phase(phase);
            let before = (machine.view(), format!("{machine:?}"));
            let effects = machine.handle(event.clone());
            if let Some((_, to)) = ways.iter().find(|(from, _)| *from == phase) {
                assert_eq!(machine.phase(), *to, "{phase:?}, {name}");
                let unchanged = before == (machine.view(), format!("{machine:?}")) && effects.is_empty();
                let idle = ["options changed", "field left"];
                assert!(!unchanged || idle.contains(&name), "{phase:?}, {name}: it means something here");
            } else {
                assert!(effects.is_empty(), "{phase:?}, {name}: {effects:?}");
                assert_eq!((machine.view(), format!("{machine:?}")), before, "{phase:?}, {name}");
            }
        }
    }
}

/// Fails to compile when an event is added, so that the table is thought of; says which events the table has.
fn place(event: &Event) -> usize {
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
        Event::StatusAnswered { .. } => 13,
        Event::RecordsRead { .. } => 14,
        Event::CameBack => 15,
        Event::TimerFired(_) => 16,
        Event::RetryRequested => 17,
        Event::StatusRequested(_) => 18,
        Event::FinishRequested(_) => 19,
        Event::AnotherRequested => 20,
        Event::Dismissed(_) => 21,
        Event::EditRequested => 22,
        Event::ResetRequested => 23,
    }
}

#[test]
fn the_table_has_every_event() {
    let places: std::collections::HashSet<usize> = table().iter().map(|(_, event, _)| place(event)).collect();
    assert_eq!(places.len(), 24);
}

#[test]
fn another_attempts_events_change_nothing_in_any_phase() {
    let other = numbered_key(7);
    let timer = |kind| Event::TimerFired(Timer { attempt: other.clone(), try_number: 1, kind });
    let strangers = [
        timer(TimerKind::Try),
        timer(TimerKind::Retry),
        timer(TimerKind::Ask),
        Event::Answered {
            attempt: other.clone(),
            try_number: 1,
            answer: Box::new(success()),
            keeping: Keeping::Replayed,
        },
        status_of(&other, 1, success()),
        status_of(&other, 2, success()),
        Event::BeforeSubmitAnswered { attempt: other.clone(), try_number: 1, permission: Permission::Refused },
        Event::StatusRequested(other.clone()),
        Event::FinishRequested(other.clone()),
        Event::Dismissed(other.clone()),
    ];
    for phase in PHASES {
        for event in &strangers {
            let mut machine = in_phase(phase);
            let before = format!("{machine:?}");
            assert!(machine.handle(event.clone()).is_empty(), "{phase:?}");
            assert_eq!(format!("{machine:?}"), before, "{phase:?}");
        }
    }
}
