//! What the merchant decided, as far as the machine needs it. Already checked: an `Options` cannot be wrong.

use crate::Field;
use mozarto::{Amount, Currency};
use std::fmt;
use zeroize::Zeroizing;

/// The merchant's options.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where tries are posted: an absolute URL. An attempt keeps the one it began with.
    pub endpoint: String,
    /// The currency of every amount.
    pub currency: Currency,
    /// Where the amount comes from.
    pub amount: AmountOption,
    /// The merchant's name for the customer.
    pub user_id: Option<String>,
    /// The customer's email address; without it the customer is asked.
    pub email: Option<String>,
    /// The merchant's brand.
    pub brand_id: Option<String>,
    /// Bearer token for the proxy.
    pub session_token: Option<Secret>,
    /// How long the customer waits for one try, in milliseconds.
    pub timeout_ms: u32,
    /// Whether the merchant wants to be asked before every try.
    pub before_submit: bool,
    /// What the customer's locale writes between major and minor units; `.` is understood as well.
    pub decimal_separator: char,
}

impl Options {
    /// Whether the customer has this field to fill.
    pub(crate) fn asks_for(&self, field: Field) -> bool {
        match field {
            Field::Pin => true,
            Field::Amount => !matches!(self.amount, AmountOption::Fixed(_)),
            Field::Email => self.email.is_none(),
        }
    }
}

/// Where the amount comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AmountOption {
    /// The merchant fixed it.
    Fixed(Amount),
    /// The customer chooses one of these; at least one.
    OneOf(Vec<Amount>),
    /// The customer types it, and confirms.
    Typed,
}

/// A text that never prints: a bearer token.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text in the clear, for a request header.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
