//! The one writer of a process: a task with its only connection that writes. It runs whatever waits as one transaction
//! with one fsync, and answers each caller after the commit. Ends when the last [`Writer`] is gone.
//!
//! An operation may be run several times before it is committed, and must depend on nothing but itself and the
//! database. One that fails is run again without the others, so that it spoils nobody else's.

use super::connection::{Connection, Error, Result};
use super::engine::{Engine, Step, Trouble};
use crate::ledger::Unavailable;
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

/// Operations in one transaction.
const MOST_AT_ONCE: usize = 256;
/// Operations that may wait for the writer, and as many again for the end of somebody's lock. More are refused at once.
pub(super) const MOST_WAITING: usize = 4096;
/// The pause before the same is tried again: somebody else has the lock, or the database has gone.
const LOCK_PAUSE: Duration = Duration::from_millis(20);
const GONE_PAUSE: Duration = Duration::from_millis(200);
/// A lock that lasts is worth a line in the log now and then.
const LOCK_WARNING: Duration = Duration::from_secs(2);

/// What a step may take where a network is between: longer than the limits that the server itself has.
const STEP_WITHIN: Duration = Duration::from_secs(12);
/// How long what was begun in time is waited for.
const COMMIT_WITHIN: Duration = Duration::from_secs(1);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// How long a step takes operations on where others wait for their turn; what is left over is the next step's.
const TURN: Duration = Duration::from_millis(100);

const ENDED: &str = "the writer has ended";
const LATE: &str = "it could not be written in time";

/// One step of the ledger.
#[async_trait]
pub(super) trait Operation: Send + Sync {
    type Outcome: Send;

    async fn run(&self, connection: &mut Connection, step: &Step) -> Result<Self::Outcome>;
}

/// Hands operations to the writer.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Box<dyn Job>>);

impl Writer {
    /// Starts the writer on a connection that is set up, and gives what is over when it has ended, also by a defect, as
    /// `stopped` is told. A file is written by a thread of its own.
    pub(super) fn start(
        connection: Connection,
        engine: Arc<Engine>,
        stopped: CancellationToken,
    ) -> (Self, oneshot::Receiver<()>) {
        let (sender, jobs) = mpsc::channel(MOST_WAITING);
        let (ended, writing) = oneshot::channel();
        let is_here = engine.is_here();
        let writes = async move {
            let _told = (stopped.drop_guard(), ended);
            write(jobs, connection, &engine).await;
        };
        if is_here {
            let runtime = Handle::current();
            std::thread::spawn(move || runtime.block_on(writes));
        } else {
            tokio::spawn(writes);
        }
        (Self(sender), writing)
    }

    /// Runs one operation, and is done when it is on disk. After `by` it is no longer begun, and soon no longer waited
    /// for: if it was begun before, it may stand.
    pub(super) async fn run<O: Operation + 'static>(
        &self,
        operation: O,
        by: Option<Instant>,
    ) -> Result<O::Outcome, Unavailable> {
        let (reply, answer) = oneshot::channel();
        let begun = Arc::new(AtomicBool::new(false));
        let may_stand = Arc::clone(&begun);
        let job = Box::new(Waiting { operation, by, begun, outcome: None, is_uncertain: false, reply });
        self.0.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Unavailable::new("too much waits to be written"),
            TrySendError::Closed(_) => Unavailable::new(ENDED),
        })?;
        let Some(by) = by else { return answer.await.unwrap_or_else(|_| Err(Unavailable::new(ENDED))) };
        match timeout_at(by + COMMIT_WITHIN, answer).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(Unavailable::new(ENDED))),
            Err(_) => Err(Unavailable { why: LATE.to_owned(), may_stand: may_stand.load(Ordering::SeqCst) }),
        }
    }
}

/// An operation and who waits for it.
struct Waiting<O: Operation> {
    operation: O,
    by: Option<Instant>,
    /// Whether it was ever begun, or nearly.
    begun: Arc<AtomicBool>,
    outcome: Option<O::Outcome>,
    /// The connection was lost as it was being committed: it may stand.
    is_uncertain: bool,
    reply: oneshot::Sender<Result<O::Outcome, Unavailable>>,
}

/// An operation of any kind.
#[async_trait]
trait Job: Send {
    fn is_late(&self, now: Instant) -> bool;
    /// From here on it may be run.
    fn begins(&self);
    async fn run(&mut self, connection: &mut Connection, step: &Step) -> Result<()>;
    /// It is not run yet, or that was undone.
    fn again(&mut self);
    /// Whether it was run in this step.
    fn is_run(&self) -> bool;
    /// Nobody knows whether it was committed.
    fn uncertain(&mut self);
    /// Committed.
    fn done(self: Box<Self>);
    fn failed(self: Box<Self>, why: String);
}

#[async_trait]
impl<O: Operation + 'static> Job for Waiting<O> {
    fn is_late(&self, now: Instant) -> bool {
        self.by.is_some_and(|by| by <= now)
    }

    fn begins(&self) {
        self.begun.store(true, Ordering::SeqCst);
    }

    async fn run(&mut self, connection: &mut Connection, step: &Step) -> Result<()> {
        self.outcome = Some(self.operation.run(connection, step).await?);
        Ok(())
    }

    fn again(&mut self) {
        self.outcome = None;
    }

    fn is_run(&self) -> bool {
        self.outcome.is_some()
    }

    fn uncertain(&mut self) {
        self.is_uncertain = true;
    }

    fn done(self: Box<Self>) {
        let outcome = self.outcome.ok_or_else(|| Unavailable::new("an operation was not run"));
        // Who asked may have left. It is written all the same.
        let _ = self.reply.send(outcome);
    }

    fn failed(self: Box<Self>, why: String) {
        let _ = self.reply.send(Err(Unavailable { why, may_stand: self.is_uncertain }));
    }
}

