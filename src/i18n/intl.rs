//! Numbers, money and times as the customer's locale writes them: the browser's `Intl`, asked once per kind.

use crate::object::{call, get, new, object};
use mozarto::{Amount, Currency};
use std::cell::RefCell;
use std::collections::HashMap;
use wasm_bindgen::JsValue;

#[derive(Debug)]
pub(super) struct Formats {
    tag: JsValue,
    number: JsValue,
    money: RefCell<HashMap<Currency, JsValue>>,
}

impl Formats {
    /// `tag` is BCP 47.
    pub(super) fn new(tag: &str) -> Self {
        let tag = JsValue::from(tag);
        Self { number: format_of("NumberFormat", &tag, &[]), tag, money: RefCell::default() }
    }

    pub(super) fn number(&self, number: usize) -> String {
        formatted(&self.number, &number.to_string())
    }

    pub(super) fn money(&self, amount: Amount) -> String {
        let mut cache = self.money.borrow_mut();
        let format = cache.entry(amount.currency()).or_insert_with(|| {
            let currency = [("style", "currency".into()), ("currency", amount.currency().code().into())];
            self.amount_format(amount.currency(), &currency)
        });
        // Some locales have marks in it for a text from right to left; ours stands in an isolate of its own.
        formatted(format, &amount.decimal()).replace(['\u{200e}', '\u{200f}', '\u{61c}'], "")
    }

    /// An amount without its currency, as the customer may type it.
    pub(super) fn plain(&self, amount: Amount) -> String {
        formatted(&self.amount_format(amount.currency(), &[("useGrouping", false.into())]), &amount.decimal())
    }

    /// The plural category of a count, such as `few`.
    pub(super) fn plural(&self, count: u32) -> String {
        let rules = format_of("PluralRules", &self.tag, &[]);
        call(&rules, "select", &[count.into()]).as_string().unwrap_or_else(|| "other".to_owned())
    }

    /// From now on, such as "in 4 seconds".
    pub(super) fn moment_in(&self, seconds: u32) -> String {
        let format = format_of("RelativeTimeFormat", &self.tag, &[]);
        call(&format, "format", &[seconds.into(), "second".into()]).as_string().unwrap_or_default()
    }

    /// The time of day, with seconds.
    pub(super) fn time(&self, ms: u64) -> String {
        self.moment(ms, &[("timeStyle", "medium".into())])
    }

    /// The day and the time.
    pub(super) fn date(&self, ms: u64) -> String {
        self.moment(ms, &[("dateStyle", "long".into()), ("timeStyle", "short".into())])
    }

    fn moment(&self, ms: u64, styles: &[(&str, JsValue)]) -> String {
        let format = format_of("DateTimeFormat", &self.tag, styles);
        call(&format, "format", &[exact(ms).into()]).as_string().unwrap_or_default()
    }

    pub(super) fn decimal_separator(&self) -> char {
        formatted(&self.number, "1.5").chars().find(|c| !c.is_numeric()).unwrap_or('.')
    }

    fn amount_format(&self, currency: Currency, settings: &[(&str, JsValue)]) -> JsValue {
        // The decimals are ISO 4217's: browsers round some currencies to what is usual in cash.
        let decimals = JsValue::from(currency.decimals());
        let decimals = [("minimumFractionDigits", decimals.clone()), ("maximumFractionDigits", decimals)];
        format_of("NumberFormat", &self.tag, &[settings, &decimals].concat())
    }
}

/// A format of `Intl`; undefined where the browser refuses it.
fn format_of(class: &str, tag: &JsValue, settings: &[(&str, JsValue)]) -> JsValue {
    let class = get(&get(&js_sys::global(), "Intl"), class);
    new(&class, &[tag.clone(), object(settings).into()])
}

/// `Intl` formats a decimal text exactly; older browsers make a number of it first, which is exact for any voucher.
fn formatted(format: &JsValue, decimal: &str) -> String {
    call(format, "format", &[decimal.into()]).as_string().unwrap_or_else(|| decimal.to_owned())
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact for 285,000 years")]
fn exact(ms: u64) -> f64 {
    ms as f64
}
