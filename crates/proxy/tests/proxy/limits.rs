//! How much one client may begin in a minute: by address, session and customer; and what no limit ever stops.

use crate::metrics::metric;
use crate::shop::{Browser, before, claims, ended, key, settings, with};
use crate::world::{REDEEMED, Serving, Upstream, answer, ask, body, client, read, served, with_pin};
use serde_json::{Value, json};
use std::time::Duration;

const TIMEOUT: &str = r#"{"isSuccess":false,"errorCode":"PSP_TIMEOUT"}"#;
const REFUSED: (u16, &str) = (429, "TOO_MANY_TRIES");

#[tokio::test]
async fn the_limit_of_a_session_is_its_own_and_that_of_a_customer_holds_across_sessions() {
    let flags = ["--limit-session=2", "--limit-customer=3", "--limit-address=0"];
    let (endpoint, upstream) = before(vec![answer(200, "", r#"{"isSuccess":false}"#)], &flags).await;
    let browser = |subject: &str, id: &str| Browser::of(&endpoint, &claims(subject, id));
    let bens = with(body(), "userId", json!("ben"));
    let (first, second, ben) = (browser("user_123", "s-1"), browser("user_123", "s-2"), browser("ben", "s-3"));
    for expected in [200, 200, 429] {
        assert_eq!(first.post(&key(), &body()).await.status, expected, "two under one session");
    }
    for expected in [200, 429] {
        assert_eq!(second.post(&key(), &body()).await.status, expected, "three of one customer");
    }
    assert_eq!(ben.post(&key(), &bens).await.status, 200, "another customer is not held up");
    assert_eq!(upstream.requests().len(), 4, "nothing was sent beyond");
}

#[tokio::test]
async fn a_known_attempt_is_never_limited_and_a_refusal_says_when() {
    let (endpoint, upstream) =
        before(vec![answer(400, "", TIMEOUT)], &["--limit-customer=1", "--limit-address=0"]).await;
    let anna = Browser::of(&endpoint, &claims("user_123", "s-1"));
    let (known, refused) = (key(), key());
    anna.post(&known, &body()).await;
    let request = client().post(&endpoint).bearer_auth(&anna.token).header("idempotency-key", &refused);
    let request = request.header("content-type", "application/json").body(body().to_string());
    let response = request.send().await.expect("an answer");
    let wait = response.headers().get("retry-after").and_then(|wait| wait.to_str().ok()?.parse::<u64>().ok());
    assert!(wait.is_some_and(|wait| (1..=60).contains(&wait)), "{wait:?}");
    let (status, said) = read(response).await;
    assert_eq!((status, &said["errorCode"]), (429, &json!("TOO_MANY_TRIES")));
    for _ in 0..5 {
        assert_eq!(anna.post(&known, &body()).await.code(), (400, "PSP_TIMEOUT"), "another try of the open attempt");
        assert_eq!(
            anna.get(&refused).await.code(),
            (404, "ATTEMPT_UNKNOWN"),
            "asking is free, and nothing was recorded"
        );
        assert_eq!(anna.delete(&refused).await.code(), REFUSED, "it would leave a row");
    }
    assert_eq!(upstream.requests().len(), 6);
    assert_eq!(anna.delete(&known).await.code(), (400, "PSP_TIMEOUT"), "closing what is known is not limited");
}

/// The status of a new attempt that says to come from there.
async fn forwarded(endpoint: &str, from: &[&str]) -> u16 {
    let mut request =
        client().post(endpoint).header("idempotency-key", key()).header("content-type", "application/json");
    for from in from {
        request = request.header("x-forwarded-for", *from);
    }
    request.body(body().to_string()).send().await.expect("an answer").status().as_u16()
}

#[tokio::test]
async fn an_address_is_believed_from_a_trusted_hop_alone() {
    let upstream = Upstream::start(vec![answer(200, "", r#"{"isSuccess":false}"#)]).await;
    for (trusted, requests) in [
        // Nobody is trusted: all come from this machine.
        (None, [(&["198.51.100.1"][..], 200), (&["198.51.100.2"], 429), (&["127.0.0.1, 198.51.100.3"], 429)]),
        // What a client writes itself stands on the left, and is not looked at.
        (Some("127.0.0.0/8"), [(&["198.51.100.1"], 200), (&["9.9.9.9, 198.51.100.1"], 429), (&["198.51.100.2"], 200)]),
        (
            Some("127.0.0.1"),
            [(&["9.9.9.9", "198.51.100.1"], 200), (&["198.51.100.1"], 429), (&["x, 198.51.100.1"], 429)],
        ),
        // One client has all of a /64.
        (Some("127.0.0.1/32"), [(&["2001:db8::1"], 200), (&["2001:db8::ffff:1"], 429), (&["2001:db8:0:1::1"], 200)]),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = crate::world::settings(&upstream.url, folder.path(), Duration::from_secs(20));
        settings.limits.address = 1;
        settings.trusted_proxies = trusted.into_iter().map(network).collect();
        let endpoint = served(folder, settings).await;
        for (from, expected) in requests {
            assert_eq!(forwarded(&endpoint, from).await, expected, "{from:?} with {trusted:?} trusted");
        }
        let (status, _) = read(ask("DELETE", &endpoint, &key()).await).await;
        assert_eq!(status, if trusted.is_none() { 429 } else { 200 }, "a DELETE of a new key counts, too");
    }
}

/// As `--trusted-proxy` reads it.
fn network(text: &str) -> ipnet::IpNet {
    text.parse().unwrap_or_else(|_| ipnet::IpNet::from(text.parse::<std::net::IpAddr>().expect("an address")))
}

#[tokio::test]
async fn who_guesses_pins_waits_and_may_still_finish_what_is_open() {
    const INVALID: &str = r#"{"isSuccess":false,"data":{"result":"4075"}}"#;
    let plays = vec![answer(400, "", TIMEOUT), answer(400, "", INVALID)];
    let (endpoint, upstream) = before(plays, &["--guesses=2", "--limit-address=0"]).await;
    let anna = Browser::of(&endpoint, &claims("user_123", "s-1"));
    let open = key();
    assert_eq!(anna.post(&open, &body()).await.code(), (400, "PSP_TIMEOUT"));
    // A session whose attempt is open begins no other.
    let second = Browser::of(&endpoint, &claims("user_123", "s-2"));
    for guess in 1..=2 {
        assert_eq!(second.post(&key(), &with_pin(&format!("99007777123456{guess:02}"))).await.status, 400);
    }
    let again = Browser::of(&endpoint, &claims("user_123", "s-4"));
    assert_eq!(again.post(&key(), &with_pin("9900777712345603")).await.code(), REFUSED, "in another session, too");
    let bens = with(with_pin("9900777712345604"), "userId", json!("ben"));
    assert_eq!(
        Browser::of(&endpoint, &claims("ben", "s-3")).post(&key(), &bens).await.status,
        400,
        "others do not wait"
    );
    assert_eq!(again.post(&open, &body()).await.status, 400, "the open attempt has its try");
    assert_eq!(upstream.requests().len(), 5);
}

#[tokio::test]
async fn a_limit_of_0_is_none() {
    let flags = ["--limit-session=0", "--limit-customer=0", "--limit-address=0"];
    let (endpoint, upstream) = before(vec![answer(200, "", REDEEMED)], &flags).await;
    for number in 0..100 {
        let browser = Browser::of(&endpoint, &claims("user_123", &format!("s-{number}")));
        assert_eq!(browser.post(&key(), &body()).await.status, 200);
    }
    assert_eq!(upstream.requests().len(), 100);
}

#[tokio::test]
async fn after_five_invalid_pins_a_customer_is_told_how_long_to_wait_and_nothing_is_sent() {
    let invalid = answer(400, "", r#"{"isSuccess":false,"data":{"result":"4075"}}"#);
    let (endpoint, upstream) = before(vec![invalid], &[]).await;
    let browser = |id: usize| Browser::of(&endpoint, &claims("user_123", &format!("s-{id}")));
    for number in 0..5 {
        assert_eq!(browser(number).post(&key(), &body()).await.status, 400, "free");
    }
    let refused = key();
    let request = client().post(&endpoint).bearer_auth(&browser(5).token).header("idempotency-key", &refused);
    let request = request.header("content-type", "application/json").body(body().to_string());
    let response = request.send().await.expect("an answer");
    let wait = response.headers().get("retry-after").and_then(|wait| wait.to_str().ok()?.parse::<u64>().ok());
    assert!(wait.is_some_and(|wait| (1..=60).contains(&wait)), "{wait:?}");
    let (status, said) = read(response).await;
    assert_eq!((status, &said["errorCode"]), (429, &json!("TOO_MANY_TRIES")), "also under another session");
    assert_eq!(upstream.requests().len(), 5);
    assert_eq!(browser(5).get(&refused).await.code(), (404, "ATTEMPT_UNKNOWN"), "nothing was recorded");
    let ben = Browser::of(&endpoint, &claims("ben", "s-6"));
    assert_eq!(ben.post(&key(), &with(body(), "userId", json!("ben"))).await.status, 400, "another customer goes on");
}

#[tokio::test]
async fn each_refusal_is_counted_by_its_reason() {
    let invalid = answer(400, "", r#"{"isSuccess":false,"data":{"result":"4075"}}"#);
    let upstream = Upstream::start(vec![invalid]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let flags =
        ["--metrics-listen=127.0.0.1:0", "--limit-address=3", "--limit-customer=2", "--limit-session=1", "--guesses=1"];
    let serving = Serving::start(settings(&upstream.url, folder.path(), &flags)).await;
    let browser = |claims: &Value| Browser::of(&serving.endpoint, claims);
    let anna = |id: &str| browser(&claims("user_123", id));
    let ben = browser(&claims("ben", "b-1"));
    let known = key();
    assert_eq!(anna("s-1").post(&known, &body()).await.status, 400, "an invalid PIN");
    for (what, said) in [
        ("session", anna("s-1").post(&key(), &body()).await),
        ("guesses", anna("s-2").post(&key(), &body()).await),
        ("address", ben.delete(&key()).await),
        ("foreign", ben.get(&known).await),
        ("no_session", Browser { endpoint: serving.endpoint.clone(), token: "x".to_owned() }.get(&known).await),
        ("session_expired", browser(&ended("user_123", "s-3", 90_000)).get(&known).await),
    ] {
        let counted = metric(&serving, &format!("cashier_refused_total{{reason=\"{what}\"}}")).await;
        assert_eq!(counted, Some(1.0), "{what}: {}", said.body);
    }
    let evil = client().get(&serving.endpoint).header("origin", "https://evil.example");
    assert_eq!(evil.send().await.expect("an answer").status(), 403);
    assert_eq!(metric(&serving, "cashier_refused_total{reason=\"origin\"}").await, Some(1.0));
    serving.stop().await;
}
