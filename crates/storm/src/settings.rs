//! How large a storm is, and how fast its time runs. Nothing here is drawn; what is drawn comes from the seed.

use crate::Blow;
use mozarto_sandbox::Faults;
use std::time::Duration;

/// The contract's: how long a try may run.
pub(crate) const UPSTREAM_DEADLINE: Duration = Duration::from_secs(45);
/// After a blow several proxies and their server need a while until all is well.
const CALM: Duration = Duration::from_secs(10);
/// The contract's: how long a POST may wait for its answer. A proxy's lease is at most that.
const ANSWER_WITHIN: Duration = Duration::from_secs(25);
/// What a proxy whose try has ended unseen, or never will, is given beyond that try's deadline; it is not scaled.
const LATER: Duration = Duration::from_secs(4);
/// Of how many valid vouchers the storm wants one redeemed before the last round.
pub(crate) const LEAST_REDEEMED: f64 = 0.7;

/// A storm.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many vouchers are to be redeemed.
    pub redemptions: usize,
    /// Repeats the faults of each voucher and try, and what each customer wants to do.
    pub seed: u64,
    /// How many customers are there at the same time.
    pub at_once: usize,
    /// What every time of the contract is multiplied by: 45 s, 30 s, 25 s, the waits between tries.
    pub time_scale: f64,
    /// How long the sandbox takes between checking a voucher and taking it.
    pub gap: Duration,
    /// What goes wrong at Mozarto.
    pub faults: Faults,
    /// What goes wrong on the way between customers and proxy, and with the customers.
    pub habits: Habits,
    /// What befalls the proxy, each when this share of the customers has come to an end; 1 is after the last.
    pub weather: Vec<(f64, Blow)>,
    /// How long there is none after a blow.
    pub calm: Duration,
    /// How much longer than its deadline a try may go on being called running, when its proxy was killed.
    pub given_up_within: Duration,
}

/// Shares of customers and requests, each from 0 to 1.
#[derive(Clone, Debug)]
pub struct Habits {
    /// Vouchers that two customers redeem under a key each.
    pub two_keys: f64,
    /// Vouchers that nobody issued.
    pub no_voucher: f64,
    /// Vouchers that are first redeemed for an amount that is not theirs.
    pub wrong_amount: f64,
    /// Customers who reload the page in the middle.
    pub reload: f64,
    /// Customers who leave in the middle. Every second of them is never seen again.
    pub leave: f64,
    /// POSTs that never leave.
    pub never_leaves: f64,
    /// Requests whose answer does not come back.
    pub answer_lost: f64,
    /// POSTs that take up to 20 s to arrive.
    pub delayed: f64,
    /// POSTs that the browser sends a second time, because the connection died.
    pub sent_twice: f64,
    /// How often a customer presses a button that should not have been necessary.
    pub patience: u32,
    /// POSTs that a DELETE of the same key races with.
    pub raced_by_delete: f64,
}

impl Habits {
    /// Those of a storm.
    pub fn storm() -> Self {
        Self {
            two_keys: 0.1,
            no_voucher: 0.02,
            wrong_amount: 0.02,
            reload: 0.15,
            leave: 0.06,
            never_leaves: 0.02,
            answer_lost: 0.03,
            delayed: 0.01,
            sent_twice: 0.02,
            raced_by_delete: 0.01,
            patience: 3,
        }
    }

    /// Customers who do what they are asked to, on a line that loses nothing.
    pub fn calm() -> Self {
        Self {
            two_keys: 0.0,
            no_voucher: 0.0,
            wrong_amount: 0.0,
            reload: 0.0,
            leave: 0.0,
            never_leaves: 0.0,
            answer_lost: 0.0,
            delayed: 0.0,
            sent_twice: 0.0,
            raced_by_delete: 0.0,
            patience: 3,
        }
    }
}

