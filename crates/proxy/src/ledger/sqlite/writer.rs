//! The one writer: a task with the only connection that writes. It runs whatever waits as one transaction with one
//! fsync, and answers each caller after the commit. Ends when the last [`Writer`] is gone.
//!
//! An operation may be run several times before it is committed, and must depend on nothing but itself and the
//! database. One that fails is run again without the others, so that it spoils nobody else's.

use super::open::code;
use crate::ledger::Unavailable;
use async_trait::async_trait;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

/// Operations in one transaction.
const MOST_AT_ONCE: usize = 256;
/// Operations that may wait for the writer, and as many again for the end of somebody's lock. More are refused at once.
pub(super) const MOST_WAITING: usize = 4096;
/// How long `SQLite` itself waits for somebody else's lock, and the pause before it is asked again.
pub(super) const LOCK_WAIT: Duration = Duration::from_millis(200);
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// A lock that lasts is worth a line in the log now and then.
const LOCK_WARNING: Duration = Duration::from_secs(2);

const ENDED: &str = "the writer has ended";
const LATE: &str = "the database is locked";

/// One step of the ledger.
#[async_trait]
pub(super) trait Operation: Send + Sync {
    type Outcome: Send;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<Self::Outcome>;
}

/// Hands operations to the writer.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Box<dyn Job>>);

impl Writer {
    /// Starts the writer on a connection that is set up. `stopped` is told when it ends, also by a defect.
    pub(super) fn start(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        stopped: CancellationToken,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let (sender, jobs) = mpsc::channel(MOST_WAITING);
        let writing = tokio::spawn(async move {
            let _told = stopped.drop_guard();
            write(jobs, connection, options).await;
        });
        (Self(sender), writing)
    }

    /// Runs one operation, and is done when it is on disk. After `by` it is no longer begun.
    pub(super) async fn run<O: Operation + 'static>(
        &self,
        operation: O,
        by: Option<Instant>,
    ) -> Result<O::Outcome, Unavailable> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Waiting { operation, by, outcome: None, reply });
        self.0.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Unavailable("too much waits to be written".to_owned()),
            TrySendError::Closed(_) => Unavailable(ENDED.to_owned()),
        })?;
        answer.await.unwrap_or_else(|_| Err(Unavailable(ENDED.to_owned())))
    }
}

/// An operation and who waits for it.
struct Waiting<O: Operation> {
    operation: O,
    by: Option<Instant>,
    outcome: Option<O::Outcome>,
    reply: oneshot::Sender<Result<O::Outcome, Unavailable>>,
}

/// An operation of any kind.
#[async_trait]
trait Job: Send {
    fn is_late(&self, now: Instant) -> bool;
    async fn run(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()>;
    /// Committed.
    fn done(self: Box<Self>);
    fn failed(self: Box<Self>, why: Unavailable);
}

#[async_trait]
impl<O: Operation + 'static> Job for Waiting<O> {
    fn is_late(&self, now: Instant) -> bool {
        self.by.is_some_and(|by| by <= now)
    }

    async fn run(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        self.outcome = Some(self.operation.run(connection).await?);
        Ok(())
    }

    fn done(self: Box<Self>) {
        let outcome = self.outcome.ok_or_else(|| Unavailable("an operation was not run".to_owned()));
        // Who asked may have left. It is written all the same.
        let _ = self.reply.send(outcome);
    }

    fn failed(self: Box<Self>, why: Unavailable) {
        let _ = self.reply.send(Err(why));
    }
}

async fn write(
    mut jobs: mpsc::Receiver<Box<dyn Job>>,
    mut connection: SqliteConnection,
    options: SqliteConnectOptions,
) {
    let mut waiting: VecDeque<Box<dyn Job>> = VecDeque::new();
    let mut locked_since: Option<Instant> = None;
    loop {
        if waiting.is_empty() {
            let Some(job) = jobs.recv().await else { break };
            waiting.push_back(job);
        }
        while waiting.len() < MOST_WAITING
            && let Ok(job) = jobs.try_recv()
        {
            waiting.push_back(job);
        }
        // All of them: what is late must not wait behind what may take for ever.
        let now = Instant::now();
        let (late, in_time): (VecDeque<_>, VecDeque<_>) = waiting.into_iter().partition(|job| job.is_late(now));
        for job in late {
            job.failed(Unavailable(LATE.to_owned()));
        }
        waiting = in_time;
        let mut batch: Vec<_> = waiting.drain(..waiting.len().min(MOST_AT_ONCE)).collect();
        if batch.is_empty() {
            continue;
        }
        match transaction(&mut connection, &mut batch).await {
            Ok(()) => {
                locked_since = None;
                batch.into_iter().for_each(Job::done);
            }
            Err(failed) if matches!(code(&failed), Some(5 | 6)) => {
                let since = *locked_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= LOCK_WARNING {
                    warn!(waiting = batch.len() + waiting.len(), "the database is locked by another program");
                    locked_since = Some(Instant::now());
                }
                batch.into_iter().rev().for_each(|job| waiting.push_front(job));
                sleep(LOCK_PAUSE).await;
            }
            Err(failed) => {
                let alone = batch.len() == 1;
                warn!(error = %failed, operations = batch.len(), "a transaction failed and was undone");
                connection = renewed(connection, &options).await;
                for mut job in batch {
                    let failed = match () {
                        () if alone => Some(failed.to_string()),
                        () if job.is_late(Instant::now()) => Some(LATE.to_owned()),
                        () => one(&mut connection, &mut job).await,
                    };
                    match failed {
                        None => job.done(),
                        Some(why) => job.failed(Unavailable(why)),
                    }
                }
            }
        }
    }
    if let Err(failed) = connection.close().await {
        error!(error = %failed, "the database could not be closed");
    }
}

async fn transaction(connection: &mut SqliteConnection, batch: &mut [Box<dyn Job>]) -> sqlx::Result<()> {
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    let mut result = Ok(());
    for job in batch.iter_mut() {
        result = job.run(connection).await;
        if result.is_err() {
            break;
        }
    }
    if result.is_ok() {
        result = sqlx::query("COMMIT").execute(&mut *connection).await.map(drop);
    }
    if result.is_err() {
        // After some errors SQLite has done so itself, and says that there is nothing to undo.
        let _ = sqlx::query("ROLLBACK").execute(&mut *connection).await;
    }
    result
}

/// One operation in a transaction of its own; why it failed, if it did.
async fn one(connection: &mut SqliteConnection, job: &mut Box<dyn Job>) -> Option<String> {
    transaction(connection, std::slice::from_mut(job)).await.err().map(|error| error.to_string())
}

/// A fresh connection where one can be had: nobody knows what an input or output error has left of the old one.
async fn renewed(old: SqliteConnection, options: &SqliteConnectOptions) -> SqliteConnection {
    match SqliteConnection::connect_with(options).await {
        Ok(new) => {
            let _ = old.close().await;
            new
        }
        Err(error) => {
            warn!(%error, "the database cannot be opened again");
            old
        }
    }
}
