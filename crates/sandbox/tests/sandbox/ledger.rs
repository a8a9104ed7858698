//! Vouchers that were issued: what redeems them, what does not, and that it happens once.

use crate::world::{SEED_PIN, World, got, request};
use mozarto::Amount;
use mozarto_sandbox::Sandbox;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;

fn eur(minor: u64) -> Amount {
    Amount::from_minor(minor, "EUR".parse().expect("a currency")).expect("an amount")
}

#[tokio::test]
async fn the_pages_own_voucher_is_redeemed_once() {
    let world = World::start().await;
    let answer = world.try_pin(SEED_PIN).await.json();
    let transaction = answer["data"]["transactionId"].as_str().expect("an id");
    assert!(transaction.len() == 24 && transaction.bytes().all(|byte| byte.is_ascii_hexdigit()), "{transaction}");
    let expected = json!({
        "pin": SEED_PIN, "value": 25.0, "currency": "EUR", "state": "USED", "transactionId": transaction,
        "transactionIds": [transaction], "taken": 1, "tries": 1
    });
    assert_eq!(world.voucher(SEED_PIN).await, expected);
    assert_eq!(world.meaning(SEED_PIN).await.signal.to_string(), "rejected: already-redeemed");
    let voucher = world.voucher(SEED_PIN).await;
    assert_eq!((&voucher["transactionId"], &voucher["tries"]), (&json!(transaction), &json!(2)));
}

#[tokio::test]
async fn only_its_own_value_and_currency_redeem_a_voucher() {
    let world = World::start().await;
    for (amount, currency, signal) in [
        (json!(50), "EUR", "rejected: mismatched-amount"),
        (json!(24.99), "EUR", "rejected: mismatched-amount"),
        (json!(25), "USD", "rejected: mismatched-currency"),
        (json!(50), "USD", "rejected: mismatched-currency"),
        (json!(25.00), "EUR", "redeemed"),
        (json!(50), "EUR", "rejected: already-redeemed"),
    ] {
        let mut body = request(SEED_PIN);
        body["baseamount"] = amount;
        body["currency"] = json!(currency);
        body["currencyCode"] = json!(currency);
        let got = got(world.pay_in(&body)).await.expect("an answer");
        assert_eq!(got.meaning().signal.to_string(), signal, "{body}");
        assert_eq!(got.json()["errorCode"], Value::Null);
    }
}

#[tokio::test]
async fn a_pin_that_was_not_issued_is_invalid_and_not_listed() {
    let world = World::start().await;
    for pin in ["1111222233334444", "123", "1234-5678-9012-3456", "letters", "١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦"] {
        assert_eq!(world.meaning(pin).await.signal.to_string(), "rejected: invalid-pin");
        assert_eq!(world.voucher(pin).await, Value::Null);
    }
}

#[tokio::test]
async fn a_taken_voucher_says_so_in_five_wordings_and_one_does_not_name_it() {
    let world = World::start().await;
    let mut wordings = HashSet::new();
    for last in 0..10 {
        let pin = format!("990000000000000{last}");
        assert_eq!(world.meaning(&pin).await.signal.to_string(), "redeemed");
        let again = world.try_pin(&pin).await;
        let unnamed = last % 5 == 4;
        let signal = if unnamed { "rejected: other" } else { "rejected: already-redeemed" };
        assert_eq!(again.meaning().signal.to_string(), signal, "last digit {last}");
        wordings.insert(again.text);
    }
    assert_eq!(wordings.len(), 5);
}

#[tokio::test]
async fn two_tries_at_the_same_moment_can_both_take_a_voucher_and_it_is_counted() {
    let world = World::start_with(Sandbox { gap: Duration::from_secs(2), ..Sandbox::default() }).await;
    let pin = world.sandbox.ledger.issue(eur(2500)).expose().to_owned();
    let mut first = request(&pin);
    first["brandId"] = json!("first");
    let first = tokio::spawn(got(world.pay_in(&first)));
    while world.voucher(&pin).await["tries"] == 0 {
        assert!(!first.is_finished(), "it waits between its steps");
    }
    assert_eq!(world.voucher(&pin).await["taken"], 0, "checked, not yet taken");
    let second = world.try_pin(&pin).await.json();
    let first = first.await.expect("no panic").expect("an answer").json();
    let ids = [&first["data"]["transactionId"], &second["data"]["transactionId"]];
    let voucher = world.voucher(&pin).await;
    assert_eq!((&voucher["transactionId"], &voucher["transactionIds"]), (ids[0], &json!(ids)));
    assert_eq!((&voucher["taken"], &voucher["tries"]), (&json!(2), &json!(2)));
    let tries = world.sandbox.ledger.tries();
    let told: Vec<_> = tries.iter().map(|one| (one.brand_id.as_deref(), one.took)).collect();
    assert_eq!(told, [(Some("first"), true), (request("")["brandId"].as_str(), true)]);
}

#[tokio::test]
async fn what_has_begun_ends_though_the_client_has_left() {
    let world = World::start_with(Sandbox { gap: Duration::from_millis(500), ..Sandbox::default() }).await;
    let left = got(world.pay_in(&request(SEED_PIN)).timeout(Duration::from_millis(100))).await;
    assert!(left.err().expect("no answer").is_timeout());
    while world.voucher(SEED_PIN).await["state"] != "USED" {}
}

#[test]
fn issued_pins_are_fresh_and_never_scripted() {
    let ledger = mozarto_sandbox::Ledger::default();
    let pins: HashSet<String> = (0..20_000).map(|_| ledger.issue(eur(1000)).expose().to_owned()).collect();
    assert_eq!(pins.len(), 20_000);
    assert!(pins.iter().all(|pin| pin.len() == 16 && !pin.starts_with("9900") && pin != SEED_PIN));
    let debug = format!("{:?}", ledger.vouchers());
    assert!(pins.iter().take(100).all(|pin| !debug.contains(pin.as_str())), "a voucher prints its PIN");
}
