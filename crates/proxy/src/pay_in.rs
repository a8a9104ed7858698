//! `POST /cashier/flexepin`: reads what a browser sent into types and has it tried once. Between both is the place of the
//! ledger of attempts, which is still to come.

use crate::error::Refused;
use crate::{Proxy, reply};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mozarto::PayIn;
use serde_json::error::Category;
use std::time::Instant;
use tracing::{error, info};
use uuid::Uuid;

/// The names that our own reading begins its reasons with. Anything else in a parser's text may quote a value, and a value may be a PIN.
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
    let tried = proxy.tries.spawn(async move {
        let began = Instant::now();
        let sent = proxy.mozarto.send(&pay_in).await;
        let meaning = reply::meaning(&sent);
        info!(
            attempt,
            meaning = %meaning.signal,
            money = meaning.signal.money().as_str(),
            transaction = meaning.transaction_id,
            ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "tried"
        );
        reply::passed_on(sent, &pay_in.voucher_pin)
    });
    Ok(tried.await.unwrap_or_else(|failed| {
        error!(%failed, "a try ended in a defect of the proxy's");
        Refused::NoAnswer("The proxy failed while it was waiting for Mozarto").into_response()
    }))
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
    let attempt =
        headers.get("idempotency-key").map(|key| attempt_key(key.to_str().unwrap_or_default())).transpose()?;
    let pay_in: PayIn = serde_json::from_slice(&body).map_err(|error| refused(&error))?;
    customer(&pay_in)?;
    Ok((attempt, pay_in))
}

/// A UUID, bare or in the quotes of the IETF's draft.
fn attempt_key(text: &str) -> Result<Uuid, Refused> {
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let hyphenated = Some(bare).filter(|bare| bare.len() == 36).and_then(|bare| Uuid::try_parse(bare).ok());
    hyphenated.ok_or_else(|| Refused::Invalid("Idempotency-Key must be a UUID".to_owned()))
}

/// Why a body is no Pay-In, in words that hold nothing of the body.
fn refused(error: &serde_json::Error) -> Refused {
    if error.classify() != Category::Data {
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
        _ => "a field of the body has the wrong type".to_owned(),
    })
}

/// Who the customer is. Nobody but the body says so while there are no sessions, so it must be there.
fn customer(pay_in: &PayIn) -> Result<(), Refused> {
    let given = |name: &str, value: &Option<String>| {
        value.clone().filter(|text| !text.trim().is_empty()).ok_or_else(|| Refused::Missing(name.to_owned()))
    };
    let (user_id, email) = (given("userId", &pay_in.user_id)?, given("email", &pay_in.email)?);
    let plain = |text: &str, longest: usize| text.len() <= longest && !text.chars().any(char::is_control);
    if !plain(&user_id, 128) {
        return Err(Refused::Invalid("userId must be at most 128 bytes without control characters".to_owned()));
    }
    let address = email.split_once('@').is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty());
    if !address || !plain(&email, 254) || email.contains(char::is_whitespace) {
        return Err(Refused::Invalid("email must be a valid email".to_owned()));
    }
    if !pay_in.brand_id.as_deref().is_none_or(|brand| plain(brand, 128)) {
        return Err(Refused::Invalid("brandId must be at most 128 bytes without control characters".to_owned()));
    }
    Ok(())
}
