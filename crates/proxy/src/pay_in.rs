//! A widget's request, read into types: the key, and the body, held against what the checkout session fixes. Left to
//! others: what is done about it (`attempts`).

use crate::customer::Customer;
use crate::own::Own;
use crate::session::{Fixed, Session};
use axum::http::{HeaderMap, header};
use mozarto::{PayIn, redact_pin};
use secrecy::SecretString;
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

/// A POST that was read whole and agrees with its session.
pub(crate) struct Posting {
    /// With the customer's `userId` and `email`, wherever they came from.
    pub(crate) pay_in: PayIn,
    pub(crate) customer: Customer,
    /// The id of the session under which it was posted.
    pub(crate) session: Option<String>,
    /// After so many invalid PINs in a row the customer waits; 0 for never.
    pub(crate) most_guesses: u32,
}

/// The Pay-In in a body, of the attempt of that key, posted under that session.
pub(crate) fn read(
    key: Uuid,
    body: &[u8],
    session: Option<&Session>,
    bearer: Option<SecretString>,
    most_guesses: u32,
) -> Result<Posting, Own> {
    let mut pay_in = parsed(body)?;
    if let Some(session) = session {
        hold_against(&mut pay_in, session)?;
    }
    let (user_id, email) = customer(&pay_in)?;
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
    let user = |of: fn(&Fixed) -> &Option<String>| session.and_then(|session| of(&session.fixed).clone());
    let customer = Customer {
        user_id,
        email,
        first_name: user(|fixed| &fixed.first_name),
        last_name: user(|fixed| &fixed.last_name),
        phone: user(|fixed| &fixed.phone),
        country_code: user(|fixed| &fixed.country_code),
        bearer,
    };
    Ok(Posting { pay_in, customer, session: session.map(|session| session.id.clone()), most_guesses })
}

/// Fills in what the session fixes, and refuses a body that says otherwise.
fn hold_against(pay_in: &mut PayIn, session: &Session) -> Result<(), Own> {
    let disagrees = |field: &str| Err(Own::Invalid(format!("{field} is not the checkout session's")));
    let fixed = &session.fixed;
    let (amount, currency) = (pay_in.amount, pay_in.amount.currency());
    if fixed.currency.is_some_and(|fixed| fixed != currency) {
        return disagrees("currency");
    }
    let is_it = |fixed: &crate::session::AmountClaim| fixed.in_currency(currency) == Some(amount);
    if !fixed.amount.as_ref().is_none_or(is_it) || !fixed.amounts.as_ref().is_none_or(|any| any.iter().any(is_it)) {
        return disagrees("amount");
    }
    for (field, fixed, said) in [
        ("userId", Some(&session.subject), &mut pay_in.user_id),
        ("email", fixed.email.as_ref(), &mut pay_in.email),
        ("brandId", fixed.brand_id.as_ref(), &mut pay_in.brand_id),
    ] {
        let Some(fixed) = fixed else { continue };
        if said.as_ref().is_some_and(|said| !said.trim().is_empty() && said != fixed) {
            return disagrees(field);
        }
        *said = Some(fixed.clone());
    }
    Ok(())
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

/// Who the customer is: `userId` and `email`. What no session fixes must be in the body.
fn customer(pay_in: &PayIn) -> Result<(String, String), Own> {
    let given = |name: &str, value: &Option<String>| {
        value.clone().filter(|text| !text.trim().is_empty()).ok_or_else(|| Own::Missing(name.to_owned()))
    };
    let (user_id, email) = (given("userId", &pay_in.user_id)?, given("email", &pay_in.email)?);
    if !is_plain(&user_id, 128) {
        return Err(Own::Invalid("userId must be at most 128 characters without control characters".to_owned()));
    }
    if !is_email(&email) {
        return Err(Own::Invalid("email must be a valid email".to_owned()));
    }
    if !pay_in.brand_id.as_deref().is_none_or(|brand| is_plain(brand, 128)) {
        return Err(Own::Invalid("brandId must be at most 128 characters without control characters".to_owned()));
    }
    Ok((user_id, email))
}

/// So many characters at most, and none that a terminal or a header would take for an order.
pub(crate) fn is_plain(text: &str, longest: usize) -> bool {
    text.chars().count() <= longest && !text.chars().any(char::is_control)
}

/// HTML's rule for `<input type=email>`, at most the 254 bytes that mail can deliver to.
pub(crate) fn is_email(text: &str) -> bool {
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
