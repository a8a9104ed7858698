//! The merchant's own server is told of each outcome: from the redemption to its door.

use crate::database::Database;
use crate::metrics::metric;
use crate::process::{complete, ended, output, running_of, staff, terminate};
use crate::world::{Attempt, PIN, Play, REDEEMED, Serving, Upstream, answer, body, post_as, settings};
use clap::Parser;
use flexepin_cashier_proxy::{Args, Receiver, Secrets, Settings};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PATIENT: Duration = Duration::from_secs(20);

/// The merchant's server at that address, as the settings have it.
pub(crate) fn receiver(url: &str) -> Option<Receiver> {
    let args = ["proxy", "--insecure-no-sessions", "--mozarto-url=http://127.0.0.1:1", "--notify-url", url];
    let secrets = Secrets {
        company_token: Some("token".into()),
        pin_key: Some("a key of the tests, long enough.".into()),
        notify_secret: Some(SECRET.into()),
        ..Secrets::default()
    };
    Settings::new(Args::parse_from(args), secrets).expect("complete settings").receiver
}

async fn telling(upstream: &Upstream, folder: &Path, merchant: &str) -> Serving {
    let settings = settings(&upstream.url, folder, PATIENT);
    Serving::start(Settings { receiver: receiver(merchant), ..settings }).await
}

async fn merchant(plays: Vec<Play>) -> Upstream {
    Upstream::start(plays).await
}

/// Asks again and again until it is so; a minute at most.
pub(crate) async fn until(is_it: impl AsyncFn() -> bool) {
    let asking = async {
        while !is_it().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), asking).await.expect("it comes to be so");
}

/// What was told, as type and data.
fn told(merchant: &Upstream) -> Vec<(String, Value)> {
    let events = merchant.requests().into_iter().map(|(_, body)| serde_json::from_str::<Value>(&body).expect("JSON"));
    events.map(|event| (event["type"].as_str().expect("a type").to_owned(), event["data"].clone())).collect()
}

async fn undelivered(folder: &Path) -> i64 {
    Database::of(folder).await.number("SELECT count(*) FROM outbox WHERE delivered_at IS NULL").await
}

fn voucher(last: u8) -> Value {
    let mut body = body();
    body["voucherPin"] = json!(format!("{}{:02}", &PIN[..14], last));
    body
}

/// An upstream that redeems whatever it gets, each time as another transaction.
async fn redeeming(vouchers: usize) -> Upstream {
    let one = |number: usize| {
        let data = json!({ "result": "0", "value": 25.5, "currency": "EUR", "transactionId": format!("t-{number}") });
        answer(200, "", &json!({ "isSuccess": true, "data": data }).to_string())
    };
    Upstream::start((1..=vouchers).map(one).collect()).await
}

#[tokio::test]
async fn a_redemption_is_told_again_and_again_until_it_is_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let (upstream, merchant) = (redeeming(1).await, merchant(vec![answer(500, "", ""), answer(204, "", "")]).await);
    let serving = telling(&upstream, folder.path(), &merchant.url).await;
    let attempt = Attempt::new(&serving.endpoint);
    attempt.post().await;
    until(async || undelivered(folder.path()).await == 0).await;
    serving.stop().await;
    let told = told(&merchant);
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], told[1]);
    let (word, data) = &told[0];
    let line = ["attempt", "transactionId", "userId", "currency", "value", "outcome"].map(|name| data[name].clone());
    let expected = [json!(attempt.key), json!("t-1"), json!("user_123"), json!("EUR"), json!(25.5), json!("redeemed")];
    assert_eq!((word.as_str(), line), ("flexepin.redeemed", expected));
}

