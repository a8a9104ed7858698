//! The ledger in `SQLite` (one file with a write-ahead log) or `PostgreSQL`, each commit on disk before it is answered.
//! One connection writes (`writer`), a few read. Starts with [`Sql::open`]; ends with `shut`, or with the process, at any
//! moment. What differs between the two is in `engine`, `sqlite` and `postgres`; all else is one SQL for both.
//!
//! Other processes may write, too, such as `attempts settle` or another node: each step waits for its turn.

mod abandon;
mod begin;
mod close;
mod connection;
mod deliveries;
mod end;
mod engine;
mod figures;
mod guesses;
mod outbox;
mod postgres;
mod readers;
mod rows;
mod settle;
mod shown;
mod sqlite;
#[cfg(test)]
mod tests;
mod upkeep;
mod writer;

use super::{
    Begun, Closed, Delivery, Ended, Entry, Figures, Filter, Kept, Ledger, Mark, Orphan, Posted, Redeliver, Restored,
    Settlement, SettlementRefused, Shown, Unavailable,
};
use crate::clock::{Clock, Moment};
use crate::pin_key::PinKeys;
use crate::reply;
use async_trait::async_trait;
use connection::{Connection, Error, Result, Row, query};
use engine::{Engine, Kind};
use readers::{BoxFuture, Readers};
use rows::{kept, kept_of, key_of, select_kept};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use writer::Writer;

/// A try leaves when its beginning is on disk, and its own deadline counts from then: its sender, which another process
/// may take for gone, is given this much more.
const LATER: Duration = Duration::from_secs(3);
/// The pause before what was not sent is ended again.
const ABANDON_PAUSE: Duration = Duration::from_millis(250);
/// The lease of one that begins no try.
const NONE: Duration = Duration::ZERO;

/// The ledger in a database.
pub(crate) struct Sql {
    writer: Arc<Mutex<Option<Writer>>>,
    /// Is over when the writer has ended.
    writing: Mutex<Option<oneshot::Receiver<()>>>,
    /// Told when the writer has ended.
    stopped: CancellationToken,
    readers: Readers,
    engine: Arc<Engine>,
    forgets: AtomicBool,
}

/// The database cannot be used. Says what is wrong and what to do; exit code 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenError(String);

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OpenError {}

impl Sql {
    /// Opens the proxy's ledger, and makes it where it is missing.
    pub(crate) async fn open(
        url: &str,
        pin_keys: &PinKeys,
        clock: Arc<Clock>,
        lease: Duration,
    ) -> Result<Self, OpenError> {
        let ledger = Self::open_with(url, true, clock, lease).await?;
        let broken = |unavailable: Unavailable| OpenError(format!("the database cannot be used: {unavailable}"));
        ledger.accept_pin_keys(pin_keys).await.map_err(broken)?.map_err(OpenError)?;
        if let Kind::Sqlite { file, .. } = &ledger.engine.kind {
            let (file, stopped) = (file.clone(), ledger.stopped.clone());
            // On a thread that nobody waits for: a large file takes long.
            std::thread::spawn(move || {
                if let Some(why) = sqlite::check_beside(&file) {
                    tracing::error!("ALARM: {why}");
                    stopped.cancel();
                }
            });
        }
        Ok(ledger)
    }

    /// Opens the ledger of a proxy that may be running.
    pub(crate) async fn open_beside(url: &str, clock: Arc<Clock>) -> Result<Self, OpenError> {
        Self::open_with(url, false, clock, NONE).await
    }

