//! The load: redemptions of vouchers that are each redeemed once, at a fixed rate or by clients that wait, and how long they
//! took.

use crate::program::COMPANY_TOKEN;
use serde_json::json;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Requests a second.
pub(crate) const RATE: u32 = 200;
/// Clients that each send the next request when the last is answered.
pub(crate) const CLIENTS: usize = 64;

/// Where requests go: to each address in turn.
#[derive(Clone)]
pub(crate) struct Target {
    urls: Arc<[String]>,
    asked: Arc<AtomicUsize>,
    is_proxy: bool,
}

impl Target {
    /// Something that does hop 2: the sandbox, or what stands before it and changes nothing.
    pub(crate) fn sandbox(url: &str) -> Self {
        Self { urls: [url.to_owned()].into(), asked: Arc::default(), is_proxy: false }
    }

    /// Proxies that do hop 1.
    pub(crate) fn proxies(urls: &[&str]) -> Self {
        let urls = urls.iter().map(|url| format!("{url}/cashier/flexepin")).collect();
        Self { urls, asked: Arc::default(), is_proxy: true }
    }

    /// How many requests went there so far.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// The load generator.
#[derive(Clone)]
pub(crate) struct Load {
    client: reqwest::Client,
    /// The number of the next voucher.
    next: Arc<AtomicU64>,
}

impl Load {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self { client: reqwest::Client::builder().no_proxy().build()?, next: Arc::default() })
    }

    /// One redemption of a voucher of its own; how long it took, where it was redeemed.
    async fn redeem(&self, target: &Target) -> Option<Duration> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let body = json!({
            "pspType": "FLEXEPIN", "type": "PAYIN", "voucherPin": format!("99000000{number:08}"), "baseamount": 25, "currency": "EUR",
            "currencyCode": "EUR", "userId": format!("user-{number}"), "email": "player@shop.example",
        });
        let url = &target.urls[target.asked.fetch_add(1, Ordering::Relaxed) % target.urls.len()];
        let mut request = self.client.post(url).header("content-type", "application/json");
        request = if target.is_proxy {
            request.header("idempotency-key", Uuid::new_v4().to_string())
        } else {
            request.bearer_auth(COMPANY_TOKEN).header("x-user-authorization", "Bearer bench")
        };
        let began = Instant::now();
        let response = request.body(body.to_string()).send().await.ok()?;
        let redeemed = response.status().is_success() && response.text().await.ok()?.contains("\"isSuccess\":true");
        redeemed.then(|| began.elapsed())
    }

    /// A second for nothing, in which connections are made and caches filled.
    pub(crate) async fn warm_up(&self, target: &Target) {
        self.rate(target, RATE).await;
    }

    /// [`RATE`] requests a second, whether or not the ones before are answered.
    pub(crate) async fn at_a_rate(&self, target: &Target, lasting: Duration) -> anyhow::Result<Took> {
        let requests = lasting.as_secs_f64() * f64::from(RATE);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of requests")]
        Took::of(self.rate(target, requests as u32).await)
    }

    async fn rate(&self, target: &Target, requests: u32) -> Vec<Option<Duration>> {
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
        let mut running = JoinSet::new();
        for _ in 0..requests {
            ticks.tick().await;
            let (load, target) = (self.clone(), target.clone());
            running.spawn(async move { load.redeem(&target).await });
        }
        running.join_all().await
    }

    /// [`CLIENTS`] clients; what it took, and how many redemptions a second.
    pub(crate) async fn sustained(&self, target: &Target, lasting: Duration) -> anyhow::Result<(Took, f64)> {
        let began = Instant::now();
        let mut running = JoinSet::new();
        for _ in 0..CLIENTS {
            let (load, target) = (self.clone(), target.clone());
            running.spawn(async move {
                let mut times = Vec::new();
                while began.elapsed() < lasting {
                    times.push(load.redeem(&target).await);
                }
                times
            });
        }
        let took = Took::of(running.join_all().await.into_iter().flatten().collect())?;
        let redeemed = u32::try_from(took.redeemed).unwrap_or(u32::MAX);
        let per_second = f64::from(redeemed) / began.elapsed().as_secs_f64();
        Ok((took, per_second))
    }
}

/// What a run took.
pub(crate) struct Took {
    pub(crate) median: Duration,
    pub(crate) slowest_of_99_percent: Duration,
    redeemed: usize,
    not_redeemed: usize,
}

impl Took {
    fn of(times: Vec<Option<Duration>>) -> anyhow::Result<Self> {
        let asked = times.len();
        let mut times: Vec<Duration> = times.into_iter().flatten().collect();
        times.sort_unstable();
        anyhow::ensure!(!times.is_empty(), "nothing was redeemed");
        let (redeemed, at) = (times.len(), |percent: usize| times[(times.len() - 1) * percent / 100]);
        Ok(Self { median: at(50), slowest_of_99_percent: at(99), redeemed, not_redeemed: asked - redeemed })
    }
}

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let (median, slow) = (ms(self.median), ms(self.slowest_of_99_percent));
        write!(f, "median {median:.2} ms, 99 % {slow:.2} ms, redeemed {}, not {}", self.redeemed, self.not_redeemed)
    }
}