#[tokio::test]
async fn what_staff_settle_and_what_they_want_told_again_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let upstream = Upstream::start(vec![answer(200, "", REDEEMED), Play::Cut]).await;
    let merchant = merchant(vec![answer(200, "", "{}")]).await;
    let serving = telling(&upstream, folder.path(), &merchant.url).await;
    let (first, lost) = (Attempt::new(&serving.endpoint), Attempt::new(&serving.endpoint));
    first.post_body(&voucher(1)).await;
    lost.post_body(&voucher(2)).await;
    let settle =
        ["settle", &lost.key, "redeemed", "--value", "50", "--transaction", "t-1", "--by", "Ann", "--reason", "mail"];
    let (done, text) = staff(folder.path(), &settle).await;
    assert!(done, "{text}");
    until(async || merchant.requests().len() == 2).await;
    let words: Vec<_> = told(&merchant).into_iter().map(|(word, data)| (word, data["attempt"].clone())).collect();
    let expected = [("flexepin.redeemed", &first.key), ("flexepin.duplicate", &lost.key)];
    assert_eq!(words, expected.map(|(word, key)| (word.to_owned(), json!(key))));
    // A delivery that was answered may not be written down yet.
    until(async || undelivered(folder.path()).await == 0).await;
    for (arguments, says, total) in [
        (vec!["notify", "--attempt", &first.key], "1 outcome is", 3),
        (vec!["notify", "--after", "0"], "2 outcomes are", 5),
    ] {
        let (done, text) = staff(folder.path(), &arguments).await;
        assert!(done && text.contains(says), "{text}");
        until(async || merchant.requests().len() == total && undelivered(folder.path()).await == 0).await;
    }
    let nobody = Uuid::new_v4().to_string();
    for (arguments, says) in [
        (vec!["notify", "--attempt", &nobody], nobody.as_str()),
        (vec!["notify", "--after", "99"], "after 99"),
        (vec!["notify", "--after", "-1"], "-1"),
        (vec!["notify", "--after", "0", "--attempt", &first.key], "cannot be used with"),
        (vec!["notify"], "--attempt"),
    ] {
        let (done, text) = staff(folder.path(), &arguments).await;
        assert!(!done && text.contains(says), "{text}");
    }
    serving.stop().await;
    assert_eq!(merchant.requests().len(), 5);
}

#[tokio::test]
async fn what_could_not_be_told_before_the_end_is_told_after_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let (upstream, merchant) = (redeeming(1).await, merchant(vec![answer(204, "", "")]).await);
    let serving = telling(&upstream, folder.path(), "http://127.0.0.1:1").await;
    let attempt = Attempt::new(&serving.endpoint);
    attempt.post().await;
    serving.stop().await;
    assert_eq!(undelivered(folder.path()).await, 1);
    let serving = telling(&upstream, folder.path(), &merchant.url).await;
    until(async || undelivered(folder.path()).await == 0).await;
    serving.stop().await;
    let told = told(&merchant);
    assert!(told.len() == 1 && told[0].1["attempt"] == json!(attempt.key), "{told:?}");
}

#[tokio::test]
async fn two_proxies_on_one_ledger_share_the_deliveries() {
    const VOUCHERS: u8 = 12;
    let folder = tempfile::tempdir().expect("a folder");
    let (upstream, merchant) = (redeeming(VOUCHERS.into()).await, merchant(vec![answer(204, "", "")]).await);
    let one = telling(&upstream, folder.path(), &merchant.url).await;
    let other = telling(&upstream, folder.path(), &merchant.url).await;
    let mut keys = Vec::new();
    for number in 0..VOUCHERS {
        let serving = if number % 2 == 0 { &one } else { &other };
        let mut body = voucher(number);
        // Of several customers, so that some of it is done side by side.
        body["userId"] = json!(format!("user-{}", number % 3));
        let key = Uuid::new_v4().to_string();
        assert_eq!(post_as(&serving.endpoint, &key, body.to_string()).await.status().as_u16(), 200);
        keys.push(key);
    }
    until(async || undelivered(folder.path()).await == 0).await;
    one.stop().await;
    other.stop().await;
    let told = told(&merchant);
    let mut sorted: Vec<_> = told.iter().map(|(_, data)| data["attempt"].as_str().expect("a key").to_owned()).collect();
    sorted.sort();
    keys.sort();
    assert_eq!(sorted, keys, "each once");
    for customer in 0..3 {
        let of = |data: &&Value| data["userId"] == json!(format!("user-{customer}"));
        let places: Vec<_> =
            told.iter().map(|(_, data)| data).filter(of).map(|data| data["sequence"].as_i64()).collect();
        assert!(places.is_sorted() && places.len() == 4, "in order: {places:?}");
    }
}

