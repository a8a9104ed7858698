//! What is done to the ledger as time goes by: counting the time that was observed, and pruning by it.

use super::rows::holds;
use super::writer::Operation;
use async_trait::async_trait;
use sqlx::SqliteConnection;

/// Attempts whose bodies are taken out in one step: more would make customers wait.
const PRUNED_AT_ONCE: i64 = 200;

/// Notes the seconds of running time so far.
pub(super) struct Observe {
    pub(super) observed: i64,
}

#[async_trait]
impl Operation for Observe {
    type Outcome = ();

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let update = sqlx::query("UPDATE meta SET value = max(value, ?) WHERE name = 'observed_seconds'");
        update.bind(self.observed).execute(connection).await.map(drop)
    }
}

/// Takes out the bodies of attempts that ended at or before a time, counted in seconds of running.
pub(super) struct Prune {
    pub(super) ended_by: i64,
}

#[async_trait]
impl Operation for Prune {
    type Outcome = bool;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        const DUE: &str = concat!(
            "SELECT key FROM attempts WHERE pruned = 0 AND ended_observed IS NOT NULL AND ended_observed <= ? AND state NOT IN ",
            holds!(),
            " ORDER BY ended_observed LIMIT ?"
        );
        let due: Vec<String> =
            sqlx::query_scalar(DUE).bind(self.ended_by).bind(PRUNED_AT_ONCE).fetch_all(&mut *connection).await?;
        for key in &due {
            sqlx::query("UPDATE tries SET body = NULL WHERE attempt = ?").bind(key).execute(&mut *connection).await?;
            sqlx::query("UPDATE attempts SET pruned = 1 WHERE key = ?").bind(key).execute(&mut *connection).await?;
        }
        Ok(i64::try_from(due.len()).is_ok_and(|count| count == PRUNED_AT_ONCE))
    }
}
