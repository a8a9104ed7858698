//! The options as the custom element hands them over: checked one by one by its table, here put together into types.

use crate::app::Settings;
use crate::i18n::{Language, Texts};
use crate::shell::before_submit::Asked;
use js_sys::{Function, Reflect};
use mozarto::{Amount, Currency};
use redemption::{AmountOption, Options, Secret};
use serde::Deserialize;
use std::collections::HashMap;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    endpoint: String,
    currency: String,
    amounts: Option<Vec<String>>,
    amount: Option<String>,
    user_id: Option<String>,
    email: Option<String>,
    brand_id: Option<String>,
    session_token: Option<String>,
    language: Option<GivenLanguage>,
    timeout: u32,
    credentials: String,
    messages: Option<HashMap<String, String>>,
}

/// A catalogue as it ships, and the tag for `Intl`.
#[derive(Deserialize)]
struct GivenLanguage {
    tag: String,
    dir: String,
    messages: HashMap<String, String>,
}

/// The machine's options and the widget's settings, or a text for the merchant that names the option at fault.
pub(crate) fn read(options: &JsValue) -> Result<(Options, Settings), String> {
    let given = Given::deserialize(serde_wasm_bindgen::Deserializer::from(options.clone()))
        .map_err(|error| error.to_string())?;
    let before_submit =
        Reflect::get(options, &"beforeSubmit".into()).ok().and_then(|value| value.dyn_into::<Function>().ok());
    let currency: Currency = given.currency.parse().map_err(|error| format!("currency is {error}"))?;
    let amount = amount_option(given.amount, given.amounts, currency)?;
    let language = given.language.map_or_else(Language::english, |given| Language {
        tag: given.tag,
        rtl: given.dir == "rtl",
        messages: given.messages,
    });
    let texts = Texts::new(language, given.messages.unwrap_or_default());
    let options = Options {
        endpoint: given.endpoint,
        currency,
        amount,
        user_id: given.user_id,
        email: given.email,
        brand_id: given.brand_id,
        session_token: given.session_token.map(Secret::new),
        timeout_ms: given.timeout,
        before_submit: before_submit.is_some(),
        decimal_separator: texts.decimal_separator(),
    };
    let credentials = if given.credentials == "include" { "include" } else { "same-origin" };
    Ok((options, Settings { texts: Rc::new(texts), credentials, before_submit: before_submit.map(Asked::Script) }))
}

fn amount_option(
    amount: Option<String>,
    amounts: Option<Vec<String>>,
    currency: Currency,
) -> Result<AmountOption, String> {
    let parse = |option: &str, text: &str| {
        Amount::parse(text, currency).map_err(|error| format!("{option} \"{text}\" {error} ({currency})"))
    };
    match (amount, amounts) {
        (Some(_), Some(_)) => Err("amount and amounts exclude each other: give one".to_owned()),
        (Some(amount), None) => {
            let amount = parse("amount", &amount)?;
            warn_of_an_unknown_value(amount);
            Ok(AmountOption::Fixed(amount))
        }
        (None, Some(amounts)) => {
            let amounts = amounts.iter().map(|text| parse("amounts", text)).collect::<Result<Vec<_>, _>>()?;
            let twice = amounts.iter().enumerate().find(|(at, amount)| amounts[..*at].contains(amount));
            twice.map_or(Ok(()), |(_, amount)| Err(format!("amounts names {amount:?} twice")))?;
            Ok(AmountOption::OneOf(amounts))
        }
        (None, None) => Ok(AmountOption::Typed),
    }
}

/// A redemption takes a voucher's whole value, so a fixed amount that no voucher has can never be paid. Vouchers are
/// sold in round values; this list is a guess to help a merchant see a slip, so it warns and refuses nothing.
fn warn_of_an_unknown_value(amount: Amount) {
    const VALUES: [u64; 15] = [5, 10, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 250, 300, 500];
    let major = amount.currency().minor_per_major();
    if !amount.minor().is_multiple_of(major) || !VALUES.contains(&(amount.minor() / major)) {
        let warning = format!(
            "flexepin-cashier: amount {amount:?} is probably the value of no voucher, and then nobody can pay it."
        );
        web_sys::console::warn_1(&warning.into());
    }
}
