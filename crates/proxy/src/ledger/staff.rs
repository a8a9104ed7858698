//! What people ask of the ledger and tell it: operators' figures, what support staff look at, what they say became of an
//! attempt, and that a copy was brought back. What the proxy writes by itself is in `records`.

use super::records::{Entry, Kept, State, StoredAnswer};
use uuid::Uuid;

/// Which outcomes staff want to be delivered again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redeliver {
    /// That attempt's.
    Attempt(Uuid),
    /// All after that sequence number.
    After(i64),
}

/// What operators watch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// How many attempts are in each state that holds a voucher.
    pub(crate) attempts: Vec<(State, i64)>,
    /// How many attempts that have not ended have an unknown try, and how many seconds ago the oldest was recorded.
    pub(crate) unknown: i64,
    pub(crate) oldest_unknown_seconds: i64,
    /// How many outcomes wait to be delivered, and for how many seconds the oldest has.
    pub(crate) undelivered: i64,
    pub(crate) oldest_undelivered_seconds: i64,
}

/// Which attempts staff want to see.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) states: Vec<State>,
    pub(crate) owner: Option<String>,
    /// Milliseconds since 1970.
    pub(crate) since: Option<i64>,
    pub(crate) limit: u32,
}

/// All that is kept of one attempt.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) kept: Kept,
    pub(crate) brand: Option<String>,
    pub(crate) tries: Vec<KeptTry>,
    pub(crate) audit: Vec<Audit>,
    pub(crate) outcomes: Vec<Entry>,
}

/// One try, for staff.
#[derive(Clone, Debug)]
pub(crate) struct KeptTry {
    pub(crate) number: i64,
    pub(crate) sent_at: i64,
    pub(crate) ended_at: Option<i64>,
    pub(crate) answer: Option<StoredAnswer>,
    pub(crate) meaning: Option<String>,
    pub(crate) money: Option<String>,
    pub(crate) transaction_id: Option<String>,
}

/// What somebody of the staff did.
#[derive(Clone, Debug)]
pub(crate) struct Audit {
    pub(crate) at: i64,
    pub(crate) by: String,
    pub(crate) action: String,
    pub(crate) reason: String,
}

/// What staff found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Redeemed,
    Untouched,
}

impl Settled {
    /// The word in the database and on the command line.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Redeemed => "redeemed",
            Self::Untouched => "untouched",
        }
    }
}

/// A settlement, and who answers for it.
#[derive(Clone, Debug)]
pub(crate) struct Settlement {
    pub(crate) key: Uuid,
    pub(crate) settled: Settled,
    pub(crate) by: String,
    pub(crate) reason: String,
    pub(crate) transaction_id: Option<String>,
    /// The voucher's value as a JSON number.
    pub(crate) value: Option<String>,
}

/// Staff say that the ledger was restored from a copy.
#[derive(Clone, Debug)]
pub(crate) struct Restored {
    /// The copy's time, as staff gave it.
    pub(crate) since: String,
    pub(crate) by: String,
}

/// Why an attempt cannot be settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SettlementRefused {
    /// No such attempt.
    Unknown,
    /// It is not in a state in which it can be settled so.
    State(State),
}
