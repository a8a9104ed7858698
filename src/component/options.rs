//! From props to the app's options, by the table of `static/options.js`: there is no second check.

use super::CashierProps;
use crate::app::Settings;
use crate::embed;
use crate::object::{get, object, set};
use crate::shell::before_submit::Asked;
use js_sys::{Array, Error, JSON, Object};
use redemption::Options;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::console;
use yew::AttrValue;

#[wasm_bindgen(module = "/static/options.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn parse(name: &str, value: &JsValue) -> Result<JsValue, Error>;
}

/// What the host shows: the theme, the language and the merchant's words, as the custom element has them.
pub(super) struct Looks {
    pub(super) theme: String,
    pub(super) language: JsValue,
    pub(super) messages: JsValue,
}

/// The looks alone: there even where other options are wrong.
pub(super) fn looks(props: &CashierProps) -> Looks {
    Looks {
        theme: props.theme.as_deref().unwrap_or("auto").to_owned(),
        language: language(props),
        messages: messages(props),
    }
}

/// The options and the settings, or what is wrong, for the merchant.
pub(super) fn read(props: &CashierProps, looks: &Looks) -> Result<(Options, Settings), String> {
    let read = Object::new();
    for (name, value) in given(props) {
        let value = parse(name, &value).map_err(|error| String::from(error.message()))?;
        set(&read, name, &value);
    }
    set(&read, "language", &looks.language);
    let (mut options, mut settings) =
        embed::options::read(&read).map_err(|reason| format!("flexepin-cashier: {reason}"))?;
    // A function in Rust is none that the table could look at.
    if let Some(asked) = &props.before_submit {
        options.before_submit = true;
        settings.before_submit = Some(asked.0.clone());
    }
    Ok((options, settings))
}

/// The catalogue, with the locale for numbers and dates: the prop's, else the catalogue's own, else English.
fn language(props: &CashierProps) -> JsValue {
    let catalogue = props.catalogue.as_deref().map(JSON::parse).transpose();
    let catalogue = catalogue.unwrap_or_else(|_| {
        console::warn_1(&"flexepin-cashier: catalogue is no JSON; English is shown.".into());
        None
    });
    let own = |name: &str| catalogue.as_ref().map(|catalogue| get(catalogue, name)).unwrap_or_default();
    // What is no tag would make `Intl` throw; that a prop is none is told with the other options.
    let is_tag = |tag: &JsValue| tag.is_string() && *tag != "auto" && parse("locale", tag).is_ok();
    let tags = [props.locale.as_deref().map(JsValue::from).unwrap_or_default(), own("locale")];
    let dir = Some(own("dir")).filter(JsValue::is_string).unwrap_or_else(|| "ltr".into());
    let messages = Some(own("messages")).filter(JsValue::is_object).unwrap_or_else(|| Object::new().into());
    object(&[
        ("tag", tags.into_iter().find(is_tag).unwrap_or_else(|| "en".into())),
        ("dir", dir),
        ("messages", messages),
    ])
    .into()
}

/// Every option by its name in the table, as a page would give it.
fn given(props: &CashierProps) -> [(&'static str, JsValue); 14] {
    let text = |value: &Option<AttrValue>| value.as_deref().map_or(JsValue::NULL, JsValue::from);
    let before_submit = match &props.before_submit {
        Some(super::BeforeSubmitFn(Asked::Script(function))) => function.into(),
        _ => JsValue::NULL,
    };
    [
        ("endpoint", props.endpoint.as_str().into()),
        ("currency", props.currency.as_str().into()),
        ("amounts", amounts(&props.amounts)),
        ("amount", text(&props.amount)),
        ("userId", text(&props.user_id)),
        ("email", text(&props.email)),
        ("brandId", text(&props.brand_id)),
        ("sessionToken", text(&props.session_token)),
        ("locale", text(&props.locale)),
        ("theme", text(&props.theme)),
        ("timeout", props.timeout.map_or(JsValue::NULL, JsValue::from)),
        ("credentials", text(&props.credentials)),
        ("messages", messages(props)),
        ("beforeSubmit", before_submit),
    ]
}

fn amounts(amounts: &super::Amounts) -> JsValue {
    match amounts {
        super::Amounts::NotGiven => JsValue::NULL,
        super::Amounts::Text(text) => text.as_str().into(),
        super::Amounts::List(list) => list.iter().map(|text| JsValue::from(text.as_str())).collect::<Array>().into(),
    }
}

fn messages(props: &CashierProps) -> JsValue {
    let messages = Object::new();
    for (key, text) in &props.messages {
        set(&messages, key, &text.as_str().into());
    }
    messages.unchecked_into()
}
