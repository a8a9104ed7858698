//! All that is kept of one attempt, for staff.

use super::outbox::entry_of;
use super::rows::{answer_of, kept};
use crate::ledger::{Audit, KeptTry, Shown};
use sqlx::{AnyConnection, Row};
use uuid::Uuid;

pub(super) async fn show(connection: &mut AnyConnection, key: Uuid, process: &str) -> sqlx::Result<Option<Shown>> {
    let Some(kept) = kept(connection, key, process).await? else { return Ok(None) };
    let key = key.to_string();
    let brand =
        sqlx::query_scalar("SELECT brand FROM attempts WHERE key = $1").bind(&key).fetch_one(&mut *connection).await?;
    let tries = sqlx::query("SELECT * FROM tries WHERE attempt = $1 ORDER BY number")
        .bind(&key)
        .fetch_all(&mut *connection)
        .await?;
    let tries = tries.iter().map(|row| {
        Ok(KeptTry {
            number: row.try_get("number")?,
            sent_at: row.try_get("sent_at")?,
            ended_at: row.try_get("ended_at")?,
            answer: answer_of(row)?,
            meaning: row.try_get("meaning")?,
            money: row.try_get("money")?,
            transaction_id: row.try_get("transaction_id")?,
        })
    });
    let tries = tries.collect::<sqlx::Result<_>>()?;
    let audit = sqlx::query("SELECT * FROM audit WHERE attempt = $1 ORDER BY id")
        .bind(&key)
        .fetch_all(&mut *connection)
        .await?;
    let audit = audit.iter().map(|row| {
        Ok(Audit {
            at: row.try_get("at")?,
            by: row.try_get("by")?,
            action: row.try_get("action")?,
            reason: row.try_get("reason")?,
        })
    });
    let audit = audit.collect::<sqlx::Result<_>>()?;
    let outcomes =
        sqlx::query("SELECT * FROM outbox WHERE attempt = $1").bind(&key).fetch_all(&mut *connection).await?;
    let outcomes = outcomes.iter().map(entry_of).collect::<sqlx::Result<_>>()?;
    Ok(Some(Shown { kept, brand, tries, audit, outcomes }))
}
