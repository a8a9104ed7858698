//! What a page keeps of an open attempt, so that a reload, a crash or a second tab loses nothing. Never the PIN: its last
//! four digits only.

use crate::AttemptKey;
use mozarto::Amount;

/// An open attempt, as it is stored before its first request leaves and until it has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The attempt.
    pub key: AttemptKey,
    /// Where it is posted.
    pub endpoint: String,
    /// The merchant's name for the customer.
    pub user_id: Option<String>,
    /// What it is for.
    pub amount: Amount,
    /// The PIN's last four digits.
    pub last_four: String,
    /// When it began, in milliseconds since 1970 by the browser's clock.
    pub began_at_ms: u64,
    /// How far it has come.
    pub stage: Stage,
    /// How many tries have begun, by whichever page.
    pub tries: u32,
    /// Mozarto's transaction id, once one is known.
    pub transaction_id: Option<String>,
}

/// How far an open attempt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A try is about to leave, or has left.
    Sent,
    /// The customer was told that nobody knows yet.
    Unconfirmed,
    /// Every try was answered, and none has taken the voucher; the same attempt can be tried again.
    Untouched,
    /// The proxy named it as the one that has a voucher. Its amount is not known here.
    Named,
}

impl Stage {
    /// The word in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Unconfirmed => "unconfirmed",
            Self::Untouched => "untouched",
            Self::Named => "named",
        }
    }

    /// The stage of a word in storage. A word that is not known is the one that proves least.
    pub fn from_word(word: &str) -> Self {
        let stages = [Self::Unconfirmed, Self::Untouched, Self::Named];
        stages.into_iter().find(|stage| stage.as_str() == word).unwrap_or(Self::Sent)
    }
}
