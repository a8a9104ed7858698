//! What is done to the ledger as time goes by: signs of life, pruning, the keys of vouchers, and what a restored copy may
//! have forgotten.

use super::connection::{Connection, Result, Row, query};
use super::engine::{Engine, Step};
use super::rows::holds;
use super::writer::Operation;
use crate::ledger::{Mark, Restored};
use crate::pin_key::KeyedHash;
use async_trait::async_trait;
use std::sync::Arc;

/// Attempts whose bodies are taken out in one step: more would make customers wait.
const PRUNED_AT_ONCE: i64 = 200;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// For how long it is reckoned with that a restored ledger has forgotten something.
const FORGETS_SECONDS: i64 = 30 * 24 * 3600;
/// Beyond every generation and every sequence number that may have been seen since the copy was made: so many more, and
/// at least the milliseconds since 1970, since the same copy may be brought back twice.
const GENERATIONS: i64 = 1_000_000_000;
const SEQUENCES: i64 = 1_000_000;

/// Until when it is reckoned with that the ledger has forgotten something, in steady seconds.
pub(super) async fn forgotten_until(connection: &mut Connection) -> Result<i64> {
    meta(connection, "forgotten_until").await
}

async fn meta(connection: &mut Connection, name: &'static str) -> Result<i64> {
    query("SELECT value FROM meta WHERE name = $1").bind(name).one(connection).await?.only()
}

/// The mark of the ledger as it is now.
pub(super) async fn mark(connection: &mut Connection, steady: i64) -> Result<Mark> {
    Ok(Mark {
        ledger: meta(connection, "ledger").await?,
        generation: meta(connection, "generation").await?,
        forgets: forgotten_until(connection).await? > steady,
    })
}

/// A sign of life.
pub(super) struct Observe {
    /// A random number, for a ledger that has none yet.
    pub(super) ledger: i64,
}

#[async_trait]
impl Operation for Observe {
    type Outcome = Mark;

    async fn run(&self, connection: &mut Connection, step: &Step) -> Result<Mark> {
        for (name, update, value) in [
            ("observed_seconds", "UPDATE meta SET value = $2 WHERE name = $1 AND value < $2", step.steady),
            ("ledger", "UPDATE meta SET value = $2 WHERE name = $1 AND value = 0", self.ledger),
            ("generation", "UPDATE meta SET value = value + $2 WHERE name = $1", 1),
        ] {
            query(update).bind(name).bind(value).execute(&mut *connection).await?;
        }
        mark(connection, step.steady).await
    }
}

/// Takes out the bodies of attempts that ended so many steady seconds ago.
pub(super) struct Prune {
    pub(super) seconds: i64,
    pub(super) engine: Arc<Engine>,
}

#[async_trait]
impl Operation for Prune {
    type Outcome = bool;

    async fn run(&self, connection: &mut Connection, step: &Step) -> Result<bool> {
        const DUE: &str = concat!(
            "SELECT key FROM attempts WHERE pruned = 0 AND ended_observed IS NOT NULL AND ended_observed <= $1 AND state NOT IN ",
            holds!(),
            " ORDER BY ended_observed LIMIT $2"
        );
        let ended_by = step.steady.saturating_sub(self.seconds);
        let due = query(DUE).bind(ended_by).bind(PRUNED_AT_ONCE).all(connection).await?;
        let due = due.iter().map(Row::only).collect::<Result<Vec<String>>>()?;
        for key in &due {
            query("UPDATE tries SET body = NULL WHERE attempt = $1").bind(key).execute(&mut *connection).await?;
            query("UPDATE attempts SET pruned = 1 WHERE key = $1").bind(key).execute(&mut *connection).await?;
        }
        if !self.engine.is_here() {
            // A day after the end of its lease a process is long gone, and its tries were given up.
            let gone = "DELETE FROM nodes WHERE leased_until_ms < $1 AND NOT EXISTS \
                 (SELECT 1 FROM attempts a JOIN tries t ON t.attempt = a.key WHERE a.state = 'sending' AND t.process = nodes.process)";
            query(gone).bind(step.wall_ms - DAY_MS).execute(connection).await?;
        }
        Ok(i64::try_from(due.len()).is_ok_and(|count| count == PRUNED_AT_ONCE))
    }
}

