//! The machine against a model of the world: vouchers, Mozarto, a proxy that keeps attempts or one that does not, a
//! network that loses, delays and repeats, tabs that come and go. Whatever happens, in whatever order: nothing untrue
//! is told or shown, no voucher gets a second key while one is open, and every state has a way out.
//!
//! `world` is what can happen, `steps` chooses, `doing` does it, `truth` compares what was said with what happened
//! after every step, and `ending` lets everything work again and asks whether the truth came out.

mod browser;
mod doing;
mod ending;
mod ledger;
mod log;
mod mozarto;
mod network;
mod said;
mod steps;
mod truth;
mod world;

use proptest::prelude::*;
use steps::{Start, Step, start, steps};
use world::World;

/// Runs a case. The first untruth, if any, and what happened up to it.
fn run(start: &Start, steps: &[Step], log: bool) -> Result<(), (String, Vec<String>)> {
    let mut world = start.world(log);
    for step in steps {
        world.step(*step);
        check_store(&mut world);
        failed(&mut world)?;
    }
    world.end();
    failed(&mut world)
}

fn failed(world: &mut World) -> Result<(), (String, Vec<String>)> {
    match world.truth.wrong.take() {
        Some(wrong) => Err((wrong, world.log.take().unwrap_or_default())),
        None => Ok(()),
    }
}

/// An attempt is in the store from before its first request until its end was told or the customer put it away.
fn check_store(world: &mut World) {
    let open = world.truth.attempts.iter().filter(|told| !told.ended && !told.dismissed);
    let lost = open.map(|told| told.key.clone()).find(|key| !world.browser.store.iter().any(|kept| kept.key == *key));
    world.truth.must(lost.is_none(), || format!("{lost:?} is open and no record is kept"));
}

proptest! {
    // More where PROPTEST_CASES says so.
    #![proptest_config(ProptestConfig {
        cases: 3000.max(ProptestConfig::default().cases),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_untrue_is_told_whatever_happens_and_every_state_has_a_way_out(start in start(), steps in steps()) {
        if run(&start, &steps, false).is_err() {
            let (wrong, log) = run(&start, &steps, true).expect_err("the same steps end in the same way");
            let log = log.join("\n").replace("00000000-0000-4000-8000-0000000000", "#");
            prop_assert!(false, "{wrong}\n{start:?}\n{log}");
        }
    }
}
