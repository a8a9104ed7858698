//! What the proxy does by itself while it serves: it gives up tries whose process has gone, gives signs of life, keeps
//! the mark outside, and prunes. One task; starts with `serve` and ends when the program is told to end, or
//! when the ledger turns out to be another one.

use crate::ledger::{Ended, Ledger, Orphan};
use crate::mark::MarkFile;
use crate::reply;
use crate::settings::Times;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use uuid::Uuid;

/// Bodies of ended attempts are kept for 30 days of running time.
const KEPT_SECONDS: i64 = 30 * 24 * 3600;
const PRUNED_EACH: Duration = Duration::from_hours(1);
const GONE: &str = "The proxy was stopped while it was waiting for Mozarto";

/// Runs until `ending`.
pub(crate) async fn run(ledger: Arc<dyn Ledger>, mark: MarkFile, times: Times, ending: CancellationToken) {
    // A process that shares the ledger may go at any time.
    let mut orphans = Orphans { due: HashMap::new(), deadline: times.upstream_deadline, looked_each: times.lease };
    let observed_each = times.lease / 3;
    let (mut observe_at, mut prune_at) = (Instant::now() + observed_each, Instant::now());
    loop {
        let look_at = orphans.look(ledger.as_ref()).await;
        if observe_at <= Instant::now() {
            if !observe(ledger.as_ref(), &mark).await {
                return;
            }
            observe_at = Instant::now() + observed_each;
        }
        if prune_at <= Instant::now() {
            let more =
                ledger.prune(KEPT_SECONDS).await.inspect_err(|unavailable| warn!(%unavailable, "nothing was pruned"));
            prune_at = Instant::now() + if more == Ok(true) { Duration::ZERO } else { PRUNED_EACH };
        }
        tokio::select! {
            () = ending.cancelled() => break,
            () = sleep_until(look_at.min(observe_at).min(prune_at)) => {}
        }
    }
    observe(ledger.as_ref(), &mark).await;
}

/// Whether the ledger is the one that it was.
async fn observe(ledger: &dyn Ledger, file: &MarkFile) -> bool {
    match ledger.observe().await.map(|mark| file.raise(mark)) {
        Ok(Ok(())) => {}
        Ok(Err(why)) => {
            error!("ALARM: {why}");
            return false;
        }
        Err(unavailable) => warn!(%unavailable, "no sign of life can be written"),
    }
    true
}

/// Tries that another process began, and until when their answers may come.
struct Orphans {
    due: HashMap<(Uuid, i64), Instant>,
    deadline: Duration,
    looked_each: Duration,
}

impl Orphans {
    /// Gives up those that are due. When to look again.
    async fn look(&mut self, ledger: &dyn Ledger) -> Instant {
        let now = Instant::now();
        let found = match ledger.orphans(self.deadline).await {
            Ok(found) => found,
            Err(unavailable) => {
                warn!(%unavailable, "it cannot be looked for tries of an earlier process");
                return now + self.looked_each;
            }
        };
        let mut due = HashMap::new();
        for Orphan { key, number, left } in found {
            // Once, when it is first seen; from then on the monotonic clock counts.
            let at = self.due.remove(&(key, number)).unwrap_or_else(|| now + left);
            if at > now || !give_up(ledger, key, number).await {
                due.insert((key, number), at);
            }
        }
        self.due = due;
        let next = self.due.values().min().copied().unwrap_or(now + self.looked_each);
        // What is due and could not be written is tried again after a pause.
        next.clamp(now + Duration::from_millis(250).min(self.deadline), now + self.looked_each)
    }
}

async fn give_up(ledger: &dyn Ledger, key: Uuid, number: i64) -> bool {
    let ended = Ended { presumed: true, ..reply::lost(GONE).ended(key, number) };
    match ledger.end(ended).await {
        Ok(_) => {
            info!(attempt = %key, number, "a try of an earlier process has no answer");
            true
        }
        Err(unavailable) => {
            warn!(attempt = %key, %unavailable, "the end of a try of an earlier process cannot be written");
            false
        }
    }
}
