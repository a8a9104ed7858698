//! What a kept attempt answers: the table of hop 1, row by row.

use crate::world::{
    Attempt, Play, REDEEMED, Serving, Upstream, answer, ask, before, body, client, hasty, post_as, proxy, read, served,
    settings,
};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;

const INVALID: &str = r#"{"isSuccess":false,"data":{"result":"4075"},"transactionId":"t-2"}"#;
const USED: &str = r#"{"isSuccess":false,"message":"Voucher already redeemed","transactionId":"t-3"}"#;
const TIMEOUT: &str = r#"{"isSuccess":false,"errorCode":"PSP_TIMEOUT"}"#;
const LIMITED: &str = r#"{"isSuccess":false,"errorCode":"PSP_RATE_LIMITED"}"#;
const UNKNOWN: &str = r#"{"isSuccess":false,"errorCode":"UNKNOWN_PSP_ERROR","transactionId":"t-4"}"#;
const PENDING: &str = r#"{"isSuccess":true,"data":{"status":"PENDING","transactionId":"t-5"}}"#;

fn plain(status: u16, body: &str) -> Play {
    answer(status, "", body)
}

fn with(field: &str, value: Value) -> Value {
    let mut body = body();
    body[field] = value;
    body
}

#[tokio::test]
async fn what_is_final_is_replayed_and_nothing_is_sent_again() {
    for (status, text) in [
        (200, REDEEMED),
        (400, INVALID),
        (400, USED),
        (400, r#"{"isSuccess":false,"message":"Rules action is not matched"}"#),
        (401, r#"{"isSuccess":false}"#),
        (400, r#"{"isSuccess":false,"errorCode":"INVALID_PSP_CREDENTIALS"}"#),
    ] {
        let (endpoint, upstream) = before(vec![plain(status, text)]).await;
        let attempt = Attempt::new(&endpoint);
        let first = attempt.post().await;
        assert_eq!((first.status, first.body.to_string(), first.replayed), (status, text_of(text), false));
        let again = attempt.post().await;
        assert_eq!((again.status, &again.body, again.replayed), (status, &first.body, true), "{text}");
        for said in [attempt.get().await, attempt.delete().await] {
            assert_eq!((said.status, &said.body), (status, &first.body), "{text}");
        }
        assert_eq!(upstream.requests().len(), 1, "{text}");
    }
}

/// JSON as a `Value` writes it.
fn text_of(json: &str) -> String {
    serde_json::from_str::<Value>(json).expect("JSON").to_string()
}

#[tokio::test]
async fn what_is_retried_leaves_the_attempt_open_and_the_next_post_is_a_try() {
    for (status, text) in [(400, TIMEOUT), (400, LIMITED), (500, r#"{"isSuccess":false}"#), (502, "<html>")] {
        let (endpoint, upstream) = before(vec![answer(status, "Retry-After: 7\r\n", text), plain(200, REDEEMED)]).await;
        let attempt = Attempt::new(&endpoint);
        let first = attempt.post().await;
        assert_eq!(attempt.get().await, first, "{text}");
        let asked = ask("GET", &endpoint, &attempt.key).await;
        assert_eq!(asked.headers().get("retry-after").is_some(), status != 502, "{text}");
        let second = attempt.post().await;
        assert_eq!((second.status, second.replayed), (200, false), "{text}");
        assert_eq!(upstream.requests().len(), 2, "{text}");
    }
}

#[tokio::test]
async fn after_an_unknown_try_only_proof_ends_the_attempt() {
    let unconfirmed = (202, "ATTEMPT_UNCONFIRMED");
    for (text, expected, sends_again) in [
        (REDEEMED, (200, ""), false),
        (INVALID, (400, ""), false),
        (r#"{"isSuccess":false,"message":"Mismatched amount"}"#, (400, ""), false),
        (r#"{"isSuccess":false,"message":"Mismatched currency"}"#, (400, ""), false),
        // A browser that missed the first try would take the bare 429 for "untouched".
        (LIMITED, (504, ""), true),
        (TIMEOUT, (400, "PSP_TIMEOUT"), true),
        (USED, unconfirmed, false),
        (PENDING, unconfirmed, false),
        (UNKNOWN, unconfirmed, true),
        (r#"{"isSuccess":false,"message":"Voucher rejected"}"#, unconfirmed, true),
        (r#"{"isSuccess":false,"message":"Payment provider rejected the request"}"#, unconfirmed, true),
        (r#"{"isSuccess":false,"message":"Missing required field: email"}"#, unconfirmed, true),
        (r#"{"isSuccess":false,"errorCode":"INVALID_PSP_CREDENTIALS"}"#, unconfirmed, true),
    ] {
        let status = if text == REDEEMED || text == PENDING { 200 } else { 400 };
        let (endpoint, upstream) = before(vec![Play::Cut, plain(status, text), plain(200, REDEEMED)]).await;
        let attempt = Attempt::new(&endpoint);
        assert_eq!(attempt.post().await.code(), (504, ""));
        let second = attempt.post().await;
        assert_eq!(second.code(), expected, "{text}");
        assert_eq!(attempt.get().await.code(), expected, "by GET: {text}");
        assert_eq!(attempt.delete().await.code(), expected, "by DELETE: {text}");
        if expected == unconfirmed {
            let named = serde_json::from_str::<Value>(text).expect("JSON");
            let id = [&named["transactionId"], &named["data"]["transactionId"]].into_iter().find(|id| id.is_string());
            assert_eq!(&second.body["transactionId"], id.unwrap_or(&Value::Null), "what support finds it by: {text}");
        }
        let third = attempt.post().await;
        let sent = upstream.requests().len();
        assert_eq!(sent, if sends_again { 3 } else { 2 }, "{text}");
        assert_eq!(third.code(), if sends_again { (200, "") } else { expected }, "{text}");
    }
}

#[tokio::test]
async fn an_answer_that_nobody_can_read_is_passed_on_once_and_is_unconfirmed() {
    for (status, text, sends_again) in [(200, PENDING, false), (500, UNKNOWN, true)] {
        let (endpoint, upstream) = before(vec![plain(status, text), plain(200, REDEEMED)]).await;
        let attempt = Attempt::new(&endpoint);
        let first = attempt.post().await;
        assert_eq!((first.status, first.body.to_string()), (status, text_of(text)));
        assert_eq!(attempt.get().await, first);
        assert_eq!(attempt.delete().await, first, "it cannot be closed");
        let again = attempt.post().await;
        assert_eq!(again.status, if sends_again { 200 } else { status });
        assert_eq!(again.body == first.body, !sends_again);
        assert_eq!(upstream.requests().len(), if sends_again { 2 } else { 1 }, "{text}");
    }
}

#[tokio::test]
async fn a_late_success_wins_over_unconfirmed() {
    let rejected = plain(400, r#"{"isSuccess":false,"message":"Voucher rejected"}"#);
    let (endpoint, _upstream) = before(vec![Play::Cut, rejected, plain(200, REDEEMED)]).await;
    let attempt = Attempt::new(&endpoint);
    attempt.post().await;
    assert_eq!(attempt.post().await.code(), (202, "ATTEMPT_UNCONFIRMED"));
    assert_eq!(attempt.post().await.status, 200);
    assert_eq!(attempt.get().await.body["data"]["result"], "0");
}

#[tokio::test]
async fn a_try_that_takes_long_is_pending_and_its_late_answer_is_recorded() {
    let release = Arc::new(Notify::new());
    let held = Play::Held(Arc::clone(&release), Box::new(plain(200, REDEEMED)));
    let upstream = Upstream::start(vec![held]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let patient = Duration::from_secs(20);
    let settings = hasty(settings(&upstream.url, folder.path(), patient), Duration::from_millis(500), patient);
    let attempt = Attempt::new(&served(folder, settings).await);
    let first = attempt.post().await;
    assert_eq!((first.status, &first.body), (202, &json!({ "status": "pending" })));
    if upstream.requests().is_empty() {
        upstream.arrived().await;
    }
    assert_eq!(attempt.get().await, first);
    assert_eq!(attempt.delete().await, first, "what is being sent is not closed");
    assert_eq!(attempt.post().await.code(), (409, "ATTEMPT_IN_PROGRESS"));
    release.notify_one();
    assert_eq!(attempt.settled_down().await.body["data"]["result"], "0");
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test]
async fn two_posts_of_one_key_at_once_are_one_try() {
    let release = Arc::new(Notify::new());
    let held = Play::Held(Arc::clone(&release), Box::new(plain(400, INVALID)));
    let (endpoint, upstream) = before(vec![held]).await;
    let attempt = Arc::new(Attempt::new(&endpoint));
    let first = tokio::spawn({
        let attempt = Arc::clone(&attempt);
        async move { attempt.post().await }
    });
    upstream.arrived().await;
    assert_eq!(attempt.post().await.code(), (409, "ATTEMPT_IN_PROGRESS"));
    release.notify_one();
    assert_eq!(first.await.expect("an answer").status, 400);
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test]
async fn a_voucher_of_an_open_attempt_cannot_be_posted_under_another_key() {
    for (play, holds) in [
        (Play::Cut, true),
        (plain(400, LIMITED), true),
        (plain(400, UNKNOWN), true),
        (plain(200, PENDING), true),
        (plain(200, REDEEMED), false),
        (plain(400, INVALID), false),
        (plain(400, USED), false),
    ] {
        let (endpoint, upstream) = before(vec![play, plain(400, INVALID)]).await;
        let (first, second, strangers) = (Attempt::new(&endpoint), Attempt::new(&endpoint), Attempt::new(&endpoint));
        let said = first.post().await;
        let known =
            [&said.body["transactionId"], &said.body["data"]["transactionId"]].into_iter().find_map(Value::as_str);
        let reference = known.unwrap_or(&first.key).to_owned();
        let other_amount = second.post_body(&with("baseamount", json!(50))).await;
        if !holds {
            assert_eq!(other_amount.status, 400);
            assert_eq!(upstream.requests().len(), 2);
            continue;
        }
        assert_eq!(other_amount.code(), (409, "VOUCHER_IN_USE"));
        assert_eq!(
            (&other_amount.body["attempt"], &other_amount.body["reference"]),
            (&json!(first.key), &json!(reference))
        );
        let stranger = strangers.post_body(&with("userId", json!("user_999"))).await;
        assert_eq!(stranger.code(), (409, "VOUCHER_IN_USE"));
        assert_eq!((stranger.body.get("attempt"), stranger.body.get("reference")), (None, None), "it names nothing");
        assert!(!stranger.body.to_string().contains(&first.key));
        assert_eq!(second.get().await.code(), (404, "ATTEMPT_UNKNOWN"), "the second was not recorded");
        assert_eq!(upstream.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_closed_attempt_lets_its_voucher_go() {
    let (endpoint, upstream) = before(vec![plain(400, LIMITED), plain(200, REDEEMED)]).await;
    let (first, second) = (Attempt::new(&endpoint), Attempt::new(&endpoint));
    first.post().await;
    let untouched = first.delete().await;
    assert_eq!((untouched.status, &untouched.body), (200, &json!({ "status": "untouched" })));
    assert_eq!(first.delete().await, untouched, "again");
    assert_eq!(first.get().await.code(), (410, "ATTEMPT_CLOSED"));
    assert_eq!(first.post().await.code(), (410, "ATTEMPT_CLOSED"));
    assert_eq!(second.post().await.status, 200);
    assert_eq!(upstream.requests().len(), 2);
}

#[tokio::test]
async fn a_key_that_is_closed_before_its_post_arrives_stays_closed() {
    let (endpoint, upstream) = before(vec![plain(200, REDEEMED)]).await;
    let attempt = Attempt::new(&endpoint);
    assert_eq!(attempt.get().await.code(), (404, "ATTEMPT_UNKNOWN"));
    assert_eq!(attempt.delete().await.code(), (200, "untouched"));
    assert_eq!(attempt.post().await.code(), (410, "ATTEMPT_CLOSED"));
    assert_eq!(attempt.get().await.code(), (410, "ATTEMPT_CLOSED"));
    assert_eq!(attempt.delete().await.code(), (200, "untouched"));
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn only_what_took_nothing_for_sure_can_be_closed() {
    for (plays, expected) in [
        (vec![plain(400, LIMITED)], (200, "untouched")),
        (vec![plain(400, LIMITED), plain(400, LIMITED)], (200, "untouched")),
        (vec![Play::Cut], (504, "")),
        (vec![Play::Cut, plain(400, LIMITED)], (504, "")),
        (vec![plain(400, LIMITED), plain(400, TIMEOUT)], (400, "PSP_TIMEOUT")),
    ] {
        let tries = plays.len();
        let (endpoint, _upstream) = before(plays).await;
        let attempt = Attempt::new(&endpoint);
        for _ in 0..tries {
            attempt.post().await;
        }
        assert_eq!(attempt.delete().await.code(), expected);
    }
}

#[tokio::test]
async fn one_key_is_one_voucher_amount_and_currency() {
    for play in [plain(200, REDEEMED), Play::Cut] {
        let (endpoint, upstream) = before(vec![play]).await;
        let attempt = Attempt::new(&endpoint);
        let first = attempt.post_body(&with("baseamount", json!(25))).await;
        let mut dollars = with("currency", json!("USD"));
        dollars["currencyCode"] = json!("USD");
        for other in [with("baseamount", json!(25.01)), with("voucherPin", json!("9900777712345679")), dollars] {
            assert_eq!(attempt.post_body(&other).await.code(), (422, "ATTEMPT_MISMATCH"), "{other}");
        }
        assert_eq!(attempt.get().await.status, first.status, "unchanged");
        assert_eq!(upstream.requests().len(), 1);
        let same = body().to_string().replace("25.5", "25.00");
        let (status, _) = read(post_as(&endpoint, &attempt.key, same).await).await;
        assert_eq!(status, first.status, "25 is 25.00");
    }
}

#[tokio::test]
async fn an_attempt_is_its_customers_alone() {
    let (endpoint, upstream) = before(vec![Play::Cut]).await;
    let attempt = Attempt::new(&endpoint);
    attempt.post().await;
    let foreign = attempt.post_body(&with("userId", json!("user_999"))).await;
    assert_eq!(foreign.code(), (403, "ATTEMPT_FOREIGN"));
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test]
async fn what_could_not_be_sent_is_kept_as_open_and_can_be_closed() {
    let address = TcpListener::bind("127.0.0.1:0").await.and_then(|listener| listener.local_addr()).expect("a port");
    let endpoint = proxy(&format!("http://{address}"), Duration::from_secs(20)).await;
    let attempt = Attempt::new(&endpoint);
    for said in [attempt.post().await, attempt.get().await, attempt.post().await] {
        assert_eq!(said.code(), (503, "NOT_SENT"));
    }
    assert_eq!(attempt.delete().await.code(), (200, "untouched"));
}

#[tokio::test]
async fn a_status_is_the_same_with_a_query_and_in_capitals() {
    let (endpoint, _upstream) = before(vec![plain(400, INVALID)]).await;
    let attempt = Attempt::new(&endpoint);
    let first = attempt.post().await;
    for path in [format!("{}?shop=1&x", attempt.key), attempt.key.to_uppercase()] {
        let response = client().get(format!("{endpoint}/{path}")).send().await.expect("an answer");
        assert_eq!(response.headers().get("attempt-key").and_then(|key| key.to_str().ok()), Some(attempt.key.as_str()));
        assert_eq!(read(response).await, (first.status, first.body.clone()));
    }
}

#[tokio::test]
async fn two_proxies_on_one_ledger_are_one_to_their_customers() {
    let folder = tempfile::tempdir().expect("a folder");
    let release = Arc::new(Notify::new());
    let held = Play::Held(Arc::clone(&release), Box::new(plain(200, REDEEMED)));
    let upstream = Upstream::start(vec![held]).await;
    let serving = || Serving::start(settings(&upstream.url, folder.path(), Duration::from_secs(20)));
    let (one, other) = (serving().await, serving().await);
    let attempt = Arc::new(Attempt::new(&one.endpoint));
    let browser = tokio::spawn({
        let attempt = Arc::clone(&attempt);
        async move { attempt.post().await }
    });
    upstream.arrived().await;
    let there = Attempt { endpoint: other.endpoint.clone(), key: attempt.key.clone() };
    for said in [there.post().await, there.get().await, there.delete().await] {
        assert_eq!(said.code(), (202, "pending"));
    }
    assert_eq!(Attempt::new(&other.endpoint).post().await.code(), (409, "VOUCHER_IN_USE"));
    release.notify_one();
    let said = browser.await.expect("an answer");
    assert_eq!((said.status, &there.get().await), (200, &said));
    assert_eq!(upstream.requests().len(), 1);
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn an_answer_that_hides_an_unknown_try_keeps_its_wait() {
    let (endpoint, _upstream) = before(vec![Play::Cut, answer(429, "Retry-After: 60\r\n", LIMITED)]).await;
    let attempt = Attempt::new(&endpoint);
    attempt.post().await;
    let response = post_as(&endpoint, &attempt.key, body().to_string()).await;
    assert_eq!(response.headers().get("retry-after").and_then(|wait| wait.to_str().ok()), Some("60"));
    let (status, said) = read(response).await;
    assert_eq!((status, said.get("errorCode")), (504, None), "{said}");
}

#[tokio::test]
async fn more_tries_than_may_run_are_not_sent() {
    let release = Arc::new(Notify::new());
    let held = Play::Held(Arc::clone(&release), Box::new(plain(200, REDEEMED)));
    let upstream = Upstream::start(vec![held, plain(400, INVALID)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let complete = settings(&upstream.url, folder.path(), Duration::from_secs(20));
    let endpoint = served(folder, flexepin_cashier_proxy::Settings { most_tries: 1, ..complete }).await;
    let (first, second) = (Arc::new(Attempt::new(&endpoint)), Attempt::new(&endpoint));
    let browser = tokio::spawn({
        let first = Arc::clone(&first);
        async move { first.post().await }
    });
    upstream.arrived().await;
    let other = with("voucherPin", json!("9900777712345679"));
    assert_eq!(second.post_body(&other).await.code(), (503, "NOT_SENT"));
    assert_eq!(first.post().await.code(), (409, "ATTEMPT_IN_PROGRESS"), "what is known is answered");
    release.notify_one();
    assert_eq!(browser.await.expect("an answer").status, 200);
    assert_eq!(
        second.until(|said| said.status != 503, async |second| second.post_body(&other).await).await.status,
        400
    );
}

#[tokio::test]
async fn a_method_that_is_none_is_refused_under_the_attempts_key() {
    let (endpoint, _upstream) = before(vec![Play::Cut]).await;
    let key = Attempt::new(&endpoint).key;
    for method in ["PUT", "PATCH", "POST", "HEAD"] {
        let response = ask(method, &endpoint, &key).await;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        assert_eq!((response.status().as_u16(), header("attempt-key")), (405, Some(key.as_str())), "{method}");
        assert!(header("allow").is_some_and(|allow| allow.contains("GET") && allow.contains("DELETE")), "{method}");
    }
    assert_eq!(ask("PUT", &endpoint, "no-key").await.status().as_u16(), 405);
}
