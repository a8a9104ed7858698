//! How a case ends: everything works again, everybody answers, and the customer does what the screen offers. Then every
//! attempt must have come to the truth, or at least nobody may be stuck.

use super::doing::HOUR_MS;
use super::ledger::{Entry, Standing};
use super::mozarto::Fate;
use super::steps::Button;
use super::world::{Arrival, Proxy, World};
use redemption::{AttemptKey, CardState, CardView, Event, PhaseName, Record, Screen, Stage};

/// Rounds in which the customer does what the screen offers, before staff look at what is left, and after.
const ROUNDS: usize = 10;
/// Times that a customer enters the same PIN again.
const PATIENCE: usize = 3;

impl World {
    pub(super) fn end(&mut self) {
        if self.browser.tabs.iter().all(Option::is_none) {
            self.load(0, self.options.clone());
        }
        let mut finished = Vec::new();
        for round in 0..2 * ROUNDS {
            self.quiesce();
            if self.truth.wrong.is_some() || self.is_done() {
                break;
            }
            if round >= ROUNDS {
                self.staff_settle();
            }
            for tab in 0..2 {
                self.go_on(tab, round, &mut finished);
            }
            self.quiesce();
            for tab in 0..2 {
                let timers = self.browser.tab(tab).map_or(0, |tab| tab.timers.len());
                for _ in 0..timers {
                    self.fire(tab, timers - 1);
                }
            }
        }
        self.quiesce();
        if self.proxy.keeps() {
            let done = self.is_done();
            self.truth.must(done, || "something is still open after everything works again".into());
            self.compare();
        } else {
            self.leave_all();
        }
    }

    /// Everything that is on its way arrives and is done.
    fn quiesce(&mut self) {
        for _ in 0..1000 {
            self.truth.clock += 1;
            let asked = (0..2).find(|tab| self.browser.tab(*tab).is_some_and(|tab| tab.permission.is_some()));
            if !self.mozarto.lingering.is_empty() {
                self.end_lingering(0);
            } else if !self.mozarto.pending.is_empty() {
                self.process(0, Fate::BENIGN);
            } else if !self.network.messages.is_empty() {
                self.deliver(0, Arrival::Served);
            } else if let Some(tab) = asked {
                self.permit(tab, true);
            } else {
                for _ in 0..4 {
                    self.give_up(0);
                }
                if self.network.messages.is_empty() {
                    return;
                }
            }
        }
        self.truth.must(false, || "requests follow requests without end".into());
    }

    fn is_done(&self) -> bool {
        let no_open_card = |tab: &super::browser::Tab| {
            tab.machine.view().cards.iter().all(|card| matches!(card.state, CardState::Ended(_)))
        };
        let at_rest = |tab: &super::browser::Tab| {
            matches!(tab.machine.phase(), PhaseName::Editing | PhaseName::Redeemed) && no_open_card(tab)
        };
        // What is untouched is closed by the next page that loads.
        let open = |record: &Record| record.stage != Stage::Untouched;
        !self.browser.store.iter().any(open) && self.browser.tabs.iter().flatten().all(at_rest)
    }

