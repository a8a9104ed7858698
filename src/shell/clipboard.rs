//! Copying text for the customer: references and receipts, never a PIN.

use wasm_bindgen_futures::JsFuture;

/// Whether the text is in the clipboard now. It is not where the page may not write there.
pub(crate) async fn copy(text: &str) -> bool {
    let Some(navigator) = web_sys::window().map(|window| window.navigator()) else { return false };
    // Missing on plain-HTTP pages, whatever the type says.
    if js_sys::Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|clipboard| clipboard.is_undefined()) {
        return false;
    }
    JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}
