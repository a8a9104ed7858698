//! The ledger in `SQLite` (one file with a write-ahead log) or `PostgreSQL`, each commit on disk before it is answered.
//! One connection writes (`writer`), a few read. Starts with [`Sql::open`]; ends with `shut`, or with the process, at any
//! moment. What differs between the two is in `engine`, `sqlite` and `postgres`; all else is one SQL for both.
//!
//! Other processes may write, too, such as `attempts settle` or another node: each step waits for its turn.

mod abandon;
mod begin;
mod close;
mod deliveries;
mod end;
mod engine;
mod figures;
mod guesses;
mod outbox;
mod postgres;
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
use engine::{Engine, Kind};
use rows::{kept, kept_of, key_of, select_kept};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, ConnectOptions, Connection, Row};
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use writer::Writer;

const READERS: u32 = 4;
const READER_PATIENCE: Duration = Duration::from_secs(5);
const SILENT: &str = "the database does not answer";
type BoxFuture<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;
/// A try leaves when its beginning is on disk, and its own deadline counts from then: its sender, which another process
/// may take for gone, is given this much more.
const LATER: Duration = Duration::from_secs(3);
/// The lease of one that begins no try.
const NONE: Duration = Duration::ZERO;

/// The ledger in a database.
pub(crate) struct Sql {
    writer: Mutex<Option<Writer>>,
    writing: Mutex<Option<JoinHandle<()>>>,
    /// Told when the writer has ended.
    stopped: CancellationToken,
    readers: AnyPool,
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
        if ledger.engine.is_here() {
            let (options, stopped) = (sqlite::options(url)?, ledger.stopped.clone());
            tokio::spawn(async move {
                if let Some(why) = sqlite::check_beside(&options).await {
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
            let engine = engine(Kind::Postgres, postgres::options(url)?, clock, NONE);
            postgres::look(&engine).await?;
            engine
        } else {
            let options = sqlite::options(url)?;
            sqlite::look(&options).await?;
            engine(Kind::Sqlite { observed_before: 0 }, any(&options)?, clock, NONE)
        };
        let stopped = CancellationToken::new();
        stopped.cancel();
        let readers = readers(&engine, url)?;
        let (writer, writing) = (Mutex::default(), Mutex::default());
        Ok(Self { writer, writing, stopped, readers, engine, forgets: AtomicBool::new(false) })
    }

    async fn open_with(url: &str, may_make: bool, clock: Arc<Clock>, lease: Duration) -> Result<Self, OpenError> {
        let (engine, connection) = if is_postgres(url) {
            let engine = engine(Kind::Postgres, postgres::options(url)?, clock, lease);
            let connection = postgres::prepare(&engine, may_make).await?;
            (engine, connection)
        } else {
            let options = sqlite::options(url)?;
            let (first, observed_before) = sqlite::prepare(&options, may_make).await?;
            let engine = engine(Kind::Sqlite { observed_before }, any(&options)?, clock, lease);
            let connection = engine.connect().await;
            let connection = connection.map_err(|error| OpenError(sqlite::explain(options.get_filename(), &error)))?;
            let _ = first.close().await;
            (engine, connection)
        };
        let readers = readers(&engine, url)?;
        let stopped = CancellationToken::new();
        let (writer, writing) = Writer::start(connection, Arc::clone(&engine), stopped.clone());
        Ok(Self {
            writer: Mutex::new(Some(writer)),
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

    /// Reads, and waits for an answer for so long only: a network that says nothing must hold nobody for ever.
    async fn read<T: Send>(
        &self,
        read: impl for<'c> FnOnce(&'c mut AnyConnection) -> BoxFuture<'c, sqlx::Result<T>> + Send,
    ) -> Result<T, Unavailable> {
        let mut reader = Reader(Some(self.readers.acquire().await.map_err(unreadable)?));
        let Some(connection) = reader.0.as_mut() else { return Err(Unavailable::new(SILENT)) };
        let Ok(read) = timeout(READER_PATIENCE, read(connection)).await else { return Err(Unavailable::new(SILENT)) };
        // To the pool.
        drop(reader.0.take());
        read.map_err(unreadable)
    }

    /// What was not sent and may have been begun all the same is ended when the database is there again.
    fn abandon(&self, key: Uuid, ticket: String) {
        let Some(writer) = self.writer.lock().map_or(None, |writer| writer.clone()) else { return };
        let abandon = abandon::Abandon { ticket, not_sent: reply::never_left(key) };
        tokio::spawn(async move {
            if let Err(unavailable) = writer.run(abandon, None).await {
                tracing::error!(attempt = %key, %unavailable, "a try that was not sent may stand as sending; it is given up when this process has ended");
            }
        });
    }
}

/// A connection that reads. Dropped before its answer has come it goes: nobody knows what is left on it, and the pool
/// would wait for it.
struct Reader(Option<PoolConnection<Any>>);

impl Drop for Reader {
    fn drop(&mut self) {
        drop(self.0.take().map(PoolConnection::detach));
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres:") || url.starts_with("postgresql:")
}

fn engine(kind: Kind, options: AnyConnectOptions, clock: Arc<Clock>, lease: Duration) -> Arc<Engine> {
    static DRIVERS: Once = Once::new();
    DRIVERS.call_once(sqlx::any::install_default_drivers);
    Arc::new(Engine { kind, options, clock, process: Uuid::new_v4().to_string(), lease })
}

/// The same for a connection of either engine.
fn any(options: &sqlx::sqlite::SqliteConnectOptions) -> Result<AnyConnectOptions, OpenError> {
    let options = AnyConnectOptions::from_url(&options.to_url_lossy());
    let options = options.map_err(|error| OpenError(format!("the database cannot be named: {error}")))?;
    Ok(options.disable_statement_logging())
}

fn readers(engine: &Arc<Engine>, url: &str) -> Result<AnyPool, OpenError> {
    let options = if engine.is_here() { any(&sqlite::options(url)?.read_only(true))? } else { engine.options.clone() };
    let for_each = Arc::clone(engine);
    let pool = AnyPoolOptions::new().max_connections(READERS).acquire_timeout(READER_PATIENCE);
    let pool = pool.after_connect(move |connection, _| {
        let engine = Arc::clone(&for_each);
        Box::pin(async move { engine.set_up(connection, false).await })
    });
    Ok(pool.connect_lazy_with(options))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` wants")]
fn unreadable(error: sqlx::Error) -> Unavailable {
    Unavailable::new(&error.to_string())
}

/// For what nobody waits for in the end.
fn soon() -> Instant {
    Instant::now() + READER_PATIENCE
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

    async fn close(&self, key: Uuid) -> Result<Closed, Unavailable> {
        self.write(close::Close { key }, Some(soon())).await
    }

    async fn attempt(&self, key: Uuid) -> Result<Option<Kept>, Unavailable> {
        let process = self.engine.process.clone();
        self.read(move |reader| Box::pin(async move { kept(reader, key, &process).await })).await
    }

    fn forgets(&self) -> bool {
        self.forgets.load(Ordering::SeqCst)
    }

    async fn orphans(&self, deadline: Duration) -> Result<Vec<Orphan>, Unavailable> {
        let query = if self.engine.is_here() {
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
                    let rows = sqlx::query(query).bind(&now.process).fetch_all(reader).await?;
                    Ok((now, rows))
                })
            })
            .await?;
        let orphan = |row: &AnyRow| {
            let sent = Moment { wall_ms: row.try_get("sent_at")?, uptime: row.try_get("sent_uptime")? };
            let left = if self.engine.is_here() {
                self.engine.clock.left_of(deadline + LATER, &sent)
            } else {
                // From the end of its process's lease.
                let passed = now.wall_ms.saturating_sub(sent.wall_ms);
                let due = i64::try_from((deadline + LATER).as_millis()).unwrap_or(i64::MAX);
                Duration::from_millis(u64::try_from(due.saturating_sub(passed)).unwrap_or(0))
            };
            Ok(Orphan { key: key_of(row, "attempt")?, number: row.try_get("number")?, left })
        };
        rows.iter().map(orphan).collect::<sqlx::Result<_>>().map_err(unreadable)
    }

    async fn outcomes(&self, after: i64, limit: u32) -> Result<Vec<Entry>, Unavailable> {
        let rows = sqlx::query("SELECT * FROM outbox WHERE sequence > $1 ORDER BY sequence LIMIT $2");
        let rows = rows.bind(after).bind(i64::from(limit));
        let rows = self.read(move |reader| Box::pin(async move { rows.fetch_all(reader).await })).await?;
        rows.iter().map(outbox::entry_of).collect::<sqlx::Result<_>>().map_err(unreadable)
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
        let query = sqlx::query(select_kept!(
            "WHERE ($1 = '' OR ',' || $1 || ',' LIKE '%,' || a.state || ',%') AND ($2 IS NULL OR a.owner = $2) \
             AND ($3 IS NULL OR a.created_at >= $3) ORDER BY a.created_at DESC, a.key LIMIT $4"
        ));
        let query = query.bind(states.join(",")).bind(filter.owner).bind(filter.since).bind(i64::from(filter.limit));
        let rows = self.read(move |reader| Box::pin(async move { query.fetch_all(reader).await })).await?;
        rows.iter().map(|row| kept_of(row, &self.engine.process)).collect::<sqlx::Result<_>>().map_err(unreadable)
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
