//! The merchant's books and the support staff's commands.

use crate::database::change;
use crate::process::staff;
use crate::world::{
    Attempt, BOOKS, PIN, PIN_KEY, Play, REDEEMED, Serving, TOKEN, Upstream, answer, body, client, read, settings,
};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const USED: &str = r#"{"isSuccess":false,"message":"Voucher already redeemed"}"#;

async fn served(plays: Vec<Play>, folder: &Path) -> (Serving, Upstream) {
    let upstream = Upstream::start(plays).await;
    (Serving::start(settings(&upstream.url, folder, Duration::from_secs(20))).await, upstream)
}

/// The books after a sequence number, as the merchant's server reads them.
async fn books(serving: &Serving, query: &str) -> Vec<Value> {
    let url = serving.endpoint.replace("/cashier/flexepin", &format!("/outcomes{query}"));
    let response = client().get(url).bearer_auth(BOOKS).send().await.expect("an answer");
    let (status, body) = read(response).await;
    assert_eq!(status, 200, "{body}");
    body["outcomes"].as_array().expect("a list").clone()
}

/// A body with another voucher.
fn voucher(last: char) -> Value {
    let mut body = body();
    body["voucherPin"] = json!(format!("{}{last}", &PIN[..15]));
    body
}

#[tokio::test]
async fn each_redemption_is_in_the_books_once_and_in_order_and_nothing_else_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let second = r#"{"isSuccess":true,"data":{"result":"0","value":50,"currency":"USD","transactionId":"t-2"}}"#;
    let bare = r#"{"isSuccess":true,"data":{"result":"0"}}"#;
    let plays = vec![
        answer(200, "", REDEEMED),
        answer(400, "", USED),
        Play::Cut,
        answer(200, "", second),
        answer(200, "", bare),
    ];
    let (serving, _upstream) = served(plays, folder.path()).await;
    let [first, rejected, late, valueless] = [(); 4].map(|()| Attempt::new(&serving.endpoint));
    first.post_body(&voucher('0')).await;
    first.post_body(&voucher('0')).await;
    rejected.post_body(&voucher('1')).await;
    late.post_body(&voucher('2')).await;
    late.post_body(&voucher('2')).await;
    valueless.post_body(&voucher('3')).await;
    let all = books(&serving, "").await;
    let line = |entry: &Value| {
        ["sequence", "attempt", "transactionId", "userId", "currency", "value", "outcome"]
            .map(|name| entry[name].clone())
    };
    let expected = [
        (&first, json!("t-1"), "EUR", json!(25.5)),
        (&late, json!("t-2"), "USD", json!(50)),
        (&valueless, Value::Null, "EUR", Value::Null),
    ];
    assert_eq!(all.len(), expected.len(), "{all:?}");
    for (place, (attempt, id, currency, value)) in expected.into_iter().enumerate() {
        let wanted =
            [json!(place + 1), json!(attempt.key), id, json!("user_123"), json!(currency), value, json!("redeemed")];
        assert_eq!(line(&all[place]), wanted);
        assert!(all[place]["at"].as_str().is_some_and(|at| at.starts_with("20") && at.ends_with('Z')), "{all:?}");
    }
    assert_eq!(books(&serving, "?after=1&limit=1").await, all[1..2]);
    assert_eq!(books(&serving, "?after=3").await, Vec::<Value>::new());
    serving.stop().await;
}

#[tokio::test]
async fn one_transaction_under_two_attempts_is_credited_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (serving, _upstream) = served(vec![answer(200, "", REDEEMED)], folder.path()).await;
    for last in ['0', '1', '2'] {
        Attempt::new(&serving.endpoint).post_body(&voucher(last)).await;
    }
    let outcomes: Vec<Value> = books(&serving, "").await.iter().map(|entry| entry["outcome"].clone()).collect();
    assert_eq!(outcomes, ["redeemed", "duplicate", "duplicate"]);
    serving.stop().await;
}

