//! What operators watch of the ledger.

use super::connection::{Connection, Result, query};
use super::engine::Step;
use super::rows::holds;
use crate::ledger::{Figures, State};

pub(super) async fn figures(connection: &mut Connection, now: &Step) -> Result<Figures> {
    let mut figures = Figures::default();
    let by_state =
        concat!("SELECT state, count(*) AS attempts FROM attempts WHERE state IN ", holds!(), " GROUP BY state");
    for row in &query(by_state).all(&mut *connection).await? {
        if let Some(state) = State::named(&row.get::<String>("state")?) {
            figures.attempts.push((state, row.get("attempts")?));
        }
    }
    // By the index of those that hold a voucher: the table has all there ever were.
    let unknown = concat!(
        "SELECT count(*) AS lines, min(created_at) AS oldest FROM attempts WHERE state IN ",
        holds!(),
        " AND state IN ('open', 'unconfirmed') AND unknown_try = 1"
    );
    (figures.unknown, figures.oldest_unknown_seconds) = counted(connection, unknown, now).await?;
    let waiting = "SELECT count(*) AS lines, min(at) AS oldest FROM outbox WHERE delivered_at IS NULL";
    (figures.undelivered, figures.oldest_undelivered_seconds) = counted(connection, waiting, now).await?;
    Ok(figures)
}

/// How many there are, and for how many seconds the oldest has been there.
async fn counted(connection: &mut Connection, counts: &'static str, now: &Step) -> Result<(i64, i64)> {
    let row = query(counts).one(connection).await?;
    let oldest: Option<i64> = row.get("oldest")?;
    Ok((row.get("lines")?, oldest.map_or(0, |oldest| now.wall_ms.saturating_sub(oldest).max(0) / 1000)))
}