async fn write(mut jobs: mpsc::Receiver<Box<dyn Job>>, mut connection: Connection, engine: &Engine) {
    let mut waiting: VecDeque<Box<dyn Job>> = VecDeque::new();
    let mut waits_since: Option<Instant> = None;
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
        let (late, timely): (VecDeque<_>, VecDeque<_>) = waiting.into_iter().partition(|job| job.is_late(now));
        for job in late {
            job.failed(LATE.to_owned());
        }
        waiting = timely;
        let mut batch: Vec<_> = waiting.drain(..waiting.len().min(MOST_AT_ONCE)).collect();
        if batch.is_empty() {
            continue;
        }
        let failed = match in_time(engine, &mut connection, &mut batch).await {
            Ok(()) => {
                waits_since = None;
                for job in batch.into_iter().rev() {
                    if job.is_run() {
                        job.done();
                    } else {
                        waiting.push_front(job);
                    }
                }
                continue;
            }
            Err(failed) => failed,
        };
        let trouble = Engine::trouble(&failed);
        if trouble == Trouble::Failed {
            let alone = batch.len() == 1;
            warn!(error = %failed, operations = batch.len(), "a transaction failed and was undone");
            connection = renewed(connection, engine).await;
            for mut job in batch {
                let failed = match () {
                    () if alone => Some(failed.to_string()),
                    () if job.is_late(Instant::now()) => Some(LATE.to_owned()),
                    () => one(engine, &mut connection, &mut job).await,
                };
                match failed {
                    None => job.done(),
                    Some(why) => job.failed(why),
                }
            }
            continue;
        }
        let since = *waits_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= LOCK_WARNING {
            warn!(error = %failed, waiting = batch.len() + waiting.len(), "the database is locked or gone; it is waited for");
            waits_since = Some(Instant::now());
        }
        batch.into_iter().rev().for_each(|job| waiting.push_front(job));
        if trouble == Trouble::Gone {
            connection = renewed(connection, engine).await;
            engine.pause(GONE_PAUSE).await;
        } else {
            engine.pause(LOCK_PAUSE).await;
        }
    }
    if let Ok(Err(failed)) = timeout(CONNECT_WITHIN, connection.close()).await {
        error!(error = %failed, "the database could not be closed");
    }
}

/// A transaction that a network which says nothing cannot hold for ever.
async fn in_time(engine: &Engine, connection: &mut Connection, batch: &mut [Box<dyn Job>]) -> Result<()> {
    // A disk that is slow is waited for.
    if engine.is_here() {
        return transaction(engine, connection, batch).await;
    }
    if let Ok(result) = timeout(STEP_WITHIN, transaction(engine, connection, batch)).await {
        return result;
    }
    for job in batch.iter_mut().filter(|job| job.is_run()) {
        job.uncertain();
    }
    Err(Error::Silent)
}

async fn transaction(engine: &Engine, connection: &mut Connection, batch: &mut [Box<dyn Job>]) -> Result<()> {
    let mut result = run(engine, connection, batch).await;
    if result.is_ok() {
        result = connection.batch("COMMIT").await;
        if result.as_ref().is_err_and(|error| Engine::trouble(error) == Trouble::Gone) {
            for job in batch.iter_mut().filter(|job| job.is_run()) {
                job.uncertain();
            }
            return result;
        }
    }
    if result.is_err() {
        // After some errors the database has done so itself, and says that there is nothing to undo.
        let _ = connection.batch("ROLLBACK").await;
    }
    result
}

async fn run(engine: &Engine, connection: &mut Connection, batch: &mut [Box<dyn Job>]) -> Result<()> {
    for job in batch.iter_mut() {
        job.again();
    }
    let step = engine.begin(connection).await?;
    let since = Instant::now();
    for job in batch.iter_mut() {
        // Other processes wait for the end of this step, and their callers with them.
        if !engine.is_here() && since.elapsed() >= TURN {
            break;
        }
        // Before it is asked for its time, or whoever gives up waiting in between would take it for never begun.
        job.begins();
        // The turn may have been long in coming.
        if !job.is_late(Instant::now()) {
            job.run(connection, &step).await?;
        }
    }
    Ok(())
}

/// One operation in a transaction of its own; why it failed, if it did.
async fn one(engine: &Engine, connection: &mut Connection, job: &mut Box<dyn Job>) -> Option<String> {
    match in_time(engine, connection, std::slice::from_mut(job)).await {
        Ok(()) if job.is_run() => None,
        Ok(()) => Some(LATE.to_owned()),
        Err(error) => Some(error.to_string()),
    }
}

/// A fresh connection where one can be had: nobody knows what an input or output error has left of the old one.
async fn renewed(old: Connection, engine: &Engine) -> Connection {
    match timeout(CONNECT_WITHIN, engine.connect(true)).await {
        Ok(Ok(new)) => {
            // One that says nothing is dropped.
            let _ = timeout(CLOSE_WITHIN, old.close()).await;
            new
        }
        Ok(Err(error)) => {
            warn!(%error, "the database cannot be opened again");
            old
        }
        Err(_) => {
            warn!("the database does not answer");
            old
        }
    }
}
