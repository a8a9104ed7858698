//! What an attempt came to, as the embedder is told: code, money, what to do next. The words are the product's
//! interface: they change with its major version only.

use crate::AttemptKey;
use mozarto::{Amount, Money, Rejection, Signal};

/// An attempt's outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Which event it is.
    pub kind: OutcomeKind,
    /// Why.
    pub code: Code,
    /// Whether the voucher was taken.
    pub money: Money,
    /// What can be done next.
    pub next: Next,
    /// The attempt's key.
    pub attempt: AttemptKey,
    /// What support can find it by: Mozarto's transaction id when known, else the key. The same text is on screen.
    pub reference: String,
}

/// The four kinds of outcome, each an event of the widget.
#[derive(Clone, Debug, PartialEq)]
pub enum OutcomeKind {
    /// The money was taken.
    Redeemed(Redemption),
    /// The voucher, or a field, is at fault; the form is back.
    Rejected,
    /// Nobody knows yet.
    Unconfirmed,
    /// The voucher is untouched, and the form cannot put it right.
    Failed,
}

/// What was redeemed, as the answer has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Redemption {
    /// Value of the voucher in its currency, where the answer says it readably.
    pub amount: Option<Amount>,
    /// Currency of the voucher, also where its value cannot be read.
    pub currency: Option<String>,
    /// The voucher's serial number.
    pub serial: Option<String>,
    /// Mozarto's transaction id.
    pub transaction_id: Option<String>,
    /// Where the answer differs from what was asked.
    pub discrepancy: Option<Discrepancy>,
}

/// The answer redeemed something else than was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Discrepancy {
    /// What was asked.
    pub requested: Amount,
}

/// What can be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing by the customer.
    None,
    /// Correct the form.
    Edit,
    /// Try the same attempt again.
    SameAttempt,
    /// Get a fresh session, then try the same attempt again.
    Session,
    /// Ask for the status.
    Status,
    /// Ask support, with the reference.
    Support,
}

impl Next {
    /// The word in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Edit => "edit",
            Self::SameAttempt => "same-attempt",
            Self::Session => "session",
            Self::Status => "status",
            Self::Support => "support",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])+ $name:ident = $word:literal,)+) => {
        /// Why an attempt came to its outcome: a closed list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])+ $name,)+ }

        impl Code {
            /// The word in events.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

codes! {
    /// Row 1.
    Redeemed = "REDEEMED",
    /// Row 2.
    Pending = "PENDING",
    /// Rows 3, 4: no such voucher.
    InvalidPin = "INVALID_VOUCHER_PIN",
    /// Rows 3, 4: the voucher has another value.
    MismatchedAmount = "MISMATCHED_AMOUNT",
    /// Rows 3, 4: the voucher has another currency.
    MismatchedCurrency = "MISMATCHED_CURRENCY",
    /// Rows 3, 4: used before, by whomever.
    AlreadyRedeemed = "VOUCHER_ALREADY_REDEEMED",
    /// Rows 3, 4: another reason.
    VoucherRejected = "VOUCHER_REJECTED",
    /// Row 5.
    InvalidPspCredentials = "INVALID_PSP_CREDENTIALS",
    /// Row 6.
    RequestInvalid = "REQUEST_INVALID",
    /// Row 7.
    NoRule = "RULE_NOT_MATCHED",
    /// Row 8.
    NotConfigured = "PSP_NOT_CONFIGURED",
    /// Row 9.
    ProviderRejected = "PROVIDER_REJECTED",
    /// Row 10.
    Unauthorized = "UNAUTHORIZED",
    /// Row 11.
    PspTimeout = "PSP_TIMEOUT",
    /// Row 12.
    PspUnavailable = "PSP_UNAVAILABLE",
    /// Row 13.
    PspRateLimited = "PSP_RATE_LIMITED",
    /// Row 14.
    ServerError = "SERVER_ERROR",
    /// Row 15.
    UnknownPspError = "UNKNOWN_PSP_ERROR",
    /// Row 16, and a try that timed out.
    NoAnswer = "NO_ANSWER",
    /// The try never left the proxy, or the page.
    NotSent = "NOT_SENT",
    /// A try still runs, or another page's; asking has not told the end of it yet.
    AttemptInProgress = "ATTEMPT_IN_PROGRESS",
    /// The proxy cannot find out; staff will settle it.
    AttemptUnconfirmed = "ATTEMPT_UNCONFIRMED",
    /// An open attempt has this voucher.
    VoucherInUse = "VOUCHER_IN_USE",
    /// The attempt was closed before anything was sent.
    AttemptClosed = "ATTEMPT_CLOSED",
    /// The attempt is one for another voucher, amount or currency.
    AttemptMismatch = "ATTEMPT_MISMATCH",
    /// The merchant's session is missing or over.
    SessionRequired = "SESSION_REQUIRED",
    /// The attempt is another customer's.
    AttemptForeign = "ATTEMPT_FOREIGN",
    /// The proxy's own limit.
    TooManyTries = "TOO_MANY_TRIES",
    /// The proxy knows no such attempt.
    AttemptUnknown = "ATTEMPT_UNKNOWN",
    /// Staff found out that the voucher is untouched.
    SettledUntouched = "ATTEMPT_SETTLED_UNTOUCHED",
}

impl From<&Signal> for Code {
    fn from(signal: &Signal) -> Self {
        match signal {
            Signal::Redeemed(_) => Self::Redeemed,
            Signal::Pending => Self::Pending,
            Signal::Rejected(Rejection::InvalidPin) => Self::InvalidPin,
            Signal::Rejected(Rejection::MismatchedAmount) => Self::MismatchedAmount,
            Signal::Rejected(Rejection::MismatchedCurrency) => Self::MismatchedCurrency,
            Signal::Rejected(Rejection::AlreadyRedeemed) => Self::AlreadyRedeemed,
            Signal::Rejected(Rejection::Other) => Self::VoucherRejected,
            Signal::InvalidPspCredentials => Self::InvalidPspCredentials,
            Signal::RequestInvalid(_) => Self::RequestInvalid,
            Signal::NoRule => Self::NoRule,
            Signal::NotConfigured => Self::NotConfigured,
            Signal::ProviderRejected => Self::ProviderRejected,
            Signal::Unauthorized => Self::Unauthorized,
            Signal::PspTimeout => Self::PspTimeout,
            Signal::PspUnavailable => Self::PspUnavailable,
            Signal::RateLimited => Self::PspRateLimited,
            Signal::ServerError => Self::ServerError,
            Signal::UnknownError => Self::UnknownPspError,
            Signal::NoAnswer => Self::NoAnswer,
            Signal::NotSent => Self::NotSent,
            Signal::TryRunning | Signal::AttemptInProgress => Self::AttemptInProgress,
            Signal::AttemptUnconfirmed => Self::AttemptUnconfirmed,
            Signal::VoucherInUse(_) => Self::VoucherInUse,
            Signal::AttemptClosed => Self::AttemptClosed,
            Signal::AttemptMismatch => Self::AttemptMismatch,
            Signal::SessionRefused => Self::SessionRequired,
            Signal::AttemptForeign => Self::AttemptForeign,
            Signal::TooManyTries => Self::TooManyTries,
            Signal::AttemptUnknown => Self::AttemptUnknown,
            Signal::SettledUntouched => Self::SettledUntouched,
        }
    }
}
