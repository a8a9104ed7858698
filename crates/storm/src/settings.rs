//! How large a storm is, and how fast its time runs. Nothing here is drawn; what is drawn comes from the seed.

use crate::Blow;
use mozarto_sandbox::Faults;
use std::time::Duration;

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
            weather: weather(20, seed, 3.0),
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
            weather: weather(5, seed, 1.0),
            ..Self::storm(redemptions, seed)
        }
    }

    /// A time of the contract, as long as it lasts in this storm.
    pub(crate) fn scaled(&self, time: Duration) -> Duration {
        time.mul_f64(self.time_scale)
    }
}

/// So many blows, evenly over the run; the kinds take turns.
fn weather(blows: u32, seed: u64, longest_seconds: f64) -> Vec<(f64, Blow)> {
    let mut random = fastrand::Rng::with_seed(seed ^ 0x5EA);
    let mut lasting = || Duration::from_secs_f64(longest_seconds * (0.3 + 0.7 * random.f64()));
    let days = [3, -40, 400, 0];
    (0..blows)
        .map(|nth| {
            let blow = match nth % 5 {
                0 => Blow::Kill { down: lasting() / 4 },
                1 => Blow::LockDatabase { lasting: lasting() },
                2 => Blow::FillDisk { lasting: lasting() },
                3 => Blow::KillWhileFull { lasting: lasting() / 2 },
                _ => Blow::SetClock { days: days[usize::try_from(nth / 5).unwrap_or(0) % days.len()] },
            };
            (f64::from(nth + 1) / f64::from(blows + 2), blow)
        })
        .collect()
}
