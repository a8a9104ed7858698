//! Rows of the database as records.

use crate::ledger::{Kept, RedeemedAs, Running, Settled, State, StoredAnswer};
use crate::pin_key::KeyedHash;
use mozarto::Money;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use uuid::Uuid;

/// An attempt with its answer, its running try and what the books have of it. To be followed by a condition.
macro_rules! select_kept {
    ($rest:literal) => {
        concat!(
            "SELECT a.*, t.status, t.retry_after, t.body, t.money, t.ended_at AS answered_at, r.number AS running, r.process, \
             o.value, o.currency AS redeemed_currency, o.attempt AS redeemed, g.count AS guesses \
             FROM attempts a \
             LEFT JOIN tries t ON t.attempt = a.key AND t.number = a.answer_try \
             LEFT JOIN tries r ON r.attempt = a.key AND r.number = a.tries AND r.ended_at IS NULL \
             LEFT JOIN outbox o ON o.attempt = a.key \
             LEFT JOIN guesses g ON g.owner = a.owner ",
            $rest
        )
    };
}
pub(super) use select_kept;

/// [`State::HOLDS`] for SQL. The partial indexes of the schemas are over the same.
macro_rules! holds {
    () => {
        "('recorded', 'sending', 'open', 'unconfirmed')"
    };
}
pub(super) use holds;

/// The attempt of a key. `process` is this process.
pub(super) async fn kept(connection: &mut AnyConnection, key: Uuid, process: &str) -> sqlx::Result<Option<Kept>> {
    let row = sqlx::query(select_kept!("WHERE a.key = $1")).bind(key.to_string()).fetch_optional(connection).await?;
    row.map(|row| kept_of(&row, process)).transpose()
}

/// A row of [`select_kept`].
pub(super) fn kept_of(row: &AnyRow, process: &str) -> sqlx::Result<Kept> {
    let voucher = match (row.try_get("hash_key")?, row.try_get("hash")?) {
        (Some(key_id), Some(hash)) => Some(KeyedHash { key_id, hash }),
        _ => None,
    };
    let running = row.try_get::<Option<i64>, _>("running")?.map(|number| {
        let is_ours = row.try_get::<String, _>("process")? == process;
        Ok::<_, sqlx::Error>(Running { number, is_ours })
    });
    let settled = row.try_get::<Option<String>, _>("settled")?;
    Ok(Kept {
        key: key_of(row, "key")?,
        state: state_of(row)?,
        owner: row.try_get("owner")?,
        voucher,
        amount_minor: row.try_get("amount_minor")?,
        currency: row.try_get("currency")?,
        meaning: row.try_get("meaning")?,
        unknown_try: flag(row, "unknown_try")?,
        forbids_tries: flag(row, "forbids_tries")?,
        forgotten: flag(row, "forgotten")?,
        guesses: row.try_get::<Option<i64>, _>("guesses")?.unwrap_or(0),
        transaction_id: row.try_get("transaction_id")?,
        tries: row.try_get("tries")?,
        created_at: row.try_get("created_at")?,
        settled: settled.map(|word| if word == "redeemed" { Settled::Redeemed } else { Settled::Untouched }),
        answer: answer_of(row)?,
        money: row.try_get::<Option<String>, _>("money")?.as_deref().map(money_of),
        answered_at: row.try_get("answered_at")?,
        running: running.transpose()?,
        redeemed: row
            .try_get::<Option<String>, _>("redeemed")?
            .map(|_| {
                Ok::<_, sqlx::Error>(RedeemedAs {
                    value: row.try_get("value")?,
                    currency: row.try_get("redeemed_currency")?,
                })
            })
            .transpose()?,
    })
}

/// The answer of a try, of a row with its columns.
pub(super) fn answer_of(row: &AnyRow) -> sqlx::Result<Option<StoredAnswer>> {
    let Some(status) = row.try_get::<Option<i64>, _>("status")? else { return Ok(None) };
    let status = u16::try_from(status).map_err(|error| undecodable("status", error.into()))?;
    Ok(Some(StoredAnswer { status, retry_after: row.try_get("retry_after")?, body: row.try_get("body")? }))
}

/// A yes or no: 1 or 0 in both engines.
pub(super) fn flag(row: &AnyRow, column: &str) -> sqlx::Result<bool> {
    Ok(row.try_get::<i64, _>(column)? != 0)
}

/// The money of a try, in its word.
pub(super) fn money_of(word: &str) -> Money {
    match word {
        "yes" => Money::Yes,
        "no" => Money::No,
        _ => Money::Unknown,
    }
}

pub(super) fn key_of(row: &AnyRow, column: &'static str) -> sqlx::Result<Uuid> {
    let text: String = row.try_get(column)?;
    Uuid::try_parse(&text).map_err(|error| undecodable(column, error.into()))
}

fn state_of(row: &AnyRow) -> sqlx::Result<State> {
    let word: String = row.try_get("state")?;
    State::named(&word).ok_or_else(|| undecodable("state", format!("no state {word:?}").into()))
}

fn undecodable(column: &str, source: sqlx::error::BoxDynError) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_that_hold_a_voucher_are_the_same_everywhere() {
        let words = State::HOLDS.map(|state| format!("'{}'", state.as_str())).join(", ");
        assert_eq!(holds!(), format!("({words})"));
        for schema in [include_str!("sqlite_1.sql"), include_str!("postgres_2.sql")] {
            let indexes = schema.matches(&format!("WHERE state IN {};", holds!())).count();
            assert_eq!(indexes, 2, "the guard, and the look-up by key");
        }
        for state in State::ALL {
            assert_eq!(State::HOLDS.contains(&state), !state.is_ended(), "{state:?}");
        }
    }
}
