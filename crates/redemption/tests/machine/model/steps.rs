//! What can happen next, and in which cases: numbers choose among what is possible then, so that a case can be shortened
//! and stay one.

use super::mozarto::{Fate, Origin, Taker, Voucher};
use super::network::{Message, What};
use super::world::{Arrival, World};
use crate::support::{OTHER_PIN, PIN, TWIN_PIN, eur, numbered_key, options, pin};
use proptest::prelude::*;
use redemption::{AmountOption, Event, Keeping, Options, Permission, Screen};

/// Ends as [`PIN`], and no voucher has it.
const MISTYPED_PIN: &str = "1234567890113456";
/// Of another value, where 25.00 is asked.
const CHEAP_PIN: &str = "5555666677774444";
pub(super) const HOUR_MS: u64 = 60 * 60 * 1000;

/// What a case begins with.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) keeps: bool,
    pub(super) locks: bool,
    before_submit: bool,
    amount: u8,
    /// Which vouchers somebody has taken before.
    taken: [bool; 3],
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// What a failing case is shortened with.
    Nothing,
    /// A customer fills the form and submits it.
    Redeem { tab: usize, voucher: usize },
    Type { tab: usize, voucher: usize },
    Press { tab: usize, button: Button, which: usize },
    Permit { tab: usize, yes: bool },
    Fire { tab: usize, which: usize },
    Deliver { which: usize, arrival: Arrival },
    /// The connection breaks: the page hears so, and what has left goes on.
    Break { which: usize },
    /// What was on its way does not arrive, and the page hears so.
    Lose { which: usize },
    Resend { which: usize, fate: Fate },
    /// An answer is heard once more.
    Repeat { tab: usize, which: usize },
    Process { which: usize, fate: Fate },
    EndLingering { which: usize },
    TakeLong { which: usize },
    GiveUp { which: usize },
    CrashProxy,
    Settle { which: usize },
    /// Somebody else takes a voucher.
    Steal { voucher: usize },
    Reload { tab: usize },
    Close { tab: usize },
    /// The merchant changes an option.
    Update { tab: usize, before_submit: bool },
    Pass { hours: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Button {
    Submit,
    Confirm,
    Back,
    Cancel,
    Retry,
    Check,
    Finish,
    Another,
    Dismiss,
    Edit,
    Online,
    Reset,
}

pub(super) fn start() -> impl Strategy<Value = Start> {
    let taken = prop::array::uniform3(prop::bool::weighted(0.15));
    (any::<bool>(), prop::bool::weighted(0.7), prop::bool::weighted(0.3), 0..4_u8, taken).prop_map(
        |(keeps, locks, before_submit, amount, taken)| Start { keeps, locks, before_submit, amount, taken },
    )
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    use Button::{Another, Back, Cancel, Check, Confirm, Dismiss, Edit, Finish, Online, Reset, Retry, Submit};
    let tab = || prop_oneof![3 => Just(0_usize), 1 => Just(1)];
    let which = || 0..12_usize;
    let voucher = || prop_oneof![4 => Just(0_usize), 1 => 1..5_usize];
    let fate = || {
        (prop::bool::weighted(0.7), prop::bool::weighted(0.3), 0..64_usize)
            .prop_map(|(takes, lingers, answer)| Fate { takes, lingers, answer })
    };
    let button = prop::sample::select(vec![
        Submit, Submit, Confirm, Confirm, Back, Cancel, Retry, Retry, Check, Check, Finish, Finish, Finish, Another,
        Another, Dismiss, Edit, Online, Reset,
    ]);
    let arrival = prop_oneof![
        20 => Just(Arrival::Served),
        1 => Just(Arrival::Session),
        1 => Just(Arrival::NotSent),
        1 => Just(Arrival::TooMany),
        1 => Just(Arrival::Page),
        1 => Just(Arrival::NoConnection),
    ];
    let step = prop_oneof![
        1 => Just(Step::Nothing),
        6 => (tab(), voucher()).prop_map(|(tab, voucher)| Step::Redeem { tab, voucher }),
        3 => (tab(), voucher()).prop_map(|(tab, voucher)| Step::Type { tab, voucher }),
        12 => (tab(), button, which()).prop_map(|(tab, button, which)| Step::Press { tab, button, which }),
        3 => (tab(), prop::bool::weighted(0.8)).prop_map(|(tab, yes)| Step::Permit { tab, yes }),
        8 => (tab(), which()).prop_map(|(tab, which)| Step::Fire { tab, which }),
        30 => (which(), arrival).prop_map(|(which, arrival)| Step::Deliver { which, arrival }),
        3 => which().prop_map(|which| Step::Break { which }),
        3 => which().prop_map(|which| Step::Lose { which }),
        3 => (which(), fate()).prop_map(|(which, fate)| Step::Resend { which, fate }),
        1 => (tab(), which()).prop_map(|(tab, which)| Step::Repeat { tab, which }),
        15 => (which(), fate()).prop_map(|(which, fate)| Step::Process { which, fate }),
        2 => which().prop_map(|which| Step::EndLingering { which }),
        4 => which().prop_map(|which| Step::TakeLong { which }),
        2 => which().prop_map(|which| Step::GiveUp { which }),
        1 => Just(Step::CrashProxy),
        1 => which().prop_map(|which| Step::Settle { which }),
        1 => (0..3_usize).prop_map(|voucher| Step::Steal { voucher }),
        4 => tab().prop_map(|tab| Step::Reload { tab }),
        1 => tab().prop_map(|tab| Step::Close { tab }),
        1 => (tab(), any::<bool>()).prop_map(|(tab, before_submit)| Step::Update { tab, before_submit }),
        1 => prop::sample::select(vec![1_u64, 25]).prop_map(|hours| Step::Pass { hours }),
    ];
    prop::collection::vec(step, 60..110)
}

impl Start {
    pub(super) fn world(&self, log: bool) -> World {
        let amount = match self.amount {
            0 => AmountOption::Typed,
            1 => AmountOption::OneOf(vec![eur(1000), eur(2500)]),
            _ => AmountOption::Fixed(eur(2500)),
        };
        let taker = |at: usize| self.taken[at].then_some(Taker::Somebody);
        let voucher = |pin, value, taken| Voucher { pin, value, taken };
        let vouchers = vec![
            voucher(PIN, Some(2500), taker(0)),
            voucher(TWIN_PIN, Some(2500), taker(1)),
            voucher(OTHER_PIN, Some(2500), taker(2)),
            voucher(MISTYPED_PIN, None, None),
            voucher(CHEAP_PIN, Some(1000), None),
        ];
        let options = Options { amount, before_submit: self.before_submit, ..options() };
        let mut world = World::new(vouchers, self.keeps, self.locks, options, log);
        world.load(0, world.options.clone());
        world
    }
}

/// One of so many, if there are any.
fn choose(which: usize, of: usize) -> Option<usize> {
    (of > 0).then(|| which % of)
}

impl World {
    pub(super) fn step(&mut self, step: Step) {
        self.truth.clock += 1;
        match step {
            Step::Nothing => {}
            Step::Redeem { tab, voucher } => {
                self.fill_in(tab, voucher);
                self.press(tab, Button::Submit, 0);
                self.press(tab, Button::Confirm, 0);
            }
            Step::Type { tab, voucher } => self.fill_in(tab, voucher),
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

    pub(super) fn fill_in(&mut self, tab: usize, voucher: usize) {
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
        if let Some(at) = choose(which, timers.len()) {
            let timer = timers.remove(at);
            self.dispatch(tab, Event::TimerFired(timer));
        }
    }

    fn cut(&mut self, connection: u32) {
        if let Some(fetch) = self.network.finish(connection) {
            self.hear(fetch, mozarto::Answer::none(), Keeping::No);
        }
    }

    /// Chromium repeats a POST. Without a ledger nothing can tell the copies apart: only the first copy's end is
    /// modelled that CONTRACT speaks of ("The browser resends"), and it comes before the second is sent.
    fn resend(&mut self, which: usize, fate: Fate) {
        let posts = |fetch: &&super::network::Fetch| matches!(fetch.what, What::Post { .. });
        let ids: Vec<_> = self.network.fetches.iter().filter(posts).map(|fetch| (fetch.id, fetch.connection)).collect();
        let Some((id, connection)) = choose(which, ids.len()).map(|at| ids[at]) else { return };
        if !self.proxy.keeps() {
            let first = Origin::Connection(connection);
            self.network.messages.retain(|message| !matches!(message, Message::Up(up) if up.fetch == id));
            if let Some(at) = self.mozarto.pending.iter().position(|request| request.origin == first) {
                self.process(at, Fate { lingers: false, ..fate });
            }
        }
        if let Some(at) = self.network.fetches.iter().position(|fetch| fetch.id == id) {
            self.network.resend(at);
        }
    }
}
