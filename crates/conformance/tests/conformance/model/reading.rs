//! What a browser sent, read and built anew: key, session, body.

use super::attempts::Kept;
use super::{Flaw, Model, own};
use axum::http::{HeaderMap, header};
use mozarto::{Amount, PayIn};
use serde_json::{Value, json};

/// A request that is not passed on.
pub(crate) struct Refused(pub(crate) Kept);

/// A request that may be.
#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) key: String,
    pub(crate) owner: String,
    pub(crate) email: String,
    pub(crate) pin: String,
    pub(crate) amount: Option<Amount>,
    /// The body for Mozarto.
    pub(crate) body: Value,
    /// The body as it came.
    pub(crate) raw: String,
    /// What the browser sent as `Authorization`.
    pub(crate) authorization: String,
}

fn refused(model: &Model, message: &str, error: &str) -> Refused {
    if model.has(Flaw::RefusesInPlainText) {
        return Refused(Kept::new(400, "Bad request".to_owned()));
    }
    let body = json!({ "status": "error", "isSuccess": false, "message": message, "errors": [error] });
    Refused(Kept::new(400, body.to_string()))
}

/// The attempt's key.
pub(crate) fn key(model: &Model, headers: &HeaderMap) -> Result<String, Refused> {
    let text = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    let made_up = || "0b5a9e1c-7a64-4a83-9b3e-0d5b6f1f2a3b".to_owned();
    let Some(text) = text else {
        let allowed = model.has(Flaw::MakesUpAKey) || !model.made.keeps_attempts;
        return if allowed {
            Ok(made_up())
        } else {
            Err(refused(model, "Validation failed", "Idempotency-Key is missing"))
        };
    };
    let bare = if model.has(Flaw::QuotesAreRefused) { text } else { text.trim_matches('"') };
    let is_key = bare.len() == 36 && uuid::Uuid::try_parse(bare).is_ok();
    if !is_key && !model.has(Flaw::AnyTextIsAKey) && model.made.keeps_attempts {
        return Err(refused(model, "Validation failed", "Idempotency-Key must be a UUID"));
    }
    Ok(if model.has(Flaw::CapitalsAreAnotherKey) { bare.to_owned() } else { bare.to_lowercase() })
}

/// The customer of the session; none where there are no sessions.
pub(crate) fn asker(model: &Model, headers: &HeaderMap) -> Result<Option<String>, Refused> {
    if !model.made.sessions {
        return Ok(None);
    }
    let text = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match text.strip_prefix("Bearer ") {
        Some(user @ ("alice" | "bob")) => Ok(Some(user.to_owned())),
        _ if model.has(Flaw::AnybodyMayPost) => Ok(Some("alice".to_owned())),
        _ => Err(Refused(own(401, Some("SESSION_REQUIRED"), "log in first"))),
    }
}

/// All that a POST says.
pub(crate) fn order(
    model: &Model,
    headers: &HeaderMap,
    body: &[u8],
    key: Result<String, Refused>,
) -> Result<Order, Refused> {
    let asker = asker(model, headers)?;
    let key = key?;
    let mut sent = read(model, body)?;
    let said = |name: &str| sent.get(name).and_then(Value::as_str).map(str::to_owned);
    let (said_user, said_email) = (said("userId"), said("email"));
    let (owner, email) = match asker {
        Some(user) => {
            let email = format!("{user}@example.com");
            let disagrees = said_user.as_ref().is_some_and(|said| *said != user);
            if disagrees && !model.has(Flaw::BodyDecidesWhoItIs) {
                return Err(refused(model, "Validation failed", "userId is not the session's"));
            }
            (said_user.unwrap_or(user), email)
        }
        None => (
            said_user.ok_or_else(|| refused(model, "Missing required field: userId", ""))?,
            said_email.ok_or_else(|| refused(model, "Missing required field: email", ""))?,
        ),
    };
    sent["userId"] = owner.as_str().into();
    sent["email"] = email.as_str().into();
    let amount = serde_json::from_value::<PayIn>(sent.clone()).ok().map(|pay_in| pay_in.amount);
    if model.has(Flaw::SendsAnExtraField) {
        sent["clientIp"] = "127.0.0.1".into();
    }
    if model.has(Flaw::SendsTheAmountAsText) {
        sent["baseamount"] = sent["baseamount"].to_string().into();
    }
    let text = |value: Option<&Value>| value.map(|value| value.to_string().replace('"', "")).unwrap_or_default();
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Ok(Order {
        key,
        owner,
        email,
        pin: text(sent.get("voucherPin")),
        amount,
        body: sent,
        raw: String::from_utf8_lossy(body).into_owned(),
        authorization: authorization.to_owned(),
    })
}

/// The body for Mozarto; with a flaw, one that should have been refused.
fn read(model: &Model, body: &[u8]) -> Result<Value, Refused> {
    let error = match serde_json::from_slice::<PayIn>(body) {
        Ok(pay_in) => return Ok(serde_json::to_value(pay_in).expect("serialises")),
        Err(error) => error.to_string(),
    };
    let forgiven = [
        (Flaw::PinUnchecked, "voucherPin must"),
        (Flaw::AmountUnchecked, "f64"),
        (Flaw::AmountUnchecked, "baseamount must"),
        (Flaw::CurrencyUnchecked, "currencyCode must"),
        (Flaw::UnknownFieldsPass, "unknown field"),
        (Flaw::DuplicateFieldsPass, "duplicate field"),
    ];
    let forgiven = forgiven.into_iter().any(|(flaw, text)| model.has(flaw) && error.contains(text));
    let value = serde_json::from_slice::<Value>(body).ok().filter(|_| forgiven);
    value.ok_or_else(|| refused(model, "Validation failed", error.split_whitespace().next().unwrap_or_default()))
}
