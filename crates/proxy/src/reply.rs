//! How Mozarto's answer is passed back: status and body unchanged, but for an echoed PIN, the customer's own email
//! address, tokens that were sent with it, and 408, which browsers repeat by themselves.
//!
//! What is passed back and what the log says it means are read from the same bytes, after these were taken out of
//! them.

use crate::ledger::{Ended, RedeemedAs, StoredAnswer};
use crate::own::{Own, WAIT_SECONDS};
use crate::truth::Said;
use crate::upstream::{Answered, Sent};
use mozarto::{Answer, ErrorCode, Meaning, Reply, Signal, VoucherPin, redact_pin};
use serde_json::Value;
use std::borrow::Cow;
use uuid::Uuid;
use zeroize::Zeroizing;

const REQUEST_TIMEOUT: u16 = 408;
const GATEWAY_TIMEOUT: u16 = 504;

/// What came of a try: what the browser gets, what it means, and what the merchant's books have to know.
pub(crate) struct Passed {
    pub(crate) answer: StoredAnswer,
    pub(crate) meaning: Meaning,
    pub(crate) redeemed: Option<RedeemedAs>,
}

/// What is passed back of what came of a try.
pub(crate) fn passed_on(sent: Sent, pin: &VoucherPin, email: Option<&str>) -> Passed {
    let Answered { status, retry_after, body, tokens } = match sent {
        Sent::Answered(answered) => answered,
        Sent::Lost(why) => return lost(why),
        Sent::Not => return not_sent("Mozarto cannot be reached; nothing was sent"),
    };
    if status.is_redirection() || status.is_informational() {
        return lost("Mozarto's answer is a redirect, which is not followed");
    }
    let secrets = Secrets { pin, email: email.filter(|email| !email.is_empty()), tokens: &tokens };
    // Read before the PIN is taken out: an answer that says a thing twice is refused here, where a browser believes the
    // last. What cannot be read whole cannot be searched for the PIN, either.
    let (Some(reply), Ok(json)) = (read(&body), serde_json::from_slice(&body)) else { return lost(NOT_DOCUMENTED) };
    let means = |reply: Reply| Answer { status: status.as_u16(), retry_after: None, reply: Some(reply) }.meaning();
    // It would prove what Mozarto cannot know, such as that nothing left this proxy.
    if means(reply).signal.is_the_proxys() {
        return lost("Mozarto's answer has a word that is the proxy's own");
    }
    let (body, json) = without(&secrets, body, json);
    let (Some(reply), Ok(body)) = (read(&body), String::from_utf8(body)) else { return lost(NOT_DOCUMENTED) };
    let status = if status.as_u16() == REQUEST_TIMEOUT { GATEWAY_TIMEOUT } else { status.as_u16() };
    let retry_after =
        retry_after.and_then(|wait| wait.to_str().map(str::to_owned).ok()).filter(|wait| !secrets.are_in(wait));
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

/// The end of a try of that attempt that was begun and not sent; its number is for the ledger to find.
pub(crate) fn never_left(key: Uuid) -> Ended {
    not_sent("It could not be written down that this try was to be sent").ended(key, 0)
}

impl Passed {
    /// It as the end of a try.
    pub(crate) fn ended(self, key: Uuid, number: i64) -> Ended {
        Ended {
            key,
            number,
            answer: self.answer,
            said: Said::from(&self.meaning.signal),
            meaning: self.meaning.signal.to_string(),
            transaction_id: self.meaning.transaction_id,
            redeemed: self.redeemed,
            presumed: false,
        }
    }
}

pub(crate) fn not_sent(why: &'static str) -> Passed {
    let reply = Reply { error_code: Some(ErrorCode::NotSent), ..Reply::default() };
    let meaning = Answer { reply: Some(reply), ..Answer::none() }.meaning();
    Passed { answer: Own::NotSent(why, WAIT_SECONDS).stored(), meaning, redeemed: None }
}

fn read(body: &[u8]) -> Option<Reply> {
    serde_json::from_slice(body).ok()
}

/// What must not be passed back, stored or logged of an answer.
struct Secrets<'a> {
    pin: &'a VoucherPin,
    /// The customer's, as posted; never empty.
    email: Option<&'a str>,
    tokens: &'a [Zeroizing<String>],
}

