//! What reaches Mozarto, and what comes back to the browser.

use crate::world::{EMAIL, PIN, SHOP, TOKEN, answer, before, body, client, post, read};
use reqwest::Method;
use serde_json::{Value, json};

const REDEEMED: &str = include_str!("../../../../tests/fixtures/mozarto/replies/redeemed.json");

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

#[tokio::test]
async fn mozarto_gets_its_own_body_and_the_merchants_credentials() {
    let (endpoint, upstream) = before(vec![answer(200, "", "{}")]).await;
    post(&endpoint, body().to_string()).await;
    let requests = upstream.requests();
    assert_eq!(requests.len(), 1);
    let (head, sent) = &requests[0];
    assert!(head.starts_with("POST /v1/api/mozarto/cashier HTTP/1.1"), "{head}");
    assert_eq!(serde_json::from_str::<Value>(sent).expect("JSON"), body());
    assert_eq!(header(head, "authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    assert_eq!(header(head, "content-type"), Some("application/json"));
    let token = header(head, "x-user-token").and_then(|value| value.strip_prefix("Bearer ")).expect("a user token");
    let claims: Value = jsonwebtoken::dangerous::insecure_decode(token).expect("decodable").claims;
    assert_eq!((&claims["userId"], &claims["email"]), (&json!("user_123"), &json!(EMAIL)));
    for name in ["cookie", "referer", "accept-encoding", "idempotency-key", "origin"] {
        assert_eq!(header(head, name), None, "{name}");
    }
}

#[tokio::test]
async fn an_answer_is_passed_back_as_it_is() {
    let redeemed = serde_json::from_str::<Value>(REDEEMED).expect("a fixture")["body"].to_string();
    for (status, body_text) in [
        (200, redeemed.as_str()),
        (400, r#"{ "isSuccess" : false, "message":"Mismatched amount", "data": {"value": 25.00, "n": 1e2} }"#),
        (401, r#"{"isSuccess":false}"#),
        (429, r#"{"isSuccess":false}"#),
        (500, r#"{"isSuccess":false,"data":"Something went wrong"}"#),
    ] {
        let (endpoint, _upstream) = before(vec![answer(status, "Retry-After: 7\r\n", body_text)]).await;
        let response = post(&endpoint, body().to_string()).await;
        assert_eq!(response.status().as_u16(), status);
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        assert_eq!(header("retry-after").as_deref(), Some("7"));
        assert_eq!(header("content-type").as_deref(), Some("application/json"));
        assert_eq!(header("cache-control").as_deref(), Some("no-store"));
        assert_eq!(header("attempt-key").map(|key| key.len()), Some(36), "it keeps attempts and says so");
        assert_eq!(response.text().await.expect("a body"), body_text);
    }
}

#[tokio::test]
async fn a_408_reaches_no_browser() {
    let text = r#"{"isSuccess":false,"errorCode":"PSP_TIMEOUT"}"#;
    let (endpoint, _upstream) = before(vec![answer(408, "", text)]).await;
    let (status, body) = read(post(&endpoint, body().to_string()).await).await;
    assert_eq!((status, &body["errorCode"]), (504, &json!("PSP_TIMEOUT")));
}

#[tokio::test]
async fn an_echoed_pin_is_redacted_wherever_it_stands() {
    let grouped = "9900-7777 1234\u{a0}5678";
    let echo = json!({
        "isSuccess": false, "message": format!("no voucher {PIN}"), "errors": [grouped, {"deep": [grouped]}],
        "data": { PIN: 1, "n": 9_900_777_712_345_678_u64, "f": 9_900_777_712_345_678.0_f64, "other": 25.5 },
    });
    let twice = format!(r#"{{"isSuccess":false,"message":"{PIN}","message":"x"}}"#);
    let escaped = format!(r#"{{"isSuccess":false,"message":"\u0039{}"}}"#, &PIN[1..]);
    for text in [echo.to_string(), twice, escaped] {
        let (endpoint, _upstream) = before(vec![answer(400, "", &text)]).await;
        let response = post(&endpoint, body().to_string()).await.text().await.expect("a body");
        let digits: String = response.chars().filter(char::is_ascii_digit).collect();
        assert!(!digits.contains(PIN), "{response}");
        assert!(!response.contains("u0039"), "{response}");
    }
    let (endpoint, _upstream) = before(vec![answer(400, "", &echo.to_string())]).await;
    let (_, body) = read(post(&endpoint, body().to_string()).await).await;
    assert_eq!(
        (&body["message"], &body["data"]["[PIN]"], &body["data"]["other"]),
        (&json!("no voucher [PIN]"), &json!(1), &json!(25.5))
    );
}

#[tokio::test]
async fn pages_of_allowed_origins_may_call_and_others_may_not() {
    let (endpoint, _upstream) = before(vec![answer(200, "", "{}")]).await;
    for (origin, allowed) in [(SHOP, true), ("https://other.example", false), ("null", false)] {
        let preflight = client()
            .request(Method::OPTIONS, &endpoint)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,idempotency-key")
            .send()
            .await
            .expect("an answer");
        let header = |name: &str| {
            preflight.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_ascii_lowercase)
        };
        assert_eq!(header("access-control-allow-origin").is_some(), allowed, "{origin}");
        assert_eq!(header("access-control-allow-methods").as_deref(), Some("get,post,delete"));
        assert_eq!(
            header("access-control-allow-headers").as_deref(),
            Some("authorization,content-type,accept-language,idempotency-key")
        );
    }
    let response = client().post(&endpoint).header("origin", SHOP).body("").send().await.expect("an answer");
    let exposed = response.headers().get("access-control-expose-headers").and_then(|value| value.to_str().ok());
    assert_eq!(exposed, Some("attempt-key,retry-after,idempotency-replayed"));
}
