//! A DELETE, in one step that excludes `sending`. A key that is not known is recorded as closed: its POST may still be
//! on its way, and gets 410.

use super::rows::kept;
use super::writer::Operation;
use crate::ledger::{Closed, State};
use async_trait::async_trait;
use sqlx::SqliteConnection;
use uuid::Uuid;

/// A DELETE: closes what is untouched for sure.
pub(super) struct Close {
    pub(super) key: Uuid,
    pub(super) now_ms: i64,
    pub(super) observed: i64,
    pub(super) process: String,
}

#[async_trait]
impl Operation for Close {
    type Outcome = Closed;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<Self::Outcome> {
        let query = match kept(connection, self.key, &self.process).await? {
            Some(known) if known.state == State::Closed => return Ok(Closed::Untouched),
            // Every try that ended says that it took nothing.
            Some(known) if matches!(known.state, State::Recorded | State::Open) && !known.unknown_try => sqlx::query(
                "UPDATE attempts SET state = 'closed', answer_try = NULL, changed_at = ?1, ended_observed = ?2 WHERE key = ?3",
            ),
            Some(known) => return Ok(Closed::Kept(Box::new(known))),
            None => sqlx::query(
                "INSERT INTO attempts (key, state, created_at, changed_at, ended_observed) VALUES (?3, 'closed', ?1, ?1, ?2)",
            ),
        };
        query.bind(self.now_ms).bind(self.observed).bind(self.key.to_string()).execute(connection).await?;
        Ok(Closed::Untouched)
    }
}
