//! The answer that a kept attempt gives: the table of hop 1, from the ledger's side. What it gives to the POST of the
//! very try that has just ended is the same.
//!
//! While a try of the attempt is unknown, no answer may read as "your voucher is untouched", not even that of a try
//! which never left: the browser may have missed the other one.
//!
//! Bodies are pruned after a time and meanings are not, so a pruned answer is built anew from its meaning.

use crate::ledger::{Kept, Settled, State, StoredAnswer};
use crate::own::Own;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use mozarto::Money;
use serde_json::{Value, json};

const EARLIER: &str = "What became of an earlier try of this attempt is not known; this try took nothing";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The attempt's answer to the POST whose try has just ended.
pub(crate) fn of(kept: Kept) -> Response {
    match (kept.state, &kept.answer) {
        // What a restored ledger has forgotten may have left.
        (State::Recorded, _) if kept.unknown_try => Own::Unconfirmed(kept.transaction_id).into_response(),
        // Nothing has left, and the POST that was recorded may be sent again.
        (State::Recorded, _) => Own::Unknown.into_response(),
        (State::Sending, _) => Own::Pending.into_response(),
        (State::Closed, _) => Own::Closed.into_response(),
        (State::Settled, _) => settled(&kept),
        (State::Open, Some(answer)) if kept.unknown_try && kept.money == Some(Money::No) => {
            StoredAnswer { retry_after: answer.retry_after.clone(), ..Own::NoAnswer(EARLIER).stored() }.into_response()
        }
        (State::Open | State::Final, Some(StoredAnswer { body: None, .. })) => pruned(&kept).into_response(),
        (State::Open | State::Final | State::Unconfirmed, Some(answer)) => answer.clone().into_response(),
        (State::Open | State::Final | State::Unconfirmed, None) => {
            Own::Unconfirmed(kept.transaction_id).into_response()
        }
    }
}

/// The same some time after the answer came: what has passed of its `Retry-After` need not be waited for again.
pub(crate) fn later(mut kept: Kept, now_ms: i64) -> Response {
    let passed = kept.answered_at.map_or(0, |at| now_ms.saturating_sub(at).max(0) / 1000);
    if let Some(answer) = &mut kept.answer {
        // A date stays true.
        let seconds = answer.retry_after.as_deref().and_then(|wait| wait.trim().parse::<i64>().ok());
        if let Some(seconds) = seconds {
            let left = seconds.saturating_sub(passed);
            answer.retry_after = (left > 0).then(|| left.to_string());
        }
    }
    of(kept)
}

