//! A ledger in memory that has outcomes and nothing else.

use crate::ledger::{
    Begun, Closed, Delivery, Ended, Entry, Figures, Filter, Kept, Ledger, Mark, Orphan, Posted, RedeemedAs, Redeliver,
    Restored, Settlement, SettlementRefused, Shown, Unavailable,
};
use crate::pin_key::PinKeys;
use async_trait::async_trait;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

struct Row {
    entry: Entry,
    delivered: bool,
    due: Instant,
    failures: u32,
}

#[derive(Default)]
pub(super) struct State {
    rows: Vec<Row>,
    pauses: Vec<Duration>,
    looks: usize,
    fails: bool,
    panics: bool,
    impatient: bool,
}

pub(super) struct Books(watch::Sender<State>);

impl Books {
    /// Outcomes by customer and word.
    pub(super) fn of(outcomes: &[(&str, &str)]) -> Self {
        let books = Self(watch::Sender::new(State::default()));
        for (customer, outcome) in outcomes {
            books.add(customer, outcome);
        }
        books
    }

    /// What was not delivered is due again at once, whatever was asked for.
    pub(super) fn impatient(outcomes: &[(&str, &str)]) -> Self {
        let books = Self::of(outcomes);
        books.0.send_modify(|state| state.impatient = true);
        books
    }

    pub(super) fn add(&self, customer: &str, outcome: &str) {
        self.0.send_modify(|state| {
            let sequence = i64::try_from(state.rows.len()).expect("few") + 1;
            let entry = Entry {
                sequence,
                attempt: Uuid::new_v4().to_string(),
                transaction_id: Some(format!("t-{sequence}")),
                user_id: Some(customer.to_owned()),
                redeemed: RedeemedAs { value: Some("25.5".to_owned()), currency: Some("EUR".to_owned()) },
                outcome: outcome.to_owned(),
                at: 1_781_006_400_123,
            };
            state.rows.push(Row { entry, delivered: false, due: Instant::now(), failures: 0 });
        });
    }

    /// From now on nothing of it can be read or written, or all of it again.
    pub(super) fn fail(&self, fails: bool) {
        self.0.send_modify(|state| state.fails = fails);
    }

    /// From now on it has a defect.
    pub(super) fn panic(&self) {
        self.0.send_modify(|state| state.panics = true);
    }

    pub(super) async fn until(&self, is_it: impl Fn(&Self) -> bool) {
        let mut changes = self.0.subscribe();
        while !is_it(self) {
            changes.changed().await.expect("it is there");
        }
    }

    pub(super) fn attempt(&self, sequence: usize) -> String {
        self.0.borrow().rows[sequence - 1].entry.attempt.clone()
    }

    pub(super) fn undelivered(&self) -> usize {
        self.0.borrow().rows.iter().filter(|row| !row.delivered).count()
    }

    pub(super) fn claimed(&self) -> usize {
        self.0.borrow().rows.iter().filter(|row| !row.delivered && row.due > Instant::now()).count()
    }

    pub(super) fn pauses(&self) -> Vec<Duration> {
        self.0.borrow().pauses.clone()
    }

    pub(super) fn looks(&self) -> usize {
        self.0.borrow().looks
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> Result<T, Unavailable> {
        let mut changed = Err(Unavailable::new("a test"));
        self.0.send_modify(|state| {
            if !state.fails {
                changed = Ok(change(state));
            }
        });
        changed
    }
}

fn not_asked() -> Unavailable {
    Unavailable::new("no delivery asks for it")
}

#[async_trait]
impl Ledger for Books {
    async fn claim_deliveries(&self, limit: u32, claim: Duration) -> Result<Vec<Delivery>, Unavailable> {
        assert!(!self.0.borrow().panics, "a defect, as the test wants it");
        self.0.send_modify(|state| state.looks += 1);
        self.change(|state| {
            let now = Instant::now();
            let mut customers = Vec::new();
            let mut due = Vec::new();
            for row in state.rows.iter_mut().filter(|row| !row.delivered) {
                let is_earliest = !customers.contains(&row.entry.user_id);
                customers.push(row.entry.user_id.clone());
                if is_earliest && row.due <= now && due.len() < limit as usize {
                    row.due = now + claim;
                    due.push(Delivery { entry: row.entry.clone(), failures: row.failures });
                }
            }
            due
        })
    }

    async fn delivered(&self, sequence: i64) -> Result<(), Unavailable> {
        self.change(|state| {
            for row in state.rows.iter_mut().filter(|row| row.entry.sequence == sequence) {
                row.delivered = true;
            }
        })
    }

    async fn not_delivered(&self, sequence: i64, wait: Duration) -> Result<(), Unavailable> {
        self.change(|state| {
            state.pauses.push(wait);
            for row in state.rows.iter_mut().filter(|row| row.entry.sequence == sequence) {
                row.failures += 1;
                row.due = Instant::now() + if state.impatient { Duration::ZERO } else { wait };
            }
        })
    }

    async fn begin(&self, _: Posted, _: bool, _: Instant) -> Result<Begun, Unavailable> {
        Err(not_asked())
    }

    async fn end(&self, _: Ended) -> Result<Option<Kept>, Unavailable> {
        Err(not_asked())
    }

    async fn close(&self, _: Uuid, _: Option<String>) -> Result<Closed, Unavailable> {
        Err(not_asked())
    }

    async fn attempt(&self, _: Uuid) -> Result<Option<Kept>, Unavailable> {
        Err(not_asked())
    }

    fn forgets(&self) -> bool {
        false
    }

    async fn orphans(&self, _: Duration) -> Result<Vec<Orphan>, Unavailable> {
        Err(not_asked())
    }

    async fn outcomes(&self, _: i64, _: u32) -> Result<Vec<Entry>, Unavailable> {
        Err(not_asked())
    }

    async fn list(&self, _: Filter) -> Result<Vec<Kept>, Unavailable> {
        Err(not_asked())
    }

    async fn show(&self, _: Uuid) -> Result<Option<Shown>, Unavailable> {
        Err(not_asked())
    }

    async fn settle(&self, _: Settlement) -> Result<Result<Kept, SettlementRefused>, Unavailable> {
        Err(not_asked())
    }

    async fn redeliver(&self, _: Redeliver) -> Result<u64, Unavailable> {
        Err(not_asked())
    }

    async fn figures(&self) -> Result<Figures, Unavailable> {
        Err(not_asked())
    }

    async fn restored(&self, _: Restored) -> Result<u64, Unavailable> {
        Err(not_asked())
    }

    async fn accept_pin_keys(&self, _: &PinKeys) -> Result<Result<(), String>, Unavailable> {
        Err(not_asked())
    }

    async fn mark(&self) -> Result<Mark, Unavailable> {
        Err(not_asked())
    }

    async fn observe(&self) -> Result<Mark, Unavailable> {
        Err(not_asked())
    }

    async fn prune(&self, _: i64) -> Result<bool, Unavailable> {
        Err(not_asked())
    }

    async fn stopped(&self) {}

    async fn shut(&self) {}
}
