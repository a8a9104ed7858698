//! `POST /cashier/flexepin`: reads what a browser sent into types and has it tried once. Between both is the place of
//! the ledger of attempts, which is still to come.

use crate::error::Refused;
use crate::{Mozarto, Proxy, reply};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mozarto::{PayIn, redact_pin};
use serde_json::error::Category;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;
use tracing::{error, info};
use uuid::Uuid;

/// The names that our own reading begins its reasons with. Anything else in a parser's text may quote a value, and a
/// value may be a PIN.
const FIELDS: [&str; 9] =
    ["pspType", "type", "voucherPin", "baseamount", "currency", "currencyCode", "userId", "email", "brandId"];

/// One try.
pub(crate) async fn pay_in(
    State(proxy): State<Proxy>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    let (attempt, pay_in) = read(&headers, body).inspect_err(|refused| info!(?refused, "request refused"))?;
    let attempt = attempt.map(|key| key.to_string());
    // In a task of its own: a browser that leaves does not stop what has been sent.
    let mozarto = Arc::clone(&proxy.mozarto);
    let tried = proxy.tries.spawn(async move {
        let began = Instant::now();
        let sent = mozarto.send(&pay_in).await;
        let (response, meaning) = reply::passed_on(sent, &pay_in.voucher_pin);
        info!(
            attempt,
            status = response.status().as_u16(),
            meaning = %meaning.signal,
            money = meaning.signal.money().as_str(),
            transaction = meaning.transaction_id.filter(|id| may_log(id, &pay_in, &mozarto)),
            ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "tried"
        );
        response
    });
    Ok(tried.await.unwrap_or_else(|failed| {
        error!(%failed, "a try ended in a defect of the proxy's");
        Refused::NoAnswer("The proxy failed while it was waiting for Mozarto").into_response()
    }))
}

/// An id is one word and none of the customer's or the merchant's: an answer may echo anything anywhere.
fn may_log(id: &str, pay_in: &PayIn, mozarto: &Mozarto) -> bool {
    id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && pay_in.user_id.as_deref() != Some(id)
        && !mozarto.is_token_in(id)
}

fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<(Option<Uuid>, PayIn), Refused> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let essence = text(header::CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Refused::NotJson);
    }
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refused::TooLarge,
        _ => Refused::Invalid("the body was cut short".to_owned()),
    })?;
    let mut keys = headers.get_all("idempotency-key").iter();
    let attempt = keys.next().map(|key| attempt_key(key.to_str().unwrap_or_default())).transpose()?;
    if keys.next().is_some() {
        return Err(Refused::Invalid("Idempotency-Key must be there once".to_owned()));
    }
    let pay_in = parsed(&body)?;
    customer(&pay_in)?;
    // What goes into a header or the log must not be the PIN.
    let key = attempt.map(|key| key.to_string());
    for (name, value) in [
        ("Idempotency-Key", &key),
        ("userId", &pay_in.user_id),
        ("email", &pay_in.email),
        ("brandId", &pay_in.brand_id),
    ] {
        if value.as_deref().is_some_and(|text| matches!(redact_pin(text, &pay_in.voucher_pin), Cow::Owned(_))) {
            return Err(Refused::Invalid(format!("{name} must not hold the PIN")));
        }
    }
    Ok((attempt, pay_in))
}

/// A UUID, bare or in the quotes of the IETF's draft.
fn attempt_key(text: &str) -> Result<Uuid, Refused> {
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let hyphenated = Some(bare).filter(|bare| bare.len() == 36).and_then(|bare| Uuid::try_parse(bare).ok());
    hyphenated.ok_or_else(|| Refused::Invalid("Idempotency-Key must be a UUID".to_owned()))
}

fn parsed(body: &[u8]) -> Result<PayIn, Refused> {
    // An array of the values in the right order would be read too.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(Refused::Invalid("the body must be a JSON object".to_owned()));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let pay_in = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let at = error.path().to_string();
        refused(&at, &error.into_inner())
    })?;
    json.end().map_err(|error| refused("", &error))?;
    Ok(pay_in)
}

/// Why a body is no Pay-In, in words that hold nothing of the body. `at` is the field that was being read.
fn refused(at: &str, error: &serde_json::Error) -> Refused {
    let out_of_range = error.to_string().starts_with("number out of range");
    if error.classify() != Category::Data && !out_of_range {
        return Refused::Invalid("the body must be JSON".to_owned());
    }
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    let named = |before: &str| {
        let name = text.strip_prefix(before)?.split('`').next()?;
        FIELDS.into_iter().find(|field| *field == name)
    };
    if let Some(field) = named("missing field `") {
        return Refused::Missing(field.to_owned());
    }
    if let Some(field) = named("duplicate field `") {
        return Refused::Invalid(format!("{field} is there twice"));
    }
    Refused::Invalid(match text.split_once(' ') {
        // Mozarto's own validation calls it so.
        Some(("baseamount", why)) => format!("amount {why}"),
        Some((field, _)) if FIELDS.contains(&field) => text.to_owned(),
        _ if text.starts_with("unknown field") => "the body has a field that is not known".to_owned(),
        _ => match FIELDS.into_iter().find(|field| *field == at) {
            Some("baseamount") => "amount must be a number".to_owned(),
            Some(field) => format!("{field} must be a string"),
            None => "the body must be a JSON object".to_owned(),
        },
    })
}

/// Who the customer is. Nobody but the body says so while there are no sessions, so it must be there.
fn customer(pay_in: &PayIn) -> Result<(), Refused> {
    let given = |name: &str, value: &Option<String>| {
        value.clone().filter(|text| !text.trim().is_empty()).ok_or_else(|| Refused::Missing(name.to_owned()))
    };
    let (user_id, email) = (given("userId", &pay_in.user_id)?, given("email", &pay_in.email)?);
    let plain = |text: &str, longest: usize| text.chars().count() <= longest && !text.chars().any(char::is_control);
    if !plain(&user_id, 128) {
        return Err(Refused::Invalid("userId must be at most 128 characters without control characters".to_owned()));
    }
    if !is_email(&email) {
        return Err(Refused::Invalid("email must be a valid email".to_owned()));
    }
    if !pay_in.brand_id.as_deref().is_none_or(|brand| plain(brand, 128)) {
        return Err(Refused::Invalid("brandId must be at most 128 characters without control characters".to_owned()));
    }
    Ok(())
}

/// HTML's rule for `<input type=email>`, at most the 254 bytes that mail can deliver to.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 254
        && !local.is_empty()
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte))
        && domain.split('.').all(is_label)
}
