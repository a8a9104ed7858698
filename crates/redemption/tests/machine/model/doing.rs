//! What each step does to the world, as far as it is possible at the time.

use super::mozarto::{Fate, Origin, Taker, Voucher};
use super::network::{Fetch, Message, What};
use super::steps::{Button, Step};
use super::world::{Arrival, World};
use crate::support::{numbered_key, pin};
use mozarto::Answer;
use redemption::{Event, Keeping, Options, Permission, PhaseName, Screen};

pub(super) const HOUR_MS: u64 = 60 * 60 * 1000;

/// One of so many, if there are any.
fn choose(which: usize, of: usize) -> Option<usize> {
    (of > 0).then(|| which % of)
}

impl World {
    pub(super) fn step(&mut self, step: Step) {
        self.truth.clock += 1;
        match step {
            Step::Nothing => {}
            Step::Act { tab, which, voucher } => self.act(tab, which, voucher),
            Step::Type { tab, voucher } => self.fill_in(tab, voucher),
            Step::Flow { fate } => self.flow(fate),
            Step::Press { tab, button, which } => self.press(tab, button, which),
            Step::Permit { tab, yes } => self.permit(tab, yes),
            Step::Fire { tab, which } => self.fire(tab, which),
            Step::Deliver { which, arrival } => {
                if let Some(at) = choose(which, self.network.messages.len()) {
                    self.deliver(at, arrival);
                }
            }
            Step::Break { which } => {
                if let Some(at) = choose(which, self.network.fetches.len()) {
                    self.cut(self.network.fetches[at].connection);
                }
            }
            Step::Lose { which } => {
                if let Some(at) = choose(which, self.network.messages.len()) {
                    let connection = match self.network.messages.remove(at) {
                        Message::Up(up) => up.connection,
                        Message::Down(down) => down.connection,
                    };
                    self.cut(connection);
                }
            }
            Step::Resend { which, fate } => self.resend(which, fate),
            Step::Repeat { tab, which } => {
                let heard = self.browser.tab(tab).map(|tab| tab.heard.clone()).unwrap_or_default();
                if let Some(at) = choose(which, heard.len()) {
                    self.dispatch(tab, heard[at].clone());
                }
            }
            Step::Process { which, fate } => {
                if let Some(at) = choose(which, self.mozarto.pending.len()) {
                    self.process(at, fate);
                }
            }
            Step::EndLingering { which } => {
                if let Some(at) = choose(which, self.mozarto.lingering.len()) {
                    self.end_lingering(at);
                }
            }
            Step::TakeLong { which } => {
                if let Some(at) = choose(which, self.mozarto.pending.len()) {
                    self.take_long(at);
                }
            }
            Step::GiveUp { which } => self.give_up(which),
            Step::CrashProxy => self.crash_proxy(),
            Step::Settle { which } => self.settle(which),
            Step::Steal { voucher } => {
                self.mozarto.vouchers[voucher].taken.get_or_insert(Taker::Somebody);
            }
            Step::Reload { tab } => self.load(tab, self.options.clone()),
            Step::Close { tab } => self.unload(tab),
            Step::Update { tab, before_submit } => {
                let options = Options { before_submit, ..self.options.clone() };
                self.dispatch(tab, Event::OptionsChanged(Box::new(options)));
            }
            Step::Pass { hours } => {
                self.browser.now_ms += hours * HOUR_MS;
                for tab in 0..2 {
                    self.dispatch(tab, self.browser.records_read());
                }
            }
        }
    }

    fn redeem(&mut self, tab: usize, voucher: usize) {
        self.fill_in(tab, voucher);
        self.press(tab, Button::Submit, 0);
        self.press(tab, Button::Confirm, 0);
    }

    /// One of the things that the screen offers.
    fn act(&mut self, tab: usize, which: usize, voucher: usize) {
        let Some(view) = self.browser.tab(tab).map(|tab| tab.machine.view()) else {
            return self.load(tab, self.options.clone());
        };
        let mut offered: Vec<(Button, usize)> = match view.screen {
            Screen::Form => vec![(Button::Submit, 0), (Button::Submit, 0)],
            Screen::Confirm(_) => vec![(Button::Confirm, 0), (Button::Confirm, 0), (Button::Back, 0)],
            Screen::Progress { .. } => vec![(Button::Online, 0)],
            Screen::Waiting { .. } => vec![(Button::Retry, 0), (Button::Retry, 0), (Button::Cancel, 0)],
            Screen::Checking { .. } => vec![(Button::Another, 0)],
            Screen::Redeemed { .. } => vec![(Button::Reset, 0)],
            Screen::Failed { .. } => vec![(Button::Retry, 0), (Button::Edit, 0)],
            Screen::Unconfirmed { .. } => {
                let in_hand = view.cards.len();
                vec![(Button::Retry, 0), (Button::Finish, in_hand), (Button::Another, 0), (Button::Check, in_hand)]
            }
        };
        for at in 0..view.cards.len() {
            offered.extend([(Button::Finish, at), (Button::Check, at), (Button::Dismiss, at)]);
        }
        let (button, of) = offered[which % offered.len()];
        match button {
            Button::Submit => self.redeem(tab, voucher),
            Button::Finish => {
                self.press(tab, button, of);
                self.redeem(tab, voucher);
            }
            button => self.press(tab, button, of),
        }
    }

