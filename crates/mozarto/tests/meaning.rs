//! Answers and what they mean: the pages' own examples, the sixteen rows, and whatever else a network can produce.

use mozarto::{Answer, Data, ErrorCode, Meaning, Money, OpenAttempt, Reply, RequestField, Signal};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::Duration;

#[path = "../../../tests/fixtures/mod.rs"]
mod fixtures;

fn meaning(status: u16, body: &Value) -> Meaning {
    meaning_of_bytes(status, body.to_string().as_bytes())
}

fn meaning_of_bytes(status: u16, body: &[u8]) -> Meaning {
    Answer { status, retry_after: None, reply: serde_json::from_slice(body).ok() }.meaning()
}

#[test]
fn every_example_of_the_pages_means_what_its_fixture_says() {
    for (name, text) in fixtures::REPLIES {
        let fixture: Value = serde_json::from_str(text).expect(name);
        let status = fixture["status"].as_u64().and_then(|status| status.try_into().ok()).expect(name);
        let signal = meaning(status, &fixture["body"]).signal;
        assert_eq!(Value::from(signal.to_string()), fixture["signal"], "{name}");
        assert_eq!(Value::from(signal.money().as_str()), fixture["money"], "{name}");
    }
}

#[test]
fn no_fixture_is_forgotten() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/mozarto/replies");
    let files = std::fs::read_dir(folder).expect("the fixtures' folder").count();
    assert_eq!(files, fixtures::REPLIES.len());
}

#[test]
fn each_row_is_recognised() {
    let rejected = |message: &str| json!({"isSuccess": false, "message": message});
    let coded = |code: &str| json!({"isSuccess": false, "errorCode": code});
    for (row, status, body, signal, money) in [
        (1, 200, json!({"isSuccess": true, "data": {"result": "0"}}), "redeemed", Money::Yes),
        (2, 200, json!({"isSuccess": true, "data": {"status": "PENDING"}}), "pending", Money::Unknown),
        (3, 200, json!({"isSuccess": false, "data": {"result": "4075"}}), "rejected: invalid-pin", Money::No),
        (
            3,
            200,
            json!({"isSuccess": false, "data": {"result": "9", "result_description": "Voucher already redeemed"}}),
            "rejected: already-redeemed",
            Money::No,
        ),
        (
            3,
            200,
            json!({"isSuccess": false, "data": {"result": "9", "status": "USED"}}),
            "rejected: already-redeemed",
            Money::No,
        ),
        (3, 200, json!({"isSuccess": false}), "rejected: other", Money::No),
        (4, 400, rejected("Invalid voucher PIN"), "rejected: invalid-pin", Money::No),
        (4, 400, rejected("Mismatched amount"), "rejected: mismatched-amount", Money::No),
        (4, 400, rejected("Mismatched currency"), "rejected: mismatched-currency", Money::No),
        (4, 400, rejected("Voucher has already been used"), "rejected: already-redeemed", Money::No),
        (4, 400, rejected("Invalid voucher PIN: voucher already used"), "rejected: already-redeemed", Money::No),
        (4, 400, rejected("Voucher expired"), "rejected: other", Money::No),
        (5, 400, coded("INVALID_PSP_CREDENTIALS"), "invalid-psp-credentials", Money::No),
        (6, 400, rejected("Missing required field: email"), "request-invalid", Money::No),
        (7, 400, rejected("Rules action is not matched"), "no-rule", Money::No),
        (
            8,
            400,
            json!({"isSuccess": false, "message": "Something went wrong", "data": "PSP Configuration not found."}),
            "not-configured",
            Money::No,
        ),
        (9, 400, rejected("Payment provider rejected the request"), "provider-rejected", Money::No),
        (10, 401, rejected("Unauthorized"), "unauthorized", Money::No),
        (10, 403, rejected("Password expired"), "unauthorized", Money::No),
        (11, 400, coded("PSP_TIMEOUT"), "psp-timeout", Money::Unknown),
        (12, 400, coded("PSP_UNAVAILABLE"), "psp-unavailable", Money::Unknown),
        (12, 200, coded("PSP_UNAVAILABLE"), "psp-unavailable", Money::Unknown),
        (13, 400, coded("PSP_RATE_LIMITED"), "rate-limited", Money::No),
        (13, 429, rejected("Too many requests"), "rate-limited", Money::No),
        (14, 500, rejected("Internal server error"), "server-error", Money::Unknown),
        (15, 500, coded("UNKNOWN_PSP_ERROR"), "unknown-error", Money::Unknown),
        (15, 400, coded("A_NEW_CODE"), "unknown-error", Money::Unknown),
        (15, 400, coded(""), "unknown-error", Money::Unknown),
        (16, 504, rejected("Gateway timeout"), "no-answer", Money::Unknown),
        (16, 404, rejected("Not found"), "no-answer", Money::Unknown),
        (16, 200, json!({}), "no-answer", Money::Unknown),
        (16, 200, json!({"isSuccess": true}), "no-answer", Money::Unknown),
        (16, 200, json!({"isSuccess": true, "data": {"result": "1"}}), "no-answer", Money::Unknown),
        (16, 200, json!({"isSuccess": true, "data": {"result": 0}}), "no-answer", Money::Unknown),
        (16, 200, json!({"isSuccess": false, "data": {"result": "0"}}), "no-answer", Money::Unknown),
        (16, 400, json!({"isSuccess": true, "data": {"result": "0"}}), "no-answer", Money::Unknown),
        (
            16,
            400,
            json!({"isSuccess": true, "errorCode": "INVALID_PSP_CREDENTIALS", "data": {"result": "0"}}),
            "no-answer",
            Money::Unknown,
        ),
        (
            16,
            400,
            json!({"isSuccess": false, "message": "Something went wrong", "data": "anything else"}),
            "no-answer",
            Money::Unknown,
        ),
        (16, 201, json!({"isSuccess": true, "data": {"result": "0"}}), "no-answer", Money::Unknown),
    ] {
        let found = meaning(status, &body).signal;
        assert_eq!((found.to_string().as_str(), found.money()), (signal, money), "row {row}: {status} {body}");
    }
}

