//! How Mozarto's answer is passed back: status and body unchanged, but for an echoed PIN, and 408, which browsers
//! repeat by themselves.
//!
//! What is passed back and what the log says it means are read from the same bytes, after the PIN was taken out of
//! them.

use crate::error::Refused;
use crate::upstream::{Answered, Sent};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mozarto::{Answer, ErrorCode, Meaning, Reply, VoucherPin, redact_pin};
use serde_json::Value;
use std::borrow::Cow;

/// What the browser gets, and what it means.
pub(crate) fn passed_on(sent: Sent, pin: &VoucherPin) -> (Response, Meaning) {
    let Answered { status, retry_after, body } = match sent {
        Sent::Answered(answered) => answered,
        Sent::Lost(why) => return lost(why),
        Sent::Not => {
            let reply = Reply { error_code: Some(ErrorCode::NotSent), ..Reply::default() };
            return (Refused::NotSent.into_response(), Answer { reply: Some(reply), ..Answer::none() }.meaning());
        }
    };
    if status.is_redirection() || status.is_informational() {
        return lost("Mozarto's answer is a redirect, which is not followed");
    }
    // Read before the PIN is taken out: an answer that says a thing twice is refused here, where a browser believes the
    // last.
    let Some(mut reply) = read(&body) else { return lost("Mozarto's answer is not the documented JSON") };
    // It would prove what Mozarto cannot know, such as that nothing left this proxy.
    let said = Answer { status: status.as_u16(), retry_after: None, reply: Some(reply.clone()) }.meaning();
    if said.signal.is_the_proxys() {
        return lost("Mozarto's answer has a word that is the proxy's own");
    }
    let body = match without_pin(&body, pin) {
        None => body,
        Some(body) => {
            let Some(redacted) = read(&body) else { return lost("Mozarto's answer is not the documented JSON") };
            reply = redacted;
            body
        }
    };
    let meaning = Answer { status: status.as_u16(), retry_after: None, reply: Some(reply) }.meaning();
    let status = if status == StatusCode::REQUEST_TIMEOUT { StatusCode::GATEWAY_TIMEOUT } else { status };
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(wait) = retry_after.filter(|wait| wait.to_str().is_ok_and(|text| !has_pin(text, pin))) {
        response.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    (response, meaning)
}

fn lost(why: &'static str) -> (Response, Meaning) {
    (Refused::NoAnswer(why).into_response(), Answer::none().meaning())
}

fn read(body: &[u8]) -> Option<Reply> {
    serde_json::from_slice(body).ok()
}

fn has_pin(text: &str, pin: &VoucherPin) -> bool {
    matches!(redact_pin(text, pin), Cow::Owned(_))
}

/// The body written anew without the PIN, or `None` where it has none.
fn without_pin(body: &[u8], pin: &VoucherPin) -> Option<Vec<u8>> {
    let mut json = serde_json::from_slice(body).ok()?;
    let in_values = redact(&mut json, pin);
    // Asked of the text too: a repeated key hides its first value from the parsed JSON, and a number may have more
    // digits than a double. Written anew both are gone.
    let in_text = has_pin(&String::from_utf8_lossy(body), pin);
    (in_values || in_text).then(|| json.to_string().into_bytes())
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