    /// The newest POST arrives, is done and answered, without anything between.
    fn flow(&mut self, fate: Fate) {
        let posts = |message: &Message| matches!(message, Message::Up(up) if matches!(up.what, What::Post { .. }));
        if let Some(at) = self.network.messages.iter().rposition(posts) {
            self.deliver(at, Arrival::Served);
        }
        if let Some(at) = self.mozarto.pending.len().checked_sub(1) {
            self.process(at, fate);
        }
        let answers = |message: &Message| matches!(message, Message::Down(_));
        if let Some(at) = self.network.messages.iter().rposition(answers) {
            self.deliver(at, Arrival::Served);
        }
    }

    pub(super) fn fill_in(&mut self, tab: usize, voucher: usize) {
        let editing = |tab: &super::browser::Tab| tab.machine.phase() == PhaseName::Editing;
        if !self.browser.tab(tab).is_some_and(editing) {
            return;
        }
        let Voucher { pin: digits, value, .. } = self.mozarto.vouchers[voucher];
        self.dispatch(tab, pin(digits));
        self.dispatch(tab, Event::AmountChosen(usize::from(value != Some(1000))));
        self.dispatch(tab, Event::AmountEdited("25".into()));
    }

    pub(super) fn press(&mut self, tab: usize, button: Button, which: usize) {
        let Some(machine) = self.browser.tab(tab).map(|tab| &tab.machine) else { return };
        let cards = machine.view().cards;
        // An attempt in hand has the last place.
        let in_hand = match machine.view().screen {
            Screen::Unconfirmed { outcome, .. } => Some(outcome.attempt),
            _ => None,
        };
        let mut keys: Vec<_> = cards.into_iter().map(|card| card.attempt).chain(in_hand).collect();
        let key = choose(which, keys.len()).map(|at| keys.swap_remove(at));
        let event = match (button, key) {
            (Button::Submit, _) => {
                self.dispatch(tab, self.browser.records_read());
                self.keys += 1;
                Event::Submitted { key: numbered_key(self.keys), now_ms: self.browser.now_ms }
            }
            (Button::Confirm, _) => Event::Confirmed,
            (Button::Back, _) => Event::WentBack,
            (Button::Cancel, _) => Event::Cancelled,
            (Button::Retry, _) => Event::RetryRequested,
            (Button::Another, _) => Event::AnotherRequested,
            (Button::Edit, _) => Event::EditRequested,
            (Button::Online, _) => Event::CameBack,
            (Button::Reset, _) => Event::ResetRequested,
            (Button::Check, Some(key)) => Event::StatusRequested(key),
            (Button::Finish, Some(key)) => Event::FinishRequested(key),
            (Button::Dismiss, Some(key)) => Event::Dismissed(key),
            (_, None) => return,
        };
        self.dispatch(tab, event);
    }

    pub(super) fn permit(&mut self, tab: usize, yes: bool) {
        let asked = self.browser.tabs[tab].as_mut().and_then(|tab| tab.permission.take());
        if let Some(asked) = asked {
            let granted = Permission::Granted { headers: Vec::new(), session_token: None };
            let permission = if yes { granted } else { Permission::Refused };
            let (attempt, try_number) = (asked.attempt, asked.try_number);
            self.dispatch(tab, Event::BeforeSubmitAnswered { attempt, try_number, permission });
        }
    }

    pub(super) fn fire(&mut self, tab: usize, which: usize) {
        let Some(timers) = self.browser.tabs[tab].as_mut().map(|tab| &mut tab.timers) else { return };
        // The last are the likeliest to mean something.
        if let Some(at) = choose(which, timers.len()) {
            let timer = timers.remove(timers.len() - 1 - at);
            self.dispatch(tab, Event::TimerFired(timer));
        }
    }

    fn cut(&mut self, connection: u32) {
        if let Some(fetch) = self.network.finish(connection) {
            self.hear(fetch, Answer::none(), Keeping::No);
        }
    }

    /// Chromium repeats a POST whose connection has died. The first copy has arrived by then, or never will, and what
    /// becomes of it at Mozarto comes before the second copy: nothing could tell them apart otherwise.
    fn resend(&mut self, which: usize, fate: Fate) {
        let posts = |fetch: &&Fetch| matches!(fetch.what, What::Post { .. });
        let ids: Vec<_> = self.network.fetches.iter().filter(posts).map(|fetch| (fetch.id, fetch.connection)).collect();
        let Some((id, connection)) = choose(which, ids.len()).map(|at| ids[at]) else { return };
        let is_copy = |message: &Message| matches!(message, Message::Up(up) if up.fetch == id);
        if let Some(at) = self.network.messages.iter().position(is_copy) {
            if fate.lingers {
                self.deliver(at, Arrival::Served);
            } else {
                self.network.messages.remove(at);
            }
        }
        let first = Origin::Connection(connection);
        if let Some(at) = self.mozarto.pending.iter().position(|request| request.origin == first) {
            self.process(at, Fate { lingers: false, ..fate });
        }
        if let Some(at) = self.network.fetches.iter().position(|fetch| fetch.id == id) {
            self.network.resend(at);
        }
    }
}
