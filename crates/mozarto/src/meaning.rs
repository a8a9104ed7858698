//! What one answer means: the 16 rows of the table in this crate's README, in its order, and the proxy's own answers.
//! One function, [`Answer::meaning`].
//!
//! It speaks of the answer's own try only. What an attempt with several tries means is decided by who keeps the
//! attempt.

use crate::{Amount, Data, ErrorCode, Reply};
use std::fmt;
use std::time::Duration;

/// What came back for one try.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, as the time to wait from now.
    pub retry_after: Option<Duration>,
    /// The body. `None` when it is not the documented JSON, was cut short, or is over 256 KB.
    pub reply: Option<Reply>,
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq)]
pub struct Meaning {
    /// Which row it is.
    pub signal: Signal,
    /// Mozarto's id of the transaction, where the answer names one. Safe to show.
    pub transaction_id: Option<String>,
    /// How long the server asks to wait before the next try.
    pub retry_after: Option<Duration>,
}

/// May the answer's own try have taken the voucher?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Money {
    /// It has.
    Yes,
    /// It has not.
    No,
    /// The answer does not prove either.
    Unknown,
}

impl Money {
    /// The word on the wire: `yes`, `no` or `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

/// The rows of the table.
#[derive(Clone, Debug, PartialEq)]
pub enum Signal {
    /// Row 1: redeemed. The only success there is.
    Redeemed(Receipt),
    /// Row 2: accepted, not final.
    Pending,
    /// Rows 3 (HTTP 200) and 4 (HTTP 400): the voucher was rejected.
    Rejected(Rejection),
    /// Row 5: Flexepin refuses the merchant's credentials.
    InvalidPspCredentials,
    /// Row 6: fields of the request are missing or invalid. Empty where no field that we know is named.
    RequestInvalid(Vec<RequestField>),
    /// Row 7: no orchestration rule for this merchant.
    NoRule,
    /// Row 8: the provider is not configured for this merchant.
    NotConfigured,
    /// Row 9: the provider rejected the request.
    ProviderRejected,
    /// Row 10: the merchant's company token.
    Unauthorized,
    /// Row 11: Flexepin did not answer in time.
    PspTimeout,
    /// Row 12: Flexepin had an error.
    PspUnavailable,
    /// Row 13: too many requests, this one was not processed.
    RateLimited,
    /// Row 14: HTTP 500 without a code.
    ServerError,
    /// Row 15: an error that nobody could classify, or a code in no table.
    UnknownError,
    /// Row 16: no answer, or none that is documented.
    NoAnswer,
    /// `NOT_SENT`: the proxy says that this try never left it.
    NotSent,
    /// 202 `{"status":"pending"}`: a try of the attempt still runs.
    TryRunning,
    /// `ATTEMPT_UNCONFIRMED`: cannot be found out; staff will settle it.
    AttemptUnconfirmed,
    /// `ATTEMPT_IN_PROGRESS`: another POST of this key is being tried.
    AttemptInProgress,
    /// `VOUCHER_IN_USE`: an open attempt has this voucher; named where it is the same customer's.
    VoucherInUse(Option<OpenAttempt>),
    /// `ATTEMPT_CLOSED`, or 200 `{"status":"untouched"}` to a DELETE: closed as untouched.
    AttemptClosed,
    /// `ATTEMPT_MISMATCH`: the key is known with another voucher, amount or currency.
    AttemptMismatch,
    /// `SESSION_REQUIRED` or `SESSION_EXPIRED`: nothing was sent; a fresh session is wanted.
    SessionRefused,
    /// `ATTEMPT_FOREIGN`: another customer's attempt.
    AttemptForeign,
    /// `TOO_MANY_TRIES`: the proxy's own limit.
    TooManyTries,
    /// `ATTEMPT_UNKNOWN`: nothing was sent so far under this key; a POST may still be on its way.
    AttemptUnknown,
    /// `ATTEMPT_SETTLED_UNTOUCHED`: staff found out that the voucher is untouched.
    SettledUntouched,
}

/// The attempt that holds a voucher, as `VOUCHER_IN_USE` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenAttempt {
    /// Its key. Safe to show; whether it is a UUID is for the reader to check.
    pub attempt: String,
    /// What support can find it by. Safe to show.
    pub reference: Option<String>,
}

