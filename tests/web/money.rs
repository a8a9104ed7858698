//! Money as the customer's locale writes it.

use crate::page::{Page, options};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn amounts_are_written_as_the_locale_writes_them() {
    for (locale, currency, amount, label) in [
        ("en", "EUR", "25.00", "Redeem €25.00"),
        ("en", "JPY", "2500", "Redeem ¥2,500"),
        ("en", "KWD", "25.125", "Redeem KWD\u{a0}25.125"),
        ("de-DE", "EUR", "1250.5", "Redeem 1.250,50\u{a0}€"),
    ] {
        let language = format!(r#"{{"tag": "{locale}", "dir": "ltr", "messages": {{}}}}"#);
        let changes = format!(r#"{{"language": {language}, "currency": "{currency}", "amount": "{amount}"}}"#);
        let page = Page::mount(&options(&changes));
        assert_eq!(page.text("submit"), label, "{locale} {currency}");
    }
}

#[wasm_bindgen_test]
async fn an_amount_is_typed_with_the_locales_own_separator() {
    let page = Page::mount(&options(r#"{"language": {"tag": "de-DE", "dir": "ltr", "messages": {}}, "amount": null}"#));
    page.type_into("pin", crate::page::PIN);
    crate::page::until("the amount field", || {
        page.root.query_selector("[part=amount]").is_ok_and(|found| found.is_some())
    })
    .await;
    page.type_into("amount", "25,00");
    assert!(page.handle.submit());
    assert_eq!(page.phase(), "confirming");
}

#[wasm_bindgen_test]
fn options_that_do_not_go_together_are_refused_by_name() {
    for (changes, says) in [
        (r#"{"amount": "25.001"}"#, "amount \"25.001\" has too many decimals"),
        (r#"{"amount": null, "amounts": ["10", "0"]}"#, "amounts \"0\" must be more than 0"),
        (r#"{"amounts": ["10"]}"#, "amount and amounts exclude each other"),
        (r#"{"currency": "XXX"}"#, "currency is not a currency code"),
    ] {
        let (host, root) = crate::page::shell();
        let emit = js_sys::Function::new_no_args("");
        let error = flexepin_cashier::mount(root, &options(changes), emit.clone(), emit)
            .err()
            .and_then(|error| error.as_string());
        assert!(error.as_deref().is_some_and(|error| error.contains(says)), "{changes}: {error:?}");
        host.remove();
    }
}