#[tokio::test]
async fn ids_that_were_cut_or_redacted_alike_are_not_taken_for_one_transaction() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = |id: String| {
        answer(200, "", &json!({ "isSuccess": true, "data": { "result": "0", "value": 25, "currency": "EUR", "transactionId": id } }).to_string())
    };
    let vouchers = ['0', '1', '2', '3'];
    let plays = vec![
        taken(format!("{}a", "x".repeat(64))),
        taken(format!("{}b", "x".repeat(64))),
        taken(format!("t-{}2", &PIN[..15])),
        taken(format!("t-{}3", &PIN[..15])),
    ];
    let (serving, _upstream) = served(plays, folder.path()).await;
    for last in vouchers {
        Attempt::new(&serving.endpoint).post_body(&voucher(last)).await;
    }
    let all = books(&serving, "").await;
    assert_eq!(all[0]["transactionId"], all[1]["transactionId"], "cut alike");
    assert_eq!(all[2]["transactionId"], all[3]["transactionId"], "redacted alike");
    assert!(all.len() == 4 && all.iter().all(|entry| entry["outcome"] == "redeemed"), "{all:?}");
    serving.stop().await;
}

#[tokio::test]
async fn staff_are_told_of_a_settlement_for_which_nothing_will_be_credited() {
    let folder = tempfile::tempdir().expect("a folder");
    let (serving, _upstream) = served(vec![answer(200, "", REDEEMED), Play::Cut], folder.path()).await;
    let (first, lost) = (Attempt::new(&serving.endpoint), Attempt::new(&serving.endpoint));
    first.post_body(&voucher('0')).await;
    lost.post_body(&voucher('1')).await;
    let arguments = [
        "settle",
        &lost.key,
        "redeemed",
        "--value",
        "25.50",
        "--transaction",
        "t-1",
        "--by",
        "Ann",
        "--reason",
        "mail",
    ];
    let (done, text) = staff(folder.path(), &arguments).await;
    assert!(done && text.contains("is settled") && text.contains("duplicate"), "{text}");
    serving.stop().await;
}

#[tokio::test]
async fn the_books_are_for_their_keeper_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let (serving, _upstream) = served(vec![answer(200, "", REDEEMED)], folder.path()).await;
    let url = serving.endpoint.replace("/cashier/flexepin", "/outcomes");
    let near = &BOOKS[..BOOKS.len() - 1];
    for (value, status) in [
        (None, 401),
        (Some(String::new()), 401),
        (Some(BOOKS.to_owned()), 401),
        (Some(format!("Basic {BOOKS}")), 401),
        (Some(format!("Bearer {near}")), 401),
        (Some(format!("Bearer {BOOKS}x")), 401),
        (Some(format!("Bearer {TOKEN}")), 401),
        (Some(format!("bearer {BOOKS}")), 200),
    ] {
        let mut request = client().get(&url);
        if let Some(value) = &value {
            request = request.header("authorization", value);
        }
        assert_eq!(request.send().await.expect("an answer").status().as_u16(), status, "{value:?}");
    }
    let wrong = client().get(format!("{url}?after=x")).bearer_auth(BOOKS).send().await.expect("an answer");
    assert_eq!(wrong.status().as_u16(), 400);
    serving.stop().await;
    let settings = settings("http://127.0.0.1:1", folder.path(), Duration::from_secs(1));
    let serving = Serving::start(flexepin_cashier_proxy::Settings { outcomes_token: None, ..settings }).await;
    let url = serving.endpoint.replace("/cashier/flexepin", "/outcomes");
    let unset = client().get(url).bearer_auth(BOOKS).send().await.expect("an answer");
    assert_eq!(unset.status().as_u16(), 404, "without the setting there are no books");
    serving.stop().await;
}