/// The answer to a POST for which nothing was sent.
pub(crate) fn without_a_try(kept: Kept, now_ms: i64) -> Response {
    let is_final = kept.state == State::Final;
    if kept.running.as_ref().is_some_and(|running| running.is_ours) {
        return Own::InProgress.into_response();
    }
    let mut response = later(kept, now_ms);
    if is_final {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

fn settled(kept: &Kept) -> Response {
    if kept.settled == Some(Settled::Untouched) {
        return Own::SettledUntouched.into_response();
    }
    let body = json!({ "isSuccess": true, "settled": true, "data": receipt(kept) });
    StoredAnswer { status: 200, retry_after: None, body: Some(body.to_string()) }.into_response()
}

/// `data` of a success, from what the merchant's books have.
fn receipt(kept: &Kept) -> Value {
    let mut data = json!({ "result": "0" });
    let redeemed = kept.redeemed.clone().unwrap_or_default();
    let value = redeemed.value.and_then(|value| serde_json::from_str::<Value>(&value).ok());
    let fields = [
        ("value", value),
        ("currency", redeemed.currency.map(Value::from)),
        ("transactionId", kept.transaction_id.clone().map(Value::from)),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            data[name] = value;
        }
    }
    data
}

/// An answer that means what the pruned one meant.
fn pruned(kept: &Kept) -> StoredAnswer {
    let status = kept.answer.as_ref().map_or(504, |answer| answer.status);
    let meaning = kept.meaning.as_deref().unwrap_or_default();
    if meaning == "redeemed" {
        let body = json!({ "isSuccess": true, "data": receipt(kept) });
        return StoredAnswer { status: 200, retry_after: None, body: Some(body.to_string()) };
    }
    let mut body = json!({ "isSuccess": false, "message": words(meaning) });
    if meaning == "invalid-psp-credentials" {
        body["errorCode"] = "INVALID_PSP_CREDENTIALS".into();
    }
    if meaning == "not-configured" {
        body["data"] = "PSP Configuration not found".into();
    }
    if let Some(id) = &kept.transaction_id {
        body["transactionId"] = id.as_str().into();
    }
    StoredAnswer { status, retry_after: None, body: Some(body.to_string()) }
}

/// Mozarto's own words for a meaning that ends an attempt.
fn words(meaning: &str) -> &'static str {
    match meaning {
        "rejected: invalid-pin" => "Invalid voucher PIN",
        "rejected: mismatched-amount" => "Mismatched amount",
        "rejected: mismatched-currency" => "Mismatched currency",
        "rejected: already-redeemed" => "Voucher already redeemed",
        "request-invalid" => "Validation failed",
        "no-rule" => "Rules action is not matched",
        "not-configured" => "Something went wrong",
        "provider-rejected" => "Payment provider rejected the request",
        "unauthorized" => "Unauthorized",
        _ => "Voucher rejected",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::RedeemedAs;
    use mozarto::{Answer, Reply};
    use uuid::Uuid;

    fn ended(state: State, meaning: &str, status: u16) -> Kept {
        Kept {
            key: Uuid::from_u128(1),
            state,
            owner: Some("user".to_owned()),
            voucher: None,
            amount_minor: Some(2500),
            currency: Some("EUR".to_owned()),
            meaning: Some(meaning.to_owned()),
            unknown_try: false,
            forbids_tries: false,
            forgotten: false,
            guesses: 0,
            transaction_id: Some("t-1".to_owned()),
            tries: 1,
            created_at: 0,
            settled: None,
            answer: Some(StoredAnswer { status, retry_after: None, body: None }),
            money: None,
            answered_at: None,
            running: None,
            redeemed: Some(RedeemedAs { value: Some("25.5".to_owned()), currency: Some("EUR".to_owned()) }),
        }
    }

    fn meaning_of(status: u16, body: &str) -> mozarto::Meaning {
        let reply: Reply = serde_json::from_str(body).expect("the documented JSON");
        Answer { status, retry_after: None, reply: Some(reply) }.meaning()
    }

    #[test]
    fn a_pruned_answer_means_what_it_meant() {
        for (meaning, status) in [
            ("redeemed", 200),
            ("rejected: invalid-pin", 400),
            ("rejected: invalid-pin", 200),
            ("rejected: mismatched-amount", 400),
            ("rejected: mismatched-currency", 400),
            ("rejected: already-redeemed", 400),
            ("rejected: already-redeemed", 200),
            ("rejected: other", 400),
            ("rejected: other", 200),
            ("invalid-psp-credentials", 400),
            ("request-invalid", 400),
            ("no-rule", 400),
            ("not-configured", 400),
            ("provider-rejected", 400),
            ("unauthorized", 401),
            ("unauthorized", 403),
        ] {
            let answer = pruned(&ended(State::Final, meaning, status));
            let read = meaning_of(answer.status, &answer.body.expect("a body"));
            assert_eq!(read.signal.to_string(), meaning, "{status}");
            assert_eq!(read.transaction_id.as_deref(), Some("t-1"), "{meaning}");
        }
    }

    #[test]
    fn what_has_passed_of_a_wait_is_not_waited_for_again() {
        for (wait, passed_ms, left) in [
            ("7", 0, Some("7")),
            ("7", 999, Some("7")),
            ("7", 3_000, Some("4")),
            ("7", 7_000, None),
            ("7", 86_400_000, None),
            ("7", -86_400_000, Some("7")),
            ("0", 0, None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", 3_000, Some("Wed, 21 Oct 2026 07:28:00 GMT")),
        ] {
            let stored = StoredAnswer { status: 503, retry_after: Some(wait.to_owned()), body: Some("{}".to_owned()) };
            let kept =
                Kept { answer: Some(stored), answered_at: Some(1_000_000), ..ended(State::Open, "not-sent", 503) };
            let answer = later(kept, 1_000_000 + passed_ms);
            let given = answer.headers().get("retry-after").and_then(|wait| wait.to_str().ok());
            assert_eq!(given, left, "{wait} after {passed_ms} ms");
        }
    }

    #[test]
    fn a_settled_redemption_reads_as_redeemed_with_what_is_known() {
        let data = receipt(&ended(State::Settled, "settled: redeemed", 0));
        assert_eq!(data, json!({ "result": "0", "value": 25.5, "currency": "EUR", "transactionId": "t-1" }));
        let read = meaning_of(200, &json!({ "isSuccess": true, "settled": true, "data": data }).to_string());
        assert_eq!(read.signal.to_string(), "redeemed");
    }
}