    /// The customer does one thing that the screen offers.
    fn go_on(&mut self, tab: usize, round: usize, finished: &mut Vec<AttemptKey>) {
        let Some(view) = self.browser.tab(tab).map(|tab| tab.machine.view()) else { return };
        let patient = |finished: &[AttemptKey], key: &AttemptKey| {
            finished.iter().filter(|other| *other == key).count() < PATIENCE
        };
        let open = |card: &&CardView| !matches!(card.state, CardState::Ended(_));
        // Whoever gets no further with one attempt turns to another.
        let turns = round % 4 >= 2 && view.cards.iter().any(|card| open(&card));
        let mut cards = view.cards;
        let first = round % cards.len().max(1);
        cards.rotate_left(first);
        let event = match view.screen {
            Screen::Waiting { .. } if turns => Event::Cancelled,
            Screen::Unconfirmed { .. } if turns => Event::AnotherRequested,
            Screen::Confirm(_) => Event::Confirmed,
            Screen::Waiting { .. }
            | Screen::Failed { may_retry: true, .. }
            | Screen::Unconfirmed { may_retry: true, .. } => Event::RetryRequested,
            Screen::Failed { .. } => Event::EditRequested,
            Screen::Unconfirmed { may_finish: true, outcome, .. } if patient(finished, &outcome.attempt) => {
                return self.finish(tab, outcome.attempt, finished);
            }
            Screen::Unconfirmed { outcome, .. } => Event::StatusRequested(outcome.attempt),
            Screen::Redeemed { .. } => Event::ResetRequested,
            Screen::Progress { .. } | Screen::Checking { .. } => return,
            Screen::Form => {
                if view.form.finishing.is_some() {
                    // Whoever has begun to enter a PIN again goes on, or gives it up.
                    let being_finished = cards.iter().filter(open).find(|card| !card.may_finish);
                    let key = being_finished.map(|card| card.attempt.clone()).filter(|key| patient(finished, key));
                    if let Some(key) = key {
                        return self.finish(tab, key, finished);
                    }
                    return self.dispatch(tab, Event::EditRequested);
                }
                let may_finish = cards.iter().find(|card| card.may_finish && patient(finished, &card.attempt));
                if let Some(card) = may_finish {
                    return self.finish(tab, card.attempt.clone(), finished);
                }
                match (cards.iter().find(open), cards.first()) {
                    (Some(card), _) => Event::StatusRequested(card.attempt.clone()),
                    (None, Some(ended)) => Event::Dismissed(ended.attempt.clone()),
                    (None, None) => self.browser.records_read(),
                }
            }
        };
        self.dispatch(tab, event);
    }

    /// The customer enters the PIN of an open attempt again: the one that reached the ledger first, where two were
    /// entered that end alike.
    fn finish(&mut self, tab: usize, key: AttemptKey, finished: &mut Vec<AttemptKey>) {
        let sent = self.truth.find(&key).map_or(0, |told| told.voucher);
        let voucher = match &self.proxy {
            Proxy::Keeping(ledger) => ledger.voucher_of(&key).unwrap_or(sent),
            Proxy::PassThrough => sent,
        };
        self.dispatch(tab, Event::FinishRequested(key.clone()));
        finished.push(key);
        self.fill_in(tab, voucher);
        self.press(tab, Button::Submit, 0);
    }

    /// Staff look at what cannot be found out otherwise.
    fn staff_settle(&mut self) {
        let Proxy::Keeping(ledger) = &self.proxy else { return };
        let standing = |entry: &Entry| matches!(entry.standing(), Standing::Unconfirmed(_));
        let keys: Vec<_> =
            ledger.entries.iter().filter(|entry| standing(entry)).map(|entry| entry.key.clone()).collect();
        for key in keys {
            self.settle_one(&key);
        }
    }

    /// With a ledger: what was told of each attempt is what happened.
    fn compare(&mut self) {
        let told: Vec<_> = self
            .truth
            .attempts
            .iter()
            .filter(|told| !told.dismissed)
            .map(|told| (told.key.clone(), told.ended, told.redeemed))
            .collect();
        for (key, ended, redeemed) in told {
            let taken = self.mozarto.taken_by(&key);
            self.truth.must(ended, || format!("{key:?} has come to no end"));
            self.truth.must(redeemed == taken, || format!("{key:?} ended redeemed {redeemed}, and taken is {taken}"));
        }
    }

    /// Without a ledger: whatever is not known can be put aside for another voucher, and out of sight after a day.
    fn leave_all(&mut self) {
        self.browser.now_ms += 25 * HOUR_MS;
        for tab in 0..2 {
            self.dispatch(tab, Event::AnotherRequested);
            self.dispatch(tab, self.browser.records_read());
            let Some(view) = self.browser.tab(tab).map(|tab| tab.machine.view()) else { continue };
            for card in view.cards {
                self.dispatch(tab, Event::Dismissed(card.attempt));
            }
        }
        let stuck = self.browser.tabs.iter().flatten().any(|tab| {
            let at_rest = matches!(tab.machine.phase(), PhaseName::Editing | PhaseName::Redeemed);
            !at_rest || !tab.machine.view().cards.is_empty()
        });
        self.truth.must(!stuck, || "somebody cannot leave".into());
    }
}