impl Secrets<'_> {
    /// The text without them; `None` where it has none.
    fn taken_out(&self, text: &str) -> Option<String> {
        let without_pin = match redact_pin(text, self.pin) {
            Cow::Owned(redacted) => Some(redacted),
            Cow::Borrowed(_) => None,
        };
        let without_email = |text: &str| self.email.and_then(|email| without_email(text, email));
        let mut taken = without_email(without_pin.as_deref().unwrap_or(text)).or(without_pin);
        for token in self.tokens {
            let left = taken.as_deref().unwrap_or(text);
            if left.contains(token.as_str()) {
                taken = Some(left.replace(token.as_str(), "[token]"));
            }
        }
        taken
    }

    fn are_in(&self, text: &str) -> bool {
        self.taken_out(text).is_some()
    }
}

/// The text with `[email]` for the address, in capitals or not; `None` where it is not there.
fn without_email(text: &str, email: &str) -> Option<String> {
    // Addresses are ASCII, and so is what is replaced: every other byte keeps its place.
    let (lower, email) = (text.to_ascii_lowercase(), email.to_ascii_lowercase());
    let mut found = lower.match_indices(&email).peekable();
    found.peek()?;
    let (mut redacted, mut from) = (String::with_capacity(text.len()), 0);
    for (at, _) in found {
        redacted.push_str(&text[from..at]);
        redacted.push_str("[email]");
        from = at + email.len();
    }
    redacted.push_str(&text[from..]);
    Some(redacted)
}

/// The body as it is, or written anew where it has a secret.
fn without(secrets: &Secrets<'_>, body: Vec<u8>, mut json: Value) -> (Vec<u8>, Value) {
    let in_values = redact(&mut json, secrets);
    // Asked of the text too: a repeated key hides its first value from the parsed JSON, and a number may have more
    // digits than a double. Written anew both are gone.
    let in_text = secrets.are_in(&String::from_utf8_lossy(&body));
    let body = if in_values || in_text { json.to_string().into_bytes() } else { body };
    (body, json)
}

/// Takes the secrets out of every string, key and number. Whether there were any.
fn redact(value: &mut Value, secrets: &Secrets<'_>) -> bool {
    match value {
        Value::String(text) => {
            let redacted = secrets.taken_out(text);
            let found = redacted.is_some();
            if let Some(redacted) = redacted {
                *text = redacted;
            }
            found
        }
        Value::Number(number) => {
            let found = secrets.are_in(&number.to_string());
            if found {
                *value = Value::from("[PIN]");
            }
            found
        }
        Value::Array(items) => items.iter_mut().fold(false, |found, item| redact(item, secrets) | found),
        Value::Object(fields) => {
            let mut found = false;
            let taken = std::mem::take(fields);
            for (name, mut value) in taken {
                found |= redact(&mut value, secrets);
                let redacted = secrets.taken_out(&name);
                found |= redacted.is_some();
                fields.insert(redacted.unwrap_or(name), value);
            }
            found
        }
        Value::Null | Value::Bool(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_out_wherever_it_stands_and_nothing_else_is() {
        for (text, redacted) in [
            ("a@b.example", Some("[email]")),
            ("to A@B.Example, a@b.example.", Some("to [email], [email].")),
            ("\u{dc}ml\u{e4}ut a@b.example \u{20ac}", Some("\u{dc}ml\u{e4}ut [email] \u{20ac}")),
            ("a at b.example", None),
            ("", None),
        ] {
            assert_eq!(without_email(text, "a@b.example").as_deref(), redacted, "{text}");
        }
    }
}
