//! What differs between the two engines once they are open: how a connection is set up, how a step begins and what
//! time it is then, and what an error means. All else is one SQL for both.
//!
//! Both let one step write at a time. `SQLite` does so by itself; on `PostgreSQL` every step takes one advisory lock
//! first, so that what is promised of a step holds between any number of processes, and the books are numbered in the
//! order in which they are committed. There the time is the database's, and each step renews its process's lease.

use super::connection::{Connection, Error, Result, query};
use super::sqlite;
use crate::clock::Clock;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Row};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// The advisory lock of every step: "flexepin" in ASCII.
pub(super) const LOCK: i64 = 0x666c_6578_6570_696e;

/// A step of the ledger: when it is, and whose.
pub(super) struct Step {
    /// Milliseconds since 1970.
    pub(super) wall_ms: i64,
    /// As [`crate::clock::Moment`] has it; empty where the database's clock counts.
    pub(super) uptime: String,
    /// Seconds by which waits are counted. In a file: of the proxy's running time, which no jump of a clock changes.
    pub(super) steady: i64,
    /// Names this process.
    pub(super) process: String,
}

/// The engine under the ledger.
pub(super) struct Engine {
    pub(super) kind: Kind,
    pub(super) clock: Arc<Clock>,
    pub(super) process: String,
    /// How long a process may begin tries after its last step. A try's first byte leaves within 8 s of its step
    /// (the ledger's part of a POST).
    pub(super) lease: Duration,
}

/// Which it is.
pub(super) enum Kind {
    Sqlite {
        file: PathBuf,
        /// Seconds of running time before this process.
        observed_before: i64,
    },
    Postgres(Box<PgConnectOptions>),
}

/// What an error of the database means for what is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Somebody else is writing: the same again after a pause.
    Busy,
    /// The connection is gone, and perhaps the database for a while.
    Gone,
    /// It was undone; the connection may be broken, too.
    Failed,
}

impl Engine {
    /// A connection that writes, or one that only reads.
    pub(super) async fn connect(&self, writes: bool) -> Result<Connection> {
        let mut connection = match &self.kind {
            Kind::Sqlite { file, .. } => Connection::file(file, writes)?,
            Kind::Postgres(options) => Connection::server(options).await?,
        };
        connection.batch(self.settings(writes)).await?;
        Ok(connection)
    }

    /// Whether the database is a file of this machine.
    pub(super) fn is_here(&self) -> bool {
        matches!(self.kind, Kind::Sqlite { .. })
    }

    /// Waits: for a file on a thread of its own, for a server as a task among others.
    pub(super) async fn pause(&self, time: Duration) {
        if self.is_here() { std::thread::sleep(time) } else { sleep(time).await }
    }

    /// What every connection is told once.
    fn settings(&self, writes: bool) -> &'static str {
        match (&self.kind, writes) {
            // What was pruned is overwritten, not only let go.
            (Kind::Sqlite { .. }, true) => {
                "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON"
            }
            (Kind::Sqlite { .. }, false) => "",
            // A process that hangs within a step must not keep the others from theirs.
            (Kind::Postgres(_), true) => {
                "SET application_name = 'flexepin-cashier-proxy'; SET synchronous_commit = on; SET statement_timeout = '10s'; \
                 SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '5s'; SET client_min_messages = warning"
            }
            (Kind::Postgres(_), false) => {
                "SET application_name = 'flexepin-cashier-proxy'; SET default_transaction_read_only = on; SET statement_timeout = '5s'"
            }
        }
    }

    /// Begins a step: a transaction in which nobody else writes.
    pub(super) async fn begin(&self, connection: &mut Connection) -> Result<Step> {
        match connection {
            Connection::Sqlite(_) => {
                connection.batch("BEGIN IMMEDIATE").await?;
                Ok(self.own_step())
            }
            Connection::Postgres(server) => {
                // One round trip. The clock is asked when the lock is held. What the step sees is what others have
                // committed until then, whatever the database's usual isolation is: a snapshot would be taken before.
                let begin = format!(
                    "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT 1 FROM pg_advisory_xact_lock({LOCK}); \
                     INSERT INTO nodes (process, leased_until_ms) VALUES ('{}', {NOW_MS} + {}) \
                     ON CONFLICT (process) DO UPDATE SET leased_until_ms = excluded.leased_until_ms \
                     RETURNING leased_until_ms - {} AS now_ms",
                    self.process,
                    self.lease.as_millis(),
                    self.lease.as_millis()
                );
                let rows = sqlx::raw_sql(AssertSqlSafe(begin)).fetch_all(server).await?;
                Ok(self.at(rows.last().ok_or(Error::NoRow)?.try_get("now_ms")?))
            }
        }
    }

    /// What time it is, for one who reads.
    pub(super) async fn now(&self, connection: &mut Connection) -> Result<Step> {
        match self.kind {
            Kind::Sqlite { .. } => Ok(self.own_step()),
            Kind::Postgres(_) => Ok(self.at(query(format!("SELECT {NOW_MS}")).one(connection).await?.only()?)),
        }
    }

    fn own_step(&self) -> Step {
        let now = self.clock.moment();
        let Kind::Sqlite { observed_before, .. } = self.kind else { return self.at(now.wall_ms) };
        let running = i64::try_from(self.clock.running().as_secs()).unwrap_or(i64::MAX);
        let steady = observed_before.saturating_add(running);
        Step { wall_ms: now.wall_ms, uptime: now.uptime, steady, process: self.process.clone() }
    }

    fn at(&self, wall_ms: i64) -> Step {
        Step { wall_ms, uptime: String::new(), steady: wall_ms / 1000, process: self.process.clone() }
    }

    /// The statement by which so many numbers of the books are never used, and none up to `beyond`.
    pub(super) fn skip_sequences(&self, count: i64, beyond: i64) -> String {
        match self.kind {
            Kind::Sqlite { .. } => format!(
                "INSERT INTO sqlite_sequence (name, seq) SELECT 'outbox', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'outbox'); \
                 UPDATE sqlite_sequence SET seq = max(seq + {count}, {beyond}) WHERE name = 'outbox'"
            ),
            Kind::Postgres(_) => format!(
                "SELECT setval(pg_get_serial_sequence('outbox', 'sequence'), greatest(coalesce((SELECT max(sequence) FROM outbox), 0) + {count}, {beyond}))"
            ),
        }
    }

    /// What an error means.
    pub(super) fn trouble(error: &Error) -> Trouble {
        match error {
            Error::Sqlite(_) if matches!(sqlite::code(error), Some(5 | 6)) => Trouble::Busy,
            Error::Postgres(sqlx::Error::Database(database)) => {
                let code = database.code().unwrap_or_default().into_owned();
                match code.as_str() {
                    // Lock not to be had in time, deadlock, could not be serialised, cancelled by a time limit.
                    "55P03" | "40P01" | "40001" | "57014" => Trouble::Busy,
                    // Shut down, crashed, starting, too many connections; idle for too long within a step.
                    "53300" | "25P03" => Trouble::Gone,
                    _ if code.starts_with("57P") || code.starts_with("08") => Trouble::Gone,
                    _ => Trouble::Failed,
                }
            }
            Error::Postgres(error) if is_of_the_connection(error) => Trouble::Gone,
            Error::Silent => Trouble::Gone,
            _ => Trouble::Failed,
        }
    }
}

/// Milliseconds since 1970 by the clock of `PostgreSQL`.
const NOW_MS: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

fn is_of_the_connection(error: &sqlx::Error) -> bool {
    matches!(
        error,
        sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
    )
}
