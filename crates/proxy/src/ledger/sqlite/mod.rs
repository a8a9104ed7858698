//! The ledger in `SQLite`: one file with a write-ahead log, each commit on disk before it is answered. One connection
//! writes (`writer`), a few read. Starts with [`Sqlite::open`]; ends with `shut`, or with the process, at any moment.
//!
//! Other processes may have the file open, such as `attempts settle`: a lock of theirs is waited for.

mod begin;
mod close;
mod end;
mod open;
mod outbox;
mod rows;
mod settle;
#[cfg(test)]
mod tests;
mod upkeep;
mod writer;

use super::{
    Audit, Begun, Closed, Ended, Entry, Filter, Kept, KeptTry, Ledger, Posted, Running, Settlement, SettlementRefused,
    Shown, StoredAnswer, Unavailable,
};
use crate::clock::Clock;
use crate::pin_key::PinKeys;
use async_trait::async_trait;
pub(crate) use open::OpenError;
use rows::{kept, kept_of, key_of, running_of, select_kept};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{QueryBuilder, Row, SqlitePool};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use writer::Writer;

const READERS: u32 = 4;
const READER_PATIENCE: Duration = Duration::from_secs(5);

/// The ledger in a file.
pub(crate) struct Sqlite {
    writer: Mutex<Option<Writer>>,
    writing: Mutex<Option<JoinHandle<()>>>,
    /// Told when the writer has ended.
    stopped: CancellationToken,
    readers: SqlitePool,
    clock: Arc<Clock>,
    /// Names this process, so that its own tries are told from those of one that has gone.
    process: String,
    /// Seconds of running time before this process.
    observed_before: i64,
}

impl Sqlite {
    /// Opens the proxy's ledger, and makes the file where it is missing.
    pub(crate) async fn open(url: &str, pin_keys: &PinKeys, clock: Arc<Clock>) -> Result<Self, OpenError> {
        Self::open_with(url, Some(pin_keys), clock).await
    }

    /// Opens the ledger of a proxy that may be running.
    pub(crate) async fn open_beside(url: &str, clock: Arc<Clock>) -> Result<Self, OpenError> {
        Self::open_with(url, None, clock).await
    }

    /// Opens the ledger of a proxy that may be running, to read only: that waits for nobody's lock, and needs no room
    /// on the disk.
    pub(crate) async fn open_to_read(url: &str, clock: Arc<Clock>) -> Result<Self, OpenError> {
        let options = open::options(url)?;
        open::look(&options).await?;
        let readers = readers(&options);
        let stopped = CancellationToken::new();
        stopped.cancel();
        let process = Uuid::new_v4().to_string();
        let (writer, writing) = (Mutex::default(), Mutex::default());
        Ok(Self { writer, writing, stopped, readers, clock, process, observed_before: 0 })
    }

    async fn open_with(url: &str, pin_keys: Option<&PinKeys>, clock: Arc<Clock>) -> Result<Self, OpenError> {
        let options = open::options(url)?;
        let mut connection = open::prepare(&options, pin_keys.is_some()).await?;
        if let Some(pin_keys) = pin_keys {
            open::check_pin_keys(&mut connection, &pin_keys.marks()).await?;
        }
        let observed_before = open::observed_seconds(&mut connection).await?;
        let options = options.busy_timeout(writer::LOCK_WAIT);
        let connection = open::renew(connection, &options).await?;
        let readers = readers(&options);
        let stopped = CancellationToken::new();
        let (writer, writing) = Writer::start(connection, options, stopped.clone());
        Ok(Self {
            writer: Mutex::new(Some(writer)),
            writing: Mutex::new(Some(writing)),
            stopped,
            readers,
            clock,
            process: Uuid::new_v4().to_string(),
            observed_before,
        })
    }

    /// Seconds of running time, of this and all earlier processes.
    fn observed(&self) -> i64 {
        self.observed_before.saturating_add(i64::try_from(self.clock.running().as_secs()).unwrap_or(i64::MAX))
    }

