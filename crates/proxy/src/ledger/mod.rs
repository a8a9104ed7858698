//! The ledger: what became of every attempt, on disk. Owns the words for it and the one trait through which the rest of
//! the proxy reads and writes it; `sql` keeps it in `SQLite` or `PostgreSQL`.
//!
//! What an engine promises: each call is one step that no other call can come between; it is on disk, not only handed
//! to the system, when the call returns; a call that fails has changed nothing, or says that it may have ([`Unavailable::may_stand`]).

mod records;
pub(crate) mod sql;
mod staff;

use crate::pin_key::PinKeys;
use async_trait::async_trait;
pub(crate) use records::{
    Begun, Closed, Delivery, Ended, Entry, Kept, Mark, Orphan, Posted, RedeemedAs, Running, State, StoredAnswer,
};
pub(crate) use staff::{
    Audit, Figures, Filter, KeptTry, Redeliver, Restored, Settled, Settlement, SettlementRefused, Shown,
};
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// What the proxy asks of its ledger.
#[async_trait]
pub(crate) trait Ledger: Send + Sync {
    /// Records the attempt if it is new, and begins its next try if it may have one: the last thing before a byte
    /// leaves. With `may_send` false nothing is begun, but a new attempt is recorded. After `by` it is not
    /// begun any more; what was begun before may be written later.
    async fn begin(&self, posted: Posted, may_send: bool, by: Instant) -> Result<Begun, Unavailable>;

    /// Writes down how a try ended, what its attempt means now, and what the merchant's books must know. Doing it again
    /// changes nothing. `None`: no such try.
    async fn end(&self, ended: Ended) -> Result<Option<Kept>, Unavailable>;

    /// Closes an attempt of which nothing has left, or of which every try ended untaken. One that is not known is
    /// recorded as closed.
    async fn close(&self, key: Uuid, subject: Option<String>) -> Result<Closed, Unavailable>;

    /// The attempt of a key.
    async fn attempt(&self, key: Uuid) -> Result<Option<Kept>, Unavailable>;

    /// Whether the ledger was restored from a copy and may have forgotten attempts: one that is not known proves nothing.
    fn forgets(&self) -> bool;

    /// The tries that other processes began and have not ended. `deadline` is how long a try may take.
    async fn orphans(&self, deadline: Duration) -> Result<Vec<Orphan>, Unavailable>;

    /// The merchant's books: at most `limit` outcomes after a sequence number, in order.
    async fn outcomes(&self, after: i64, limit: u32) -> Result<Vec<Entry>, Unavailable>;

    /// At most `limit` outcomes that are due to be delivered, of each customer the earliest only. They are not due again
    /// for `claim`: whoever got them delivers them meanwhile, in this process or another.
    async fn claim_deliveries(&self, limit: u32, claim: Duration) -> Result<Vec<Delivery>, Unavailable>;

    /// That outcome was delivered.
    async fn delivered(&self, sequence: i64) -> Result<(), Unavailable>;

    /// That outcome was not delivered, and is due again after `wait`.
    async fn not_delivered(&self, sequence: i64, wait: Duration) -> Result<(), Unavailable>;

    /// Makes outcomes due to be delivered again. How many.
    async fn redeliver(&self, which: Redeliver) -> Result<u64, Unavailable>;

    /// What operators watch.
    async fn figures(&self) -> Result<Figures, Unavailable>;

    /// Attempts for support staff, newest first.
    async fn list(&self, filter: Filter) -> Result<Vec<Kept>, Unavailable>;

    /// All that is kept of one attempt.
    async fn show(&self, key: Uuid) -> Result<Option<Shown>, Unavailable>;

    /// Staff say what became of an attempt.
    async fn settle(&self, settlement: Settlement) -> Result<Result<Kept, SettlementRefused>, Unavailable>;

    /// Staff say that the ledger was restored from a copy: no attempt that it does not know, or that was open, proves
    /// anything untouched for a time. How many were open.
    async fn restored(&self, restored: Restored) -> Result<u64, Unavailable>;

    /// Vouchers are recognised by these keys from now on. `Err` says why they cannot be: nothing was changed.
    async fn accept_pin_keys(&self, keys: &PinKeys) -> Result<Result<(), String>, Unavailable>;

    /// The mark as it is, without a sign of life.
    async fn mark(&self) -> Result<Mark, Unavailable>;

    /// A sign of life: notes how long the proxy has run, so that the next start counts on from there, and renews this
    /// process's lease. Gives the mark to be kept outside.
    async fn observe(&self) -> Result<Mark, Unavailable>;

    /// Takes the bodies out of attempts that ended `seconds` or more ago, counted by the ledger's steady clock, some at
    /// a time. Whether there may be more.
    async fn prune(&self, seconds: i64) -> Result<bool, Unavailable>;

    /// Done when nothing can be written any more until the program is started again: told to shut, or by a defect.
    async fn stopped(&self);

    /// Writes the last of it and lets go of the file.
    async fn shut(&self);
}

/// The ledger could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unavailable {
    /// For the operator.
    pub(crate) why: String,
    /// Whether what was to be written may stand all the same: the connection was lost as it was being committed, or the
    /// commit took longer than anybody waits. Else nothing was changed.
    pub(crate) may_stand: bool,
}

impl Unavailable {
    pub(crate) fn new(why: &str) -> Self {
        Self { why: why.to_owned(), may_stand: false }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Unavailable {}
