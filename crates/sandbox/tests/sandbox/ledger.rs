//! Vouchers that were issued: what redeems them, what does not, and that it happens once.

use crate::world::{Got, SEED_PIN, World, got, request};
use mozarto::Amount;
use serde_json::{Value, json};
use std::collections::HashSet;
use tokio::task::JoinSet;

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
        "pin": SEED_PIN, "value": 25.0, "currency": "EUR", "state": "USED", "transactionId": transaction, "tries": 1
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_twenty_tries_at_once_one_redeems() {
    let world = World::start().await;
    let pin = world.sandbox.ledger.issue(eur(2500)).expose().to_owned();
    let mut tries = JoinSet::new();
    for _ in 0..20 {
        let (world, pin) = (world.clone(), pin.clone());
        tries.spawn(async move { world.try_pin(&pin).await });
    }
    let answers = tries.join_all().await;
    let redeemed: Vec<Value> =
        answers.iter().filter(|got| got.meaning().signal.to_string() == "redeemed").map(Got::json).collect();
    assert_eq!(redeemed.len(), 1);
    let voucher = world.voucher(&pin).await;
    assert_eq!((&voucher["transactionId"], &voucher["tries"]), (&redeemed[0]["data"]["transactionId"], &json!(20)));
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
