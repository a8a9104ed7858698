//! The storm from the first customer to the last comparison: customers come, the weather breaks the proxy, the merchant
//! polls; then quiet, a last round in which nothing fails, and the four ledgers side by side.

use crate::books::{Books, Says, SeenTry};
use crate::crowd::{Voucher, gather};
use crate::customer::{Customer, Shop};
use crate::journal::Journal;
use crate::line::Network;
use crate::merchant::Merchant;
use crate::report::Report;
use crate::settings::{UPSTREAM_DEADLINE, share_of};
use crate::{Dealt, Settings, Subject, Upstream, held};
use anyhow::Context;
use mozarto_sandbox::Faults;
use redemption::{AttemptKey, Keeping};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};

/// How often a customer presses a button in the last round.
const LAST_PATIENCE: u32 = 5;
/// Longer than any answer takes, also while the proxy's disk is full.
const REQUEST_DEADLINE: Duration = Duration::from_secs(30);
/// How many attempts the proxy is asked about at the same time, at the end.
const ASKS_AT_ONCE: usize = 50;
/// How often it is asked again about those that are not clear yet.
const ASK_AGAIN: Duration = Duration::from_millis(200);
/// How often it says how far it is.
const PROGRESS: Duration = Duration::from_secs(5);

/// What runs beside the customers ends with this.
struct Background(AbortHandle);