#[test]
fn each_answer_of_the_proxys_own_is_recognised() {
    let coded = |code: &str| json!({"isSuccess": false, "errorCode": code});
    for (status, body, signal, money) in [
        (503, coded("NOT_SENT"), "not-sent", Money::No),
        (202, json!({"status": "pending"}), "try-running", Money::Unknown),
        (202, coded("ATTEMPT_UNCONFIRMED"), "attempt-unconfirmed", Money::Unknown),
        (409, coded("ATTEMPT_IN_PROGRESS"), "attempt-in-progress", Money::Unknown),
        (409, coded("VOUCHER_IN_USE"), "voucher-in-use", Money::No),
        (410, coded("ATTEMPT_CLOSED"), "attempt-closed", Money::No),
        (200, json!({"status": "untouched"}), "attempt-closed", Money::No),
        (422, coded("ATTEMPT_MISMATCH"), "attempt-mismatch", Money::No),
        (401, coded("SESSION_REQUIRED"), "session-refused", Money::No),
        (401, coded("SESSION_EXPIRED"), "session-refused", Money::No),
        (403, coded("ATTEMPT_FOREIGN"), "attempt-foreign", Money::No),
        (429, coded("TOO_MANY_TRIES"), "too-many-tries", Money::No),
        (404, coded("ATTEMPT_UNKNOWN"), "attempt-unknown", Money::Unknown),
        (200, coded("ATTEMPT_SETTLED_UNTOUCHED"), "settled-untouched", Money::No),
        (200, json!({"isSuccess": true, "settled": true, "data": {"result": "0"}}), "redeemed", Money::Yes),
        // The words without their status say nothing.
        (200, json!({"status": "pending"}), "no-answer", Money::Unknown),
        (202, json!({"status": "untouched"}), "no-answer", Money::Unknown),
        (200, json!({"status": "untouched", "isSuccess": true}), "no-answer", Money::Unknown),
        (200, json!({"status": ["untouched"]}), "no-answer", Money::Unknown),
    ] {
        let found = meaning(status, &body).signal;
        assert_eq!((found.to_string().as_str(), found.money()), (signal, money), "{status} {body}");
        assert_eq!(found.is_the_proxys(), signal != "redeemed" && signal != "no-answer", "{body}");
    }
    let named = json!({"errorCode": "VOUCHER_IN_USE", "attempt": "key", "reference": "r\u{202e}1"});
    let holder = OpenAttempt { attempt: "key".into(), reference: Some("r1".into()) };
    assert_eq!(meaning(409, &named).signal, Signal::VoucherInUse(Some(holder)));
}

#[test]
fn a_use_is_recognised_before_anything_else() {
    let used = "rejected: already-redeemed";
    for (message, errors, data, signal) in [
        ("Voucher has been redeemed", vec![], json!(null), used),
        ("Invalid voucher PIN: voucher was used on 2026-11-01", vec![], json!(null), used),
        ("Invalid voucher PIN (used)", vec![], json!(null), "rejected: other"),
        ("Invalid voucher PIN", vec![], json!("Voucher already redeemed"), used),
        ("Invalid voucher PIN", vec!["Already redeemed"], json!(null), used),
        ("Payment provider rejected the request", vec!["Already redeemed"], json!(null), used),
        ("Validation failed", vec!["voucherPin has already been redeemed"], json!(null), used),
        ("Validation failed", vec!["email is already used"], json!(null), "request-invalid"),
    ] {
        let body = json!({"isSuccess": false, "message": message, "errors": errors, "data": data});
        assert_eq!(meaning(400, &body).signal.to_string(), signal, "{body}");
    }
}

