//! `/sandbox/*` and `/healthz`.

use crate::world::{SEED_PIN, World, got, request};
use reqwest::header::HeaderValue;
use serde_json::json;

#[tokio::test]
async fn an_issued_voucher_is_listed_and_redeems() {
    let world = World::start().await;
    let body = json!({"value": 50, "currency": "GBP"}).to_string();
    let issued = got(world.post("/sandbox/vouchers", body)).await.expect("an answer");
    assert_eq!(issued.status.as_u16(), 201);
    let issued = issued.json();
    let pin = issued["pin"].as_str().expect("a PIN");
    assert_eq!(issued, json!({"pin": pin, "value": 50.0, "currency": "GBP"}));
    let listed = json!({
        "pin": pin, "value": 50.0, "currency": "GBP", "state": "ACTIVE", "transactionId": null,
        "transactionIds": [], "taken": 0, "tries": 0
    });
    assert_eq!(world.voucher(pin).await, listed);
    let mut body = request(pin);
    body["baseamount"] = json!(50);
    body["currency"] = json!("GBP");
    body["currencyCode"] = json!("GBP");
    let answer = got(world.pay_in(&body)).await.expect("an answer");
    assert_eq!(answer.meaning().signal.to_string(), "redeemed");
    assert_eq!(world.voucher(pin).await["transactionId"], answer.json()["data"]["transactionId"]);
}

#[tokio::test]
async fn a_voucher_that_cannot_be_is_not_issued() {
    let world = World::start().await;
    for (body, message, errors) in [
        ("{}", "Missing required field: value", json!([])),
        (r#"{"value": 5}"#, "Missing required field: currency", json!([])),
        (r#"{"value": 0, "currency": "EUR"}"#, "Validation failed", json!(["value must be more than 0"])),
        (r#"{"value": "", "currency": "EUR"}"#, "Validation failed", json!(["value must not be empty"])),
        (r#"{"value": "5", "currency": "EUR"}"#, "Validation failed", json!(["value must be a number"])),
        (
            r#"{"value": 5, "currency": "eur"}"#,
            "Validation failed",
            json!(["currency must be a code of ISO 4217, such as EUR"]),
        ),
        ("no JSON", "Validation failed", json!(["body must be a JSON object"])),
    ] {
        let got = got(world.post("/sandbox/vouchers", body.to_owned())).await.expect("an answer");
        let expected = json!({"status": "error", "message": message, "isSuccess": false, "errors": errors});
        assert_eq!((got.status.as_u16(), got.json()), (400, expected), "{body}");
    }
    assert_eq!(world.sandbox.ledger.vouchers().len(), 1);
}

#[tokio::test]
async fn reset_leaves_the_pages_own_voucher_unused() {
    let world = World::start().await;
    for pin in [SEED_PIN, "9900000000000000", "9900040800000000"] {
        world.meaning(pin).await;
    }
    assert_eq!(world.sandbox.ledger.vouchers().len(), 3);
    let reset = got(world.post("/sandbox/reset", String::new())).await.expect("an answer");
    assert_eq!((reset.status.as_u16(), reset.text.as_str()), (204, ""));
    assert_eq!(world.sandbox.ledger.vouchers().len(), 1);
    assert_eq!(world.voucher(SEED_PIN).await["state"], "ACTIVE");
    assert_eq!(world.meaning(SEED_PIN).await.signal.to_string(), "redeemed");
    assert_eq!(world.meaning("9900040800000000").await.signal.to_string(), "psp-timeout", "scripts start anew");
}

#[tokio::test]
async fn any_origin_may_call_the_back_office_and_none_the_cashier() {
    let world = World::start().await;
    let origin = |request: reqwest::RequestBuilder| request.header("origin", "https://shop.example").send();
    for (path, allowed) in [("/sandbox/vouchers", Some("*")), ("/v1/api/mozarto/cashier", None), ("/healthz", None)] {
        let answer = origin(world.get(path)).await.expect("an answer");
        let header = answer.headers().get("access-control-allow-origin").and_then(|value| value.to_str().ok());
        assert_eq!(header, allowed, "{path}");
    }
    let preflight = reqwest::Request::new(
        reqwest::Method::OPTIONS,
        format!("http://{}/sandbox/vouchers", world.address).parse().expect("a URL"),
    );
    let preflight = reqwest::RequestBuilder::from_parts(crate::world::client(), preflight)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let answer = origin(preflight).await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.headers().get("access-control-allow-headers").map(HeaderValue::as_bytes), Some(&b"*"[..]));
}

#[tokio::test]
async fn it_says_that_it_is_well() {
    let world = World::start().await;
    let well = got(world.get("/healthz")).await.expect("an answer");
    assert_eq!((well.status.as_u16(), well.json()), (200, json!({"status": "ok"})));
}
