//! In which cases the model begins, and what can happen next, and how often: numbers that choose among what is possible
//! then, so that a case can be shortened and stay one.

use super::mozarto::{Fate, Taker, Voucher};
use super::world::{Arrival, World};
use crate::support::{OTHER_PIN, PIN, TWIN_PIN, eur, options};
use proptest::prelude::*;
use redemption::{AmountOption, Options};

/// Ends as [`PIN`], and no voucher has it.
const MISTYPED_PIN: &str = "1234567890113456";
/// Of another value, where 25.00 is asked.
const CHEAP_PIN: &str = "5555666677774444";

/// What a case begins with.
#[derive(Clone, Debug)]
pub(super) struct Start {
    keeps: bool,
    locks: bool,
    before_submit: bool,
    amount: u8,
    /// Which vouchers somebody has taken before.
    taken: [bool; 3],
}

#[derive(Clone, Copy, Debug)]
#[rustfmt::skip]
pub(super) enum Step {
    /// What a failing case is shortened with.
    Nothing,
    /// A customer does one of the things that the screen offers.
    Act { tab: usize, which: usize, voucher: usize },
    /// A customer presses something, whether it is there or not.
    Press { tab: usize, button: Button, which: usize },
    Type { tab: usize, voucher: usize },
    /// The merchant's `beforeSubmit` answers.
    Permit { tab: usize, yes: bool },
    Fire { tab: usize, which: usize },
    /// The newest POST goes all the way there and back.
    Flow { fate: Fate },
    Deliver { which: usize, arrival: Arrival },
    /// The connection breaks: the page hears so, and what has left goes on.
    Break { which: usize },
    /// What was on its way does not arrive, and the page hears so.
    Lose { which: usize },
    /// The browser sends a POST once more.
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

const BUTTONS: [Button; 12] = {
    use Button::{Another, Back, Cancel, Check, Confirm, Dismiss, Edit, Finish, Online, Reset, Retry, Submit};
    [Submit, Confirm, Retry, Cancel, Check, Finish, Another, Dismiss, Edit, Back, Online, Reset]
};

/// A number from which choices are drawn: one is cheaper to make and to shorten than one for each.
struct Dice(u32);

impl Dice {
    fn of(&mut self, sides: u32) -> usize {
        let drawn = self.0 % sides;
        self.0 /= sides;
        usize::try_from(drawn).expect("a small number")
    }

    /// Mostly the first.
    fn tab(&mut self) -> usize {
        [0, 0, 0, 1][self.of(4)]
    }

    fn voucher(&mut self) -> usize {
        [0, 0, 0, 0, 0, 1, 2, 3, 4][self.of(9)]
    }

    fn which(&mut self) -> usize {
        self.of(12)
    }

    fn fate(&mut self) -> Fate {
        Fate { takes: self.of(10) < 7, lingers: self.of(10) > 6, answer: self.of(60) }
    }

    fn arrival(&mut self) -> Arrival {
        use Arrival::{NoConnection, NotSent, Page, Served, Session, TooMany};
        [Served, Session, NotSent, TooMany, Page, NoConnection][self.of(25).saturating_sub(19)]
    }
}

type Make = fn(&mut Dice) -> Step;

/// How often what happens.
const KINDS: [(u32, Make); 23] = [
    (1, |_| Step::Nothing),
    (25, |dice| Step::Act { tab: dice.tab(), which: dice.which(), voucher: dice.voucher() }),
    (7, |dice| Step::Press { tab: dice.tab(), button: BUTTONS[dice.of(12)], which: dice.which() }),
    (1, |dice| Step::Type { tab: dice.tab(), voucher: dice.voucher() }),
    (5, |dice| Step::Permit { tab: dice.tab(), yes: dice.of(5) < 4 }),
    (10, |dice| Step::Fire { tab: dice.tab(), which: dice.of(6) }),
    (10, |dice| Step::Flow { fate: dice.fate() }),
    (24, |dice| Step::Deliver { which: dice.which(), arrival: dice.arrival() }),
    (3, |dice| Step::Break { which: dice.which() }),
    (3, |dice| Step::Lose { which: dice.which() }),
    (3, |dice| Step::Resend { which: dice.which(), fate: dice.fate() }),
    (1, |dice| Step::Repeat { tab: dice.tab(), which: dice.which() }),
    (15, |dice| Step::Process { which: dice.which(), fate: dice.fate() }),
    (2, |dice| Step::EndLingering { which: dice.which() }),
    (4, |dice| Step::TakeLong { which: dice.which() }),
    (2, |dice| Step::GiveUp { which: dice.which() }),
    (1, |_| Step::CrashProxy),
    (1, |dice| Step::Settle { which: dice.which() }),
    (1, |dice| Step::Steal { voucher: dice.of(3) }),
    (2, |dice| Step::Reload { tab: dice.tab() }),
    (1, |dice| Step::Close { tab: dice.tab() }),
    (1, |dice| Step::Update { tab: dice.tab(), before_submit: dice.of(2) == 0 }),
    (1, |dice| Step::Pass { hours: [1, 25][dice.of(2)] }),
];

fn step((mut kind, dice): (u32, u32)) -> Step {
    for (weight, make) in KINDS {
        if kind < weight {
            return make(&mut Dice(dice));
        }
        kind -= weight;
    }
    Step::Nothing
}

pub(super) fn start() -> impl Strategy<Value = Start> {
    let taken = prop::array::uniform3(prop::bool::weighted(0.15));
    (any::<bool>(), prop::bool::weighted(0.7), prop::bool::weighted(0.3), 0..4_u8, taken)
        .prop_map(|(keeps, locks, before_submit, amount, taken)| Start { keeps, locks, before_submit, amount, taken })
}

/// At least sixty.
pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let all = KINDS.iter().map(|(weight, _)| weight).sum::<u32>();
    prop::collection::vec((0..all, any::<u32>()).prop_map(step), 60..110)
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
