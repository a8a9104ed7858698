//! Texts of another language, and of the merchant: what is missing or cannot be used is said in English, or as it was.

use crate::page::{Page, get, options};
use js_sys::{Function, JSON, Object, Reflect};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::HtmlInputElement;

/// The catalogue of Russian, which has four plural categories.
const RUSSIAN: &str = include_str!("../../static/locales/ru.json");
const HEBREW: &str = include_str!("../../static/locales/he.json");

/// The options for a language, with the catalogue as it is changed by `change`.
fn in_language(tag: &str, catalogue: &str, change: impl FnOnce(&JsValue)) -> JsValue {
    let language = JSON::parse(catalogue).expect("JSON");
    change(&get(&language, "messages"));
    set(&language, "tag", &tag.into());
    let options = options("{}");
    set(&options, "language", &language);
    options
}

fn set(object: &JsValue, name: &str, value: &JsValue) {
    Reflect::set(object, &name.into(), value).expect("set");
}

/// What is warned of while `act` runs.
fn warnings(act: impl FnOnce()) -> Vec<String> {
    let console = get(&js_sys::global(), "console");
    let before = get(&console, "warn");
    let heard: Rc<RefCell<Vec<String>>> = Rc::default();
    let kept = Rc::clone(&heard);
    let hear = Closure::<dyn Fn(String)>::new(move |text: String| kept.borrow_mut().push(text));
    set(&console, "warn", hear.as_ref());
    act();
    set(&console, "warn", &before);
    heard.take()
}

#[wasm_bindgen_test]
async fn a_count_takes_the_form_that_its_language_has_for_it() {
    let page = Page::mount(&in_language("ru", RUSSIAN, |_| ()));
    for (typed, form) in
        [("1", "1 цифру"), ("1234", "4 цифры"), ("1234 5", "5 цифр"), ("1234 5678 9012 3456 78901", "21 цифру")]
    {
        page.type_into("pin", typed);
        assert!(!page.handle.submit(), "{typed}");
        page.shows("error", form).await;
    }
}

#[wasm_bindgen_test]
fn a_text_that_is_missing_is_said_in_english_and_named() {
    let mut hint = String::new();
    let told = warnings(|| {
        let page = Page::mount(&in_language("ru", RUSSIAN, |messages| {
            Reflect::delete_property(messages.unchecked_ref::<Object>(), &"pin-hint".into()).expect("deleted");
        }));
        hint = page.text("hint");
    });
    assert_eq!(hint, "The 16 digits on your voucher");
    assert_eq!(told, ["flexepin-cashier: the texts of ru lack \"pin-hint\", which is said in English."]);
}

#[wasm_bindgen_test]
async fn between_hebrew_words_money_runs_from_left_to_right() {
    let page = Page::mount(&in_language("he", HEBREW, |_| ()));
    let label = page.text("submit");
    assert!(label.contains('\u{2066}') && label.contains("25.00") && label.ends_with('\u{2069}'), "{label:?}");
}

#[wasm_bindgen_test]
fn words_of_the_merchant_that_cannot_be_used_are_named_and_left_out() {
    let long = "x".repeat(601);
    let overrides = format!(
        r#"{{"messages": {{"pin-label": "{long}", "pin-hint": "All {{digits}}", "titel": "T", "submit-amount": "Go: {{amount}}"}}}}"#
    );
    let mut shown = Vec::new();
    let mut told = warnings(|| {
        let page = Page::mount(&options(&overrides));
        shown = ["label", "hint", "submit"].map(|part| page.text(part)).to_vec();
        let pin: HtmlInputElement = page.part("pin").unchecked_into();
        pin.focus().expect("usable");
    });
    told.sort();
    assert_eq!(shown, ["Flexepin PIN", "The 16 digits on your voucher", "Go: €25.00"]);
    assert_eq!(
        told,
        [
            "flexepin-cashier: messages: \"pin-hint\" has no {digits} to show.",
            "flexepin-cashier: messages: \"pin-label\" is longer than 600 characters.",
            "flexepin-cashier: messages: \"titel\" is the key of no text.",
        ]
    );
}

/// The page's script is asked what it says: it has the merchant's words before those of the language.
#[wasm_bindgen_test]
fn the_shell_says_the_merchants_words_then_the_languages_then_english() {
    let module = include_str!("../../static/shell.js").replace("export const", "const");
    let say = Function::new_with_args(
        "language, messages, key",
        &format!("{module}\nreturn makeSay(language, messages)(key);"),
    );
    let language = JSON::parse(r#"{"messages": {"stopped": "Angehalten"}}"#).expect("JSON");
    let messages = JSON::parse(r#"{"stopped": "Aus"}"#).expect("JSON");
    let said = |language: &JsValue, messages: &JsValue, key: &str| {
        say.call3(&JsValue::UNDEFINED, language, messages, &key.into()).ok().and_then(|text| text.as_string())
    };
    assert_eq!(said(&language, &messages, "stopped").as_deref(), Some("Aus"));
    assert_eq!(said(&language, &JsValue::NULL, "stopped").as_deref(), Some("Angehalten"));
    assert_eq!(said(&language, &JsValue::NULL, "tell-shop").as_deref(), Some("Please tell the shop."));
}
