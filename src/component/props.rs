//! What an application writes at a [`Cashier`](super::Cashier): the options of the custom element by the same names,
//! and who is told.

use super::handle::CashierHandle;
use crate::shell::before_submit::Asked;
use js_sys::Function;
use redemption::{AttemptKey, BeforeSubmit, Outcome, Permission};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use web_sys::AbortSignal;
use yew::html::IntoPropValue;
use yew::{AttrValue, Callback, Classes, Properties};

/// The props of a [`Cashier`](super::Cashier). Texts are in the form that the custom element's attributes have; a wrong
/// one is an error on the console, a plain message in the form's place, and [`on_config_error`](Self::on_config_error).
#[derive(Clone, PartialEq, Properties)]
pub struct CashierProps {
    /// The proxy's URL: https, or http on this machine; resolved against the document's base. An attempt keeps the one
    /// that it began with.
    pub endpoint: AttrValue,
    /// ISO 4217, in capitals.
    pub currency: AttrValue,
    /// A choice of voucher values.
    #[prop_or_default]
    pub amounts: Amounts,
    /// One fixed value, decimal with `.`. With neither this nor `amounts` the customer types the value.
    #[prop_or_default]
    pub amount: Option<AttrValue>,
    /// The merchant's name for the customer. Without one the session must fix the customer.
    #[prop_or_default]
    pub user_id: Option<AttrValue>,
    /// The customer's address. Without one it is asked for.
    #[prop_or_default]
    pub email: Option<AttrValue>,
    /// The brand, where the merchant has several.
    #[prop_or_default]
    pub brand_id: Option<AttrValue>,
    /// Sent to the proxy as `Authorization: Bearer`.
    #[prop_or_default]
    pub session_token: Option<AttrValue>,
    /// `auto` (the default: that of the catalogue) or BCP 47, for numbers and dates.
    #[prop_or_default]
    pub locale: Option<AttrValue>,
    /// `auto` (the default: the system's), `light` or `dark`.
    #[prop_or_default]
    pub theme: Option<AttrValue>,
    /// How long the customer waits for one try: milliseconds from 1000 to 120000, by default 30000.
    #[prop_or_default]
    pub timeout: Option<u32>,
    /// `same-origin` (the default), or `include` for a proxy on another origin with cookies.
    #[prop_or_default]
    pub credentials: Option<AttrValue>,
    /// The merchant's own words, by the keys of the custom element's `messages`.
    #[prop_or_default]
    pub messages: HashMap<AttrValue, AttrValue>,
    /// Asked before every try and status ask.
    #[prop_or_default]
    pub before_submit: Option<BeforeSubmitFn>,

    /// The texts of a language: what is in a file of `locales/`. English, which is built in, without.
    #[prop_or_default]
    pub catalogue: Option<AttrValue>,
    /// Classes of the `<div>` that the cashier is in; `--flexepin-*` set there are its theme.
    #[prop_or_default]
    pub class: Classes,
    /// The way to submit, reset and ask from outside.
    #[prop_or_default]
    pub handle: CashierHandle,
    /// Hears once per mount that a submit would act.
    #[prop_or_default]
    pub on_ready: Callback<()>,
    /// Hears how far the form is.
    #[prop_or_default]
    pub on_change: Callback<Change>,
    /// Hears that the first request of an attempt has left.
    #[prop_or_default]
    pub on_submit: Callback<AttemptKey>,
    /// Hears every outcome; retries tell nothing. Never credit a customer by it: it comes from the customer's browser.
    #[prop_or_default]
    pub on_outcome: Callback<Outcome>,
    /// Hears, once per reason, which prop is wrong.
    #[prop_or_default]
    pub on_config_error: Callback<AttrValue>,
}

impl CashierProps {
    /// Whether the options, as against who is told, are the same.
    pub(super) fn has_the_options_of(&self, other: &Self) -> bool {
        let texts = |props: &Self| {
            let Self { amount, user_id, email, brand_id, session_token, locale, theme, credentials, catalogue, .. } =
                props.clone();
            [amount, user_id, email, brand_id, session_token, locale, theme, credentials, catalogue]
        };
        self.endpoint == other.endpoint
            && self.currency == other.currency
            && self.amounts == other.amounts
            && self.timeout == other.timeout
            && self.messages == other.messages
            && self.before_submit == other.before_submit
            && texts(self) == texts(other)
    }
}

/// How far the form is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Every field has as much as it needs.
    pub complete: bool,
    /// A submit would be accepted.
    pub valid: bool,
}

/// Voucher values to choose from: decimal texts with `.`, as one text with spaces between them or as a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Amounts {
    /// No choice.
    #[default]
    NotGiven,
    /// Such as `10 20 25.50`.
    Text(AttrValue),
    /// Such as `["10", "20", "25.50"]`.
    List(Vec<AttrValue>),
}

macro_rules! amounts_from {
    ($([$($generics:tt)*] $from:ty, $value:ident => $amounts:expr;)+) => {$(
        impl<$($generics)*> From<$from> for Amounts {
            fn from($value: $from) -> Self {
                $amounts
            }
        }

        impl<$($generics)*> IntoPropValue<Amounts> for $from {
            fn into_prop_value(self) -> Amounts {
                self.into()
            }
        }
    )+};
}

amounts_from! {
    [] &'static str, text => Self::Text(text.into());
    [] String, text => Self::Text(text.into());
    [] AttrValue, text => Self::Text(text);
    [T: Into<AttrValue>] Vec<T>, list => Self::List(list.into_iter().map(Into::into).collect());
    [T: Into<AttrValue>, const N: usize] [T; N], list => Self::List(list.into_iter().map(Into::into).collect());
}

/// The merchant's function that is asked before every try, before every status ask, and once more when the proxy wants
/// a fresh session. It has 10 seconds, never gets the PIN, and cannot set `Idempotency-Key` or `Content-Type`.
///
/// ```
/// use flexepin_cashier::component::{BeforeSubmitFn, Permission, Secret};
///
/// let with_a_fresh_token = BeforeSubmitFn::new(|ask, _signal| async move {
///     let token = format!("token-for-{}", ask.reason.as_str());
///     Permission::Granted { headers: Vec::new(), session_token: Some(Secret::new(token)) }
/// });
/// assert!(with_a_fresh_token == with_a_fresh_token.clone());
/// ```
#[derive(Clone)]
pub struct BeforeSubmitFn(pub(super) Asked);

impl BeforeSubmitFn {
    /// A function in Rust. The signal is aborted when nobody waits for the answer any more. Make it once and keep it:
    /// two that were made apart are not equal.
    pub fn new<A: Future<Output = Permission> + 'static>(
        ask: impl Fn(BeforeSubmit, AbortSignal) -> A + 'static,
    ) -> Self {
        Self(Asked::Rust(Rc::new(move |question, signal| Box::pin(ask(question, signal)))))
    }
}

/// A function in JavaScript, as the custom element's `beforeSubmit`.
impl From<Function> for BeforeSubmitFn {
    fn from(function: Function) -> Self {
        Self(Asked::Script(function))
    }
}

impl PartialEq for BeforeSubmitFn {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Asked::Script(one), Asked::Script(other)) => one == other,
            (Asked::Rust(one), Asked::Rust(other)) => Rc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl fmt::Debug for BeforeSubmitFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BeforeSubmitFn")
    }
}