impl Settings {
    /// The storm: everything goes wrong.
    pub fn storm(redemptions: usize, seed: u64) -> Self {
        let time_scale = 0.1;
        Self {
            redemptions,
            seed,
            at_once: 200,
            time_scale,
            gap: Duration::from_millis(30),
            faults: Faults::storm(seed, time_scale),
            habits: Habits::storm(),
            weather: weather(&ONE_PROXY, 4, seed, 3.0),
            calm: Duration::ZERO,
            given_up_within: LATER,
        }
    }

    /// The storm for a test suite: smaller and faster.
    pub fn short(redemptions: usize, seed: u64) -> Self {
        let time_scale = 0.05;
        Self {
            at_once: 35,
            time_scale,
            gap: Duration::from_millis(20),
            faults: Faults::storm(seed, time_scale),
            weather: weather(&ONE_PROXY, 1, seed, 1.0),
            ..Self::storm(redemptions, seed)
        }
    }

    /// The same over several proxies on one database, where other things go wrong.
    #[must_use]
    pub fn over_nodes(self) -> Self {
        let rounds = self.weather.len() / ONE_PROXY.len();
        let longest_seconds = 20.0 * self.time_scale;
        let mut weather = weather(&NODES, rounds, self.seed, longest_seconds);
        // They look for lost tries as often as a lease is long.
        let given_up_within = self.scaled(ANSWER_WITHIN) * 2 + LATER;
        // Until its lease has run out; where there is time, until others have given its tries up.
        let lease = self.scaled(ANSWER_WITHIN);
        let still = if rounds > 1 { self.scaled(UPSTREAM_DEADLINE) + given_up_within } else { lease };
        for (_, blow) in &mut weather {
            if let Blow::Pause { lasting } = blow {
                *lasting += still;
            }
        }
        Self { weather, calm: self.scaled(CALM), given_up_within, ..self }
    }

    /// A time of the contract, as long as it lasts in this storm.
    pub(crate) fn scaled(&self, time: Duration) -> Duration {
        time.mul_f64(self.time_scale)
    }
}

/// A kind of blow: made of a time for it, and the number of its round.
type Kind = fn(Duration, usize) -> Blow;

/// What befalls one proxy with a file of its own.
const ONE_PROXY: [Kind; 5] = [
    |lasting, _| Blow::Kill { down: lasting / 4 },
    |lasting, _| Blow::LockDatabase { lasting },
    |lasting, _| Blow::FillDisk { lasting },
    |lasting, _| Blow::KillWhileFull { lasting: lasting / 2 },
    set_clock,
];

/// What befalls several proxies on one server.
const NODES: [Kind; 7] = [
    |lasting, _| Blow::Kill { down: lasting },
    |lasting, _| Blow::KillServer { down: lasting / 4 },
    |lasting, _| Blow::Pause { lasting },
    |lasting, _| Blow::LockDatabase { lasting },
    |_, _| Blow::End,
    |lasting, _| Blow::EndServer { down: lasting / 4 },
    set_clock,
];

fn set_clock(_: Duration, round: usize) -> Blow {
    let days = [3, -40, 400, 0];
    Blow::SetClock { days: days[round % days.len()] }
}

/// So many rounds of these kinds, evenly over the run.
fn weather(kinds: &[Kind], rounds: usize, seed: u64, longest_seconds: f64) -> Vec<(f64, Blow)> {
    let mut random = fastrand::Rng::with_seed(seed ^ 0x5EA);
    let blows = rounds * kinds.len();
    let share = |nth: usize| share_of(nth + 1, blows + 2);
    (0..blows)
        .map(|nth| {
            let lasting = Duration::from_secs_f64(longest_seconds * (0.3 + 0.7 * random.f64()));
            (share(nth), kinds[nth % kinds.len()](lasting, nth / kinds.len()))
        })
        .collect()
}

/// One part of several.
#[expect(clippy::cast_precision_loss, reason = "a number of customers, or of blows")]
pub(crate) fn share_of(part: usize, of: usize) -> f64 {
    part as f64 / of as f64
}
