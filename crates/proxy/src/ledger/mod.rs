//! The ledger: what became of every attempt, on disk. Owns the words for it and the one trait through which the rest of
//! the proxy reads and writes it, so that another engine can be put under it; `sqlite` is the one there is.
//!
//! What an engine promises: each call is one step that no other call can come between; it is on disk, not only handed
//! to the system, when the call returns; a call that fails has changed nothing.

mod records;
pub(crate) mod sqlite;

use crate::clock::Moment;
use async_trait::async_trait;
pub(crate) use records::{
    Audit, Begun, Closed, Delivery, Ended, Entry, Figures, Filter, Kept, KeptTry, Posted, RedeemedAs, Redeliver, Running,
    Settled, Settlement, SettlementRefused, Shown, State, StoredAnswer,
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
    async fn close(&self, key: Uuid) -> Result<Closed, Unavailable>;

    /// The attempt of a key.
    async fn attempt(&self, key: Uuid) -> Result<Option<Kept>, Unavailable>;

    /// The tries that another process began and has not ended.
    async fn orphans(&self) -> Result<Vec<(Uuid, Running)>, Unavailable>;

    /// The merchant's books: at most `limit` outcomes after a sequence number, in order.
    async fn outcomes(&self, after: i64, limit: u32) -> Result<Vec<Entry>, Unavailable>;

    /// At most `limit` outcomes that are due to be delivered, of each customer the earliest only. They are not due again
    /// for `claim`: whoever got them delivers them meanwhile, in this process or another.
    async fn claim_deliveries(&self, limit: u32, claim: Duration) -> Result<Vec<Delivery>, Unavailable> {
        let _ = (limit, claim);
        Err(Unavailable("not there yet".to_owned()))
    }

    /// That outcome was delivered.
    async fn delivered(&self, sequence: i64) -> Result<(), Unavailable> {
        let _ = sequence;
        Err(Unavailable("not there yet".to_owned()))
    }

    /// That outcome was not delivered, and is due again after `wait`.
    async fn not_delivered(&self, sequence: i64, wait: Duration) -> Result<(), Unavailable> {
        let _ = (sequence, wait);
        Err(Unavailable("not there yet".to_owned()))
    }

    /// Makes outcomes due to be delivered again. How many.
    async fn redeliver(&self, which: Redeliver) -> Result<u64, Unavailable> {
        let _ = which;
        Err(Unavailable("not there yet".to_owned()))
    }

    /// What operators watch.
    async fn figures(&self) -> Result<Figures, Unavailable> {
        Err(Unavailable("not there yet".to_owned()))
    }

    /// Attempts for support staff, newest first.
    async fn list(&self, filter: Filter) -> Result<Vec<Kept>, Unavailable>;

    /// All that is kept of one attempt.
    async fn show(&self, key: Uuid) -> Result<Option<Shown>, Unavailable>;

    /// Staff say what became of an attempt.
    async fn settle(&self, settlement: Settlement) -> Result<Result<Kept, SettlementRefused>, Unavailable>;

    /// Notes how long the proxy has run, so that the next start counts on from there.
    async fn observe(&self) -> Result<(), Unavailable>;

    /// Takes the bodies out of attempts that ended `observed_seconds` or more of running time ago, some at a time.
    /// Whether there may be more.
    async fn prune(&self, observed_seconds: i64) -> Result<bool, Unavailable>;

    /// Done when nothing can be written any more until the program is started again: told to shut, or by a defect.
    async fn stopped(&self);

    /// Writes the last of it and lets go of the file.
    async fn shut(&self);
}

/// The ledger could not be read or written: nothing was changed. The text is for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unavailable(pub(crate) String);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}
