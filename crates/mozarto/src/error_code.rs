//! The words of `errorCode`: Mozarto's (page "Flexepin", section "Error codes"), and those of a proxy that keeps
//! attempts.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])+ $name:ident = $word:literal,)+) => {
        /// A normalised error. Words that are not known are kept: they mean "not known", never success or failure.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])+ $name,)+
            /// A word in no table.
            Other(String),
        }

        impl ErrorCode {
            /// The word on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for ErrorCode {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$name,)+
                    _ => Self::Other(word.to_owned()),
                }
            }
        }
    };
}

codes! {
    /// Flexepin refuses the merchant's key or terminal.
    InvalidPspCredentials = "INVALID_PSP_CREDENTIALS",
    /// Flexepin did not answer in time.
    PspTimeout = "PSP_TIMEOUT",
    /// Flexepin had an error of its own.
    PspUnavailable = "PSP_UNAVAILABLE",
    /// Too many requests; this one was not processed.
    PspRateLimited = "PSP_RATE_LIMITED",
    /// Mozarto could not classify Flexepin's answer.
    UnknownPspError = "UNKNOWN_PSP_ERROR",
    /// The proxy: this try never left it.
    NotSent = "NOT_SENT",
    /// The proxy: what became of the attempt cannot be found out; staff will settle it.
    AttemptUnconfirmed = "ATTEMPT_UNCONFIRMED",
    /// The proxy: another POST of this key is being tried.
    AttemptInProgress = "ATTEMPT_IN_PROGRESS",
    /// The proxy: an open attempt has this voucher.
    VoucherInUse = "VOUCHER_IN_USE",
    /// The proxy: the attempt was closed as untouched.
    AttemptClosed = "ATTEMPT_CLOSED",
    /// The proxy: the same key with another voucher, amount or currency.
    AttemptMismatch = "ATTEMPT_MISMATCH",
    /// The proxy: no checkout session.
    SessionRequired = "SESSION_REQUIRED",
    /// The proxy: the checkout session has expired.
    SessionExpired = "SESSION_EXPIRED",
    /// The proxy: another customer's attempt.
    AttemptForeign = "ATTEMPT_FOREIGN",
    /// The proxy: its own limit, for new keys only.
    TooManyTries = "TOO_MANY_TRIES",
    /// The proxy: no attempt of this key.
    AttemptUnknown = "ATTEMPT_UNKNOWN",
    /// The proxy: staff found out that the voucher is untouched.
    AttemptSettledUntouched = "ATTEMPT_SETTLED_UNTOUCHED",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
