//! A voucher of a check's own: its PIN, its place in a body, and what became of its tries.

use super::{Stop, needs_the_kit};
use crate::Customer;
use crate::upstream::Notes;
use mozarto::{Amount, VoucherPin, redact_pin};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;

/// A voucher of a check's own.
pub(crate) struct Voucher {
    pub(crate) pin: String,
    pub(crate) amount: Amount,
    pub(super) notes: Option<Arc<Notes>>,
}

impl Voucher {
    /// The widget's body, in a customer's name.
    pub(crate) fn body(&self, who: &Customer) -> Value {
        let mut body = json!({
            "pspType": "FLEXEPIN", "type": "PAYIN", "voucherPin": self.pin, "baseamount": self.amount.json_number(),
            "currency": self.amount.currency().code(), "currencyCode": self.amount.currency().code(),
        });
        for (name, value) in [("userId", &who.user_id), ("email", &who.email), ("brandId", &who.brand_id)] {
            if let Some(value) = value {
                body[name] = value.as_str().into();
            }
        }
        body
    }

    /// Whether a text holds the PIN, with or without separators.
    pub(crate) fn is_said_in(&self, text: &str) -> bool {
        let pin = VoucherPin::from_wire(&self.pin);
        pin.is_some_and(|pin| matches!(redact_pin(text, &pin), Cow::Owned(_)))
    }

    /// The notes of what reached Mozarto, for a check that cannot do without.
    pub(crate) fn notes(&self) -> Result<&Notes, Stop> {
        self.notes.as_deref().ok_or_else(|| needs_the_kit("what reaches Mozarto must be seen"))
    }
}
