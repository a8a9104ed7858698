//! Orders to the shell, as data. One adapter carries each out; none of them decides anything.

use crate::{AttemptKey, Field, Outcome, Record, Secret};
use mozarto::{Amount, PayIn};

/// An order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Tell the embedder.
    Notify(Notice),
    /// Ask the merchant's `beforeSubmit`.
    AskBeforeSubmit(BeforeSubmit),
    /// The answer of `beforeSubmit` is not wanted any more: abort its signal.
    AbortBeforeSubmit,
    /// Post one try. Exactly one answer comes back, at any time.
    Send(Box<Request>),
    /// Ask what became of an attempt. Exactly one answer comes back.
    Ask(Box<StatusAsk>),
    /// Keep this record, in the place of an earlier one of its key. Done before whatever comes after it.
    Store(Box<Record>),
    /// Forget the record of this attempt: it has ended.
    Forget(AttemptKey),
    /// Wake the machine later. Timers are never stopped: a stale one changes nothing.
    StartTimer(Timer, u32),
    /// Move the focus.
    Focus(Focus),
    /// Erase the PIN field.
    ClearPin,
}

/// What the embedder is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// The form's state changed.
    Changed {
        /// Every field has as much as it needs.
        complete: bool,
        /// A submit would be accepted.
        valid: bool,
    },
    /// An attempt left for the first time.
    Submitted(AttemptKey),
    /// An attempt came to an outcome.
    Outcome(Box<Outcome>),
}

/// What `beforeSubmit` is told. Never the PIN.
#[derive(Clone, Debug, PartialEq)]
pub struct BeforeSubmit {
    /// The attempt.
    pub attempt: AttemptKey,
    /// The try, from 1.
    pub try_number: u32,
    /// What would be redeemed.
    pub amount: Amount,
    /// What for.
    pub reason: Reason,
}

/// What the merchant's `beforeSubmit` is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The first try.
    Submit,
    /// A later try.
    Retry,
    /// A status ask.
    Status,
    /// The proxy wants a fresh session.
    Session,
}

impl Reason {
    /// The word in the interface.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Retry => "retry",
            Self::Status => "status",
            Self::Session => "session",
        }
    }
}

/// One GET or DELETE of an attempt.
#[derive(Clone, Debug)]
pub struct StatusAsk {
    /// Where the attempt was posted; the key becomes a path segment before any query.
    pub endpoint: String,
    /// The ask's number; comes back with the answer.
    pub number: u32,
    /// What to ask.
    pub method: Method,
    /// Bearer token.
    pub session_token: Option<Secret>,
    /// The attempt, and what the merchant's `beforeSubmit` is to be asked first.
    pub ask: BeforeSubmit,
    /// Whether the merchant wants to be asked.
    pub before_submit: bool,
}

/// What a status ask does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Asks.
    Get,
    /// Has the attempt closed, if nothing was sent.
    Delete,
}

/// One POST.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where to.
    pub endpoint: String,
    /// `Idempotency-Key`.
    pub attempt: AttemptKey,
    /// The try, from 1; comes back with the answer.
    pub try_number: u32,
    /// The body. Erased when the request is dropped.
    pub pay_in: PayIn,
    /// Bearer token.
    pub session_token: Option<Secret>,
    /// The merchant's own headers.
    pub headers: Vec<(String, Secret)>,
}

/// A timer, recognised when it fires by all that it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// The attempt it is for.
    pub attempt: AttemptKey,
    /// The try it is for.
    pub try_number: u32,
    /// What it limits.
    pub kind: TimerKind,
}

/// What a timer limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerKind {
    /// The merchant's `beforeSubmit`.
    BeforeSubmit,
    /// How long a try goes on before the customer is told that it takes longer than usual.
    Slow,
    /// How long the customer waits for a try.
    Try,
    /// How long until the next automatic try.
    Retry,
    /// One second of the wait that is on screen.
    Tick,
    /// How long until the next status ask. `try_number` is the last ask's number.
    Ask,
}

/// Where the focus goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// A field of the form.
    Field(Field),
    /// The heading of what is shown now.
    Heading,
}
