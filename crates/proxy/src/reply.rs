//! How Mozarto's answer is passed back: status and body unchanged, but for an echoed PIN, and 408, which browsers repeat by themselves.

use crate::error::Refused;
use crate::upstream::{Answered, Sent};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mozarto::{Answer, Meaning, VoucherPin, redact_pin};
use serde_json::Value;
use std::borrow::Cow;

/// What the try means, for the log.
pub(crate) fn meaning(sent: &Sent) -> Meaning {
    let answer = match sent {
        Sent::Answered(answered) => Answer {
            status: answered.status.as_u16(),
            retry_after: None,
            reply: serde_json::from_slice(&answered.body).ok(),
        },
        Sent::Lost(_) => Answer::none(),
        Sent::Not => {
            let reply = mozarto::Reply { error_code: Some(mozarto::ErrorCode::NotSent), ..mozarto::Reply::default() };
            Answer { reply: Some(reply), ..Answer::none() }
        }
    };
    answer.meaning()
}

/// What the browser gets.
pub(crate) fn passed_on(sent: Sent, pin: &VoucherPin) -> Response {
    let Answered { status, retry_after, body } = match sent {
        Sent::Not => return Refused::NotSent.into_response(),
        Sent::Lost(why) => return Refused::NoAnswer(why).into_response(),
        Sent::Answered(answered) => answered,
    };
    let Ok(mut json) = serde_json::from_slice::<Value>(&body) else {
        return Refused::NoAnswer("Mozarto's answer is not JSON").into_response();
    };
    if !json.is_object() || status.is_redirection() || status.is_informational() {
        return Refused::NoAnswer("Mozarto's answer is not the documented JSON").into_response();
    }
    // Asked of the text too: a repeated key hides its first value from the parsed JSON.
    let in_text = std::str::from_utf8(&body).is_ok_and(|text| matches!(redact_pin(text, pin), Cow::Owned(_)));
    let in_values = redact(&mut json, pin);
    let body = if in_values || in_text { json.to_string().into_bytes() } else { body };
    let status = if status == StatusCode::REQUEST_TIMEOUT { StatusCode::GATEWAY_TIMEOUT } else { status };
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(wait) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    response
}

/// Takes the PIN out of every string, key and number. Whether there was any.
fn redact(value: &mut Value, pin: &VoucherPin) -> bool {
    match value {
        Value::String(text) => match redact_pin(text, pin) {
            Cow::Owned(redacted) => {
                *text = redacted;
                true
            }
            Cow::Borrowed(_) => false,
        },
        Value::Number(number) => {
            let found = matches!(redact_pin(&number.to_string(), pin), Cow::Owned(_));
            if found {
                *value = Value::from("[PIN]");
            }
            found
        }
        Value::Array(items) => items.iter_mut().fold(false, |found, item| redact(item, pin) | found),
        Value::Object(fields) => {
            let mut found = false;
            let taken = std::mem::take(fields);
            for (name, mut value) in taken {
                found |= redact(&mut value, pin);
                let name = match redact_pin(&name, pin) {
                    Cow::Owned(redacted) => {
                        found = true;
                        redacted
                    }
                    Cow::Borrowed(_) => name,
                };
                fields.insert(name, value);
            }
            found
        }
        Value::Null | Value::Bool(_) => false,
    }
}
