//! Mozarto's part: the sandbox on a port and a thread of its own, so that customers who are busy do not make it late.
//! Ends when dropped.

use anyhow::Context;
use mozarto_sandbox::{Ledger, Sandbox};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The running sandbox.
pub struct Upstream {
    /// Where it listens.
    pub url: String,
    pub(crate) ledger: Arc<Ledger>,
    ending: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Upstream {
    /// Starts it.
    ///
    /// # Errors
    /// When there is no port or no thread to be had.
    pub fn start(gap: Duration) -> anyhow::Result<Self> {
        let sandbox = Sandbox { gap, ..Sandbox::default() };
        let ledger = Arc::clone(&sandbox.ledger);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").context("no port for the sandbox")?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _entered = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let (ending, ended) = oneshot::channel::<()>();
        let serve = move || {
            runtime.block_on(async {
                let ended = async {
                    // Dropped or sent: either way the end.
                    let _ = ended.await;
                };
                // Where it ends by itself every try fails, and the storm says so.
                let _ = mozarto_sandbox::serve(listener, sandbox, ended).await;
            });
        };
        let thread = std::thread::Builder::new().name("sandbox".into()).spawn(serve)?;
        Ok(Self { url, ledger, ending: Some(ending), thread: Some(thread) })
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        drop(self.ending.take());
        if let Some(thread) = self.thread.take() {
            // A sandbox that panicked has said so.
            let _ = thread.join();
        }
    }
}
