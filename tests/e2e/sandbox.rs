//! The sandbox from the tests' side: fresh vouchers, scripted PINs that no other test uses, and what its ledger says.

use crate::given;
use axum::body::Body;
use axum::http::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// Issues a voucher; gives its PIN.
pub(crate) async fn issue(value: f64, currency: &str) -> String {
    let issued = call(Method::POST, "/sandbox/vouchers", &json!({ "value": value, "currency": currency })).await;
    issued["pin"].as_str().expect("a PIN").to_owned()
}

/// A PIN that is scripted by four digits, another at each call. It ends in 0, by which a "used" is said in plain words.
pub(crate) fn scripted(digits: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("9900{digits}{:07}0", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A PIN as the field shows it.
pub(crate) fn grouped(pin: &str) -> String {
    [&pin[..4], &pin[4..8], &pin[8..12], &pin[12..]].join(" ")
}

/// The transaction that took the voucher; null while it is untouched.
pub(crate) async fn taken(pin: &str) -> Value {
    voucher(pin).await["transactionId"].clone()
}

/// How many tries have reached the voucher.
pub(crate) async fn tries(pin: &str) -> u64 {
    voucher(pin).await["tries"].as_u64().unwrap_or(0)
}

/// Every row that the merchant's own books can read of the proxy.
pub(crate) async fn outcomes() -> Vec<Value> {
    let mut rows: Vec<Value> = Vec::new();
    loop {
        let after = rows.last().map_or(0, |row| row["sequence"].as_u64().expect("a sequence"));
        let uri = format!("{}/outcomes?after={after}", given("E2E_PROXY"));
        let token = format!("Bearer {}", given("E2E_OUTCOMES_TOKEN"));
        let request = Request::get(uri).header("authorization", token).body(Body::empty()).expect("a request");
        let page = answer(request).await;
        let more = page["outcomes"].as_array().expect("a list").clone();
        if more.is_empty() {
            return rows;
        }
        rows.extend(more);
    }
}

async fn voucher(pin: &str) -> Value {
    let ledger = call(Method::GET, "/sandbox/vouchers", &Value::Null).await;
    let vouchers = ledger["vouchers"].as_array().expect("a list");
    vouchers.iter().find(|voucher| voucher["pin"] == pin).cloned().unwrap_or_default()
}

async fn call(method: Method, path: &str, body: &Value) -> Value {
    let request = Request::builder().method(method).uri(format!("{}{path}", given("E2E_SANDBOX")));
    let request = request.header("content-type", "application/json").body(Body::from(body.to_string()));
    answer(request.expect("a request")).await
}

async fn answer(request: Request<Body>) -> Value {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.expect("the service answers");
    let bytes = axum::body::to_bytes(Body::new(response.into_body()), 1 << 20).await.expect("a body");
    serde_json::from_slice(&bytes).expect("JSON")
}
