//! A machine and the facts to feed it, for the tests beside this folder.

use mozarto::{Amount, Answer, Data, ErrorCode, Reply, VoucherData};
use redemption::{
    AmountOption, AttemptKey, Effect, Event, Keeping, Machine, Method, Notice, Options, Outcome, OutcomeKind,
    Permission, PinText, Reason, Record, Request, Stage, StatusAsk, Timer, TimerKind,
};
use std::time::Duration;

pub(crate) const PIN: &str = "1234567890123456";
/// Another voucher whose PIN ends as the first one's.
pub(crate) const TWIN_PIN: &str = "9999000011113456";
pub(crate) const OTHER_PIN: &str = "1111222233334444";

/// When these tests take place, by the browser's clock.
pub(crate) const NOW_MS: u64 = 1_800_000_000_000;
pub(crate) const DAY_MS: u64 = 24 * 60 * 60 * 1000;

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

/// The same with a `beforeSubmit`.
pub(crate) fn asked_options() -> Options {
    Options { before_submit: true, ..options() }
}

pub(crate) fn numbered_key(number: u32) -> AttemptKey {
    AttemptKey::new(format!("00000000-0000-4000-8000-{number:012}"))
}

/// The key of a form that is submitted.
pub(crate) fn key() -> AttemptKey {
    numbered_key(1)
}

pub(crate) fn pin(text: &str) -> Event {
    Event::PinEdited(PinText::new(text.into()))
}

pub(crate) fn submitted() -> Event {
    submitted_as(&key())
}

