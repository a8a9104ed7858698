//! Rows of the database as records.

use crate::clock::Moment;
use crate::ledger::{Kept, RedeemedAs, Running, Settled, State, StoredAnswer};
use crate::pin_key::KeyedHash;
use mozarto::Money;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

/// An attempt with its answer, its running try and what the books have of it. To be followed by a condition.
macro_rules! select_kept {
    ($rest:literal) => {
        concat!(
            "SELECT a.*, t.status, t.retry_after, t.body, t.money, t.ended_at AS answered_at, r.number AS running, r.sent_at, r.sent_uptime, r.process, \
             o.value, o.currency AS redeemed_currency, o.attempt AS redeemed \
             FROM attempts a \
             LEFT JOIN tries t ON t.attempt = a.key AND t.number = a.answer_try \
             LEFT JOIN tries r ON r.attempt = a.key AND r.number = a.tries AND r.ended_at IS NULL \
             LEFT JOIN outbox o ON o.attempt = a.key ",
            $rest
        )
    };
}
pub(super) use select_kept;

/// [`State::HOLDS`] for SQL. The partial indexes of `schema.sql` are over the same.
macro_rules! holds {
    () => {
        "('recorded', 'sending', 'open', 'unconfirmed')"
    };
}
pub(super) use holds;

/// The attempt of a key. `process` is this process.
pub(super) async fn kept(connection: &mut SqliteConnection, key: Uuid, process: &str) -> sqlx::Result<Option<Kept>> {
    let row = sqlx::query(select_kept!("WHERE a.key = ?")).bind(key.to_string()).fetch_optional(connection).await?;
    row.map(|row| kept_of(&row, process)).transpose()
}

/// A row of [`select_kept`].
pub(super) fn kept_of(row: &SqliteRow, process: &str) -> sqlx::Result<Kept> {
    let voucher = match (row.try_get("hash_key")?, row.try_get("hash")?) {
        (Some(key_id), Some(hash)) => Some(KeyedHash { key_id, hash }),
        _ => None,
    };
    let answer = row.try_get::<Option<u16>, _>("status")?.map(|status| {
        Ok::<_, sqlx::Error>(StoredAnswer {
            status,
            retry_after: row.try_get("retry_after")?,
            body: row.try_get("body")?,
        })
    });
    let running = row.try_get::<Option<i64>, _>("running")?.map(|number| running_of(row, number, process));
    let settled = row.try_get::<Option<String>, _>("settled")?;
    Ok(Kept {
        key: key_of(row, "key")?,
        state: state_of(row)?,
        owner: row.try_get("owner")?,
        voucher,
        amount_minor: row.try_get("amount_minor")?,
        currency: row.try_get("currency")?,
        meaning: row.try_get("meaning")?,
        unknown_try: row.try_get("unknown_try")?,
        forbids_tries: row.try_get("forbids_tries")?,
        transaction_id: row.try_get("transaction_id")?,
        tries: row.try_get("tries")?,
        created_at: row.try_get("created_at")?,
        settled: settled.map(|word| if word == "redeemed" { Settled::Redeemed } else { Settled::Untouched }),
        answer: answer.transpose()?,
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

/// A try that has not ended, of a row with its columns.
pub(super) fn running_of(row: &SqliteRow, number: i64, process: &str) -> sqlx::Result<Running> {
    Ok(Running {
        number,
        sent: Moment { wall_ms: row.try_get("sent_at")?, uptime: row.try_get("sent_uptime")? },
        is_ours: row.try_get::<String, _>("process")? == process,
    })
}

/// The money of a try, in its word.
pub(super) fn money_of(word: &str) -> Money {
    match word {
        "yes" => Money::Yes,
        "no" => Money::No,
        _ => Money::Unknown,
    }
}

pub(super) fn key_of(row: &SqliteRow, column: &'static str) -> sqlx::Result<Uuid> {
    let text: String = row.try_get(column)?;
    Uuid::try_parse(&text)
        .map_err(|error| sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(error) })
}

fn state_of(row: &SqliteRow) -> sqlx::Result<State> {
    let word: String = row.try_get("state")?;
    State::named(&word).ok_or_else(|| sqlx::Error::ColumnDecode {
        index: "state".to_owned(),
        source: format!("no state {word:?}").into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_that_hold_a_voucher_are_the_same_everywhere() {
        let words = State::HOLDS.map(|state| format!("'{}'", state.as_str())).join(", ");
        assert_eq!(holds!(), format!("({words})"));
        let indexes = include_str!("schema.sql").matches(&format!("WHERE state IN {};", holds!())).count();
        assert_eq!(indexes, 2, "the guard, and the look-up by key");
        for state in State::ALL {
            assert_eq!(State::HOLDS.contains(&state), !state.is_ended(), "{state:?}");
        }
    }
}