    /// Opens the ledger of a proxy that may be running, to read only: that waits for nobody's lock, and needs no room
    /// on the disk.
    pub(crate) async fn open_to_read(url: &str, clock: Arc<Clock>) -> Result<Self, OpenError> {
        let engine = if is_postgres(url) {
            let engine = engine(Kind::Postgres(Box::new(postgres::options(url)?)), clock, NONE);
            postgres::look(&engine).await?;
            engine
        } else {
            let file = sqlite::file(url)?;
            on_its_thread({
                let file = file.clone();
                move || sqlite::look(&file)
            })
            .await?;
            engine(Kind::Sqlite { file, observed_before: 0 }, clock, NONE)
        };
        let stopped = CancellationToken::new();
        stopped.cancel();
        let readers = Readers::new(Arc::clone(&engine));
        let (writer, writing) = (Arc::default(), Mutex::default());
        Ok(Self { writer, writing, stopped, readers, engine, forgets: AtomicBool::new(false) })
    }

    async fn open_with(url: &str, may_make: bool, clock: Arc<Clock>, lease: Duration) -> Result<Self, OpenError> {
        let (engine, connection) = if is_postgres(url) {
            let engine = engine(Kind::Postgres(Box::new(postgres::options(url)?)), clock, lease);
            let connection = postgres::prepare(&engine, may_make).await?;
            (engine, connection)
        } else {
            let file = sqlite::file(url)?;
            let preparing = file.clone();
            let (first, observed_before) = on_its_thread(move || sqlite::prepare(&preparing, may_make)).await?;
            let engine = engine(Kind::Sqlite { file: file.clone(), observed_before }, clock, lease);
            let connection = engine.connect(true).await;
            let connection = connection.map_err(|error| OpenError(sqlite::explain(&file, &error)))?;
            // Only now: the last to leave folds the log into the file.
            drop(first);
            (engine, connection)
        };
        let readers = Readers::new(Arc::clone(&engine));
        let stopped = CancellationToken::new();
        let (writer, writing) = Writer::start(connection, Arc::clone(&engine), stopped.clone());
        Ok(Self {
            writer: Arc::new(Mutex::new(Some(writer))),
            writing: Mutex::new(Some(writing)),
            stopped,
            readers,
            engine,
            forgets: AtomicBool::new(false),
        })
    }

    async fn write<O: writer::Operation + 'static>(
        &self,
        operation: O,
        by: Option<Instant>,
    ) -> Result<O::Outcome, Unavailable> {
        let writer = self.writer.lock().map_or(None, |writer| writer.clone());
        writer.ok_or_else(|| Unavailable::new("the ledger was shut, or opened to be read"))?.run(operation, by).await
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    ) -> Result<T, Unavailable> {
        self.readers.read(read).await.map_err(unreadable)
    }

    /// What was not sent and may have been begun all the same is ended when the database is there again.
    fn abandon(&self, key: Uuid, ticket: String) {
        let (writer, stopped) = (Arc::clone(&self.writer), self.stopped.clone());
        tokio::spawn(async move {
            let mut is_told = false;
            // Its own each time, so that whoever shuts the ledger is not waited for in vain.
            while !stopped.is_cancelled()
                && let Some(writer) = writer.lock().map_or(None, |writer| writer.clone())
            {
                let abandon = abandon::Abandon { ticket: ticket.clone(), not_sent: reply::never_left(key) };
                let Err(unavailable) = writer.run(abandon, None).await else { return };
                drop(writer);
                if !is_told {
                    tracing::error!(attempt = %key, %unavailable, "a try that was not sent may stand as sending until this can be written");
                    is_told = true;
                }
                sleep(ABANDON_PAUSE).await;
            }
        });
    }
}

/// The file of a ledger, if it is in one.
pub(crate) fn file_of(url: &str) -> Option<PathBuf> {
    sqlite::file(url).ok()
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres:") || url.starts_with("postgresql:")
}

fn engine(kind: Kind, clock: Arc<Clock>, lease: Duration) -> Arc<Engine> {
    Arc::new(Engine { kind, clock, process: Uuid::new_v4().to_string(), lease })
}

