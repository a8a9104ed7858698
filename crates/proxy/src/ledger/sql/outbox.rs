//! The merchant's books (hop 3): one line per redeemed attempt, written in the transaction of its outcome. One
//! step at a time numbers them in the order in which they are committed, so a reader who has seen a number has seen all before
//! it.

use super::connection::{Connection, Result, Row, query};
use crate::ledger::{Entry, RedeemedAs};
use tracing::{error, warn};
use uuid::Uuid;

/// What is to be credited.
const REDEEMED: &str = "redeemed";
/// The same transaction stands under another attempt: one redemption, and nothing to be credited for this line.
const DUPLICATE: &str = "duplicate";

/// `mozarto` cuts an id to so many characters.
const CUT_TO: usize = 64;

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
pub(super) async fn add(connection: &mut Connection, line: &Line<'_>) -> Result<()> {
    let insert = query(
        "INSERT INTO outbox (attempt, transaction_id, user_id, currency, value, at, outcome) \
         SELECT $1, $2, $3, $4, $5, $6, \
         CASE WHEN EXISTS (SELECT 1 FROM outbox WHERE transaction_id = $9 AND outcome = $7) THEN $8 ELSE $7 END \
         WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE attempt = $1) RETURNING outcome",
    );
    let attempt = line.attempt.to_string();
    let written = insert
        .bind(&attempt)
        .bind(line.transaction_id)
        .bind(line.user_id)
        // A voucher of another currency is not redeemed, so the attempt's is the voucher's where the answer is silent.
        .bind(line.redeemed.currency.as_deref().or(line.attempt_currency))
        .bind(&line.redeemed.value)
        .bind(line.at)
        .bind(REDEEMED)
        .bind(DUPLICATE)
        .bind(line.transaction_id.filter(|id| is_whole(id)))
        .first(connection)
        .await?;
    let outcome = written.map(|row| row.only::<String>()).transpose()?;
    if outcome.as_deref() == Some(DUPLICATE) {
        error!(%attempt, "ALARM: its transaction is another attempt's, too; it is credited once");
    }
    if outcome.is_some() && line.redeemed.value.is_none() {
        warn!(%attempt, "redeemed without a readable value: look it up before crediting");
    }
    Ok(())
}

/// Whether an id is all of what Mozarto said: not cut to what a screen has room for, and with nothing taken out. Two
/// others may read alike and be two redemptions.
fn is_whole(id: &str) -> bool {
    id.chars().count() < CUT_TO && ["[PIN]", "[email]", "[token]"].iter().all(|taken| !id.contains(taken))
}

pub(super) fn entry_of(row: &Row) -> Result<Entry> {
    Ok(Entry {
        sequence: row.get("sequence")?,
        attempt: row.get("attempt")?,
        transaction_id: row.get("transaction_id")?,
        user_id: row.get("user_id")?,
        redeemed: RedeemedAs { value: row.get("value")?, currency: row.get("currency")? },
        outcome: row.get("outcome")?,
        at: row.get("at")?,
    })
}
