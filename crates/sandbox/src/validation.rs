//! Whether a body is a Pay-In, in the words of page "Errors", 2026-05-05. By hand on a JSON value, and apart from
//! what the proxy builds requests with: two readers of one page find each other's mistakes.
//!
//! Fields that the page "Flexepin" does not name are let pass, as the page says nothing of refusing them.

use crate::replies::Refused;
use mozarto::{Amount, Currency, VoucherPin};
use serde_json::{Map, Value};

/// What a valid request asks.
pub(crate) struct PayIn {
    /// `None` for a text that cannot be a PIN: for Flexepin that is an invalid PIN, not an invalid request.
    pub(crate) pin: Option<VoucherPin>,
    pub(crate) amount: Amount,
    pub(crate) brand_id: Option<String>,
}

/// Reads the body of `POST /v1/api/mozarto/cashier`.
pub(crate) fn pay_in(body: &[u8]) -> Result<PayIn, Refused> {
    let body = object(body)?;
    let fields = ["pspType", "type", "voucherPin", "baseamount", "currency", "currencyCode", "userId", "email"];
    let [psp_type, kind, pin, amount, currency, currency_code, user_id, email] = required(&body, fields)?;
    let mut errors = Vec::new();
    let mut expect = |holds: bool, otherwise: &str| {
        if !holds {
            errors.push(otherwise.to_owned());
        }
    };
    expect(psp_type == "FLEXEPIN", "pspType must be FLEXEPIN");
    expect(kind == "PAYIN", "type must be PAYIN");
    expect(pin.is_string(), "voucherPin must be a string");
    expect(currency_code == currency, "currencyCode must be the same as currency");
    expect(user_id.is_string(), "userId must be a string");
    expect(email.as_str().is_some_and(is_email), "email must be a valid email");
    let brand_id = body.get("brandId").unwrap_or(&Value::Null);
    expect(brand_id.is_string() || brand_id.is_null(), "brandId must be a string");
    let amount = money("amount", amount, currency, &mut errors);
    match amount {
        Some(amount) if errors.is_empty() => Ok(PayIn {
            pin: pin.as_str().and_then(VoucherPin::from_wire),
            amount,
            brand_id: brand_id.as_str().map(str::to_owned),
        }),
        _ => Err(Refused::Invalid(errors)),
    }
}

/// Reads the body of `POST /sandbox/vouchers`.
pub(crate) fn new_voucher(body: &[u8]) -> Result<Amount, Refused> {
    let body = object(body)?;
    let [value, currency] = required(&body, ["value", "currency"])?;
    let mut errors = Vec::new();
    money("value", value, currency, &mut errors).ok_or(Refused::Invalid(errors))
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Refused> {
    serde_json::from_slice(body).map_err(|_| Refused::Invalid(vec!["body must be a JSON object".to_owned()]))
}

/// The fields' values, or the first that is missing, null or a blank text. A blank amount is not missing: the
/// page has "amount must not be empty" for it.
fn required<'b, const N: usize>(
    body: &'b Map<String, Value>,
    fields: [&'static str; N],
) -> Result<[&'b Value; N], Refused> {
    let blank = |field: &str, value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty() && !matches!(field, "baseamount" | "value"),
        _ => false,
    };
    for field in fields {
        if body.get(field).is_none_or(|value| blank(field, value)) {
            return Err(Refused::Missing(field));
        }
    }
    Ok(fields.map(|field| &body[field]))
}

fn money(name: &str, number: &Value, currency: &Value, errors: &mut Vec<String>) -> Option<Amount> {
    let currency = currency.as_str().and_then(|code| code.parse::<Currency>().ok());
    if currency.is_none() {
        errors.push("currency must be a code of ISO 4217, such as EUR".to_owned());
    }
    let amount = match (number, currency) {
        (Value::Number(number), Some(currency)) => {
            Amount::from_json_number(number.as_f64().unwrap_or(f64::NAN), currency).map_err(|error| error.to_string())
        }
        (Value::Number(_), None) => return None,
        (Value::String(text), _) if text.trim().is_empty() => Err("must not be empty".to_owned()),
        _ => Err("must be a number".to_owned()),
    };
    amount.map_err(|why| errors.push(format!("{name} {why}"))).ok()
}

/// One `@` with something before it and a dotted name behind it.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let dotted = domain.split_once('.').is_some_and(|(name, rest)| !name.is_empty() && !rest.is_empty());
    !local.is_empty() && dotted && !domain.contains('@') && !text.contains(char::is_whitespace)
}
