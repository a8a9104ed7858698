//! A page with the widget on it: the real state machine, and its effects carried out as the widget's shell does. Opened
//! by a customer, ended by leaving it. What the machine tells goes into the journal; what a customer wants is
//! `customer.rs`'s.

use crate::held;
use crate::line::{Fate, Got, Network};
use fastrand::Rng;
use redemption::{
    AttemptKey, Effect, Event, Keeping, Machine, Method, Notice, Options, Outcome, PinText, Record, TimerKind, View,
};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

/// What outlives a page: the browser's storage.
#[derive(Clone, Default)]
pub(crate) struct Browser(Arc<Mutex<Vec<Record>>>);

impl Browser {
    pub(crate) fn records(&self) -> Vec<Record> {
        self.lock().clone()
    }

    fn store(&self, record: Record) {
        let mut records = self.lock();
        records.retain(|kept| kept.key != record.key);
        records.push(record);
    }

    fn forget(&self, key: &AttemptKey) {
        self.lock().retain(|kept| kept.key != *key);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Record>> {
        held(&self.0)
    }
}

/// One page.
pub(crate) struct Page {
    machine: Machine,
    browser: Browser,
    network: Arc<Network>,
    /// Whether the network loses and repeats.
    rough: bool,
    random: Rng,
    timers: Vec<(Instant, redemption::Timer)>,
    events: UnboundedReceiver<Event>,
    happened: UnboundedSender<Event>,
    requests: Vec<AbortHandle>,
    /// The attempts of which a POST or DELETE is under way: Web Locks.
    locks: Arc<Mutex<HashSet<String>>>,
    /// The last outcome that was told.
    pub(crate) told: Option<Outcome>,
}

impl Page {
    pub(crate) fn open(options: Options, browser: Browser, network: Arc<Network>, rough: bool, random: Rng) -> Self {
        let (happened, events) = unbounded_channel();
        let mut page = Self {
            machine: Machine::new(options),
            browser,
            network,
            rough,
            random,
            timers: Vec::new(),
            events,
            happened,
            requests: Vec::new(),
            locks: Arc::default(),
            told: None,
        };
        page.read_records();
        page
    }

    pub(crate) fn view(&self) -> View {
        self.machine.view()
    }

    /// The customer types a PIN, chooses an amount and submits.
    pub(crate) fn submit(&mut self, pin: &str, amount: usize, key: AttemptKey) {
        self.read_records();
        self.happen(Event::AmountChosen(amount));
        self.happen(Event::PinEdited(PinText::new(pin.to_owned())));
        self.happen(Event::Submitted { key, now_ms: now_ms() });
    }

    /// Waits until something happens, and lets it happen.
    pub(crate) async fn step(&mut self) {
        let next = self.timers.iter().map(|(at, _)| *at).min();
        let timer = async {
            match next {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let event = tokio::select! {
            // `happened` is ours, so the channel never ends.
            event = self.events.recv() => event,
            () = timer => None,
        };
        if let Some(event) = event {
            return self.happen(event);
        }
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.timers).into_iter().partition(|(at, _)| *at <= now);
        self.timers = later;
        for (_, timer) in due {
            self.happen(Event::TimerFired(timer));
        }
    }

    /// The customer is gone, or reloads. Requests that are under way go on without the page, or die with it.
    pub(crate) fn leave(self, requests_go_on: bool) {
        if !requests_go_on {
            self.requests.iter().for_each(AbortHandle::abort);
        }
    }

    pub(crate) fn happen(&mut self, event: Event) {
        for effect in self.machine.handle(event) {
            match effect {
                Effect::Notify(Notice::Outcome(outcome)) => {
                    self.network.journal.told(&outcome);
                    self.told = Some(*outcome);
                }
                Effect::Send(request) => {
                    let fate = if self.rough { self.network.fate_of_post(&mut self.random) } else { Fate::Arrives };
                    let (attempt, try_number) = (request.attempt.clone(), request.try_number);
                    let sent = Arc::clone(&self.network).post(*request, fate);
                    self.carry_out(Some(attempt.clone()), sent, move |got| Event::Answered {
                        attempt,
                        try_number,
                        answer: Box::new(got.answer),
                        keeping: got.keeping,
                    });
                }
                Effect::Ask(ask) => {
                    let fate = if self.rough { self.network.fate_of_ask(&mut self.random) } else { Fate::Arrives };
                    let (attempt, number) = (ask.ask.attempt.clone(), ask.number);
                    let lock = (ask.method == Method::Delete).then(|| attempt.clone());
                    let network = Arc::clone(&self.network);
                    self.carry_out(lock, async move { network.ask(&ask, fate).await }, move |got| {
                        let kept = got.keeping != Keeping::No;
                        Event::StatusAnswered { attempt, number, answer: Box::new(got.answer), kept }
                    });
                }
                Effect::Store(record) => self.browser.store(*record),
                Effect::Forget(key) => self.browser.forget(&key),
                // What is on screen while a customer waits is nobody's business here.
                Effect::StartTimer(timer, _) if matches!(timer.kind, TimerKind::Tick | TimerKind::Slow) => {}
                Effect::StartTimer(timer, ms) => {
                    let wait = Duration::from_millis(ms.into()).mul_f64(self.network.time_scale);
                    self.timers.push((Instant::now() + wait, timer));
                }
                Effect::Notify(_)
                | Effect::Focus(_)
                | Effect::ClearPin
                | Effect::AskBeforeSubmit(_)
                | Effect::AbortBeforeSubmit => {}
            }
        }
    }

    /// Does a request in a task of its own. `lock` is the attempt that nothing else may be sent for meanwhile.
    fn carry_out(
        &mut self,
        lock: Option<AttemptKey>,
        request: impl Future<Output = Got> + Send + 'static,
        event: impl FnOnce(Got) -> Event + Send + 'static,
    ) {
        let (happened, locks) = (self.happened.clone(), Arc::clone(&self.locks));
        let free = lock.as_ref().is_none_or(|key| held(&locks).insert(key.as_str().to_owned()));
        let task = tokio::spawn(async move {
            let got = if free { request.await } else { Got::in_progress() };
            if let Some(key) = lock.filter(|_| free) {
                held(&locks).remove(key.as_str());
            }
            // A page that was left hears nothing.
            let _ = happened.send(event(got));
        });
        self.requests.retain(|request| !request.is_finished());
        self.requests.push(task.abort_handle());
    }

    fn read_records(&mut self) {
        let records = self.browser.records();
        self.happen(Event::RecordsRead { records, now_ms: now_ms() });
    }
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
