//! What happened: facts, in the past tense. Whatever the machine cannot know by itself (a fresh key, an answer, the
//! passing of time) is inside them.

use crate::{AttemptKey, Field, Options, PinText, Record, Secret, Timer};
use mozarto::Answer;

/// A fact for [`Machine::handle`](crate::Machine::handle). In a phase where it means nothing it changes nothing.
#[derive(Clone, Debug)]
pub enum Event {
    /// The merchant changed options.
    OptionsChanged(Box<Options>),
    /// The PIN field has another text.
    PinEdited(PinText),
    /// The customer chose the amount at this place of the choice.
    AmountChosen(usize),
    /// The customer typed an amount.
    AmountEdited(String),
    /// The customer typed an email address.
    EmailEdited(String),
    /// The customer left a field: now it may be called wrong.
    FieldLeft(Field),
    /// The merchant said what is wrong with a field; `None` takes it back.
    FieldErrorSet(Field, Option<String>),
    /// The customer or the merchant submitted the form.
    Submitted {
        /// A fresh key, used if this begins an attempt.
        key: AttemptKey,
        /// The browser's clock, in milliseconds since 1970.
        now_ms: u64,
    },
    /// The customer confirmed the amount.
    Confirmed,
    /// The customer went back from the confirmation.
    WentBack,
    /// The merchant's `beforeSubmit` answered.
    BeforeSubmitAnswered {
        /// The attempt it was asked for.
        attempt: AttemptKey,
        /// The try it was asked for, from 1.
        try_number: u32,
        /// What it said.
        permission: Permission,
    },
    /// The customer cancelled while nothing was sent yet.
    Cancelled,
    /// An answer came back, or none can come any more.
    Answered {
        /// The attempt it belongs to.
        attempt: AttemptKey,
        /// The try it belongs to, from 1.
        try_number: u32,
        /// What came back.
        answer: Box<Answer>,
        /// Whether the proxy keeps this attempt.
        keeping: Keeping,
    },
    /// A status ask was answered, or none can be answered any more.
    StatusAnswered {
        /// The attempt it was about.
        attempt: AttemptKey,
        /// The ask's number.
        number: u32,
        /// What came back.
        answer: Box<Answer>,
        /// Whether the answer is of a proxy that keeps this attempt.
        kept: bool,
    },
    /// The stored records of this endpoint and customer were read: all that there are now.
    RecordsRead {
        /// The records.
        records: Vec<Record>,
        /// The browser's clock, in milliseconds since 1970.
        now_ms: u64,
    },
    /// The browser is online again, or the page is back from the back-forward cache.
    CameBack,
    /// A timer that the machine ordered ran out.
    TimerFired(Timer),
    /// The customer wants the same attempt tried again, or now.
    RetryRequested,
    /// The customer wants to know what became of an open attempt.
    StatusRequested(AttemptKey),
    /// The customer wants to finish an open attempt with the same PIN.
    FinishRequested(AttemptKey),
    /// The customer wants to redeem another voucher meanwhile.
    AnotherRequested,
    /// The customer does not want to see an open attempt any more.
    Dismissed(AttemptKey),
    /// The customer wants the form back.
    EditRequested,
    /// The merchant wants the form back, empty.
    ResetRequested,
}

/// Whether a proxy keeps attempts, as its answer says. Without that, an "already redeemed" may be our own doing: a
/// browser repeats a POST by itself when its connection dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// It does not say so (`Attempt-Key` is missing, or another's).
    No,
    /// It does, and this try was sent.
    Kept,
    /// It does, and the attempt had ended before: nothing was sent now (`Idempotency-Replayed: true`).
    Replayed,
}

/// What `beforeSubmit` said.
#[derive(Clone, Debug)]
pub enum Permission {
    /// Go on.
    Granted {
        /// More request headers, names in any case.
        headers: Vec<(String, Secret)>,
        /// A fresh session token.
        session_token: Option<Secret>,
    },
    /// It said `false`, threw, or took too long.
    Refused,
}
