//! Tokens, headers, and every message about an invalid request.

use crate::world::{SEED_PIN, World, got, request};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

const PATH: &str = "/v1/api/mozarto/cashier";

fn user_token() -> String {
    let claims = json!({"userId": "user_123", "email": "player@example.com"});
    let token = encode(&Header::default(), &claims, &EncodingKey::from_secret(b"any")).expect("claims encode");
    format!("Bearer {token}")
}

#[tokio::test]
async fn tokens_and_headers_are_asked_in_order() {
    let world = World::start().await;
    let decodable = user_token();
    let (company, session) = ("Bearer sandbox-company", "Bearer session");
    let refused = "Unauthorized";
    for (name, token, user_token, session, status, message) in [
        ("no company token", None, None, Some(session), 401, refused),
        ("a wrong one", Some("Bearer nobody"), None, Some(session), 401, refused),
        ("without Bearer", Some("sandbox-company"), None, Some(session), 401, refused),
        ("an expired one", Some("Bearer sandbox-expired"), None, None, 403, "Password expired"),
        ("no user header", Some(company), None, None, 401, refused),
        ("an empty user header", Some(company), None, Some("Bearer "), 401, refused),
        ("no user header, no rule", Some("Bearer sandbox-no-rule"), None, None, 401, refused),
        ("no JWT", Some(company), Some("Bearer x.y.z"), None, 504, "Gateway timeout"),
        ("no JWT beside a session", Some(company), Some("Bearer x"), Some(session), 504, "Gateway timeout"),
        ("no rule", Some("Bearer sandbox-no-rule"), None, Some(session), 400, "Rules action is not matched"),
        ("no provider", Some("Bearer sandbox-no-psp"), None, Some(session), 400, "Something went wrong"),
        ("a session", Some(company), None, Some(session), 400, "Missing required field: pspType"),
        ("a JWT", Some(company), Some(decodable.as_str()), None, 400, "Missing required field: pspType"),
    ] {
        let headers = [("authorization", token), ("x-user-token", user_token), ("x-user-authorization", session)];
        let request = headers.into_iter().fold(world.post(PATH, "{}".into()), |request, (header, value)| match value {
            Some(value) => request.header(header, value),
            None => request,
        });
        let got = got(request).await.expect("an answer");
        let answer = got.json();
        assert_eq!((got.status.as_u16(), &answer["message"]), (status, &json!(message)), "{name}");
        assert_eq!((&answer["status"], &answer["isSuccess"]), (&json!("error"), &json!(false)), "{name}");
        let data = if name == "no provider" {
            json!("PSP Configuration not found. Please check you psp Configuration")
        } else {
            Value::Null
        };
        assert_eq!(answer["data"], data, "{name}");
    }
    assert_eq!(world.voucher(SEED_PIN).await["tries"], 0, "none of them reached a voucher");
}

#[tokio::test]
async fn a_missing_field_is_named() {
    let world = World::start().await;
    let fields = ["pspType", "type", "voucherPin", "baseamount", "currency", "currencyCode", "userId", "email"];
    for field in fields {
        let mut absent = request(SEED_PIN);
        absent.as_object_mut().expect("an object").remove(field);
        let mut bodies = vec![absent];
        // A blank amount has a message of its own.
        for nothing in [json!(null), json!(""), json!("  ")] {
            if nothing.is_null() || field != "baseamount" {
                let mut body = request(SEED_PIN);
                body[field] = nothing;
                bodies.push(body);
            }
        }
        for body in bodies {
            let got = got(world.pay_in(&body)).await.expect("an answer");
            let message = format!("Missing required field: {field}");
            let expected = json!({"status": "error", "message": message, "isSuccess": false, "errors": []});
            assert_eq!((got.status.as_u16(), got.json()), (400, expected));
        }
    }
}

