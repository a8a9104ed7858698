//! One browser: tabs, each with a machine, over one store of records. Carries effects out as the shell does, and checks
//! each as it leaves.

use super::log;
use super::network::{Fetch, From, What};
use super::world::World;
use crate::support::{NOW_MS, coded};
use mozarto::Answer;
use redemption::{
    AttemptKey, BeforeSubmit, CardState, Effect, Event, Keeping, Machine, Method, Notice, Options, Record, Request,
    Stage, StatusAsk, Timer, View,
};
use std::collections::VecDeque;

/// Automatic tries of one attempt.
const AUTOMATIC_TRIES: u32 = 5;
/// More facts than can follow from one.
const ENDLESS: u32 = 100;

#[derive(Default)]
pub(super) struct Browser {
    pub(super) tabs: [Option<Tab>; 2],
    pub(super) store: Vec<Record>,
    /// Whether it has Web Locks.
    pub(super) locks: bool,
    pub(super) now_ms: u64,
    pages: u32,
}

/// One load of the page.
pub(super) struct Tab {
    pub(super) page: u32,
    pub(super) machine: Machine,
    pub(super) timers: Vec<Timer>,
    /// What the merchant's `beforeSubmit` is thinking about.
    pub(super) permission: Option<BeforeSubmit>,
    /// Answers that came, for those that come twice.
    pub(super) heard: Vec<Event>,
    /// The open attempt whose PIN was to be entered again last.
    finishing: Option<AttemptKey>,
    /// The attempt that it has the right to send for, for as long as the machine holds it.
    held: Option<AttemptKey>,
    /// The attempt that was prepared or sent last.
    pub(super) in_hand: Option<AttemptKey>,
    pub(super) told_unconfirmed: Vec<AttemptKey>,
    /// Attempts that were answered in a way that forbids tries.
    pub(super) forbidden: Vec<AttemptKey>,
    /// Attempts that have come to an end here.
    pub(super) ended: Vec<AttemptKey>,
    /// Tries since the customer last pressed anything.
    tries: u32,
}

impl Browser {
    pub(super) fn new(locks: bool) -> Self {
        Self { locks, now_ms: NOW_MS, ..Self::default() }
    }

    pub(super) fn records_read(&self) -> Event {
        Event::RecordsRead { records: self.store.clone(), now_ms: self.now_ms }
    }

    pub(super) fn tab(&self, at: usize) -> Option<&Tab> {
        self.tabs[at].as_ref()
    }

    /// The tab of a page, if it is still there.
    pub(super) fn tab_of(&self, page: u32) -> Option<usize> {
        self.tabs.iter().position(|tab| tab.as_ref().is_some_and(|tab| tab.page == page))
    }
}

fn open_cards(view: &View) -> Vec<(AttemptKey, String)> {
    let open = view.cards.iter().filter(|card| !matches!(card.state, CardState::Ended(_)));
    open.map(|card| (card.attempt.clone(), card.summary.last_four.clone())).collect()
}

impl World {
    /// A page is loaded: in the place of the one that was there, if any.
    pub(super) fn load(&mut self, at: usize, options: Options) {
        self.unload(at);
        self.browser.pages += 1;
        let page = self.browser.pages;
        self.note(|| format!("tab {at} loads page {page}"));
        self.browser.tabs[at] = Some(Tab {
            page,
            machine: Machine::new(options),
            timers: Vec::new(),
            permission: None,
            heard: Vec::new(),
            finishing: None,
            held: None,
            in_hand: None,
            told_unconfirmed: Vec::new(),
            forbidden: Vec::new(),
            ended: Vec::new(),
            tries: 0,
        });
        self.dispatch(at, self.browser.records_read());
    }

    /// The page is gone: closed, crashed or left. What it has sent goes on.
    pub(super) fn unload(&mut self, at: usize) {
        if let Some(tab) = self.browser.tabs[at].take() {
            self.note(|| format!("tab {at} loses page {}", tab.page));
            self.network.forget_page(tab.page);
        }
    }

