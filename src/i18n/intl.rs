//! Numbers and money as the customer's locale writes them: the browser's `Intl`, asked once per kind.

use js_sys::{Array, Function, Intl, Object, Reflect};
use mozarto::{Amount, Currency};
use std::cell::RefCell;
use std::collections::HashMap;
use wasm_bindgen::{JsCast, JsValue};

#[derive(Debug)]
pub(super) struct Formats {
    locales: Array,
    number: Function,
    money: RefCell<HashMap<Currency, Function>>,
}

impl Formats {
    pub(super) fn new(locale: Option<&str>) -> Self {
        let locales = locale.map_or_else(page_locales, |locale| Array::of1(&locale.into()));
        let number = Intl::NumberFormat::new(&locales, &Object::new()).format();
        Self { locales, number, money: RefCell::default() }
    }

    pub(super) fn number(&self, number: usize) -> String {
        formatted(&self.number, &number.to_string())
    }

    pub(super) fn money(&self, amount: Amount) -> String {
        let mut cache = self.money.borrow_mut();
        let format = cache.entry(amount.currency()).or_insert_with(|| self.money_format(amount.currency()));
        formatted(format, &amount.decimal())
    }

    /// A wait: in seconds up to two minutes, then in minutes, never less than it is.
    pub(super) fn duration(&self, seconds: u64) -> String {
        let (unit, count) = if seconds < 120 { ("second", seconds) } else { ("minute", seconds.div_ceil(60)) };
        let options = [("style", "unit".into()), ("unit", unit.into()), ("unitDisplay", "long".into())];
        formatted(&self.number_format(&options), &count.to_string())
    }

    pub(super) fn decimal_separator(&self) -> char {
        formatted(&self.number, "1.5").chars().find(|c| !c.is_numeric()).unwrap_or('.')
    }

    fn money_format(&self, currency: Currency) -> Function {
        // The decimals are ISO 4217's: browsers round some currencies to what is usual in cash.
        self.number_format(&[
            ("style", "currency".into()),
            ("currency", currency.code().into()),
            ("minimumFractionDigits", currency.decimals().into()),
            ("maximumFractionDigits", currency.decimals().into()),
        ])
    }

    fn number_format(&self, settings: &[(&str, JsValue)]) -> Function {
        let options = Object::new();
        for (name, value) in settings {
            // Setting a property on a fresh object cannot fail.
            let _ = Reflect::set(&options, &(*name).into(), value);
        }
        Intl::NumberFormat::new(&self.locales, &options).format()
    }
}

/// The page's language, then the customer's. A tag that is no tag would make `Intl` throw: such a page gets the
/// browser's own.
fn page_locales() -> Array {
    let window = web_sys::window();
    let root = window.as_ref().and_then(web_sys::Window::document).and_then(|document| document.document_element());
    let page = root.and_then(|root| root.get_attribute("lang")).filter(|tag| !tag.is_empty());
    let locales = window.map_or_else(Array::new, |window| Array::from(&window.navigator().languages()));
    if let Some(page) = page {
        locales.unshift(&page.as_str().into());
    }
    let canonical = Reflect::get(&js_sys::global(), &"Intl".into())
        .and_then(|intl| Reflect::get(&intl, &"getCanonicalLocales".into()))
        .ok()
        .and_then(|function| function.dyn_into::<Function>().ok())
        .and_then(|function| function.call1(&JsValue::UNDEFINED, &locales).ok());
    canonical.map_or_else(Array::new, |list| Array::from(&list))
}

/// `Intl` formats a decimal text exactly; older browsers make a number of it first, which is exact for any voucher.
fn formatted(format: &Function, decimal: &str) -> String {
    let text = format.call1(&JsValue::UNDEFINED, &decimal.into()).ok();
    text.and_then(|text| text.as_string()).unwrap_or_else(|| decimal.to_owned())
}
