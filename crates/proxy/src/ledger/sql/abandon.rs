//! Ends a try that may have been begun and was not sent: the connection was lost as its beginning was being committed,
//! and its POST was answered "not sent".

use super::connection::{Connection, Result, query};
use super::end::End;
use super::engine::Step;
use super::rows::key_of;
use super::writer::Operation;
use crate::ledger::Ended;
use async_trait::async_trait;

pub(super) struct Abandon {
    /// The step that may have begun it.
    pub(super) ticket: String,
    /// The end of a try that never left. Its key and number are those that are found.
    pub(super) not_sent: Ended,
}

#[async_trait]
impl Operation for Abandon {
    type Outcome = ();

    async fn run(&self, connection: &mut Connection, step: &Step) -> Result<()> {
        let begun = query("SELECT attempt, number FROM tries WHERE attempt = $1 AND ticket = $2 AND ended_at IS NULL");
        let begun = begun.bind(self.not_sent.key.to_string()).bind(&self.ticket);
        let Some(row) = begun.first(&mut *connection).await? else { return Ok(()) };
        let (key, number) = (key_of(&row, "attempt")?, row.get("number")?);
        End { ended: Ended { key, number, ..self.not_sent.clone() } }.run(connection, step).await.map(drop)
    }
}
