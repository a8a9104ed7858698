//! The PIN field: the shell's own, whatever the app does beside it.

use crate::page::{PIN, Page, options, shell};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::HtmlInputElement;

#[wasm_bindgen_test]
fn what_was_typed_before_the_app_came_stays_with_focus_and_caret() {
    let (host, root) = shell();
    let input: HtmlInputElement =
        root.query_selector("[part=pin]").expect("a selector").expect("the field").unchecked_into();
    input.focus().expect("focused");
    input.set_value("12345678");
    input.set_selection_range(6, 6).expect("a caret");
    let page = Page::mount_over(host, root, &options("{}"));
    assert!(page.part("pin").is_same_node(Some(&input)), "the same field");
    assert!(page.root.active_element().is_some_and(|active| active.is_same_node(Some(&input))), "with the focus");
    assert_eq!(input.value(), "1234 5678");
    assert_eq!(input.selection_start(), Ok(Some(7)), "the caret behind the same digit");
}

#[wasm_bindgen_test]
async fn letters_are_kept_and_named_and_nothing_is_lost() {
    let page = Page::mount(&options("{}"));
    page.type_into("pin", "12ab34");
    assert!(!page.handle.submit());
    page.shows("error", "digits only").await;
    let input: HtmlInputElement = page.part("pin").unchecked_into();
    assert_eq!(input.value(), "12ab34");
}

#[wasm_bindgen_test]
async fn the_merchants_own_words_are_shown_as_text() {
    let page = Page::mount(&options(r#"{"messages": {"pin-label": "<b>Code</b> {"}}"#));
    assert_eq!(
        page.root.query_selector("label").expect("a selector").expect("a label").text_content().as_deref(),
        Some("<b>Code</b> {")
    );
    page.handle.set_field_error("pin", Some("<img src=x onerror=alert(1)>".into()));
    page.shows("error", "<img src=x onerror=alert(1)>").await;
    assert!(page.root.query_selector("img").expect("a selector").is_none());
}

#[wasm_bindgen_test]
fn destroying_erases_the_field() {
    let page = Page::mount(&options("{}"));
    page.type_into("pin", PIN);
    let input: HtmlInputElement = page.part("pin").unchecked_into();
    drop(page);
    assert_eq!(input.value(), "");
}
