//! The Pay-In: the body of `POST /v1/api/mozarto/cashier`, which the widget sends to the proxy and the proxy, having
//! parsed it, builds anew for Mozarto. Source: page "Flexepin", section "Pay-In".

use crate::{Amount, Currency, VoucherPin};
use serde::de::{self, Deserializer};
use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// One request to redeem a voucher.
///
/// Serialises to exactly the documented names. Deserialising refuses unknown and duplicate fields, a PIN that is not
/// `^[0-9]{16}$`, a `currencyCode` that differs from `currency`, and an amount that the currency cannot express; the
/// error never holds the PIN. A missing field is serde's `` missing field `name` ``.
#[derive(Clone, Debug)]
pub struct PayIn {
    /// The voucher.
    pub voucher_pin: VoucherPin,
    /// What the customer says the voucher is worth; `baseamount`, `currency` and `currencyCode` on the wire.
    pub amount: Amount,
    /// The merchant's name for the customer. The browser may leave it out where the session fixes it.
    pub user_id: Option<String>,
    /// The customer's email address. The browser may leave it out where the session fixes it.
    pub email: Option<String>,
    /// The merchant's brand, where it has several.
    pub brand_id: Option<String>,
}

impl Serialize for PayIn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_struct("PayIn", 9)?;
        body.serialize_field("pspType", "FLEXEPIN")?;
        body.serialize_field("type", "PAYIN")?;
        body.serialize_field("voucherPin", self.voucher_pin.expose())?;
        body.serialize_field("baseamount", &self.amount.json_number())?;
        body.serialize_field("currency", self.amount.currency().code())?;
        body.serialize_field("currencyCode", self.amount.currency().code())?;
        for (name, value) in [("userId", &self.user_id), ("email", &self.email), ("brandId", &self.brand_id)] {
            match value {
                Some(value) => body.serialize_field(name, value)?,
                None => body.skip_field(name)?,
            }
        }
        body.end()
    }
}

impl<'de> Deserialize<'de> for PayIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = Body::deserialize(deserializer)?;
        let invalid = |field: &str, why: &dyn std::fmt::Display| de::Error::custom(format_args!("{field} {why}"));
        if body.psp_type != "FLEXEPIN" {
            return Err(invalid("pspType", &"must be FLEXEPIN"));
        }
        if body.kind != "PAYIN" {
            return Err(invalid("type", &"must be PAYIN"));
        }
        let currency: Currency =
            body.currency.parse().map_err(|error| invalid("currency", &format_args!("is {error}")))?;
        if body.currency_code != body.currency {
            return Err(invalid("currencyCode", &"must be the same as currency"));
        }
        Ok(Self {
            voucher_pin: body.voucher_pin,
            amount: Amount::from_json_number(body.baseamount, currency)
                .map_err(|error| invalid("baseamount", &error))?,
            user_id: body.user_id,
            email: body.email,
            brand_id: body.brand_id,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    psp_type: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(deserialize_with = "wire_pin")]
    voucher_pin: VoucherPin,
    baseamount: f64,
    currency: String,
    currency_code: String,
    user_id: Option<String>,
    email: Option<String>,
    brand_id: Option<String>,
}

fn wire_pin<'de, D: Deserializer<'de>>(deserializer: D) -> Result<VoucherPin, D::Error> {
    // Every failure says the same: serde's own words would quote the value, and the value may be a mistyped PIN.
    let refuse = || de::Error::custom("voucherPin must be 16 digits");
    let text = Zeroizing::new(String::deserialize(deserializer).map_err(|_: D::Error| refuse())?);
    VoucherPin::from_wire(&text).ok_or_else(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn seed() -> Value {
        serde_json::from_str(include_str!("../../../tests/fixtures/mozarto/request.json"))
            .expect("the page's example is JSON")
    }

    fn with(field: &str, value: Value) -> Value {
        let mut body = seed();
        body[field] = value;
        body
    }

    #[test]
    fn the_pages_example_is_what_we_read_and_what_we_build() {
        let pay_in: PayIn = serde_json::from_value(seed()).expect("a valid request");
        assert_eq!(pay_in.amount.minor(), 2500);
        assert_eq!(serde_json::to_value(&pay_in).expect("serialises"), seed());
    }

    #[test]
    fn what_is_wrong_is_named_and_the_pin_is_not() {
        for (body, says) in [
            (with("pspType", json!("BRITE")), "pspType must be FLEXEPIN"),
            (with("type", json!("PAYOUT")), "type must be PAYIN"),
            (with("voucherPin", json!("9999888877776666 ")), "voucherPin must be 16 digits"),
            (with("voucherPin", json!(9_999_888_877_776_666_u64)), "voucherPin must be 16 digits"),
            (with("voucherPin", json!("1234-5678-9012-3456")), "voucherPin must be 16 digits"),
            (with("baseamount", json!(25.001)), "baseamount has too many decimals"),
            (with("baseamount", json!(0)), "baseamount must be more than 0"),
            (with("baseamount", json!(-5)), "baseamount must be more than 0"),
            (with("currency", json!("EUX")), "currency is not a currency code"),
            (with("currencyCode", json!("USD")), "currencyCode must be the same"),
            (with("extra", json!(1)), "unknown field `extra`"),
        ] {
            let error = serde_json::from_value::<PayIn>(body).expect_err(says).to_string();
            assert!(error.contains(says), "{error}");
            assert!(!error.contains("888"), "{error}");
        }
    }

    #[test]
    fn a_missing_or_repeated_field_is_refused() {
        for name in ["pspType", "type", "voucherPin", "baseamount", "currency", "currencyCode"] {
            let mut body = seed();
            body.as_object_mut().expect("an object").remove(name);
            let error = serde_json::from_value::<PayIn>(body).expect_err(name).to_string();
            assert!(error.contains(&format!("missing field `{name}`")), "{error}");
        }
        let twice = seed().to_string().replacen('{', r#"{"baseamount":50,"#, 1);
        assert!(serde_json::from_str::<PayIn>(&twice).is_err(), "a repeated field is two truths");
    }

    #[test]
    fn debug_shows_no_pin() {
        let pay_in: PayIn = serde_json::from_value(seed()).expect("a valid request");
        assert!(!format!("{pay_in:?}").contains("1234567890123456"));
    }
}