/// Why a voucher was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// `4075`, or the page's words "Invalid voucher PIN".
    InvalidPin,
    /// The voucher has another value.
    MismatchedAmount,
    /// The voucher has another currency.
    MismatchedCurrency,
    /// The voucher was used before, by whomever.
    AlreadyRedeemed,
    /// Another reason, or one in words that are not known.
    Other,
}

/// A field of the request that an answer named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestField {
    /// `voucherPin`.
    Pin,
    /// `baseamount`, which validation messages call `amount`.
    Amount,
    /// `email`.
    Email,
    /// Any other: `userId`, `currency`, …: nothing that a customer types.
    Other,
}

/// What was redeemed, as the answer has it and not as it was asked. Absent where the answer does not say it readably.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Receipt {
    /// The voucher's value in its currency.
    pub amount: Option<Amount>,
    /// The voucher's currency, also where its value cannot be read. Safe to show.
    pub currency: Option<String>,
    /// The voucher's serial number. Safe to show.
    pub serial: Option<String>,
}

impl Answer {
    /// A try that no answer came back for: cut, timed out, refused by the network.
    pub fn none() -> Self {
        Self { status: 0, retry_after: None, reply: None }
    }

    /// What this answer means. Total: whatever is not documented is [`Signal::NoAnswer`] or [`Signal::UnknownError`].
    pub fn meaning(&self) -> Meaning {
        Meaning {
            signal: self.reply.as_ref().map_or(Signal::NoAnswer, |reply| signal(self.status, reply)),
            transaction_id: self.reply.as_ref().and_then(Reply::transaction_id).map(str::to_owned),
            retry_after: self.retry_after,
        }
    }
}

impl Signal {
    /// Whether this says that the voucher is untouched although another try of the attempt may have taken it: a taken
    /// voucher is never called invalid or mismatched.
    pub fn proves_untouched(&self) -> bool {
        use Rejection::{InvalidPin, MismatchedAmount, MismatchedCurrency};
        matches!(self, Self::Rejected(InvalidPin | MismatchedAmount | MismatchedCurrency))
    }

    /// Whether the same attempt is tried again after this, with backoff: rows 11 to 14 and 16, and `NOT_SENT`.
    pub fn is_retried(&self) -> bool {
        matches!(
            self,
            Self::PspTimeout
                | Self::PspUnavailable
                | Self::RateLimited
                | Self::ServerError
                | Self::NoAnswer
                | Self::NotSent
        )
    }

    /// Whether nothing may be sent again under this key after it: the voucher was seen as used, or accepted.
    pub fn forbids_tries(&self) -> bool {
        matches!(self, Self::Pending | Self::Rejected(Rejection::AlreadyRedeemed))
    }

    /// Whether only a proxy can say this. From Mozarto it is no answer: it would prove what Mozarto cannot know.
    pub fn is_the_proxys(&self) -> bool {
        matches!(
            self,
            Self::NotSent
                | Self::TryRunning
                | Self::AttemptUnconfirmed
                | Self::AttemptInProgress
                | Self::VoucherInUse(_)
                | Self::AttemptClosed
                | Self::AttemptMismatch
                | Self::SessionRefused
                | Self::AttemptForeign
                | Self::TooManyTries
                | Self::AttemptUnknown
                | Self::SettledUntouched
        )
    }

    /// May this try have taken the voucher?
    pub fn money(&self) -> Money {
        match self {
            Self::Redeemed(_) => Money::Yes,
            Self::Pending
            | Self::PspTimeout
            | Self::PspUnavailable
            | Self::ServerError
            | Self::UnknownError
            | Self::NoAnswer
            | Self::TryRunning
            | Self::AttemptUnconfirmed
            | Self::AttemptInProgress
            | Self::AttemptUnknown => Money::Unknown,
            Self::Rejected(_)
            | Self::InvalidPspCredentials
            | Self::RequestInvalid(_)
            | Self::NoRule
            | Self::NotConfigured
            | Self::ProviderRejected
            | Self::Unauthorized
            | Self::RateLimited
            | Self::NotSent
            | Self::VoucherInUse(_)
            | Self::AttemptClosed
            | Self::AttemptMismatch
            | Self::SessionRefused
            | Self::AttemptForeign
            | Self::TooManyTries
            | Self::SettledUntouched => Money::No,
        }
    }
}