/// What waits for the disk.
async fn on_its_thread<T: Send + 'static>(
    opening: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    let ended = |_| OpenError("the database could not be opened: its thread ended".to_owned());
    spawn_blocking(opening).await.map_err(ended)?
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` wants")]
fn unreadable(error: Error) -> Unavailable {
    Unavailable::new(&error.to_string())
}

/// For what nobody waits for in the end.
fn soon() -> Instant {
    Instant::now() + readers::PATIENCE
}

fn whole_seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

#[async_trait]
impl Ledger for Sql {
    async fn begin(&self, posted: Posted, may_send: bool, by: Instant) -> Result<Begun, Unavailable> {
        let (key, ticket) = (posted.key, Uuid::new_v4().to_string());
        let begin = begin::Begin { posted, may_send, ticket: ticket.clone() };
        let outcome = self.write(begin, Some(by)).await;
        if outcome.as_ref().is_err_and(|unavailable| unavailable.may_stand) {
            self.abandon(key, ticket);
        }
        outcome
    }

    async fn end(&self, ended: Ended) -> Result<Option<Kept>, Unavailable> {
        self.write(end::End { ended }, None).await
    }

    async fn close(&self, key: Uuid, subject: Option<String>) -> Result<Closed, Unavailable> {
        self.write(close::Close { key, subject }, Some(soon())).await
    }

    async fn attempt(&self, key: Uuid) -> Result<Option<Kept>, Unavailable> {
        let process = self.engine.process.clone();
        self.read(move |reader| Box::pin(async move { kept(reader, key, &process).await })).await
    }

    fn forgets(&self) -> bool {
        self.forgets.load(Ordering::SeqCst)
    }

    async fn orphans(&self, deadline: Duration) -> Result<Vec<Orphan>, Unavailable> {
        let orphans = if self.engine.is_here() {
            "SELECT t.attempt, t.number, t.sent_at, t.sent_uptime FROM attempts a \
             JOIN tries t ON t.attempt = a.key AND t.ended_at IS NULL WHERE a.state = 'sending' AND t.process <> $1"
        } else {
            "SELECT t.attempt, t.number, coalesce(n.leased_until_ms, t.sent_at) AS sent_at, t.sent_uptime FROM attempts a \
             JOIN tries t ON t.attempt = a.key AND t.ended_at IS NULL LEFT JOIN nodes n ON n.process = t.process \
             WHERE a.state = 'sending' AND t.process <> $1"
        };
        let engine = Arc::clone(&self.engine);
        let (now, rows) = self
            .read(move |reader| {
                Box::pin(async move {
                    let now = engine.now(reader).await?;
                    let rows = query(orphans).bind(&now.process).all(reader).await?;
                    Ok((now, rows))
                })
            })
            .await?;
        let orphan = |row: &Row| {
            let sent = Moment { wall_ms: row.get("sent_at")?, uptime: row.get("sent_uptime")? };
            let left = if self.engine.is_here() {
                self.engine.clock.left_of(deadline + LATER, &sent)
            } else {
                // From the end of its process's lease.
                let passed = now.wall_ms.saturating_sub(sent.wall_ms);
                let due = i64::try_from((deadline + LATER).as_millis()).unwrap_or(i64::MAX);
                Duration::from_millis(u64::try_from(due.saturating_sub(passed)).unwrap_or(0))
            };
            Ok(Orphan { key: key_of(row, "attempt")?, number: row.get("number")?, left })
        };
        rows.iter().map(orphan).collect::<Result<_>>().map_err(unreadable)
    }

    async fn outcomes(&self, after: i64, limit: u32) -> Result<Vec<Entry>, Unavailable> {
        let rows = query("SELECT * FROM outbox WHERE sequence > $1 ORDER BY sequence LIMIT $2");
        let rows = rows.bind(after).bind(i64::from(limit));
        let rows = self.read(move |reader| Box::pin(async move { rows.all(reader).await })).await?;
        rows.iter().map(outbox::entry_of).collect::<Result<_>>().map_err(unreadable)
    }

    async fn claim_deliveries(&self, limit: u32, claim: Duration) -> Result<Vec<Delivery>, Unavailable> {
        let engine = Arc::clone(&self.engine);
        let any_due = self.read(move |reader| {
            Box::pin(async move {
                let now = engine.now(reader).await?;
                deliveries::any_due(reader, &now).await
            })
        });
        if !any_due.await? {
            return Ok(Vec::new());
        }
        self.write(deliveries::Claim { limit: i64::from(limit), seconds: whole_seconds(claim) }, Some(soon())).await
    }

    async fn delivered(&self, sequence: i64) -> Result<(), Unavailable> {
        self.write(deliveries::Delivered { sequence, again_after: None }, Some(soon())).await
    }

    async fn not_delivered(&self, sequence: i64, wait: Duration) -> Result<(), Unavailable> {
        self.write(deliveries::Delivered { sequence, again_after: Some(whole_seconds(wait)) }, Some(soon())).await
    }

    async fn redeliver(&self, which: Redeliver) -> Result<u64, Unavailable> {
        self.write(deliveries::Again(which), None).await
    }

    async fn figures(&self) -> Result<Figures, Unavailable> {
        let engine = Arc::clone(&self.engine);
        let figures = self.read(move |reader| {
            Box::pin(async move {
                let now = engine.now(reader).await?;
                figures::figures(reader, &now).await
            })
        });
        figures.await
    }

    async fn list(&self, filter: Filter) -> Result<Vec<Kept>, Unavailable> {
        let states: Vec<&str> = filter.states.iter().map(|state| state.as_str()).collect();
        let attempts = query(select_kept!(
            "WHERE ($1 = '' OR ',' || $1 || ',' LIKE '%,' || a.state || ',%') AND ($2 IS NULL OR a.owner = $2) \
             AND ($3 IS NULL OR a.created_at >= $3) ORDER BY a.created_at DESC, a.key LIMIT $4"
        ));
        let attempts =
            attempts.bind(states.join(",")).bind(filter.owner).bind(filter.since).bind(i64::from(filter.limit));
        let rows = self.read(move |reader| Box::pin(async move { attempts.all(reader).await })).await?;
        rows.iter().map(|row| kept_of(row, &self.engine.process)).collect::<Result<_>>().map_err(unreadable)
    }

    async fn show(&self, key: Uuid) -> Result<Option<Shown>, Unavailable> {
        let process = self.engine.process.clone();
        self.read(move |reader| Box::pin(async move { shown::show(reader, key, &process).await })).await
    }

    async fn settle(&self, settlement: Settlement) -> Result<Result<Kept, SettlementRefused>, Unavailable> {
        self.write(settle::Settle { settlement }, None).await
    }

    async fn restored(&self, restored: Restored) -> Result<u64, Unavailable> {
        self.write(upkeep::Restore { restored, engine: Arc::clone(&self.engine) }, None).await
    }

    async fn accept_pin_keys(&self, keys: &PinKeys) -> Result<Result<(), String>, Unavailable> {
        self.write(upkeep::AcceptPinKeys { marks: keys.marks() }, Some(soon())).await
    }

    async fn mark(&self) -> Result<Mark, Unavailable> {
        let engine = Arc::clone(&self.engine);
        let mark = self.read(move |reader| {
            Box::pin(async move {
                let now = engine.now(reader).await?;
                upkeep::mark(reader, now.steady).await
            })
        });
        mark.await
    }

    async fn observe(&self) -> Result<Mark, Unavailable> {
        let ledger = i64::from_ne_bytes(Uuid::new_v4().as_u64_pair().0.to_ne_bytes());
        let mark = self.write(upkeep::Observe { ledger }, Some(soon())).await?;
        self.forgets.store(mark.forgets, Ordering::SeqCst);
        Ok(mark)
    }

    async fn prune(&self, seconds: i64) -> Result<bool, Unavailable> {
        self.write(upkeep::Prune { seconds, engine: Arc::clone(&self.engine) }, Some(soon())).await
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
