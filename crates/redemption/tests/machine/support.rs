//! A machine and the facts to feed it, for the tests beside this folder.

use mozarto::{Amount, Answer, Data, ErrorCode, Reply, VoucherData};
use redemption::{
    AmountOption, AttemptKey, Effect, Event, Machine, Notice, Options, OutcomeKind, Permission, PinText, Timer,
    TimerKind,
};

pub(crate) const PIN: &str = "1234567890123456";

pub(crate) fn eur(minor: u64) -> Amount {
    Amount::from_minor(minor, "EUR".parse().expect("a currency")).expect("positive")
}

/// A fixed amount of 25.00 EUR, the email given: only the PIN is asked for.
pub(crate) fn options() -> Options {
    Options {
        endpoint: "https://shop.example/cashier/flexepin".into(),
        currency: "EUR".parse().expect("a currency"),
        amount: AmountOption::Fixed(eur(2500)),
        user_id: Some("user_123".into()),
        email: Some("player@example.com".into()),
        brand_id: None,
        session_token: None,
        timeout_ms: 30_000,
        before_submit: false,
        decimal_separator: '.',
    }
}

pub(crate) fn key() -> AttemptKey {
    AttemptKey::new("00000000-0000-4000-8000-000000000001".into())
}

pub(crate) fn pin(text: &str) -> Event {
    Event::PinEdited(PinText::new(text.into()))
}

pub(crate) fn submitted() -> Event {
    Event::Submitted { key: key() }
}

pub(crate) fn granted(try_number: u32) -> Event {
    let permission = Permission::Granted { headers: Vec::new(), session_token: None };
    Event::BeforeSubmitAnswered { attempt: key(), try_number, permission }
}

pub(crate) fn refused(try_number: u32) -> Event {
    Event::BeforeSubmitAnswered { attempt: key(), try_number, permission: Permission::Refused }
}

pub(crate) fn fired(kind: TimerKind, try_number: u32) -> Event {
    Event::TimerFired(Timer { attempt: key(), try_number, kind })
}

pub(crate) fn answered(try_number: u32, answer: Answer) -> Event {
    Event::Answered { attempt: key(), try_number, answer: Box::new(answer), attempt_kept: true }
}

/// The page's own success: 25.00 EUR.
pub(crate) fn success() -> Answer {
    success_of(25.0)
}

pub(crate) fn success_of(value: f64) -> Answer {
    let voucher = VoucherData {
        result: Some("0".into()),
        value: Some(value),
        currency: Some("EUR".into()),
        serial: Some("FP-9876543210".into()),
        transaction_id: Some("64a1f2b3c4d5e6f7a8b9c0d1".into()),
        ..VoucherData::default()
    };
    let reply = Reply { is_success: Some(true), data: Some(Data::Voucher(voucher)), ..Reply::default() };
    Answer { status: 200, retry_after: None, reply: Some(reply) }
}

pub(crate) fn rejection(message: &str) -> Answer {
    let reply = Reply { is_success: Some(false), message: Some(message.into()), ..Reply::default() };
    Answer { status: 400, retry_after: None, reply: Some(reply) }
}

pub(crate) fn coded(code: &str) -> Answer {
    let reply = Reply { is_success: Some(false), error_code: Some(ErrorCode::from(code)), ..Reply::default() };
    Answer { status: 400, retry_after: None, reply: Some(reply) }
}

/// A machine that these facts have happened to.
pub(crate) fn after(options: Options, events: impl IntoIterator<Item = Event>) -> Machine {
    let mut machine = Machine::new(options);
    for event in events {
        machine.handle(event);
    }
    machine
}

/// A machine whose first try has left.
pub(crate) fn redeeming() -> Machine {
    after(options(), [pin(PIN), submitted()])
}

/// The outcome that the embedder is told in these effects: event, code, money, next.
pub(crate) fn told(effects: &[Effect]) -> Option<(&'static str, &'static str, &'static str, &'static str)> {
    let outcomes = effects.iter().filter_map(|effect| match effect {
        Effect::Notify(Notice::Outcome(outcome)) => Some(outcome),
        _ => None,
    });
    let mut found = outcomes.map(|outcome| {
        let kind = match outcome.kind {
            OutcomeKind::Redeemed(_) => "redeemed",
            OutcomeKind::Rejected => "rejected",
            OutcomeKind::Unconfirmed => "unconfirmed",
            OutcomeKind::Failed => "failed",
        };
        (kind, outcome.code.as_str(), outcome.money.as_str(), outcome.next.as_str())
    });
    let first = found.next();
    assert!(found.next().is_none(), "one answer is told once");
    first
}

pub(crate) fn sends(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Send(_))).count()
}