/// A stable word for logs and tests, such as `rejected: invalid-pin`.
impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redeemed(_) => "redeemed",
            Self::Pending => "pending",
            Self::Rejected(Rejection::InvalidPin) => "rejected: invalid-pin",
            Self::Rejected(Rejection::MismatchedAmount) => "rejected: mismatched-amount",
            Self::Rejected(Rejection::MismatchedCurrency) => "rejected: mismatched-currency",
            Self::Rejected(Rejection::AlreadyRedeemed) => "rejected: already-redeemed",
            Self::Rejected(Rejection::Other) => "rejected: other",
            Self::InvalidPspCredentials => "invalid-psp-credentials",
            Self::RequestInvalid(_) => "request-invalid",
            Self::NoRule => "no-rule",
            Self::NotConfigured => "not-configured",
            Self::ProviderRejected => "provider-rejected",
            Self::Unauthorized => "unauthorized",
            Self::PspTimeout => "psp-timeout",
            Self::PspUnavailable => "psp-unavailable",
            Self::RateLimited => "rate-limited",
            Self::ServerError => "server-error",
            Self::UnknownError => "unknown-error",
            Self::NoAnswer => "no-answer",
            Self::NotSent => "not-sent",
            Self::TryRunning => "try-running",
            Self::AttemptUnconfirmed => "attempt-unconfirmed",
            Self::AttemptInProgress => "attempt-in-progress",
            Self::VoucherInUse(_) => "voucher-in-use",
            Self::AttemptClosed => "attempt-closed",
            Self::AttemptMismatch => "attempt-mismatch",
            Self::SessionRefused => "session-refused",
            Self::AttemptForeign => "attempt-foreign",
            Self::TooManyTries => "too-many-tries",
            Self::AttemptUnknown => "attempt-unknown",
            Self::SettledUntouched => "settled-untouched",
        })
    }
}

fn signal(status: u16, reply: &Reply) -> Signal {
    let result = reply.voucher().and_then(|voucher| voucher.result.as_deref());
    let claims_success = reply.is_success == Some(true);
    if let Some(code) = &reply.error_code {
        // An error that also claims success contradicts itself.
        return if claims_success || result == Some("0") { Signal::NoAnswer } else { coded(code, reply) };
    }
    match (status, reply.is_success) {
        (202, None) if reply.status.as_deref() == Some("pending") => Signal::TryRunning,
        (200, None) if reply.status.as_deref() == Some("untouched") => Signal::AttemptClosed,
        (200, Some(true)) => match (result, reply.voucher()) {
            (Some("0"), Some(voucher)) => Signal::Redeemed(Receipt {
                amount: voucher
                    .currency
                    .as_deref()
                    .and_then(|code| Amount::from_json_number(voucher.value?, code.parse().ok()?).ok()),
                currency: voucher.currency.clone(),
                serial: voucher.serial.clone(),
            }),
            (None, Some(voucher)) if voucher.status.as_deref() == Some("PENDING") => Signal::Pending,
            _ => Signal::NoAnswer,
        },
        (_, Some(false)) if result == Some("0") => Signal::NoAnswer,
        (200, Some(false)) => Signal::Rejected(rejection(reply)),
        (400, Some(false)) => uncoded_400(reply),
        (401 | 403, Some(false)) => Signal::Unauthorized,
        (429, Some(false)) => Signal::RateLimited,
        (500, Some(false)) => Signal::ServerError,
        _ => Signal::NoAnswer,
    }
}

fn coded(code: &ErrorCode, reply: &Reply) -> Signal {
    match code {
        ErrorCode::InvalidPspCredentials => Signal::InvalidPspCredentials,
        ErrorCode::PspTimeout => Signal::PspTimeout,
        ErrorCode::PspUnavailable => Signal::PspUnavailable,
        ErrorCode::PspRateLimited => Signal::RateLimited,
        ErrorCode::NotSent => Signal::NotSent,
        ErrorCode::AttemptUnconfirmed => Signal::AttemptUnconfirmed,
        ErrorCode::AttemptInProgress => Signal::AttemptInProgress,
        ErrorCode::VoucherInUse => Signal::VoucherInUse(
            reply.attempt.clone().map(|attempt| OpenAttempt { attempt, reference: reply.reference.clone() }),
        ),
        ErrorCode::AttemptClosed => Signal::AttemptClosed,
        ErrorCode::AttemptMismatch => Signal::AttemptMismatch,
        ErrorCode::SessionRequired | ErrorCode::SessionExpired => Signal::SessionRefused,
        ErrorCode::AttemptForeign => Signal::AttemptForeign,
        ErrorCode::TooManyTries => Signal::TooManyTries,
        ErrorCode::AttemptUnknown => Signal::AttemptUnknown,
        ErrorCode::AttemptSettledUntouched => Signal::SettledUntouched,
        ErrorCode::UnknownPspError | ErrorCode::Other(_) => Signal::UnknownError,
    }
}

