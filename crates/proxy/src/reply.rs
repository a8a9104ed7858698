//! How Mozarto's answer is passed back: status and body unchanged, but for an echoed PIN, and 408, which browsers
//! repeat by themselves.
//!
//! What is passed back and what the log says it means are read from the same bytes, after the PIN was taken out of
//! them.

use crate::ledger::{RedeemedAs, StoredAnswer};
use crate::own::Own;
use crate::upstream::{Answered, Sent};
use mozarto::{Answer, ErrorCode, Meaning, Reply, Signal, VoucherPin, redact_pin};
use serde_json::Value;
use std::borrow::Cow;

const REQUEST_TIMEOUT: u16 = 408;
const GATEWAY_TIMEOUT: u16 = 504;

/// What came of a try: what the browser gets, what it means, and what the merchant's books have to know.
pub(crate) struct Passed {
    pub(crate) answer: StoredAnswer,
    pub(crate) meaning: Meaning,
    pub(crate) redeemed: Option<RedeemedAs>,
}

/// What is passed back of what came of a try.
pub(crate) fn passed_on(sent: Sent, pin: &VoucherPin) -> Passed {
    let Answered { status, retry_after, body } = match sent {
        Sent::Answered(answered) => answered,
        Sent::Lost(why) => return lost(why),
        Sent::Not => return not_sent("Mozarto cannot be reached; nothing was sent"),
    };
    if status.is_redirection() || status.is_informational() {
        return lost("Mozarto's answer is a redirect, which is not followed");
    }
    // Read before the PIN is taken out: an answer that says a thing twice is refused here, where a browser believes the
    // last. What cannot be read whole cannot be searched for the PIN, either.
    let (Some(reply), Ok(json)) = (read(&body), serde_json::from_slice(&body)) else { return lost(NOT_DOCUMENTED) };
    let means = |reply: Reply| Answer { status: status.as_u16(), retry_after: None, reply: Some(reply) }.meaning();
    // It would prove what Mozarto cannot know, such as that nothing left this proxy.
    if means(reply).signal.is_the_proxys() {
        return lost("Mozarto's answer has a word that is the proxy's own");
    }
    let (body, json) = without_pin(body, json, pin);
    let (Some(reply), Ok(body)) = (read(&body), String::from_utf8(body)) else { return lost(NOT_DOCUMENTED) };
    let status = if status.as_u16() == REQUEST_TIMEOUT { GATEWAY_TIMEOUT } else { status.as_u16() };
    let retry_after =
        retry_after.and_then(|wait| wait.to_str().map(str::to_owned).ok()).filter(|wait| !has_pin(wait, pin));
    let currency = reply.voucher().and_then(|voucher| voucher.currency.clone());
    let meaning = means(reply);
    let redeemed = matches!(meaning.signal, Signal::Redeemed(_)).then(|| RedeemedAs {
        value: json.pointer("/data/value").filter(|value| value.is_number()).map(Value::to_string),
        currency,
    });
    Passed { answer: StoredAnswer { status, retry_after, body: Some(body) }, meaning, redeemed }
}

const NOT_DOCUMENTED: &str = "Mozarto's answer is not the documented JSON";

/// A try that left and has no answer.
pub(crate) fn lost(why: &'static str) -> Passed {
    Passed { answer: Own::NoAnswer(why).stored(), meaning: Answer::none().meaning(), redeemed: None }
}

fn not_sent(why: &'static str) -> Passed {
    let reply = Reply { error_code: Some(ErrorCode::NotSent), ..Reply::default() };
    let meaning = Answer { reply: Some(reply), ..Answer::none() }.meaning();
    Passed { answer: Own::NotSent(why).stored(), meaning, redeemed: None }
}

fn read(body: &[u8]) -> Option<Reply> {
    serde_json::from_slice(body).ok()
}

fn has_pin(text: &str, pin: &VoucherPin) -> bool {
    matches!(redact_pin(text, pin), Cow::Owned(_))
}

/// The body as it is, or written anew where it has the PIN.
fn without_pin(body: Vec<u8>, mut json: Value, pin: &VoucherPin) -> (Vec<u8>, Value) {
    let in_values = redact(&mut json, pin);
    // Asked of the text too: a repeated key hides its first value from the parsed JSON, and a number may have more
    // digits than a double. Written anew both are gone.
    let in_text = has_pin(&String::from_utf8_lossy(&body), pin);
    let body = if in_values || in_text { json.to_string().into_bytes() } else { body };
    (body, json)
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