/// Refuses keys that would not recognise what is there: another key under a known id, or an id that has gone while
/// attempts under it are open. Notes new ones.
pub(super) struct AcceptPinKeys {
    pub(super) marks: Vec<KeyedHash>,
}

#[async_trait]
impl Operation for AcceptPinKeys {
    type Outcome = Result<(), String>;

    async fn run(&self, connection: &mut Connection, _: &Step) -> Result<Self::Outcome> {
        for KeyedHash { key_id, hash } in &self.marks {
            let kept = query("SELECT mark FROM pin_keys WHERE id = $1").bind(key_id).first(connection).await?;
            if kept.map(|row| row.only::<Vec<u8>>()).transpose()?.is_some_and(|kept| kept != *hash) {
                return Ok(Err(format!(
                    "CASHIER_PIN_KEY has another key under the id {key_id:?} than this database was used with: give the new key a new id \
                     and keep the old one behind it, as new=…,{key_id}=…"
                )));
            }
        }
        let open = query(concat!(
            "SELECT hash_key FROM attempts WHERE hash_key IS NOT NULL AND state IN ",
            holds!(),
            " GROUP BY hash_key"
        ));
        let open = open.all(connection).await?.iter().map(Row::only).collect::<Result<Vec<String>>>()?;
        if let Some(id) = open.into_iter().find(|id| self.marks.iter().all(|mark| mark.key_id != *id)) {
            let count = query(concat!("SELECT count(*) FROM attempts WHERE hash_key = $1 AND state IN ", holds!()));
            let count: i64 = count.bind(&id).one(connection).await?.only()?;
            return Ok(Err(format!(
                "CASHIER_PIN_KEY lacks the key with the id {id:?}, under which {count} attempts are open: their vouchers would not be \
                 recognised. Put it back, behind the newer ones"
            )));
        }
        for KeyedHash { key_id, hash } in &self.marks {
            let note = query("INSERT INTO pin_keys (id, mark) VALUES ($1, $2) ON CONFLICT DO NOTHING");
            note.bind(key_id).bind(hash).execute(&mut *connection).await?;
        }
        Ok(Ok(()))
    }
}

/// The ledger was restored from a copy.
pub(super) struct Restore {
    pub(super) restored: Restored,
    pub(super) engine: Arc<Engine>,
}

#[async_trait]
impl Operation for Restore {
    type Outcome = u64;

    async fn run(&self, connection: &mut Connection, step: &Step) -> Result<u64> {
        let set = "UPDATE meta SET value = $1 WHERE name = 'forgotten_until'";
        query(set).bind(step.steady + FORGETS_SECONDS).execute(&mut *connection).await?;
        let raise =
            "UPDATE meta SET value = CASE WHEN value + $1 > $2 THEN value + $1 ELSE $2 END WHERE name = 'generation'";
        query(raise).bind(GENERATIONS).bind(step.wall_ms).execute(&mut *connection).await?;
        // The merchant has seen numbers since the copy, and must not take new lines for old ones.
        connection.batch(&self.engine.skip_sequences(SEQUENCES, step.wall_ms)).await?;
        let audit = concat!(
            "INSERT INTO audit (attempt, at, by, action, reason) SELECT key, $1, $2, 'may have been forgotten', $3 FROM attempts WHERE state IN ",
            holds!()
        );
        let reason = format!("the ledger was restored from a copy of {}", self.restored.since);
        query(audit).bind(step.wall_ms).bind(&self.restored.by).bind(reason).execute(&mut *connection).await?;
        let doubt = concat!("UPDATE attempts SET forgotten = 1, unknown_try = 1 WHERE state IN ", holds!());
        Ok(query(doubt).execute(connection).await?)
    }
}
