//! All that is kept of one attempt, for staff.

use super::connection::{Connection, Result, query};
use super::outbox::entry_of;
use super::rows::{answer_of, kept};
use crate::ledger::{Audit, KeptTry, Shown};
use uuid::Uuid;

pub(super) async fn show(connection: &mut Connection, key: Uuid, process: &str) -> Result<Option<Shown>> {
    let Some(kept) = kept(connection, key, process).await? else { return Ok(None) };
    let key = key.to_string();
    let brand = query("SELECT brand FROM attempts WHERE key = $1").bind(&key).one(connection).await?.only()?;
    let tries =
        query("SELECT * FROM tries WHERE attempt = $1 ORDER BY number").bind(&key).all(&mut *connection).await?;
    let tries = tries.iter().map(|row| {
        Ok(KeptTry {
            number: row.get("number")?,
            sent_at: row.get("sent_at")?,
            ended_at: row.get("ended_at")?,
            answer: answer_of(row)?,
            meaning: row.get("meaning")?,
            money: row.get("money")?,
            transaction_id: row.get("transaction_id")?,
        })
    });
    let tries = tries.collect::<Result<_>>()?;
    let audit = query("SELECT * FROM audit WHERE attempt = $1 ORDER BY id").bind(&key).all(&mut *connection).await?;
    let audit = audit.iter().map(|row| {
        Ok(Audit { at: row.get("at")?, by: row.get("by")?, action: row.get("action")?, reason: row.get("reason")? })
    });
    let audit = audit.collect::<Result<_>>()?;
    let outcomes = query("SELECT * FROM outbox WHERE attempt = $1").bind(&key).all(&mut *connection).await?;
    let outcomes = outcomes.iter().map(entry_of).collect::<Result<_>>()?;
    Ok(Some(Shown { kept, brand, tries, audit, outcomes }))
}
