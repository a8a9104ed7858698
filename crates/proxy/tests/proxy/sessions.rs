//! Checkout sessions: who is let in, what a session fixes, whose attempts are whose, and for how long.

use crate::shop::{Browser, before, claims, ended, key, signed, signed_with, user_claims, with, without};
use crate::world::{EMAIL, REDEEMED, SHOP, Upstream, answer, body, client, read, served, with_pin};
use serde_json::{Value, json};

const REQUIRED: (u16, &str) = (401, "SESSION_REQUIRED");
const EXPIRED: (u16, &str) = (401, "SESSION_EXPIRED");
const FOREIGN: (u16, &str) = (403, "ATTEMPT_FOREIGN");

#[tokio::test]
async fn nobody_without_a_session_of_the_merchants_is_let_in() {
    let (endpoint, upstream) = before(vec![answer(200, "", REDEEMED)], &[]).await;
    let anna = claims("user_123", "s-1");
    let unsigned = {
        let token = signed(&anna);
        let payload = token.split('.').nth(1).expect("claims");
        // {"alg":"none","kid":"shop"}
        format!("eyJhbGciOiJub25lIiwia2lkIjoic2hvcCJ9.{payload}.")
    };
    for (what, token, expected) in [
        ("none", String::new(), REQUIRED),
        ("no token", "token".to_owned(), REQUIRED),
        ("SQL", "' OR 1=1 --".to_owned(), REQUIRED),
        ("alg none", unsigned, REQUIRED),
        ("another's key", signed_with("a secret of somebody else, of 32 bytes", "shop", &anna), REQUIRED),
        ("an unknown key", signed_with(crate::shop::SECRET, "old", &anna), REQUIRED),
        ("another issuer", signed(&with(anna.clone(), "iss", json!("https://evil.example"))), REQUIRED),
        ("another audience", signed(&with(anna.clone(), "aud", json!("another"))), REQUIRED),
        ("not yet", signed(&with(anna.clone(), "nbf", json!(crate::shop::now() + 120))), REQUIRED),
        ("for ever", signed(&with(anna.clone(), "exp", json!(crate::shop::now() + 90_000))), REQUIRED),
        ("no subject", signed(&without(anna.clone(), "sub")), REQUIRED),
        ("long ago", signed(&ended("user_123", "s-1", 24 * 3600 + 60)), EXPIRED),
    ] {
        let (browser, key) = (Browser { endpoint: endpoint.clone(), token }, key());
        for said in [browser.post(&key, &body()).await, browser.get(&key).await, browser.delete(&key).await] {
            assert_eq!(said.code(), expected, "{what}: {}", said.body);
        }
        let anna = Browser::of(&endpoint, &anna);
        assert_eq!(anna.get(&key).await.code(), (404, "ATTEMPT_UNKNOWN"), "{what}: nothing was recorded");
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn two_authorizations_are_refused_whichever_of_them_is_right() {
    let (endpoint, upstream) = before(vec![answer(200, "", REDEEMED)], &[]).await;
    let (right, wrong) = (format!("Bearer {}", signed(&claims("user_123", "s-1"))), "Bearer x".to_owned());
    for (first, second) in [(&right, &wrong), (&wrong, &right), (&right, &right)] {
        let request =
            client().post(&endpoint).header("idempotency-key", key()).header("content-type", "application/json");
        let request = request.header("authorization", first).header("authorization", second);
        let (status, refused) = read(request.body(body().to_string()).send().await.expect("an answer")).await;
        assert_eq!((status, &refused["errors"][0]), (400, &json!("Authorization must be there once")));
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn what_a_session_fixes_goes_to_mozarto_whether_or_not_the_body_says_it() {
    let (endpoint, upstream) = before(vec![answer(200, "", REDEEMED)], &[]).await;
    let mut fixed = claims("user_123", "s-1");
    for (name, value) in [
        ("email", json!(EMAIL)),
        ("brandId", json!("brand-1")),
        ("amounts", json!(["10", 25.5])),
        ("currency", json!("EUR")),
        ("firstName", json!("Anna")),
        ("lastName", json!("Müller")),
        ("phone", json!("+49 30 1234")),
        ("countryCode", json!("DE")),
    ] {
        fixed[name] = value;
    }
    let bare = ["userId", "email", "brandId"].into_iter().fold(body(), without);
    for (number, sent) in [bare, body(), with(body(), "userId", json!(""))].iter().enumerate() {
        let browser = Browser::of(&endpoint, &with(fixed.clone(), "jti", json!(format!("s-{number}"))));
        assert_eq!(browser.post(&key(), sent).await.status, 200);
        let (head, arrived) = upstream.requests().pop().expect("a request");
        assert_eq!(serde_json::from_str::<Value>(&arrived).expect("JSON"), body());
        let user = user_claims(&head).expect("a user header");
        for (name, value) in [
            ("userId", "user_123"),
            ("email", EMAIL),
            ("firstName", "Anna"),
            ("lastName", "Müller"),
            ("phone", "+49 30 1234"),
            ("countryCode", "DE"),
        ] {
            assert_eq!(user[name], value, "{head}");
        }
        assert!(!head.contains("x-user-authorization"), "{head}");
    }
}

#[tokio::test]
async fn a_body_that_disagrees_with_its_session_is_refused_by_field() {
    let (endpoint, upstream) = before(vec![answer(200, "", REDEEMED)], &[]).await;
    for (claim, fixed, field) in [
        ("sub", json!("another"), "userId"),
        ("sub", json!("' OR 1=1 --"), "userId"),
        ("email", json!("another@player.example"), "email"),
        ("brandId", json!("brand-2"), "brandId"),
        ("amount", json!("25"), "amount"),
        ("amount", json!(25.49), "amount"),
        ("amounts", json!(["25", "50"]), "amount"),
        ("amounts", json!([]), "amount"),
        // No amount of the body's currency.
        ("amount", json!("25.505"), "amount"),
        ("currency", json!("USD"), "currency"),
    ] {
        let browser = Browser::of(&endpoint, &with(claims("user_123", "s-1"), claim, fixed.clone()));
        let key = key();
        let said = browser.post(&key, &body()).await;
        let error = said.body["errors"][0].as_str().unwrap_or_default();
        assert_eq!((said.status, &said.body["message"]), (400, &json!("Validation failed")), "{claim} {fixed}");
        assert!(error.starts_with(&format!("{field} ")), "{claim} {fixed}: {error}");
        assert_eq!(browser.get(&key).await.status, 404, "nothing was recorded");
    }
    let nobody = Browser::of(&endpoint, &claims("user_123", "s-1"));
    let said = nobody.post(&key(), &without(body(), "email")).await;
    assert_eq!(said.body["message"], "Missing required field: email", "neither says it");
    assert!(upstream.requests().is_empty());
    for (amount, id) in [(json!("25.5"), "s-2"), (json!("25.50"), "s-3"), (json!(25.5), "s-4")] {
        let browser = Browser::of(&endpoint, &with(claims("user_123", id), "amount", amount));
        assert_eq!(browser.post(&key(), &body()).await.status, 200, "compared as values");
    }
}

#[tokio::test]
async fn an_attempt_is_its_customers_and_nobody_elses() {
    let timeout = answer(400, "", r#"{"isSuccess":false,"errorCode":"PSP_TIMEOUT"}"#);
    let (endpoint, upstream) = before(vec![timeout, answer(200, "", REDEEMED)], &[]).await;
    let anna = Browser::of(&endpoint, &claims("user_123", "s-1"));
    let again = Browser::of(&endpoint, &claims("user_123", "s-2"));
    let ben = Browser::of(&endpoint, &claims("ben", "s-3"));
    let bens = with(body(), "userId", json!("ben"));
    let key = key();
    let open = anna.post(&key, &body()).await;
    assert_eq!(open.code(), (400, "PSP_TIMEOUT"));
    for _ in 0..2 {
        for said in [ben.get(&key).await, ben.post(&key, &bens).await, ben.delete(&key).await] {
            assert_eq!(said.code(), FOREIGN);
            assert!(!said.body.to_string().contains("PSP_TIMEOUT"), "it says nothing of the other's attempt");
        }
    }
    assert_eq!(again.get(&key).await, open, "a customer's next session has the same attempts");
    assert_eq!(upstream.requests().len(), 1);
    assert_eq!(again.post(&key, &body()).await.status, 200);
    for said in [ben.get(&key).await, ben.post(&key, &bens).await, ben.delete(&key).await] {
        assert_eq!(said.code(), FOREIGN, "also when it has ended");
    }
    assert_eq!(upstream.requests().len(), 2);
}

#[tokio::test]
async fn a_session_that_has_ended_may_ask_about_and_finish_what_was_begun_and_begin_nothing() {
    let timeout = answer(400, "", r#"{"isSuccess":false,"errorCode":"PSP_TIMEOUT"}"#);
    let (endpoint, upstream) = before(vec![timeout.clone(), timeout, answer(200, "", REDEEMED)], &[]).await;
    let anna = Browser::of(&endpoint, &claims("user_123", "s-1"));
    let (begun, unknown) = (key(), key());
    anna.post(&begun, &body()).await;
    for ago in [70, 23 * 3600] {
        let late = Browser::of(&endpoint, &ended("user_123", "s-1", ago));
        let late_ben = Browser::of(&endpoint, &ended("ben", "s-2", ago));
        assert_eq!(late.get(&begun).await.code(), (400, "PSP_TIMEOUT"));
        assert_eq!(late.post(&begun, &body()).await.status, if ago == 70 { 400 } else { 200 }, "another try");
        assert_eq!(late.post(&unknown, &body()).await.code(), EXPIRED);
        assert_eq!(late.get(&unknown).await.code(), (404, "ATTEMPT_UNKNOWN"));
        let bens = with(body(), "userId", json!("ben"));
        assert_eq!(late_ben.post(&begun, &bens).await.code(), FOREIGN);
        if ago == 23 * 3600 {
            assert_eq!(late.delete(&unknown).await.code(), (200, "untouched"));
            return assert_eq!(upstream.requests().len(), 3);
        }
    }
}

#[tokio::test]
async fn a_session_redeems_one_voucher_and_may_try_another_only_after_a_rejection() {
    let rejected = answer(400, "", r#"{"isSuccess":false,"message":"Mismatched amount"}"#);
    let (endpoint, upstream) = before(vec![rejected, answer(200, "", REDEEMED)], &[]).await;
    let anna = Browser::of(&endpoint, &claims("user_123", "s-1"));
    let second = key();
    assert_eq!(anna.post(&key(), &body()).await.status, 400);
    assert_eq!(anna.post(&second, &body()).await.status, 200);
    assert_eq!(anna.post(&key(), &with_pin("9900777712345679")).await.code(), EXPIRED);
    let replayed = anna.post(&second, &body()).await;
    assert_eq!((replayed.status, replayed.replayed), (200, true), "what was redeemed is still told");
    let next = Browser::of(&endpoint, &claims("user_123", "s-2"));
    assert_eq!(next.post(&key(), &with_pin("9900777712345679")).await.status, 200);
    assert_eq!(upstream.requests().len(), 3);
}

#[tokio::test]
async fn in_mode_session_mozarto_gets_the_bearer_that_the_browser_sent() {
    let (endpoint, upstream) = before(vec![answer(200, "", REDEEMED)], &["--mozarto-user=session"]).await;
    let anna = Browser::of(&endpoint, &claims("user_123", "s-1"));
    assert_eq!(anna.post(&key(), &body()).await.status, 200);
    let head = upstream.requests().pop().expect("a request").0;
    assert!(head.contains(&format!("x-user-authorization: Bearer {}\r\n", anna.token)), "{head}");
    assert!(!head.contains("x-user-token"), "{head}");
}

#[tokio::test]
async fn in_mode_session_without_sessions_the_bearer_is_passed_on_unread_and_must_be_there() {
    let upstream = Upstream::start(vec![answer(200, "", REDEEMED)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let settings = crate::world::settings(&upstream.url, folder.path(), std::time::Duration::from_secs(20));
    let mozarto_user = flexepin_cashier_proxy::MozartoUser::Session;
    let endpoint = served(folder, flexepin_cashier_proxy::Settings { mozarto_user, ..settings }).await;
    let nobody = Browser { endpoint: endpoint.clone(), token: String::new() };
    let key = key();
    assert_eq!(nobody.post(&key, &body()).await.code(), REQUIRED);
    let browser = Browser { endpoint, token: "the-merchants-own-login".to_owned() };
    assert_eq!(browser.get(&key).await.code(), (404, "ATTEMPT_UNKNOWN"));
    assert_eq!(browser.post(&key, &body()).await.status, 200);
    assert!(upstream.requests()[0].0.contains("x-user-authorization: Bearer the-merchants-own-login\r\n"));
}

#[tokio::test]
async fn a_preflight_needs_no_session() {
    let (endpoint, _) = before(vec![answer(200, "", REDEEMED)], &["--allow-origin", SHOP]).await;
    let preflight = client().request(reqwest::Method::OPTIONS, &endpoint).header("origin", SHOP);
    let preflight = preflight.header("access-control-request-method", "POST");
    let answer = preflight.header("access-control-request-headers", "authorization").send().await.expect("an answer");
    let allowed = answer.headers().get("access-control-allow-headers").and_then(|names| names.to_str().ok());
    assert!(answer.status() == 200 && allowed.is_some_and(|names| names.contains("authorization")), "{allowed:?}");
}
