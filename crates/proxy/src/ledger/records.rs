//! What the proxy writes into the ledger by itself, and reads there: attempts, tries, the merchant's books, the mark. What
//! people ask and say is in `staff`. No type of either has room for a PIN or an email address, but for the bodies of
//! answers, out of which `reply` takes both.

use super::staff::Settled;
use crate::pin_key::KeyedHash;
use crate::truth::{Said, Standing};
use mozarto::Money;
use std::time::Duration;
use uuid::Uuid;

/// Where an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Known, and nothing has left: it waits for its next POST.
    Recorded,
    /// A try was begun and has not ended.
    Sending,
    /// No try runs, and the next POST is a try.
    Open,
    /// Cannot be found out; staff will settle it.
    Unconfirmed,
    /// Redeemed or rejected.
    Final,
    /// Closed as untouched, by DELETE.
    Closed,
    /// Settled by staff.
    Settled,
}

impl State {
    pub(crate) const ALL: [Self; 7] =
        [Self::Recorded, Self::Sending, Self::Open, Self::Unconfirmed, Self::Final, Self::Closed, Self::Settled];

    /// Those that hold their voucher: no other attempt may have it.
    #[cfg(test)]
    pub(crate) const HOLDS: [Self; 4] = [Self::Recorded, Self::Sending, Self::Open, Self::Unconfirmed];

    /// The word in the database and for staff.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Sending => "sending",
            Self::Open => "open",
            Self::Unconfirmed => "unconfirmed",
            Self::Final => "final",
            Self::Closed => "closed",
            Self::Settled => "settled",
        }
    }

    /// The state of that word.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether nothing more comes of it, unless a late success.
    pub(crate) fn is_ended(self) -> bool {
        matches!(self, Self::Final | Self::Closed | Self::Settled)
    }
}

impl From<Standing> for State {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Recorded => Self::Recorded,
            Standing::Sending => Self::Sending,
            Standing::Open => Self::Open,
            Standing::Unconfirmed => Self::Unconfirmed,
            Standing::Final => Self::Final,
        }
    }
}

/// A POST, as far as the ledger keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) key: Uuid,
    /// The customer: without sessions the body's `userId`.
    pub(crate) owner: String,
    /// The voucher under each key that the proxy has, newest first; never empty.
    pub(crate) voucher: Vec<KeyedHash>,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    pub(crate) brand: Option<String>,
    /// The checkout session under which it was posted, by an id that no other session has. With it no second voucher
    /// is redeemed.
    pub(crate) session: Option<String>,
    /// After so many invalid PINs in a row a customer waits; 0 for never.
    pub(crate) most_guesses: u32,
}

impl Posted {
    /// Why it is no POST of that attempt, if it is none.
    pub(crate) fn refused_by(&self, known: &Kept) -> Option<Begun> {
        // Closed before it was ever posted: nobody's, and of no voucher.
        let (owner, voucher) = (known.owner.as_ref()?, known.voucher.as_ref()?);
        if *owner != self.owner {
            return Some(Begun::Foreign);
        }
        let same = self.voucher.contains(voucher)
            && known.amount_minor == Some(self.amount_minor)
            && known.currency.as_deref() == Some(self.currency.as_str());
        (!same).then_some(Begun::Mismatch)
    }
}

/// What a POST leads to.
#[derive(Clone, Debug)]
pub(crate) enum Begun {
    /// The try of this number is on disk as sending: send it.
    Send(i64),
    /// Recorded, but nothing may be sent now.
    NotNow,
    /// Nothing is to be sent: the attempt says what to answer.
    Kept(Box<Kept>),
    /// Another customer's attempt.
    Foreign,
    /// The same key with another voucher, amount or currency.
    Mismatch,
    /// An attempt holds its voucher under the key of this id, which this process lacks: no voucher can be told from it.
    LacksPinKey(String),
    /// An open attempt has this voucher. Its key and reference, where it is the same customer's.
    InUse(Option<(Uuid, String)>),
    /// Its session has redeemed another voucher, or is about to.
    SessionSpent,
    /// Its customer has tried too many PINs that are none: nothing new is sent for so long.
    Wait(Duration),
}

