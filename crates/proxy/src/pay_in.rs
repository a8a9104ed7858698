//! A widget's request, read into types: the key, and the body. Left to others: what is done about it (`attempts`).

use crate::own::Own;
use axum::http::{HeaderMap, header};
use mozarto::{PayIn, redact_pin};
use serde_json::error::Category;
use std::borrow::Cow;
use uuid::Uuid;

/// The names that our own reading begins its reasons with. Anything else in a parser's text may quote a value, and a
/// value may be a PIN.
const FIELDS: [&str; 9] =
    ["pspType", "type", "voucherPin", "baseamount", "currency", "currencyCode", "userId", "email", "brandId"];

/// The attempt's key, from the header that must be there once.
pub(crate) fn key_in(headers: &HeaderMap) -> Result<Uuid, Own> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let key = attempt_key(keys.next().and_then(|key| key.to_str().ok()).unwrap_or_default())?;
    match keys.next() {
        None => Ok(key),
        Some(_) => Err(Own::Invalid("Idempotency-Key must be there once".to_owned())),
    }
}

/// Whether the body is said to be JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// The Pay-In in a body, of the attempt of that key.
pub(crate) fn read(key: Uuid, body: &[u8]) -> Result<PayIn, Own> {
    let pay_in = parsed(body)?;
    customer(&pay_in)?;
    // What goes into a header, the ledger or the log must not be the PIN.
    for (name, value) in [
        ("Idempotency-Key", &Some(key.to_string())),
        ("userId", &pay_in.user_id),
        ("email", &pay_in.email),
        ("brandId", &pay_in.brand_id),
    ] {
        if value.as_deref().is_some_and(|text| matches!(redact_pin(text, &pay_in.voucher_pin), Cow::Owned(_))) {
            return Err(Own::Invalid(format!("{name} must not hold the PIN")));
        }
    }
    Ok(pay_in)
}

/// A UUID, bare or in the quotes of the IETF's draft.
pub(crate) fn attempt_key(text: &str) -> Result<Uuid, Own> {
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let hyphenated = Some(bare).filter(|bare| bare.len() == 36).and_then(|bare| Uuid::try_parse(bare).ok());
    hyphenated.ok_or_else(|| Own::Invalid("Idempotency-Key must be a UUID".to_owned()))
}

fn parsed(body: &[u8]) -> Result<PayIn, Own> {
    // An array of the values in the right order would be read too.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(Own::Invalid("the body must be a JSON object".to_owned()));
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
fn refused(at: &str, error: &serde_json::Error) -> Own {
    let out_of_range = error.to_string().starts_with("number out of range");
    if error.classify() != Category::Data && !out_of_range {
        return Own::Invalid("the body must be JSON".to_owned());
    }
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    let named = |before: &str| {
        let name = text.strip_prefix(before)?.split('`').next()?;
        FIELDS.into_iter().find(|field| *field == name)
    };
    if let Some(field) = named("missing field `") {
        return Own::Missing(field.to_owned());
    }
    if let Some(field) = named("duplicate field `") {
        return Own::Invalid(format!("{field} is there twice"));
    }
    Own::Invalid(match text.split_once(' ') {
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
fn customer(pay_in: &PayIn) -> Result<(), Own> {
    let given = |name: &str, value: &Option<String>| {
        value.clone().filter(|text| !text.trim().is_empty()).ok_or_else(|| Own::Missing(name.to_owned()))
    };
    let (user_id, email) = (given("userId", &pay_in.user_id)?, given("email", &pay_in.email)?);
    let plain = |text: &str, longest: usize| text.chars().count() <= longest && !text.chars().any(char::is_control);
    if !plain(&user_id, 128) {
        return Err(Own::Invalid("userId must be at most 128 characters without control characters".to_owned()));
    }
    if !is_email(&email) {
        return Err(Own::Invalid("email must be a valid email".to_owned()));
    }
    if !pay_in.brand_id.as_deref().is_none_or(|brand| plain(brand, 128)) {
        return Err(Own::Invalid("brandId must be at most 128 characters without control characters".to_owned()));
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