    /// A fact for a tab's machine, and whatever follows from it in the browser at once.
    pub(super) fn dispatch(&mut self, at: usize, event: Event) {
        let mut queue = VecDeque::from([(at, event)]);
        for _ in 0..ENDLESS {
            let Some((at, event)) = queue.pop_front() else { return };
            self.dispatch_one(at, event, &mut queue);
        }
        self.truth.must(queue.is_empty(), || "one fact is followed by others without end".into());
    }

    fn dispatch_one(&mut self, at: usize, event: Event, queue: &mut VecDeque<(usize, Event)>) {
        let Some(tab) = self.browser.tabs[at].as_mut() else { return };
        let edits = matches!(event, Event::PinEdited(_) | Event::AmountChosen(_) | Event::AmountEdited(_));
        let cards = if edits { Vec::new() } else { open_cards(&tab.machine.view()) };
        let store_before = self.browser.store.clone();
        if matches!(event, Event::RetryRequested | Event::Submitted { .. } | Event::Confirmed) {
            tab.tries = 0;
        }
        if let Event::FinishRequested(key) = &event {
            tab.finishing = Some(key.clone());
        }
        let named =
            self.log.is_some().then(|| format!("tab {at} {:?}: {}", tab.machine.phase(), log::of_event(&event)));
        let dismissed = if let Event::Dismissed(key) = &event { Some(key.clone()) } else { None };
        let effects = tab.machine.handle(event);
        self.note(|| named.into_iter().chain(effects.iter().filter_map(log::of_effect)).collect::<Vec<_>>().join("; "));
        for effect in effects {
            match effect {
                Effect::Store(record) => {
                    self.browser.store.retain(|kept| kept.key != record.key);
                    self.browser.store.push(*record);
                }
                Effect::Forget(key) => {
                    self.browser.store.retain(|kept| kept.key != key);
                    if dismissed.as_ref() == Some(&key) {
                        self.put_away(&key);
                    }
                }
                Effect::Send(request) => queue.extend(self.send(at, &request, &cards, &store_before)),
                Effect::Ask(ask) => queue.extend(self.ask(at, &ask)),
                Effect::Notify(Notice::Outcome(outcome)) => self.tell(at, &outcome),
                Effect::AskBeforeSubmit(ask) => {
                    self.change_tab(at, |tab| {
                        tab.in_hand = Some(ask.attempt.clone());
                        tab.permission = Some(ask);
                    });
                }
                Effect::AbortBeforeSubmit => self.change_tab(at, |tab| tab.permission = None),
                Effect::StartTimer(timer, _) => self.change_tab(at, |tab| {
                    if !tab.timers.contains(&timer) {
                        tab.timers.push(timer);
                    }
                }),
                Effect::Notify(_) | Effect::Focus(_) | Effect::ClearPin => {}
            }
        }
        self.change_tab(at, |tab| tab.held = tab.held.take().filter(|key| tab.machine.holds() == Some(key)));
        if self.browser.store != store_before {
            queue.push_back((1 - at, self.browser.records_read()));
        }
        if !edits {
            self.look_at(at);
        }
    }

    fn change_tab(&mut self, at: usize, change: impl FnOnce(&mut Tab)) {
        if let Some(tab) = self.browser.tabs[at].as_mut() {
            change(tab);
        }
    }

    /// The customer has put an open attempt away: nobody remembers it.
    fn put_away(&mut self, key: &AttemptKey) {
        if let Some(told) = self.truth.find(key) {
            told.dismissed = true;
        }
        for tab in self.browser.tabs.iter_mut().flatten() {
            tab.forbidden.retain(|other| other != key);
            tab.ended.push(key.clone());
        }
    }

