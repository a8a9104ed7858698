//! The words of `errorCode`. Source: page "Flexepin", section "Error codes"; `NOT_SENT` is the proxy's own.

use std::fmt;

/// A normalised transport error. Words that are not known are kept: they mean "not known", never success or failure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorCode {
    /// `INVALID_PSP_CREDENTIALS`: Flexepin refuses the merchant's key or terminal.
    InvalidPspCredentials,
    /// `PSP_TIMEOUT`: Flexepin did not answer in time.
    PspTimeout,
    /// `PSP_UNAVAILABLE`: Flexepin had an error of its own.
    PspUnavailable,
    /// `PSP_RATE_LIMITED`: too many requests; this one was not processed.
    PspRateLimited,
    /// `UNKNOWN_PSP_ERROR`: Mozarto could not classify Flexepin's answer.
    UnknownPspError,
    /// `NOT_SENT`: the proxy says that this try never left it.
    NotSent,
    /// A word in no table.
    Other(String),
}

impl ErrorCode {
    /// The word on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::InvalidPspCredentials => "INVALID_PSP_CREDENTIALS",
            Self::PspTimeout => "PSP_TIMEOUT",
            Self::PspUnavailable => "PSP_UNAVAILABLE",
            Self::PspRateLimited => "PSP_RATE_LIMITED",
            Self::UnknownPspError => "UNKNOWN_PSP_ERROR",
            Self::NotSent => "NOT_SENT",
            Self::Other(word) => word,
        }
    }
}

impl From<&str> for ErrorCode {
    fn from(word: &str) -> Self {
        [
            Self::InvalidPspCredentials,
            Self::PspTimeout,
            Self::PspUnavailable,
            Self::PspRateLimited,
            Self::UnknownPspError,
            Self::NotSent,
        ]
        .into_iter()
        .find(|code| code.as_str() == word)
        .unwrap_or_else(|| Self::Other(word.to_owned()))
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