fn uncoded_400(reply: &Reply) -> Signal {
    if says_used(reply) {
        return Signal::Rejected(Rejection::AlreadyRedeemed);
    }
    let message = reply.message.as_deref().unwrap_or_default();
    if let Some(field) = message.strip_prefix("Missing required field:") {
        return Signal::RequestInvalid(vec![request_field(field)]);
    }
    match (message, &reply.data) {
        ("Validation failed", _) => {
            Signal::RequestInvalid(reply.errors.iter().map(|error| request_field(error)).collect())
        }
        ("Rules action is not matched", _) => Signal::NoRule,
        ("Something went wrong", Some(Data::Text(text))) if text.starts_with("PSP Configuration not found") => {
            Signal::NotConfigured
        }
        ("Something went wrong", _) => Signal::NoAnswer,
        ("Payment provider rejected the request", _) => Signal::ProviderRejected,
        _ => Signal::Rejected(rejection(reply)),
    }
}

/// The field that a validation message begins with. Sentences differ; the name in front of them does not.
fn request_field(text: &str) -> RequestField {
    match text.split_ascii_whitespace().next().unwrap_or_default() {
        "voucherPin" => RequestField::Pin,
        "amount" | "baseamount" => RequestField::Amount,
        "email" => RequestField::Email,
        _ => RequestField::Other,
    }
}

fn rejection(reply: &Reply) -> Rejection {
    if says_used(reply) {
        return Rejection::AlreadyRedeemed;
    }
    let texts: Vec<String> = texts(reply).map(str::to_ascii_lowercase).collect();
    let says = |phrase: &str| texts.iter().any(|text| text.contains(phrase));
    // What speaks of a use in words that are not known must not read as "untouched".
    if says("redeemed") || says("used") {
        return Rejection::Other;
    }
    let result = reply.voucher().and_then(|voucher| voucher.result.as_deref());
    if result == Some("4075") || says("invalid voucher pin") || says("invalid pin") {
        return Rejection::InvalidPin;
    }
    match (says("mismatched amount"), says("mismatched currency")) {
        (true, false) => Rejection::MismatchedAmount,
        (false, true) => Rejection::MismatchedCurrency,
        _ => Rejection::Other,
    }
}

/// Whether any text of the answer says that the voucher was used before. Asked before anything else: an answer that
/// names it along with something else must never read as "untouched".
fn says_used(reply: &Reply) -> bool {
    const PHRASES: [&str; 10] = [
        "already redeemed",
        "already been redeemed",
        "already used",
        "already been used",
        "has been redeemed",
        "has been used",
        "was redeemed",
        "was used",
        "previously redeemed",
        "previously used",
    ];
    let says = |text: &str| PHRASES.iter().any(|phrase| text.contains(phrase));
    // A validation message may say that of another field, such as an email address.
    let of_voucher = |text: &str| ["voucher", "redeemed", "pin"].iter().any(|word| text.contains(word));
    let validation = reply.message.as_deref() == Some("Validation failed");
    let voucher_status = reply.voucher().and_then(|voucher| voucher.status.as_deref());
    voucher_status == Some("USED")
        || texts(reply).map(str::to_ascii_lowercase).any(|text| says(&text) && (!validation || of_voucher(&text)))
}

/// Every text in which an answer may say why.
fn texts(reply: &Reply) -> impl Iterator<Item = &str> {
    let data = match &reply.data {
        Some(Data::Text(text)) => Some(text.as_str()),
        Some(Data::Voucher(voucher)) => voucher.result_description.as_deref(),
        None => None,
    };
    reply.message.as_deref().into_iter().chain(data).chain(reply.errors.iter().map(String::as_str))
}
