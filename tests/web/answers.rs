//! The pages' examples through `Response.json()` and serde-wasm-bindgen mean the same as through `serde_json` natively.

use crate::fixtures;
use crate::page::{get, json};
use mozarto::{Answer, Reply};
use serde::Deserialize;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Response;

async fn read(body: &str) -> Option<Reply> {
    let response = Response::new_with_opt_str(Some(body)).expect("a response");
    let body = JsFuture::from(response.json().expect("a body")).await.ok()?;
    Reply::deserialize(serde_wasm_bindgen::Deserializer::from(body)).ok()
}

#[wasm_bindgen_test]
async fn every_example_of_the_pages_means_what_its_fixture_says() {
    assert!(!fixtures::REPLIES.is_empty());
    for (name, text) in fixtures::REPLIES {
        let fixture = json(text);
        let reply = read(&crate::page::body_of(text)).await;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a status of the fixtures")]
        let status = get(&fixture, "status").as_f64().expect(name) as u16;
        let meaning = Answer { status, retry_after: None, reply }.meaning();
        assert_eq!(JsValue::from(meaning.signal.to_string()), get(&fixture, "signal"), "{name}");
        assert_eq!(JsValue::from(meaning.signal.money().as_str()), get(&fixture, "money"), "{name}");
    }
}

#[wasm_bindgen_test]
async fn what_decides_must_have_its_documented_type_here_too() {
    for undocumented in [
        "[]",
        r#"[["isSuccess", true], ["data", {"result": "0"}]]"#,
        r#"{"isSuccess": true, "data": [["result", "0"]]}"#,
        "null",
        "7",
        r#"{"isSuccess": "true"}"#,
        r#"{"isSuccess": 1}"#,
        r#"{"errorCode": 7}"#,
        r#"{"data": {"result": 0}}"#,
        r#"{"data": []}"#,
        r#"{"data": 5}"#,
    ] {
        assert_eq!(read(undocumented).await, None, "{undocumented}");
    }
    let reply = read(
        r#"{"message": 5, "errors": ["a", 1, null, {"b": []}], "transactionId": {}, "new": {"x": [1]}, "data": null}"#,
    )
    .await;
    assert_eq!(reply, Some(Reply { errors: vec!["a".into()], ..Reply::default() }));
}