pub(crate) fn submitted_as(key: &AttemptKey) -> Event {
    Event::Submitted { key: key.clone(), now_ms: NOW_MS }
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

/// A try's answer, by a proxy that keeps attempts.
pub(crate) fn answered(try_number: u32, answer: Answer) -> Event {
    answered_by(Keeping::Kept, try_number, answer)
}

pub(crate) fn answered_by(keeping: Keeping, try_number: u32, answer: Answer) -> Event {
    Event::Answered { attempt: key(), try_number, answer: Box::new(answer), keeping }
}

/// An ask's answer, by a proxy that keeps attempts.
pub(crate) fn status(number: u32, answer: Answer) -> Event {
    status_of(&key(), number, answer)
}

pub(crate) fn status_of(attempt: &AttemptKey, number: u32, answer: Answer) -> Event {
    Event::StatusAnswered { attempt: attempt.clone(), number, answer: Box::new(answer), kept: true }
}

/// The record of an attempt that another page has begun a moment ago, with [`PIN`].
pub(crate) fn record(stage: Stage) -> Record {
    Record {
        key: key(),
        endpoint: options().endpoint,
        user_id: options().user_id,
        amount: eur(2500),
        last_four: "3456".into(),
        began_at_ms: NOW_MS - 1000,
        stage,
        tries: 1,
        transaction_id: None,
    }
}

pub(crate) fn records_read(records: impl Into<Vec<Record>>) -> Event {
    records_read_at(NOW_MS, records)
}

pub(crate) fn records_read_at(now_ms: u64, records: impl Into<Vec<Record>>) -> Event {
    Event::RecordsRead { records: records.into(), now_ms }
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

/// Row 2.
pub(crate) fn accepted() -> Answer {
    let voucher = VoucherData { status: Some("PENDING".into()), ..VoucherData::default() };
    let reply = Reply { is_success: Some(true), data: Some(Data::Voucher(voucher)), ..Reply::default() };
    Answer { status: 200, retry_after: None, reply: Some(reply) }
}

pub(crate) fn rejection(message: &str) -> Answer {
    uncoded(400, message)
}

/// An error without a code.
pub(crate) fn uncoded(status: u16, message: &str) -> Answer {
    let reply = Reply { is_success: Some(false), message: Some(message.into()), ..Reply::default() };
    Answer { status, retry_after: None, reply: Some(reply) }
}

pub(crate) fn coded(code: &str) -> Answer {
    let reply = Reply { is_success: Some(false), error_code: Some(ErrorCode::from(code)), ..Reply::default() };
    Answer { status: 400, retry_after: None, reply: Some(reply) }
}

/// An answer that asks to be left alone for a while.
pub(crate) fn after_seconds(seconds: u64, answer: Answer) -> Answer {
    Answer { retry_after: Some(Duration::from_secs(seconds)), ..answer }
}

/// 202: a try still runs.
pub(crate) fn running() -> Answer {
    Answer { status: 202, retry_after: None, reply: Some(Reply { status: Some("pending".into()), ..Reply::default() }) }
}

/// 200 to a DELETE: nothing was sent, and nothing will be.
pub(crate) fn untouched() -> Answer {
    let reply = Reply { status: Some("untouched".into()), ..Reply::default() };
    Answer { status: 200, retry_after: None, reply: Some(reply) }
}

/// 409: an open attempt of the same customer has this voucher.
pub(crate) fn in_use(holder: &AttemptKey, reference: &str) -> Answer {
    let reply = Reply {
        attempt: Some(holder.as_str().into()),
        reference: Some(reference.into()),
        ..coded("VOUCHER_IN_USE").reply.expect("an error has a body")
    };
    Answer { status: 409, retry_after: None, reply: Some(reply) }
}

/// What a single-page app's fallback says to a GET.
pub(crate) fn html() -> Answer {
    Answer { status: 200, retry_after: None, reply: None }
}

/// A machine that these facts have happened to.
pub(crate) fn after(options: Options, events: impl IntoIterator<Item = Event>) -> Machine {
    let mut machine = Machine::new(options);
    happen(&mut machine, events);
    machine
}

/// Lets these facts happen. Gives back what is to be done after the last.
pub(crate) fn happen(machine: &mut Machine, events: impl IntoIterator<Item = Event>) -> Vec<Effect> {
    events.into_iter().fold(Vec::new(), |_, event| machine.handle(event))
}

/// A machine whose first try has left.
pub(crate) fn redeeming() -> Machine {
    after(options(), [pin(PIN), submitted()])
}

/// A machine whose first try was answered by a time-out and whose customer does not want to wait.
pub(crate) fn unconfirmed() -> Machine {
    after(options(), [pin(PIN), submitted(), answered(1, coded("PSP_TIMEOUT")), Event::Cancelled])
}

/// A page with one open attempt as a card, of which nothing more could be found out.
pub(crate) fn with_card() -> Machine {
    after(options(), [records_read([record(Stage::Unconfirmed)]), status(1, coded("PSP_TIMEOUT"))])
}

/// The outcome that the embedder is told in these effects.
pub(crate) fn outcome(effects: &[Effect]) -> Option<&Outcome> {
    let mut outcomes = effects.iter().filter_map(|effect| match effect {
        Effect::Notify(Notice::Outcome(outcome)) => Some(&**outcome),
        _ => None,
    });
    let first = outcomes.next();
    assert!(outcomes.next().is_none(), "one answer is told once");
    first
}

/// The same: event, code, money, next.
pub(crate) fn told(effects: &[Effect]) -> Option<(&'static str, &'static str, &'static str, &'static str)> {
    outcome(effects)
        .map(|outcome| (kind(outcome), outcome.code.as_str(), outcome.money.as_str(), outcome.next.as_str()))
}

/// The event's name.
pub(crate) fn kind(outcome: &Outcome) -> &'static str {
    match outcome.kind {
        OutcomeKind::Redeemed(_) => "redeemed",
        OutcomeKind::Rejected => "rejected",
        OutcomeKind::Unconfirmed => "unconfirmed",
        OutcomeKind::Failed => "failed",
    }
}

/// The requests that leave.
pub(crate) fn requests(effects: &[Effect]) -> Vec<&Request> {
    let requests = effects.iter().filter_map(|effect| match effect {
        Effect::Send(request) => Some(&**request),
        _ => None,
    });
    requests.collect()
}

pub(crate) fn sends(effects: &[Effect]) -> usize {
    requests(effects).len()
}

/// The status asks that leave.
pub(crate) fn asks(effects: &[Effect]) -> Vec<&StatusAsk> {
    let asks = effects.iter().filter_map(|effect| match effect {
        Effect::Ask(ask) => Some(&**ask),
        _ => None,
    });
    asks.collect()
}

/// What the asks are: method, which attempt, and their number.
pub(crate) fn asked(effects: &[Effect]) -> Vec<(Method, AttemptKey, u32)> {
    asks(effects).into_iter().map(|ask| (ask.method, ask.ask.attempt.clone(), ask.number)).collect()
}

/// What the merchant's `beforeSubmit` is asked for: the try and why.
pub(crate) fn before_submit(effects: &[Effect]) -> Option<(u32, Reason)> {
    effects.iter().find_map(|effect| match effect {
        Effect::AskBeforeSubmit(ask) => Some((ask.try_number, ask.reason)),
        _ => None,
    })
}

/// How long a timer of this kind is to run, and what for.
pub(crate) fn timer(effects: &[Effect], kind: TimerKind) -> Option<(Timer, u32)> {
    effects.iter().find_map(|effect| match effect {
        Effect::StartTimer(timer, ms) if timer.kind == kind => Some((timer.clone(), *ms)),
        _ => None,
    })
}

/// What happens to records: `Some` a stage that is stored, `None` a record that is forgotten.
pub(crate) fn stored(effects: &[Effect]) -> Vec<(AttemptKey, Option<Stage>)> {
    let changes = effects.iter().filter_map(|effect| match effect {
        Effect::Store(record) => Some((record.key.clone(), Some(record.stage))),
        Effect::Forget(key) => Some((key.clone(), None)),
        _ => None,
    });
    changes.collect()
}
