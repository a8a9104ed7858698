//! Prints the widget alone: whatever else is on the merchant's page is not on the paper, but for what is in a shadow root
//! with it.

use crate::object::{call, get, new, set};
use gloo_events::EventListener;
use js_sys::Array;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, ShadowRoot};

const MARK: &str = "data-flexepin-printing";

/// Only while the page is printed, and only there.
const STYLE: &str = "@media print {
  body * { visibility: hidden !important; }
  [data-flexepin-printing] { visibility: visible !important; position: absolute !important; inset: 0 auto auto 0 !important; }
}";

/// Opens the browser's own dialog; nothing happens where there is none to open (in an app's web view).
pub(crate) fn print(root: &ShadowRoot) {
    let window = js_sys::global();
    if !get(&window, "print").is_function() {
        return;
    }
    let host = outermost(root.host());
    let document = get(&window, "document");
    let sheet = new(&get(&window, "CSSStyleSheet"), &[]);
    call(&sheet, "replaceSync", &[STYLE.into()]);
    let sheets = Array::from(&get(&document, "adoptedStyleSheets"));
    sheets.push(&sheet);
    let _ = host.set_attribute(MARK, "");
    set(&document, "adoptedStyleSheets", &sheets);
    let restore = Rc::new(move || {
        let _ = host.remove_attribute(MARK);
        let others = Array::from(&get(&document, "adoptedStyleSheets")).into_iter().filter(|other| *other != sheet);
        set(&document, "adoptedStyleSheets", &others.collect::<Array>());
    });
    // Phones print in the background: what was printed is known when it has been. Where a frame may open no dialog nothing
    // is ever printed, and the customer goes on.
    for end in ["afterprint", "pointerdown", "keydown"] {
        let restore = Rc::clone(&restore);
        EventListener::once(window.unchecked_ref(), end, move |_| restore()).forget();
    }
    call(&window, "print", &[]);
}

/// The element of the page itself that this one is in, through all shadow roots.
fn outermost(element: Element) -> Element {
    match element.get_root_node().dyn_into::<ShadowRoot>() {
        Ok(root) => outermost(root.host()),
        Err(_) => element,
    }
}
