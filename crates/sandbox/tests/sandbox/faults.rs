//! The plan of faults over a real socket: what each does to the answer and to the voucher.

use crate::world::{SEED_PIN, World, got, request};
use mozarto::Amount;
use mozarto_sandbox::{Fault, Faults};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn eur(minor: u64) -> Amount {
    Amount::from_minor(minor, "EUR".parse().expect("a currency")).expect("an amount")
}

/// Nothing but this fault, with delays so short that no test waits for them.
fn only(fault: Fault) -> Faults {
    Faults { seed: 1, time_scale: 0.01, rates: vec![(fault, 1.0)] }
}

#[tokio::test]
async fn each_fault_does_to_a_fresh_voucher_what_it_says() {
    let world = World::start().await;
    for (fault, signal, taken, tries) in [
        (Fault::CutBefore, "no-answer", 0, 1),
        (Fault::CutAfter, "no-answer", 1, 1),
        (Fault::Past25, "redeemed", 1, 1),
        (Fault::Past30, "redeemed", 1, 1),
        (Fault::Twice, "redeemed", 1, 2),
        (Fault::Garbage, "no-answer", 0, 1),
        (Fault::GarbageTaken, "no-answer", 1, 1),
        (Fault::Page, "no-answer", 0, 1),
        (Fault::PageTaken, "no-answer", 1, 1),
        (Fault::Error, "server-error", 0, 1),
        (Fault::ErrorTaken, "server-error", 1, 1),
        (Fault::TooManyRequests, "rate-limited", 0, 1),
        (Fault::Unavailable, "psp-unavailable", 0, 1),
        (Fault::Timeout, "psp-timeout", 0, 1),
        (Fault::TimeoutTaken, "psp-timeout", 1, 1),
        (Fault::PendingTaken, "pending", 1, 1),
    ] {
        let pin = world.sandbox.ledger.issue(eur(2500)).expose().to_owned();
        world.sandbox.ledger.set_faults(Some(only(fault)));
        assert_eq!(world.meaning(&pin).await.signal.to_string(), signal, "{fault:?}");
        let voucher = world.voucher(&pin).await;
        assert_eq!((&voucher["taken"], &voucher["tries"]), (&json!(taken), &json!(tries)), "{fault:?}");
        world.sandbox.ledger.set_faults(None);
        let then = if taken == 1 { "rejected" } else { "redeemed" };
        assert!(world.meaning(&pin).await.signal.to_string().starts_with(then), "{fault:?}, then none");
        assert_eq!(world.voucher(&pin).await["taken"], 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_slow_try_is_taken_at_the_end_of_its_delay() {
    let world = World::start().await;
    let pin = world.sandbox.ledger.issue(eur(2500)).expose().to_owned();
    world.sandbox.ledger.set_faults(Some(Faults { time_scale: 0.04, ..only(Fault::Past30) }));
    let asked = Instant::now();
    let slow = tokio::spawn(got(world.pay_in(&request(&pin))));
    while world.voucher(&pin).await["taken"] == 0 {}
    assert!(asked.elapsed() > Duration::from_millis(1200), "30 s by 0.04");
    assert!(slow.await.expect("no panic").is_ok());
}

#[tokio::test]
async fn only_issued_vouchers_meet_faults() {
    let world = World::start().await;
    world.sandbox.ledger.set_faults(Some(only(Fault::CutBefore)));
    for pin in [SEED_PIN, "9900000000000000"] {
        assert_eq!(world.meaning(pin).await.signal.to_string(), "redeemed");
    }
    assert_eq!(world.meaning("1111222233334444").await.signal.to_string(), "rejected: invalid-pin");
}

#[tokio::test]
async fn a_wrong_amount_stays_wrong_and_is_never_taken() {
    let world = World::start().await;
    for fault in [Fault::CutAfter, Fault::Past25, Fault::PendingTaken] {
        let pin = world.sandbox.ledger.issue(eur(5000)).expose().to_owned();
        world.sandbox.ledger.set_faults(Some(only(fault)));
        let signal = world.meaning(&pin).await.signal.to_string();
        assert!(signal == "rejected: mismatched-amount" || signal == "no-answer", "{fault:?}: {signal}");
        assert_eq!(world.voucher(&pin).await["taken"], 0);
    }
}

#[tokio::test]
async fn the_back_office_sets_a_plan_tells_it_and_ends_it() {
    let world = World::start().await;
    let set = async |body: Value| {
        let got = got(world.post("/sandbox/faults", body.to_string())).await.expect("an answer");
        (got.status.as_u16(), got.json())
    };
    let plan = json!({"seed": 7, "timeScale": 0.5, "rates": {"cutBefore": 1.0}});
    assert_eq!(set(plan.clone()).await, (200, plan));
    let pin = world.sandbox.ledger.issue(eur(2500)).expose().to_owned();
    assert_eq!(world.meaning(&pin).await.signal.to_string(), "no-answer");
    let (_, storm) = set(json!({"rates": "storm"})).await;
    assert_eq!((&storm["timeScale"], &storm["rates"]["cutAfter"]), (&json!(1.0), &json!(0.03)));
    assert!(storm["seed"].is_u64(), "a fresh seed is told, so that it can be set again");
    assert_eq!(set(json!({"rates": "none"})).await, (200, json!({"rates": "none"})));
    assert_eq!(world.meaning(&pin).await.signal.to_string(), "redeemed");
}

#[tokio::test]
async fn a_plan_that_cannot_be_is_refused_and_names_what_is_wrong() {
    let world = World::start().await;
    for (body, says) in [
        (json!([]), "body must be a JSON object"),
        (json!({}), "Missing required field: rates"),
        (json!({"rates": "some"}), "rates must be none, storm"),
        (json!({"rates": {"cut": 0.5}}), "cut is no fault"),
        (json!({"rates": {"cutAfter": 2}}), "cutAfter must be a number from 0 to 1"),
        (json!({"rates": {"cutAfter": 0.6, "page": 0.6}}), "at most 1 together"),
        (json!({"rates": "storm", "seed": -1}), "seed must be"),
        (json!({"rates": "storm", "timeScale": 3}), "timeScale must be"),
        (json!({"rates": "storm", "scale": 1}), "scale is no setting"),
    ] {
        let got = got(world.post("/sandbox/faults", body.to_string())).await.expect("an answer");
        assert_eq!(got.status.as_u16(), 400, "{body}");
        assert!(got.text.contains(says), "{}", got.text);
    }
}

#[tokio::test]
async fn reset_ends_the_faults() {
    let world = World::start().await;
    world.sandbox.ledger.set_faults(Some(only(Fault::CutBefore)));
    got(world.post("/sandbox/reset", String::new())).await.expect("an answer");
    let pin = world.sandbox.ledger.issue(eur(2500)).expose().to_owned();
    assert_eq!(world.meaning(&pin).await.signal.to_string(), "redeemed");
}
