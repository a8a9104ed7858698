//! The connections that read: a few, opened when they are needed. A file is read on a thread for what waits for a disk.

use super::connection::{Connection, Error, Result};
use super::engine::Engine;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};

const MOST: u32 = 4;
/// How long somebody waits for an answer: a network that says nothing must hold nobody for ever.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// A connection that has waited may lead nowhere by now: so long it has to say something.
const ALIVE_WITHIN: Duration = Duration::from_secs(1);
/// What reads a disk that does not answer is waited for so long at the end.
const LAST_READ: Duration = Duration::from_secs(1);

pub(super) type BoxFuture<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;

pub(super) struct Readers {
    engine: Arc<Engine>,
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        Self { engine, turns: Arc::new(Semaphore::new(MOST as usize)), idle: Arc::default() }
    }

    /// Reads. A connection on which that failed, or was given up, goes: nobody knows what is left on it.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    ) -> Result<T> {
        let by = Instant::now() + PATIENCE;
        // Before a thread is taken for it.
        let Ok(Ok(turn)) = timeout_at(by, Arc::clone(&self.turns).acquire_owned()).await else {
            return Err(Error::Silent);
        };
        let (engine, idle) = (Arc::clone(&self.engine), Arc::clone(&self.idle));
        let is_here = engine.is_here();
        let reading = async move {
            let _turn = turn;
            let waited = idle.lock().map_or(None, |mut idle| idle.pop());
            let alive = match waited {
                Some(connection) => timeout(ALIVE_WITHIN, connection.alive()).await.ok().flatten(),
                None => None,
            };
            let mut connection = if let Some(connection) = alive { connection } else { engine.connect(false).await? };
            let answer = read(&mut connection).await?;
            if let Ok(mut idle) = idle.lock() {
                idle.push(connection);
            }
            Ok(answer)
        };
        let answer = if is_here {
            let on_its_thread = spawn_blocking(move || Handle::current().block_on(reading));
            timeout_at(by, async { on_its_thread.await.unwrap_or(Err(Error::Silent)) }).await
        } else {
            timeout_at(by, reading).await
        };
        answer.unwrap_or(Err(Error::Silent))
    }

    /// Closes all of them, when each has ended what it does.
    pub(super) async fn close(&self) {
        let _turns = timeout(LAST_READ, self.turns.acquire_many(MOST)).await;
        self.turns.close();
        if let Ok(mut idle) = self.idle.lock() {
            idle.clear();
        }
    }
}