#[test]
fn the_receipt_is_read_from_the_answer() {
    let body = |value: Value, currency: &str| json!({"isSuccess": true, "data": {"result": "0", "value": value, "currency": currency, "serial": "FP-1", "transactionId": "t1"}});
    let read = |value, currency| meaning(200, &body(value, currency));
    let Signal::Redeemed(receipt) = read(json!(25.0), "EUR").signal else { panic!("redeemed") };
    assert_eq!(
        receipt.amount.map(|amount| (amount.minor(), amount.currency().code().to_owned())),
        Some((2500, "EUR".into()))
    );
    assert_eq!(receipt.serial.as_deref(), Some("FP-1"));
    assert_eq!(read(json!(25), "EUR").transaction_id.as_deref(), Some("t1"));
    for (value, currency) in [(json!(25.001), "EUR"), (json!("25"), "EUR"), (json!(25), "???"), (json!(null), "EUR")] {
        let Signal::Redeemed(receipt) = read(value.clone(), currency).signal else { panic!("still redeemed") };
        assert_eq!(receipt.amount, None, "{value} {currency}");
    }
}

#[test]
fn the_fields_of_a_refused_request_are_named() {
    let refused = |message: &str, errors: &[&str]| {
        meaning(400, &json!({"isSuccess": false, "message": message, "errors": errors})).signal
    };
    for (message, errors, fields) in [
        ("Missing required field: voucherPin", vec![], vec![RequestField::Pin]),
        ("Missing required field: userId", vec![], vec![RequestField::Other]),
        (
            "Validation failed",
            vec!["amount must not be empty", "email must be a valid email"],
            vec![RequestField::Amount, RequestField::Email],
        ),
        ("Validation failed", vec!["baseamount must be a number"], vec![RequestField::Amount]),
        ("Validation failed", vec![], vec![]),
    ] {
        assert_eq!(refused(message, &errors), Signal::RequestInvalid(fields), "{message} {errors:?}");
    }
}

#[test]
fn no_answer_is_not_known_and_keeps_its_retry_after() {
    assert_eq!(Answer::none().meaning().signal, Signal::NoAnswer);
    let wait = Some(Duration::from_secs(2));
    assert_eq!(Answer { retry_after: wait, ..Answer::none() }.meaning().retry_after, wait);
}

/// Replies near the documented ones, where a wrong turn would cost money.
fn near_documented() -> impl Strategy<Value = (u16, Value)> {
    let word = || {
        prop_oneof![
            Just(json!(null)),
            Just(json!("0")),
            Just(json!(0)),
            Just(json!("4075")),
            Just(json!("PENDING")),
            Just(json!("USED")),
            any::<String>().prop_map(Value::from)
        ]
    };
    let codes = prop_oneof![
        Just(json!(null)),
        Just(json!("PSP_TIMEOUT")),
        Just(json!("INVALID_PSP_CREDENTIALS")),
        any::<String>().prop_map(Value::from)
    ];
    let flag = prop_oneof![Just(json!(true)), Just(json!(false)), Just(json!(null)), Just(json!("true"))];
    let status = prop_oneof![Just(200_u16), Just(400), Just(500), any::<u16>()];
    (status, flag, codes, word(), word(), any::<Option<String>>()).prop_map(|(status, success, code, result, state, message)| {
        (status, json!({"isSuccess": success, "errorCode": code, "message": message, "data": {"result": result, "status": state}}))
    })
}

proptest! {
    #[test]
    fn no_status_and_no_bytes_panic(status: u16, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let found = meaning_of_bytes(status, &bytes).signal;
        prop_assert_ne!(found.money(), Money::Yes);
    }

    #[test]
    fn nothing_but_row_1_is_ever_redeemed((status, body) in near_documented()) {
        let row_1 = status == 200 && body["isSuccess"] == json!(true) && body["data"]["result"] == json!("0") && body["errorCode"].is_null();
        prop_assert_eq!(meaning(status, &body).signal.money() == Money::Yes, row_1, "{} {}", status, body);
    }

    #[test]
    fn unknown_codes_and_statuses_are_unknown(status: u16, code in "[A-Z_]{0,24}") {
        let known = ["INVALID_PSP_CREDENTIALS", "PSP_RATE_LIMITED", "NOT_SENT"];
        prop_assume!(!known.contains(&code.as_str()));
        prop_assert_eq!(meaning(status, &json!({"isSuccess": false, "errorCode": code})).signal.money(), Money::Unknown);
        prop_assume!(![200, 400, 401, 403, 429].contains(&status));
        prop_assert_eq!(meaning(status, &json!({"isSuccess": false, "message": code})).signal.money(), Money::Unknown);
    }

    #[test]
    fn any_reply_that_serde_can_build_has_a_meaning(status: u16, success: Option<bool>, code: Option<String>, message: Option<String>, text: Option<String>) {
        let reply = Reply { is_success: success, error_code: code.as_deref().map(ErrorCode::from), message, data: text.map(Data::Text), ..Reply::default() };
        let _ = Answer { status, retry_after: None, reply: Some(reply) }.meaning();
    }
}