#[tokio::test]
async fn a_merchant_who_does_not_answer_holds_nobody_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let (upstream, merchant) = (redeeming(1).await, merchant(vec![answer(500, "", "{}"), Play::Silence]).await);
    let mut command = complete(&upstream.url, folder.path(), &[]);
    let address = format!("{}/path-canary?query-canary", merchant.url);
    command.env("CASHIER_NOTIFY_URL", address).env("CASHIER_NOTIFY_SECRET", SECRET);
    let (child, endpoint) = running_of(&mut command).await;
    let attempt = Attempt::new(&endpoint);
    assert_eq!(attempt.post().await.status, 200, "the customer is answered");
    // The first is refused and comes again; the second is never answered.
    child.logged("the merchant was not told").await;
    while merchant.requests().len() < 2 {
        merchant.arrived().await;
    }
    terminate(&child).await;
    let log = ended(child).await;
    assert!(log.contains("deliveries under way are given up"), "{log}");
    // At every level: the program logs all that it can.
    for secret in ["user_123", &SECRET[6..], "canary", "v1,"] {
        assert!(log.contains("TRACE") && !log.contains(secret), "{secret} is in the log: {log}");
    }
    assert_eq!(undelivered(folder.path()).await, 1);
}

#[tokio::test]
async fn operators_see_what_was_delivered_and_what_waits_and_nothing_waits_where_nobody_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let upstream = redeeming(1).await;
    let watched = async |to: Option<Receiver>| {
        let settings = settings(&upstream.url, folder.path(), PATIENT);
        let metrics_listen = Some("127.0.0.1:0".parse().expect("an address"));
        Serving::start(Settings { metrics_listen, receiver: to, ..settings }).await
    };
    let figures = async |serving: &Serving| {
        let mut figures = Vec::new();
        for name in
            ["undelivered_outcomes", "deliveries_total{result=\"delivered\"}", "deliveries_total{result=\"failed\"}"]
        {
            figures.push(metric(serving, &format!("cashier_{name}")).await);
        }
        figures
    };
    let nobody = watched(None).await;
    Attempt::new(&nobody.endpoint).post().await;
    assert_eq!(undelivered(folder.path()).await, 1);
    assert_eq!(figures(&nobody).await, [Some(0.0), Some(0.0), Some(0.0)]);
    nobody.stop().await;
    let away = watched(receiver("http://127.0.0.1:1")).await;
    until(async || figures(&away).await == [Some(1.0), Some(0.0), Some(1.0)]).await;
    away.stop().await;
    let merchant = merchant(vec![answer(204, "", "")]).await;
    let there = watched(receiver(&merchant.url)).await;
    until(async || figures(&there).await == [Some(0.0), Some(1.0), Some(0.0)]).await;
    assert_eq!(metric(&there, "cashier_notify_seconds_count").await, Some(1.0));
    there.stop().await;
}

#[tokio::test]
async fn an_address_without_a_secret_or_a_wrong_one_ends_the_start() {
    for (url, secret, says) in [
        ("https://shop.example/flexepin", "", "CASHIER_NOTIFY_SECRET is missing"),
        ("https://shop.example/flexepin", "secret-canary", "CASHIER_NOTIFY_SECRET has a secret without whsec_"),
        ("http://shop.example/path-canary", SECRET, "--notify-url (or CASHIER_NOTIFY_URL) must be https"),
        ("", SECRET, "--notify-url (or CASHIER_NOTIFY_URL) is missing"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = complete("http://127.0.0.1:1", folder.path(), &[]);
        command.env("CASHIER_NOTIFY_URL", url).env("CASHIER_NOTIFY_SECRET", secret);
        let (code, said, error) = output(&mut command).await;
        assert!(code == Some(2) && said.is_empty() && error.contains(says), "{code:?} {error}");
        assert!(!error.contains("canary"), "{error}");
    }
}
