//! Rows of the database as records.

use super::connection::{Connection, Error, Result, Row, query};
use crate::ledger::{Kept, RedeemedAs, Running, Settled, State, StoredAnswer};
use crate::pin_key::KeyedHash;
use mozarto::Money;
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
pub(super) async fn kept(connection: &mut Connection, key: Uuid, process: &str) -> Result<Option<Kept>> {
    let row = query(select_kept!("WHERE a.key = $1")).bind(key.to_string()).first(connection).await?;
    row.map(|row| kept_of(&row, process)).transpose()
}

/// A row of [`select_kept`].
pub(super) fn kept_of(row: &Row, process: &str) -> Result<Kept> {
    let voucher = match (row.get("hash_key")?, row.get("hash")?) {
        (Some(key_id), Some(hash)) => Some(KeyedHash { key_id, hash }),
        _ => None,
    };
    let running = row.get::<Option<i64>>("running")?.map(|number| {
        let is_ours = row.get::<String>("process")? == process;
        Ok::<_, Error>(Running { number, is_ours })
    });
    let settled = row.get::<Option<String>>("settled")?;
    Ok(Kept {
        key: key_of(row, "key")?,
        state: state_of(row)?,
        owner: row.get("owner")?,
        voucher,
        amount_minor: row.get("amount_minor")?,
        currency: row.get("currency")?,
        meaning: row.get("meaning")?,
        unknown_try: flag(row, "unknown_try")?,
        forbids_tries: flag(row, "forbids_tries")?,
        forgotten: flag(row, "forgotten")?,
        guesses: row.get::<Option<i64>>("guesses")?.unwrap_or(0),
        transaction_id: row.get("transaction_id")?,
        tries: row.get("tries")?,
        created_at: row.get("created_at")?,
        settled: settled.map(|word| if word == "redeemed" { Settled::Redeemed } else { Settled::Untouched }),
        answer: answer_of(row)?,
        money: row.get::<Option<String>>("money")?.as_deref().map(money_of),
        answered_at: row.get("answered_at")?,
        running: running.transpose()?,
        redeemed: row
            .get::<Option<String>>("redeemed")?
            .map(|_| Ok::<_, Error>(RedeemedAs { value: row.get("value")?, currency: row.get("redeemed_currency")? }))
            .transpose()?,
    })
}

/// The answer of a try, of a row with its columns.
pub(super) fn answer_of(row: &Row) -> Result<Option<StoredAnswer>> {
    let Some(status) = row.get::<Option<i64>>("status")? else { return Ok(None) };
    let status = u16::try_from(status).map_err(|error| unreadable("status", error))?;
    Ok(Some(StoredAnswer { status, retry_after: row.get("retry_after")?, body: row.get("body")? }))
}

/// A yes or no: 1 or 0 in both engines.
pub(super) fn flag(row: &Row, column: &str) -> Result<bool> {
    Ok(row.get::<i64>(column)? != 0)
}

/// The money of a try, in its word.
pub(super) fn money_of(word: &str) -> Money {
    match word {
        "yes" => Money::Yes,
        "no" => Money::No,
        _ => Money::Unknown,
    }
}

pub(super) fn key_of(row: &Row, column: &'static str) -> Result<Uuid> {
    let text: String = row.get(column)?;
    Uuid::try_parse(&text).map_err(|error| unreadable(column, error))
}

fn state_of(row: &Row) -> Result<State> {
    let word: String = row.get("state")?;
    State::named(&word).ok_or_else(|| unreadable("state", format!("no state {word:?}")))
}

fn unreadable(column: &str, why: impl std::fmt::Display) -> Error {
    Error::Unreadable(format!("{column}: {why}"))
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