#[tokio::test]
async fn staff_find_an_attempt_and_settle_it_while_the_proxy_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let plays = vec![Play::Cut, answer(400, "", USED), Play::Cut, answer(400, "", USED), answer(200, "", REDEEMED)];
    let (serving, upstream) = served(plays, folder.path()).await;
    let [taken, good, redeemed] = [(); 3].map(|()| Attempt::new(&serving.endpoint));
    for (attempt, last) in [(&taken, '0'), (&taken, '0'), (&good, '1'), (&good, '1'), (&redeemed, '2')] {
        attempt.post_body(&voucher(last)).await;
    }
    let (listed, text) = staff(folder.path(), &["list", "--state", "unconfirmed"]).await;
    assert!(listed && text.lines().count() == 3 && text.contains(&taken.key) && text.contains(&good.key), "{text}");
    let (_, of_another) = staff(folder.path(), &["list", "--owner", "user_999"]).await;
    assert_eq!(of_another.lines().count(), 1, "{of_another}");
    let (_, since) = staff(folder.path(), &["list", "--since", "2099-01-01", "--limit", "5"]).await;
    assert_eq!(since.lines().count(), 1, "{since}");
    let settle = |key: &str, more: &[&str]| {
        let mut arguments = vec!["settle".to_owned(), key.to_owned()];
        arguments.extend(more.iter().map(|&text| text.to_owned()));
        arguments.extend(["--by", "Ann", "--reason", "Mozarto's mail of today"].map(str::to_owned));
        let folder = folder.path().to_owned();
        async move { staff(&folder, &arguments.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };
    for (key, more, says) in [
        (redeemed.key.as_str(), vec!["untouched"], "is final"),
        ("0b5a9e1c-7a64-4a83-9b3e-0d5b6f1f2a3b", vec!["untouched"], "no attempt"),
        (taken.key.as_str(), vec!["untouched", "--value", "25"], "for a voucher that was redeemed"),
        (taken.key.as_str(), vec!["redeemed", "--value", "25.555"], "too many decimals"),
        (taken.key.as_str(), vec!["redeemed", "--transaction", "t-9"], "--value is missing"),
    ] {
        let (done, text) = settle(key, &more).await;
        assert!(!done && text.contains(says), "{text}");
    }
    let pin_in_reason =
        ["settle", &taken.key, "untouched", "--by", "Ann", "--reason", "her 9900-7777-1234-5678 is good"];
    let (done, text) = staff(folder.path(), &pin_in_reason).await;
    assert!(!done && text.contains("PIN") && !text.contains("9900"), "{text}");
    let (done, text) = settle(&taken.key, &["redeemed", "--transaction", "t-9", "--value", "25.50"]).await;
    assert!(done, "{text}");
    let (done, text) = settle(&good.key, &["untouched"]).await;
    assert!(done, "{text}");
    let receipt = json!({ "isSuccess": true, "settled": true,
        "data": { "result": "0", "value": 25.5, "currency": "EUR", "transactionId": "t-9" } });
    for said in [taken.post_body(&voucher('0')).await, taken.get().await, taken.delete().await] {
        assert_eq!((said.status, &said.body), (200, &receipt));
    }
    for said in [good.post_body(&voucher('1')).await, good.get().await, good.delete().await] {
        assert_eq!(said.code(), (200, "ATTEMPT_SETTLED_UNTOUCHED"));
    }
    assert_eq!(upstream.requests().len(), 5, "nothing is sent for what is settled");
    let entries = books(&serving, "").await;
    let found: Vec<_> = entries.iter().map(|entry| (&entry["attempt"], &entry["value"], &entry["outcome"])).collect();
    let (redeemed_key, taken_key, value, word) =
        (json!(redeemed.key), json!(taken.key), json!(25.5), json!("redeemed"));
    assert_eq!(found, [(&redeemed_key, &value, &word), (&taken_key, &value, &word)]);
    let (_, shown) = staff(folder.path(), &["show", &taken.key]).await;
    for part in [
        "settled as redeemed, was unconfirmed",
        "by Ann",
        "Mozarto's mail of today",
        "try 2",
        "Voucher already redeemed",
        "in the books",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains(PIN) && !shown.contains(PIN_KEY), "{shown}");
    let fresh = Attempt::new(&serving.endpoint);
    fresh.post_body(&voucher('1')).await;
    assert_eq!(upstream.requests().len(), 6, "an untouched voucher can be redeemed under another key");
    serving.stop().await;
}

#[tokio::test]
async fn what_is_being_sent_is_not_settled_and_a_ledger_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let (serving, _upstream) = served(vec![Play::Cut], folder.path()).await;
    let attempt = Attempt::new(&serving.endpoint);
    attempt.post().await;
    serving.stop().await;
    change(folder.path(), "UPDATE attempts SET state = 'sending'").await;
    let arguments = ["settle", &attempt.key, "untouched", "--by", "Ann", "--reason", "why"];
    let (done, text) = staff(folder.path(), &arguments).await;
    assert!(!done && text.contains("is being sent"), "{text}");
    let empty = tempfile::tempdir().expect("a folder");
    let (done, text) = staff(empty.path(), &["list"]).await;
    assert!(!done && text.contains("there is no "), "{text}");
    assert_eq!(std::fs::read_dir(empty.path()).expect("a folder").count(), 0);
}
