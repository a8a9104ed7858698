//! A DELETE, in one step that excludes `sending`. A key that is not known is recorded as closed: its POST may still be
//! on its way, and gets 410.

use super::connection::{Connection, Result, query};
use super::engine::Step;
use super::rows::kept;
use super::upkeep::forgotten_until;
use super::writer::Operation;
use crate::ledger::{Closed, State};
use async_trait::async_trait;
use uuid::Uuid;

/// A DELETE: closes what is untouched for sure.
pub(super) struct Close {
    pub(super) key: Uuid,
    /// Who asks, where that is known.
    pub(super) subject: Option<String>,
}

#[async_trait]
impl Operation for Close {
    type Outcome = Closed;

    async fn run(&self, connection: &mut Connection, step: &Step) -> Result<Self::Outcome> {
        let update = match kept(connection, self.key, &step.process).await? {
            Some(known) if self.subject.is_some() && known.owner.is_some() && self.subject != known.owner => {
                return Ok(Closed::Foreign);
            }
            Some(known) if known.state == State::Closed => return Ok(Closed::Untouched),
            // Every try that ended says that it took nothing.
            Some(known) if matches!(known.state, State::Recorded | State::Open) && !known.unknown_try => query(
                "UPDATE attempts SET state = 'closed', answer_try = NULL, changed_at = $1, ended_observed = $2 WHERE key = $3",
            ),
            Some(known) => return Ok(Closed::Kept(Box::new(known))),
            None if forgotten_until(connection).await? > step.steady => return Ok(Closed::Forgotten),
            None => query(
                "INSERT INTO attempts (key, state, created_at, changed_at, ended_observed) VALUES ($3, 'closed', $1, $1, $2)",
            ),
        };
        update.bind(step.wall_ms).bind(step.steady).bind(self.key.to_string()).execute(connection).await?;
        Ok(Closed::Untouched)
    }
}
