//! Bodies and headers that are wrong: a clear answer in Mozarto's shape, and nothing sent.

use crate::world::{PIN, answer, ask, before, body, client, post, post_as, read};
use serde_json::{Value, json};

const KEY: &str = "0b5a9e1c-7a64-4a83-9b3e-0d5b6f1f2a3b";

fn with(field: &str, value: Value) -> String {
    let mut body = body();
    body[field] = value;
    body.to_string()
}

fn without(field: &str) -> String {
    let mut body = body();
    body.as_object_mut().expect("an object").remove(field);
    body.to_string()
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_named_and_nothing_is_sent() {
    let (endpoint, upstream) = before(vec![answer(200, "", "{}")]).await;
    let pin = |pin: &str| (with("voucherPin", json!(pin)), "voucherPin must be 16 digits");
    let twice = body().to_string().replacen('{', &format!(r#"{{"voucherPin":"{PIN}","#), 1);
    let in_order = json!(["FLEXEPIN", "PAYIN", PIN, 25, "EUR", "EUR", "user_123", "a@b.example", null]).to_string();
    let cases = [
        pin("990077771234567"),
        pin("99007777123456789"),
        pin("9900 7777 1234 5678"),
        pin("99007777123456ab"),
        pin("９９００７７７７１２３４５６７８"),
        (with("voucherPin", json!(9_900_777_712_345_678_u64)), "voucherPin must be 16 digits"),
        (twice, "voucherPin is there twice"),
        (with(PIN, json!(1)), "the body has a field that is not known"),
        (with("baseamount", json!(PIN)), "amount must be a number"),
        (with("baseamount", json!(0)), "amount must be more than 0"),
        (with("baseamount", json!(-5)), "amount must be more than 0"),
        (with("baseamount", json!(25.001)), "amount has too many decimals"),
        (with("baseamount", json!(1e15)), "amount is too large"),
        (with("baseamount", json!("25")), "amount must be a number"),
        (with("currency", json!("EUX")), "currency is not a currency code"),
        (with("currencyCode", json!("USD")), "currencyCode must be the same as currency"),
        (with("pspType", json!("BRITE")), "pspType must be FLEXEPIN"),
        (with("email", json!("no address")), "email must be a valid email"),
        (with("userId", json!("x".repeat(129))), "userId must be at most"),
        (with("userId", json!("a\u{0}b")), "userId must be at most"),
        (body().to_string().replace('}', ""), "the body must be JSON"),
        ("NaN".to_owned(), "the body must be JSON"),
        (String::new(), "the body must be JSON"),
        ("[]".to_owned(), "the body must be a JSON object"),
        (in_order, "the body must be a JSON object"),
        (body().to_string().replace("25.5", "1e999"), "amount must be a number"),
        (body().to_string().replace("25.5", "NaN"), "the body must be JSON"),
        (with("email", json!(7)), "email must be a string"),
        (with("email", json!("a@b@c.example")), "email must be a valid email"),
        (with("email", json!("a b@c.example")), "email must be a valid email"),
        (with("email", json!("a@-b.example")), "email must be a valid email"),
        (with("userId", json!(PIN)), "userId must not hold the PIN"),
        (with("brandId", json!("9900-7777-1234-5678")), "brandId must not hold the PIN"),
        (format!("{} {PIN}", body()), "the body must be JSON"),
    ];
    for (sent, says) in cases {
        let (status, refused) = read(post(&endpoint, sent).await).await;
        assert_eq!(
            (status, &refused["status"], &refused["isSuccess"]),
            (400, &json!("error"), &json!(false)),
            "{says}"
        );
        assert_eq!(refused["message"], "Validation failed", "{says}");
        assert!(refused["errors"][0].as_str().is_some_and(|error| error.contains(says)), "{says}: {refused}");
        assert!(!refused.to_string().contains(&PIN[..8]), "{refused}");
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn a_missing_field_is_named_as_mozarto_names_it() {
    let (endpoint, upstream) = before(vec![answer(200, "", "{}")]).await;
    for field in ["pspType", "type", "voucherPin", "baseamount", "currency", "currencyCode", "userId", "email"] {
        let (status, refused) = read(post(&endpoint, without(field)).await).await;
        assert_eq!((status, &refused["message"]), (400, &json!(format!("Missing required field: {field}"))));
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn what_is_no_request_of_a_widget_is_refused() {
    let (endpoint, upstream) = before(vec![answer(200, "", "{}")]).await;
    let root = endpoint.replace("/cashier/flexepin", "");
    let request = |method: &str, url: &str| client().request(method.parse().expect("a method"), url);
    let keyed = || request("POST", &endpoint).header("idempotency-key", KEY);
    let json_body =
        |length: usize| request("POST", &endpoint).header("content-type", "application/json").body("x".repeat(length));
    for (what, request, status) in [
        ("1 MB", json_body(1 << 20).header("idempotency-key", KEY), 413),
        ("no content type", keyed().body(body().to_string()), 415),
        ("a form", keyed().header("content-type", "text/plain").body(body().to_string()), 415),
        ("GET", request("GET", &endpoint), 405),
        ("DELETE", request("DELETE", &endpoint), 405),
        ("PUT of an attempt", request("PUT", &format!("{endpoint}/{KEY}")), 405),
        ("POST to an attempt", request("POST", &format!("{endpoint}/{KEY}")), 405),
        ("another path", request("POST", &format!("{root}/cashier")), 404),
        ("a path below an attempt", request("GET", &format!("{endpoint}/{KEY}/x")), 404),
        ("GET of no UUID", request("GET", &format!("{endpoint}/1")), 400),
        ("DELETE of no UUID", request("DELETE", &format!("{endpoint}/%22{KEY}")), 400),
    ] {
        let response = request.send().await.expect("an answer");
        assert_eq!(response.headers().get("allow").is_some(), status == 405, "{what}");
        let (found, body) = read(response).await;
        assert_eq!((found, &body["isSuccess"]), (status, &json!(false)), "{what}");
    }
    assert!(upstream.requests().is_empty());
    assert_eq!(request("HEAD", &format!("{endpoint}/{KEY}")).send().await.expect("an answer").status(), 405);
    assert_eq!(ask("GET", &endpoint, KEY).await.status(), 404, "nothing was recorded");
    assert_eq!(request("GET", &format!("{root}/healthz")).send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn an_idempotency_key_is_a_uuid_bare_or_quoted_and_compared_in_lower_case() {
    let (endpoint, upstream) = before(vec![answer(200, "", r#"{"isSuccess":false}"#)]).await;
    let uuid = "0B5A9E1C-7a64-4a83-9b3e-0d5b6f1f2a3b";
    for (key, status) in [
        (uuid.to_owned(), 200),
        (format!("\"{uuid}\""), 200),
        (uuid.to_lowercase(), 200),
        ("1".to_owned(), 400),
        (format!("{{{uuid}}}"), 400),
        (format!("\"{uuid}"), 400),
        (uuid.replace('-', ""), 400),
        (String::new(), 400),
        // It would be logged.
        ("99007777-1234-5678-9b3e-0d5b6f1f2a3b".to_owned(), 400),
    ] {
        let response = post_as(&endpoint, &key, body().to_string()).await;
        let attempt_key = response.headers().get("attempt-key").and_then(|key| key.to_str().ok().map(str::to_owned));
        assert_eq!(attempt_key, Some(uuid.to_lowercase()).filter(|_| status == 200), "{key}");
        let (found, answered) = read(response).await;
        assert_eq!(found, status, "{key}");
        if status == 400 {
            let error = answered["errors"][0].as_str().unwrap_or_default();
            assert!(answered["message"] == "Validation failed" && error.contains("Idempotency-Key"), "{answered}");
        }
    }
    let request = || client().post(&endpoint).header("content-type", "application/json");
    let two = request().header("idempotency-key", uuid).header("idempotency-key", uuid);
    for (what, wrong) in [("missing", request()), ("two keys are two attempts", two)] {
        let response = wrong.body(body().to_string()).send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), 400, "{what}");
    }
    assert_eq!(upstream.requests().len(), 1, "one attempt, however its key is written");
}