/// What a DELETE leads to.
#[derive(Clone, Debug)]
pub(crate) enum Closed {
    /// Closed as untouched, now or before.
    Untouched,
    /// It cannot be closed: the attempt says what to answer.
    Kept(Box<Kept>),
    /// It is another customer's.
    Foreign,
    /// Not known, but the ledger was restored from a copy and may have forgotten it.
    Forgotten,
}

/// An attempt, with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) key: Uuid,
    pub(crate) state: State,
    /// `None` where it was closed before it was ever posted.
    pub(crate) owner: Option<String>,
    pub(crate) voucher: Option<KeyedHash>,
    pub(crate) amount_minor: Option<i64>,
    pub(crate) currency: Option<String>,
    /// What its answer means, in `mozarto`'s words.
    pub(crate) meaning: Option<String>,
    pub(crate) unknown_try: bool,
    pub(crate) forbids_tries: bool,
    /// The ledger was restored from a copy, and what this attempt has been through may be forgotten.
    pub(crate) forgotten: bool,
    /// How many invalid PINs in a row its customer has sent.
    pub(crate) guesses: i64,
    pub(crate) transaction_id: Option<String>,
    /// How many tries it has had.
    pub(crate) tries: i64,
    /// When it was recorded, in milliseconds since 1970.
    pub(crate) created_at: i64,
    pub(crate) settled: Option<Settled>,
    /// The answer that stands for the attempt, of one of its tries.
    pub(crate) answer: Option<StoredAnswer>,
    /// What that answer says about the money of its own try.
    pub(crate) money: Option<Money>,
    /// When that answer came, in milliseconds since 1970.
    pub(crate) answered_at: Option<i64>,
    /// The try that runs.
    pub(crate) running: Option<Running>,
    /// What the merchant's books have of it.
    pub(crate) redeemed: Option<RedeemedAs>,
}

/// An answer as it was given, with every PIN taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredAnswer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    /// `None` once it was pruned.
    pub(crate) body: Option<String>,
}

/// A try that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Running {
    pub(crate) number: i64,
    /// Whether this process began it: then it ends it, too.
    pub(crate) is_ours: bool,
}

/// A try that another process began and has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Orphan {
    pub(crate) key: Uuid,
    pub(crate) number: i64,
    /// For how long its answer may still come.
    pub(crate) left: Duration,
}

/// A voucher's value and currency as redeemed. The value is the JSON number of the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RedeemedAs {
    pub(crate) value: Option<String>,
    pub(crate) currency: Option<String>,
}

/// How a try ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) key: Uuid,
    pub(crate) number: i64,
    pub(crate) answer: StoredAnswer,
    pub(crate) said: Said,
    /// In `mozarto`'s words.
    pub(crate) meaning: String,
    pub(crate) transaction_id: Option<String>,
    /// What was redeemed, if it was.
    pub(crate) redeemed: Option<RedeemedAs>,
    /// Its process has gone, so nobody can know. An answer that comes after all replaces it.
    pub(crate) presumed: bool,
}

/// One line of the merchant's books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) sequence: i64,
    pub(crate) attempt: String,
    pub(crate) transaction_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) redeemed: RedeemedAs,
    /// `redeemed`, or `duplicate` where another attempt has the same transaction: then nothing is to be credited.
    pub(crate) outcome: String,
    pub(crate) at: i64,
}

impl Entry {
    /// The same transaction stands under another attempt, and nothing is to be credited for this one.
    pub(crate) fn is_duplicate(&self) -> bool {
        self.outcome == "duplicate"
    }
}

/// An outcome that is to be delivered to the merchant's own server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) entry: Entry,
    /// How many deliveries of it have failed so far.
    pub(crate) failures: u32,
}

/// By what a restored ledger is told from the one that there was: kept outside the database, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// A random number of the ledger's own.
    pub(crate) ledger: i64,
    /// Grows while the proxy runs.
    pub(crate) generation: i64,
    /// What it may have forgotten is still reckoned with.
    pub(crate) forgets: bool,
}
