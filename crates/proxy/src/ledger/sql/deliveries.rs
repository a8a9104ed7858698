//! Delivery of the merchant's books: which lines are due, and what became of their delivery. A line that is claimed is
//! due again after the claim, so that nothing is lost with the process that had it.

use super::connection::{Connection, Result, query};
use super::engine::Step;
use super::outbox::entry_of;
use super::writer::Operation;
use crate::ledger::{Delivery, Redeliver};
use async_trait::async_trait;

/// The lines that are due, of each customer the earliest only. To be followed by a limit.
pub(super) const DUE: &str = "SELECT o.* FROM outbox o WHERE o.delivered_at IS NULL AND o.due_at <= $1 AND NOT EXISTS \
    (SELECT 1 FROM outbox e WHERE e.user_id = o.user_id AND e.delivered_at IS NULL AND e.sequence < o.sequence) \
    ORDER BY o.sequence LIMIT $2";

/// Whether any line is due: asked before a step is begun for nothing.
pub(super) async fn any_due(connection: &mut Connection, step: &Step) -> Result<bool> {
    Ok(query(DUE).bind(step.steady).bind(1_i64).first(connection).await?.is_some())
}

/// Claims lines that are due.
pub(super) struct Claim {
    pub(super) limit: i64,
    pub(super) seconds: i64,
}

#[async_trait]
impl Operation for Claim {
    type Outcome = Vec<Delivery>;

    async fn run(&self, connection: &mut Connection, step: &Step) -> Result<Self::Outcome> {
        let rows = query(DUE).bind(step.steady).bind(self.limit).all(&mut *connection).await?;
        let mut claimed = Vec::new();
        for row in &rows {
            let failures = u32::try_from(row.get::<i64>("failures")?).unwrap_or(u32::MAX);
            let entry = entry_of(row)?;
            let claim = query("UPDATE outbox SET due_at = $1 WHERE sequence = $2");
            claim.bind(step.steady + self.seconds).bind(entry.sequence).execute(&mut *connection).await?;
            claimed.push(Delivery { entry, failures });
        }
        Ok(claimed)
    }
}

/// What became of a delivery: `None` is delivered, else it is due again after so many seconds.
pub(super) struct Delivered {
    pub(super) sequence: i64,
    pub(super) again_after: Option<i64>,
}

#[async_trait]
impl Operation for Delivered {
    type Outcome = ();

    async fn run(&self, connection: &mut Connection, step: &Step) -> Result<()> {
        let update = match self.again_after {
            None => query("UPDATE outbox SET delivered_at = $1 WHERE sequence = $2").bind(step.wall_ms),
            Some(seconds) => query(
                "UPDATE outbox SET failures = failures + 1, due_at = $1 WHERE sequence = $2 AND delivered_at IS NULL",
            )
            .bind(step.steady + seconds),
        };
        update.bind(self.sequence).execute(connection).await.map(drop)
    }
}

/// Makes lines due again.
pub(super) struct Again(pub(super) Redeliver);

#[async_trait]
impl Operation for Again {
    type Outcome = u64;

    async fn run(&self, connection: &mut Connection, _: &Step) -> Result<u64> {
        let update = match self.0 {
            Redeliver::Attempt(key) => {
                query("UPDATE outbox SET delivered_at = NULL, due_at = 0, failures = 0 WHERE attempt = $1")
                    .bind(key.to_string())
            }
            Redeliver::After(sequence) => {
                query("UPDATE outbox SET delivered_at = NULL, due_at = 0, failures = 0 WHERE sequence > $1")
                    .bind(sequence)
            }
        };
        Ok(update.execute(connection).await?)
    }
}