    async fn write<O: writer::Operation + 'static>(
        &self,
        operation: O,
        by: Option<Instant>,
    ) -> Result<O::Outcome, Unavailable> {
        let writer = self.writer.lock().map_or(None, |writer| writer.clone());
        writer
            .ok_or_else(|| Unavailable("the ledger was shut, or opened to be read".to_owned()))?
            .run(operation, by)
            .await
    }

    async fn reader(&self) -> Result<PoolConnection<sqlx::Sqlite>, Unavailable> {
        self.readers.acquire().await.map_err(unreadable)
    }
}

fn readers(options: &SqliteConnectOptions) -> SqlitePool {
    let pool = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(READER_PATIENCE);
    pool.connect_lazy_with(options.clone().read_only(true))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` wants")]
fn unreadable(error: sqlx::Error) -> Unavailable {
    Unavailable(error.to_string())
}

#[async_trait]
impl Ledger for Sqlite {
    async fn begin(&self, posted: Posted, may_send: bool, by: Instant) -> Result<Begun, Unavailable> {
        let begin = begin::Begin { posted, may_send, clock: Arc::clone(&self.clock), process: self.process.clone() };
        self.write(begin, Some(by)).await
    }

    async fn end(&self, ended: Ended) -> Result<Option<Kept>, Unavailable> {
        let (now_ms, observed, process) = (self.clock.wall_ms(), self.observed(), self.process.clone());
        self.write(end::End { ended, now_ms, observed, process }, None).await
    }

    async fn close(&self, key: Uuid) -> Result<Closed, Unavailable> {
        let (now_ms, observed, process) = (self.clock.wall_ms(), self.observed(), self.process.clone());
        self.write(close::Close { key, now_ms, observed, process }, Some(Instant::now() + READER_PATIENCE)).await
    }

    async fn attempt(&self, key: Uuid) -> Result<Option<Kept>, Unavailable> {
        kept(&mut *self.reader().await?, key, &self.process).await.map_err(unreadable)
    }

    async fn orphans(&self) -> Result<Vec<(Uuid, Running)>, Unavailable> {
        let rows = sqlx::query(
            "SELECT t.attempt, t.number, t.sent_at, t.sent_uptime, t.process FROM attempts a \
             JOIN tries t ON t.attempt = a.key AND t.ended_at IS NULL WHERE a.state = 'sending' AND t.process <> ?",
        );
        let rows = rows.bind(&self.process).fetch_all(&mut *self.reader().await?).await.map_err(unreadable)?;
        let orphan = |row| Ok((key_of(row, "attempt")?, running_of(row, row.try_get("number")?, &self.process)?));
        rows.iter().map(orphan).collect::<sqlx::Result<_>>().map_err(unreadable)
    }

    async fn outcomes(&self, after: i64, limit: u32) -> Result<Vec<Entry>, Unavailable> {
        let rows = sqlx::query(
            "SELECT sequence, attempt, transaction_id, user_id, currency, value, outcome, at FROM outbox \
             WHERE sequence > ? ORDER BY sequence LIMIT ?",
        );
        let rows = rows.bind(after).bind(limit).fetch_all(&mut *self.reader().await?).await.map_err(unreadable)?;
        rows.iter().map(outbox::entry_of).collect::<sqlx::Result<_>>().map_err(unreadable)
    }

    async fn list(&self, filter: Filter) -> Result<Vec<Kept>, Unavailable> {
        let mut query = QueryBuilder::new(select_kept!("WHERE 1 = 1"));
        if !filter.states.is_empty() {
            query.push(" AND a.state IN (");
            let mut states = query.separated(", ");
            filter.states.iter().for_each(|state| {
                states.push_bind(state.as_str());
            });
            query.push(")");
        }
        if let Some(owner) = filter.owner {
            query.push(" AND a.owner = ").push_bind(owner);
        }
        if let Some(since) = filter.since {
            query.push(" AND a.created_at >= ").push_bind(since);
        }
        query.push(" ORDER BY a.created_at DESC, a.key LIMIT ").push_bind(filter.limit);
        let rows = query.build().fetch_all(&mut *self.reader().await?).await.map_err(unreadable)?;
        rows.iter().map(|row| kept_of(row, &self.process)).collect::<sqlx::Result<_>>().map_err(unreadable)
    }

    async fn show(&self, key: Uuid) -> Result<Option<Shown>, Unavailable> {
        show(&mut *self.reader().await?, key, &self.process).await.map_err(unreadable)
    }

    async fn settle(&self, settlement: Settlement) -> Result<Result<Kept, SettlementRefused>, Unavailable> {
        let (now_ms, observed, process) = (self.clock.wall_ms(), self.observed(), self.process.clone());
        self.write(settle::Settle { settlement, now_ms, observed, process }, None).await
    }

    async fn observe(&self) -> Result<(), Unavailable> {
        self.write(upkeep::Observe { observed: self.observed() }, Some(Instant::now() + READER_PATIENCE)).await
    }

    async fn prune(&self, observed_seconds: i64) -> Result<bool, Unavailable> {
        let ended_by = self.observed().saturating_sub(observed_seconds);
        self.write(upkeep::Prune { ended_by }, Some(Instant::now() + READER_PATIENCE)).await
    }

    async fn stopped(&self) {
        self.stopped.cancelled().await;
    }

    async fn shut(&self) {
        // Before the writer: the last connection folds the log into the file, and a reader may not.
        self.readers.close().await;
        let writing = self.writing.lock().map_or(None, |mut writing| writing.take());
        // Whoever still has the writer in hand finishes first.
        drop(self.writer.lock().map(|mut writer| writer.take()));
        if let Some(writing) = writing {
            let _ = writing.await;
        }
    }
}

async fn show(connection: &mut sqlx::SqliteConnection, key: Uuid, process: &str) -> sqlx::Result<Option<Shown>> {
    let Some(kept) = kept(connection, key, process).await? else { return Ok(None) };
    let key = key.to_string();
    let brand =
        sqlx::query_scalar("SELECT brand FROM attempts WHERE key = ?").bind(&key).fetch_one(&mut *connection).await?;
    let tries = sqlx::query("SELECT * FROM tries WHERE attempt = ? ORDER BY number")
        .bind(&key)
        .fetch_all(&mut *connection)
        .await?;
    let tries = tries.iter().map(|row| {
        let answer = row.try_get::<Option<u16>, _>("status")?.map(|status| {
            Ok::<_, sqlx::Error>(StoredAnswer {
                status,
                retry_after: row.try_get("retry_after")?,
                body: row.try_get("body")?,
            })
        });
        Ok(KeptTry {
            number: row.try_get("number")?,
            sent_at: row.try_get("sent_at")?,
            ended_at: row.try_get("ended_at")?,
            answer: answer.transpose()?,
            meaning: row.try_get("meaning")?,
            money: row.try_get("money")?,
            transaction_id: row.try_get("transaction_id")?,
        })
    });
    let tries = tries.collect::<sqlx::Result<_>>()?;
    let audit =
        sqlx::query("SELECT * FROM audit WHERE attempt = ? ORDER BY id").bind(&key).fetch_all(&mut *connection).await?;
    let audit = audit.iter().map(|row| {
        Ok(Audit {
            at: row.try_get("at")?,
            by: row.try_get("by")?,
            action: row.try_get("action")?,
            reason: row.try_get("reason")?,
        })
    });
    let audit = audit.collect::<sqlx::Result<_>>()?;
    let outcomes = sqlx::query("SELECT * FROM outbox WHERE attempt = ?").bind(&key).fetch_all(&mut *connection).await?;
    let outcomes = outcomes.iter().map(outbox::entry_of).collect::<sqlx::Result<_>>()?;
    Ok(Some(Shown { kept, brand, tries, audit, outcomes }))
}