#[tokio::test]
async fn an_invalid_field_is_named_with_its_reason() {
    let world = World::start().await;
    for (field, value, error) in [
        ("pspType", json!("BRITE"), "pspType must be FLEXEPIN"),
        ("type", json!("PAYOUT"), "type must be PAYIN"),
        ("voucherPin", json!(1_234_567_890_123_456_u64), "voucherPin must be a string"),
        ("baseamount", json!(""), "amount must not be empty"),
        ("baseamount", json!("25.00"), "amount must be a number"),
        ("baseamount", json!([25]), "amount must be a number"),
        ("baseamount", json!(0), "amount must be more than 0"),
        ("baseamount", json!(-5), "amount must be more than 0"),
        ("baseamount", json!(25.001), "amount has too many decimals, at most 2 for this currency"),
        ("baseamount", json!(1e300), "amount is too large"),
        ("currencyCode", json!("USD"), "currencyCode must be the same as currency"),
        ("userId", json!(123), "userId must be a string"),
        ("email", json!("player"), "email must be a valid email"),
        ("email", json!("player@"), "email must be a valid email"),
        ("email", json!("@example.com"), "email must be a valid email"),
        ("email", json!("a b@example.com"), "email must be a valid email"),
        ("email", json!("a@b@example.com"), "email must be a valid email"),
        ("email", json!(5), "email must be a valid email"),
        ("brandId", json!(5), "brandId must be a string"),
    ] {
        let mut body = request(SEED_PIN);
        body[field] = value;
        let got = got(world.pay_in(&body)).await.expect("an answer");
        let expected =
            json!({"status": "error", "message": "Validation failed", "isSuccess": false, "errors": [error]});
        assert_eq!((got.status.as_u16(), got.json()), (400, expected));
    }
    assert_eq!(world.voucher(SEED_PIN).await["tries"], 0);
}

#[tokio::test]
async fn all_invalid_fields_are_named_at_once() {
    let world = World::start().await;
    let mut body = request(SEED_PIN);
    body["email"] = json!("player");
    body["currency"] = json!("XXX");
    body["currencyCode"] = json!("XXX");
    body["baseamount"] = json!("");
    let answer = got(world.pay_in(&body)).await.expect("an answer").json();
    let currency = "currency must be a code of ISO 4217, such as EUR";
    assert_eq!(answer["errors"], json!(["email must be a valid email", currency, "amount must not be empty"]));
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let world = World::start().await;
    let headers = |body: &str| world.pay_in(&Value::Null).body(body.to_owned());
    for (name, request, error) in [
        ("nothing", headers(""), "body must be a JSON object"),
        ("a list", headers("[]"), "body must be a JSON object"),
        ("half an object", headers("{\"pspType\":"), "body must be a JSON object"),
        ("bytes", world.pay_in(&Value::Null).body(vec![0xff, 0xfe]), "body must be a JSON object"),
    ] {
        let answer = got(request).await.expect("an answer").json();
        assert_eq!((&answer["message"], &answer["errors"]), (&json!("Validation failed"), &json!([error])), "{name}");
    }
    let form = reqwest::header::HeaderMap::from_iter([(
        reqwest::header::CONTENT_TYPE,
        reqwest::header::HeaderValue::from_static("text/plain"),
    )]);
    let answer = got(world.pay_in(&request(SEED_PIN)).headers(form)).await.expect("an answer").json();
    assert_eq!(answer["errors"], json!(["Content-Type must be application/json"]));
    let long = got(headers(&" ".repeat(3_000_000))).await.expect("an answer");
    assert_eq!((long.status.as_u16(), &long.json()["isSuccess"]), (413, &json!(false)));
}

#[tokio::test]
async fn unknown_fields_and_a_null_brand_are_let_pass() {
    let world = World::start().await;
    let mut body = request(SEED_PIN);
    body["brandId"] = json!(null);
    body["extra"] = json!({"a": 1});
    let answer = got(world.pay_in(&body)).await.expect("an answer");
    assert_eq!(answer.meaning().signal.to_string(), "redeemed");
}

#[tokio::test]
async fn other_paths_and_methods_answer_in_the_error_shape() {
    let world = World::start().await;
    for (request, status) in [
        (world.get("/v1/api/mozarto/other"), 404),
        (world.get(PATH), 405),
        (world.post("/healthz", String::new()), 405),
    ] {
        let got = got(request).await.expect("an answer");
        assert_eq!((got.status.as_u16(), &got.json()["status"]), (status, &json!("error")));
    }
}
