//! The merchant's books (hop 3): one line per redeemed attempt, written in the transaction of its outcome. The one
//! writer numbers them in the order in which they are committed, so a reader who has seen a number has seen all before it.

use crate::ledger::{Entry, RedeemedAs};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use tracing::{error, warn};
use uuid::Uuid;

/// What is to be credited.
const REDEEMED: &str = "redeemed";
/// The same transaction stands under another attempt: one redemption, and nothing to be credited for this line.
const DUPLICATE: &str = "duplicate";

/// A line to be written.
pub(super) struct Line<'a> {
    pub(super) attempt: Uuid,
    pub(super) transaction_id: Option<&'a str>,
    pub(super) user_id: Option<&'a str>,
    pub(super) redeemed: RedeemedAs,
    pub(super) attempt_currency: Option<&'a str>,
    pub(super) at: i64,
}

/// Writes a line, unless the attempt has one.
pub(super) async fn add(connection: &mut SqliteConnection, line: &Line<'_>) -> sqlx::Result<()> {
    let attempt = line.attempt.to_string();
    let has_one =
        sqlx::query("SELECT 1 FROM outbox WHERE attempt = ?").bind(&attempt).fetch_optional(&mut *connection).await?;
    if has_one.is_some() {
        return Ok(());
    }
    let other = sqlx::query("SELECT attempt FROM outbox WHERE transaction_id = ? AND outcome = 'redeemed'");
    let other = match line.transaction_id {
        Some(id) => other.bind(id).fetch_optional(&mut *connection).await?,
        None => None,
    };
    let outcome = if let Some(other) = other {
        error!(%attempt, other = other.try_get::<String, _>(0)?, "ALARM: one transaction under two attempts; it is credited once");
        DUPLICATE
    } else {
        REDEEMED
    };
    if line.redeemed.value.is_none() {
        warn!(%attempt, "redeemed without a readable value: look it up before crediting");
    }
    let insert = sqlx::query(
        "INSERT INTO outbox (attempt, transaction_id, user_id, currency, value, outcome, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    insert
        .bind(attempt)
        .bind(line.transaction_id)
        .bind(line.user_id)
        // A voucher of another currency is not redeemed, so the attempt's is the voucher's where the answer is silent.
        .bind(line.redeemed.currency.as_deref().or(line.attempt_currency))
        .bind(&line.redeemed.value)
        .bind(outcome)
        .bind(line.at)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) fn entry_of(row: &SqliteRow) -> sqlx::Result<Entry> {
    Ok(Entry {
        sequence: row.try_get("sequence")?,
        attempt: row.try_get("attempt")?,
        transaction_id: row.try_get("transaction_id")?,
        user_id: row.try_get("user_id")?,
        redeemed: RedeemedAs { value: row.try_get("value")?, currency: row.try_get("currency")? },
        outcome: row.try_get("outcome")?,
        at: row.try_get("at")?,
    })
}