impl Drop for Background {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How far the storm is.
#[derive(Default)]
struct Progress {
    /// Customers who have come to an end.
    done: AtomicUsize,
    customers: usize,
    dealt: Mutex<Vec<(&'static str, u32)>>,
}

impl Progress {
    fn dealt(&self, name: &'static str) {
        let mut dealt = held(&self.dealt);
        match dealt.iter_mut().find(|(known, _)| *known == name) {
            Some((_, times)) => *times += 1,
            None => dealt.push((name, 1)),
        }
    }
}

/// Runs a storm over a proxy whose Mozarto is `mozarto`. `say` gets a line of progress now and then.
///
/// # Errors
/// When the proxy cannot be brought back after a blow, or cannot be asked at the end. What it does wrong is no error
/// but in the report.
pub async fn run<S: Subject>(
    settings: &Settings,
    mozarto: &Upstream,
    subject: Arc<S>,
    say: impl Fn(&str) + Send + Sync + 'static,
) -> anyhow::Result<Report> {
    let began = Instant::now();
    let say = Arc::new(say);
    let client = client()?;
    let network = Arc::new(Network {
        client: client.clone(),
        journal: Journal::default(),
        habits: settings.habits.clone(),
        time_scale: settings.time_scale,
    });
    let shop =
        Arc::new(Shop { network: Arc::clone(&network), endpoint: format!("{}/cashier/flexepin", subject.url()) });
    let (vouchers, customers) = gather(settings, &mozarto.ledger, &shop);
    mozarto.ledger.set_faults(Some(settings.faults.clone()));
    let merchant = Merchant::new(client, subject.url(), subject.outcomes_token());
    let _polling = Background(tokio::spawn(merchant.clone().run()).abort_handle());
    let progress = Arc::new(Progress { customers: customers.len(), ..Progress::default() });
    let _telling = {
        let (progress, network, say) = (Arc::clone(&progress), Arc::clone(&network), Arc::clone(&say));
        Background(tokio::spawn(tell(progress, network, began, say)).abort_handle())
    };
    let weather = tokio::spawn(blow(settings.clone(), Arc::clone(&subject), Arc::clone(&progress)));
    let _blowing = Background(weather.abort_handle());
    let (mut customers, ()) = tokio::try_join!(
        visits(customers, settings.at_once, true, settings.habits.patience, Some(&progress)),
        // A proxy that cannot be brought back ends the storm at once.
        async { weather.await.context("the weather panicked")? }
    )?;
    mozarto.ledger.set_faults(Some(Faults { rates: Vec::new(), ..settings.faults.clone() }));
    // Whatever is under way comes to its end.
    tokio::time::sleep(settings.scaled(UPSTREAM_DEADLINE)).await;
    all_clear(settings, &network, &shop.endpoint).await;
    let redeemed_before = redeemed(mozarto, &vouchers, &network).iter().filter(|redeemed| **redeemed).count();
    say(&format!("[{:>4} s] the last round: nothing fails any more", began.elapsed().as_secs()));
    // Twice: who was told that another attempt has the voucher comes again when that one has ended.
    for _ in 0..2 {
        let (back, gone): (Vec<_>, Vec<_>) = customers.into_iter().partition(Customer::comes_back);
        customers = visits(back, settings.at_once, false, LAST_PATIENCE, None).await?;
        customers.extend(gone);
    }
    for customer in &customers {
        customer.browser.records().iter().for_each(|record| network.journal.stored(&record.key));
    }
    let redeemed_after = redeemed(mozarto, &vouchers, &network);
    let untouched_at_hand = untouched(mozarto, &vouchers);
    // Somebody may have left in the middle of the last round: after this every try must have ended.
    let proxy = all_clear(settings, &network, &shop.endpoint).await;
    // Last: whatever the proxy called redeemed must be there now.
    merchant.catch_up().await.context("the proxy does not answer GET /outcomes")?;
    let books = Books {
        values: vouchers.iter().map(|voucher| voucher.value).collect(),
        mozarto: seen(mozarto, &vouchers),
        proxy,
        clients: network.journal.entries(),
        merchant: merchant.rows(),
    };
    Ok(Report {
        seed: settings.seed,
        took: began.elapsed(),
        vouchers: vouchers.len(),
        customers: customers.len(),
        attempts: books.clients.len(),
        posts: books.clients.values().map(|entry| entry.posts.len()).sum(),
        tries: books.mozarto.len(),
        blows: held(&progress.dealt).clone(),
        valid: vouchers.iter().filter(|voucher| voucher.valid).count(),
        redeemed_before,
        redeemed_after: redeemed_after.iter().filter(|redeemed| **redeemed).count(),
        untouched_at_hand,
        credits: books.merchant.iter().filter(|row| row.outcome == "redeemed").count(),
        broken: books.compare(),
        told: books.clients,
    })
}

/// A client as a browser is one: it follows no redirect and repeats nothing by itself.
fn client() -> anyhow::Result<reqwest::Client> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Another test of the same process may have.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    Ok(client.retry(reqwest::retry::never()).timeout(REQUEST_DEADLINE).build()?)
}

/// Lets every customer come, so many at once, and gives them back in the order in which they came.
async fn visits(
    customers: Vec<Customer>,
    at_once: usize,
    rough: bool,
    patience: u32,
    progress: Option<&Arc<Progress>>,
) -> anyhow::Result<Vec<Customer>> {
    let room = Arc::new(Semaphore::new(at_once));
    let mut inside = JoinSet::new();
    let mut done = Vec::new();
    for (nth, mut customer) in customers.into_iter().enumerate() {
        let place = Arc::clone(&room).acquire_owned().await?;
        let progress = progress.map(Arc::clone);
        inside.spawn(async move {
            let time_scale = customer.shop.network.time_scale;
            tokio::time::sleep(std::mem::take(&mut customer.comes_after).mul_f64(time_scale)).await;
            customer.visit(rough, patience).await;
            if let Some(progress) = progress {
                progress.done.fetch_add(1, Ordering::Relaxed);
            }
            drop(place);
            (nth, customer)
        });
    }
    while let Some(left) = inside.join_next().await {
        done.push(left.context("a customer panicked")?);
    }
    done.sort_by_key(|(nth, _)| *nth);
    Ok(done.into_iter().map(|(_, customer)| customer).collect())
}

/// Deals the blows, each when its share of the customers has come to an end.
async fn blow<S: Subject>(settings: Settings, subject: Arc<S>, progress: Arc<Progress>) -> anyhow::Result<()> {
    for (share, blow) in settings.weather {
        while share_of(progress.done.load(Ordering::Relaxed), progress.customers) < share {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let name = match subject.suffer(blow).await? {
            Dealt::Yes => blow.name(),
            Dealt::No(why) => why,
        };
        progress.dealt(name);
        tokio::time::sleep(settings.calm).await;
    }
    Ok(())
}

async fn tell(progress: Arc<Progress>, network: Arc<Network>, began: Instant, say: Arc<impl Fn(&str)>) {
    loop {
        tokio::time::sleep(PROGRESS).await;
        let dealt = held(&progress.dealt).clone();
        let dealt: Vec<String> = dealt.iter().map(|(name, times)| format!("{name} {times}")).collect();
        let (done, customers) = (progress.done.load(Ordering::Relaxed), progress.customers);
        let redeemed = network.journal.redeemed();
        say(&format!(
            "[{:>4} s] {done} of {customers} customers, {redeemed} redeemed; {}",
            began.elapsed().as_secs(),
            dealt.join(", ")
        ));
    }
}

/// Mozarto's ledger.
fn seen(mozarto: &Upstream, vouchers: &[Voucher]) -> Vec<SeenTry> {
    let numbers: HashMap<&str, usize> =
        vouchers.iter().enumerate().map(|(number, voucher)| (voucher.pin.expose(), number)).collect();
    let tries = mozarto.ledger.tries().into_iter().map(|one| SeenTry {
        key: one.brand_id.unwrap_or_default(),
        voucher: numbers.get(one.pin.expose()).copied(),
        began: one.began,
        took: one.took,
    });
    tries.collect()
}

/// Of each valid voucher: whether a customer was told that it is redeemed, and it is.
fn redeemed(mozarto: &Upstream, vouchers: &[Voucher], network: &Network) -> Vec<bool> {
    let told = network.journal.redeemed_keys();
    let taken: HashSet<usize> = seen(mozarto, vouchers)
        .into_iter()
        .filter(|one| one.took && told.contains(&one.key))
        .filter_map(|one| one.voucher)
        .collect();
    vouchers.iter().enumerate().map(|(number, voucher)| voucher.valid && taken.contains(&number)).collect()
}

/// The valid vouchers that nobody has taken though somebody has the PIN: the numbers of those vouchers.
fn untouched(mozarto: &Upstream, vouchers: &[Voucher]) -> Vec<usize> {
    let taken: HashSet<usize> =
        seen(mozarto, vouchers).into_iter().filter(|one| one.took).filter_map(|one| one.voucher).collect();
    let left = |number: &usize| vouchers[*number].valid && vouchers[*number].at_hand && !taken.contains(number);
    (0..vouchers.len()).filter(left).collect()
}

/// What the proxy says of every attempt, as soon as none of them is unclear, and at the latest when no try can run any more.
async fn all_clear(settings: &Settings, network: &Arc<Network>, endpoint: &str) -> HashMap<String, Says> {
    let ends = Instant::now() + settings.scaled(UPSTREAM_DEADLINE) + settings.given_up_within;
    let mut says = statuses(network, endpoint, network.journal.entries().into_keys()).await;
    loop {
        let unclear: Vec<String> =
            says.iter().filter(|(_, says)| says.is_unclear()).map(|(key, _)| key.clone()).collect();
        // The last to be asked are asked when it is late enough.
        let is_late = Instant::now() > ends;
        if unclear.is_empty() {
            return says;
        }
        says.extend(statuses(network, endpoint, unclear).await);
        if is_late {
            return says;
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// What the proxy says of each of these attempts.
async fn statuses(
    network: &Arc<Network>,
    endpoint: &str,
    keys: impl IntoIterator<Item = String>,
) -> HashMap<String, Says> {
    let room = Arc::new(Semaphore::new(ASKS_AT_ONCE));
    let mut asks = JoinSet::new();
    for key in keys {
        let (network, room, endpoint) = (Arc::clone(network), Arc::clone(&room), endpoint.to_owned());
        asks.spawn(async move {
            // The semaphore is never closed.
            let _place = room.acquire_owned().await;
            let got = network.get(&endpoint, &AttemptKey::new(key.clone())).await;
            (key, Says::of(&got.answer.meaning(), got.keeping != Keeping::No))
        });
    }
    asks.join_all().await.into_iter().collect()
}