    /// A POST leaves. Gives back the page's own answer, where another tab is sending for this attempt.
    fn send(
        &mut self,
        at: usize,
        request: &Request,
        cards: &[(AttemptKey, String)],
        stored_before: &[Record],
    ) -> Option<(usize, Event)> {
        let key = request.attempt.clone();
        let pin = request.pay_in.voucher_pin.expose().to_owned();
        let voucher = self.mozarto.vouchers.iter().position(|voucher| voucher.pin == pin).expect("one of the PINs");
        let open = |key: &AttemptKey| {
            stored_before.iter().any(|record| record.key == *key && record.stage != Stage::Untouched)
        };
        let finishing = self.browser.tab(at).and_then(|tab| tab.finishing.as_ref());
        let is_open = open(&key) || finishing == Some(&key);
        let ends_alike = |(other, last_four): &&(AttemptKey, String)| {
            *other != key && pin.ends_with(last_four.as_str()) && open(other)
        };
        let held = cards.iter().find(ends_alike).map(|card| &card.0);
        self.truth.must(is_open || held.is_none(), || format!("{key:?} is sent, and {held:?} is open and ends alike"));
        let stored = self.browser.store.iter().any(|record| record.key == key);
        self.truth.must(stored, || format!("{key:?} is sent before it is stored"));
        self.truth.sent(&key, voucher);
        let tab = self.browser.tabs[at].as_mut()?;
        tab.tries += 1;
        tab.in_hand = Some(key.clone());
        let (tries, forbidden, page) = (tab.tries, tab.forbidden.contains(&key), tab.page);
        self.truth.must(tries <= AUTOMATIC_TRIES, || format!("{key:?} is tried {tries} times by itself"));
        self.truth.must(!forbidden, || format!("{key:?} is sent again after an answer that forbids it"));
        if self.is_locked(at, &key) {
            let (attempt, try_number, answer) = (key, request.try_number, in_progress());
            return Some((at, Event::Answered { attempt, try_number, answer, keeping: Keeping::Kept }));
        }
        self.change_tab(at, |tab| tab.held = Some(key.clone()));
        let what = What::Post { voucher, amount: request.pay_in.amount };
        self.leave(page, key, From::Try(request.try_number), what);
        None
    }

    fn ask(&mut self, at: usize, ask: &StatusAsk) -> Option<(usize, Event)> {
        let (key, number) = (ask.ask.attempt.clone(), ask.number);
        let page = self.browser.tab(at)?.page;
        let what = match ask.method {
            Method::Get => What::Get,
            Method::Delete => What::Delete,
        };
        if ask.method == Method::Delete && self.is_locked(at, &key) {
            return Some((at, Event::StatusAnswered { attempt: key, number, answer: in_progress(), kept: true }));
        }
        self.leave(page, key, From::Ask(number), what);
        None
    }

    /// Whether another tab has the right to send for an attempt: it is sending, or is about to.
    fn is_locked(&self, at: usize, key: &AttemptKey) -> bool {
        let held = self.browser.tab(1 - at).is_some_and(|tab| tab.held.as_ref() == Some(key));
        let page = self.browser.tab(at).map_or(0, |tab| tab.page);
        self.browser.locks && (held || self.network.is_locked(key, page))
    }

    fn leave(&mut self, page: u32, key: AttemptKey, from: From, what: What) {
        let lock = !matches!(what, What::Get);
        let sent_at = self.truth.clock;
        self.network.send(Fetch { id: 0, page: Some(page), key, from, lock, connection: 0, what, sent_at });
    }

    /// An answer, or the end of all hope for one, comes to the page that waits for it.
    pub(super) fn hear(&mut self, fetch: Fetch, answer: Answer, keeping: Keeping) {
        let Some(at) = fetch.page.and_then(|page| self.browser.tab_of(page)) else { return };
        // What a page has seen the end of, or put away, it has forgotten, should it come back.
        let ended = |tab: &Tab| tab.ended.contains(&fetch.key);
        let forbids = answer.meaning().signal.forbids_tries() && !self.browser.tab(at).is_some_and(ended);
        let (attempt, answer) = (fetch.key.clone(), Box::new(answer));
        let event = match fetch.from {
            From::Try(try_number) => Event::Answered { attempt, try_number, answer, keeping },
            From::Ask(number) => Event::StatusAnswered { attempt, number, answer, kept: keeping != Keeping::No },
        };
        self.change_tab(at, |tab| {
            tab.heard.push(event.clone());
            if forbids && matches!(fetch.from, From::Try(_)) {
                tab.forbidden.push(fetch.key);
            }
        });
        self.dispatch(at, event);
    }
}

fn in_progress() -> Box<Answer> {
    Box::new(Answer { status: 0, ..coded("ATTEMPT_IN_PROGRESS") })
}
