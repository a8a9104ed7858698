//! What happened, in a few words a line, for whoever reads a failing case.

use redemption::{Effect, Event, Notice};

/// An event for the log.
pub(super) fn of_event(event: &Event) -> String {
    match event {
        Event::Answered { attempt, try_number, answer, keeping } => {
            format!("{attempt:?} try {try_number} answered {} {keeping:?}", answer.meaning().signal)
        }
        Event::StatusAnswered { attempt, number, answer, kept } => {
            format!("{attempt:?} ask {number} answered {} kept {kept}", answer.meaning().signal)
        }
        Event::RecordsRead { records, .. } => {
            format!("{:?}", records.iter().map(|record| (&record.key, record.stage)).collect::<Vec<_>>())
        }
        event => format!("{event:?}"),
    }
}

/// An effect for the log, if it matters there.
pub(super) fn of_effect(effect: &Effect) -> Option<String> {
    match effect {
        Effect::Store(record) => Some(format!("store {:?} {:?}", record.key, record.stage)),
        Effect::Send(request) => Some(format!("send {:?} try {}", request.attempt, request.try_number)),
        Effect::Ask(ask) => Some(format!("{:?} {:?} ask {}", ask.method, ask.ask.attempt, ask.number)),
        Effect::Notify(Notice::Outcome(told)) => Some(format!("told {:?} {:?} {:?}", told.kind, told.code, told.money)),
        Effect::StartTimer(timer, ms) => Some(format!("{:?} in {ms}", timer.kind)),
        Effect::Focus(_) | Effect::ClearPin | Effect::Notify(_) => None,
        effect => Some(format!("{effect:?}")),
    }
}
