//! The merchant's own server: polls the proxy's outcomes and credits each row that says "redeemed". The fourth ledger.
//! It runs from before the first customer until told to end, and asks once more then.

use crate::held;
use serde::Deserialize;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// How often it asks.
const PAUSE: Duration = Duration::from_millis(100);

/// One row of the proxy's outbox, as the merchant took it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub(crate) sequence: u64,
    pub(crate) attempt: String,
    pub(crate) transaction_id: Option<String>,
    pub(crate) currency: Option<String>,
    pub(crate) value: Option<f64>,
    pub(crate) outcome: String,
    /// When it was taken.
    #[serde(skip, default = "Instant::now")]
    pub(crate) at: Instant,
}

#[derive(Deserialize)]
struct Outcomes {
    outcomes: Vec<Row>,
}

/// The merchant's server.
#[derive(Clone)]
pub(crate) struct Merchant {
    client: reqwest::Client,
    url: String,
    token: String,
    rows: Arc<Mutex<Vec<Row>>>,
}

impl Merchant {
    pub(crate) fn new(client: reqwest::Client, proxy: &str, token: &str) -> Self {
        Self { client, url: format!("{proxy}/outcomes"), token: token.to_owned(), rows: Arc::default() }
    }

    /// Every row so far, in the order in which they came.
    pub(crate) fn rows(&self) -> Vec<Row> {
        self.lock().clone()
    }

    /// Polls for ever.
    pub(crate) async fn run(self) {
        loop {
            // A proxy that is down is asked again later.
            let _ = self.poll().await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Takes all that there is now.
    pub(crate) async fn catch_up(&self) -> anyhow::Result<()> {
        while self.poll().await? > 0 {}
        Ok(())
    }

    /// Takes the next rows: each once, by its sequence. Gives back how many came.
    async fn poll(&self) -> anyhow::Result<usize> {
        let after = self.lock().last().map_or(0, |row| row.sequence);
        let request = self.client.get(format!("{}?after={after}", self.url)).bearer_auth(&self.token);
        let answer = request.send().await?.error_for_status()?.bytes().await?;
        let Outcomes { outcomes } = serde_json::from_slice(&answer)?;
        let mut rows = self.lock();
        // Two polls at the same time may bring the same rows.
        let last = rows.last().map_or(0, |row| row.sequence);
        let fresh = outcomes.into_iter().filter(|row| row.sequence > last);
        let before = rows.len();
        rows.extend(fresh);
        Ok(rows.len() - before)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Row>> {
        held(&self.rows)
    }
}
