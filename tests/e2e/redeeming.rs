//! A customer redeems, against page server, proxy and sandbox as programs of their own.

use crate::browser::{Browser, DESKTOP, PHONE, browse};
use crate::given;
use crate::merchant::Merchant;
use crate::sandbox::{issue, scripted, taken};
use crate::widget::Widget;
use serde_json::json;

/// A merchant's tag with a fixed amount: only the PIN is asked for.
pub(crate) const FIXED: &str =
    "endpoint=/cashier/flexepin amount=25.00 currency=EUR user-id=user_123 email=player@example.com";

/// Redeems by keys on a playground and looks at everything that follows.
async fn redeem_on_the_playground(browser: &Browser, url: &str) {
    let pin = issue(25.0, "EUR").await;
    browser.goto(url).await;
    let widget = Widget::ready_on(browser).await;
    widget.type_into("pin", &pin).await;
    assert_eq!(widget.pin_and_caret().await, (grouped(&pin), Some(19)));
    widget.choose_amount("€25.00").await;
    widget.click("submit").await;
    let detail = widget.event("flexepin-redeemed").await;
    assert_eq!(
        (&detail["code"], &detail["money"], &detail["next"]),
        (&json!("REDEEMED"), &json!("yes"), &json!("none"))
    );
    assert_eq!((&detail["amountMinor"], &detail["currency"]), (&json!(2500), &json!("EUR")));
    assert_eq!(widget.text_with("receipt", "redeemed").await.lines().next(), Some("€25.00 redeemed"));
    assert_eq!(json!(widget.texts("receipt-serial").await), json!([detail["serial"]]));
    assert_eq!(json!(widget.texts("receipt-transaction").await), json!([detail["transactionId"]]));
    assert_eq!(taken(&pin).await, detail["transactionId"]);
    assert!(!json!(widget.events().await).to_string().contains(&pin), "no event holds the PIN");
    let errors = browser.console_errors().await;
    assert!(errors.is_empty(), "{errors:?}");
}

pub(crate) fn grouped(pin: &str) -> String {
    [&pin[..4], &pin[4..8], &pin[8..12], &pin[12..]].join(" ")
}

#[tokio::test]
async fn a_voucher_typed_key_by_key_is_redeemed_on_a_phone() {
    browse(PHONE, async |browser| redeem_on_the_playground(browser, &given("E2E_DEMO")).await).await;
}

#[tokio::test]
async fn a_voucher_is_redeemed_on_the_page_that_trunk_builds() {
    // Without Trunk there is no such page; `cargo xtask test` has said so loudly.
    let Ok(url) = std::env::var("E2E_TRUNK") else { return };
    browse(DESKTOP, async |browser| redeem_on_the_playground(browser, &url).await).await;
}

#[tokio::test]
async fn a_pin_pasted_from_a_receipts_text_is_redeemed() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = issue(25.0, "EUR").await;
    let dashed = grouped(&pin).replace(' ', "-");
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        let receipt = format!("FLEXEPIN\u{a0}EUR 25.00\nPIN: {dashed}\nSerial 9876543210\n21/11/2026 10:32");
        widget.paste_into("pin", &receipt).await;
        assert_eq!(widget.pin_and_caret().await, (grouped(&pin), Some(19)));
        browser.keys(&char::from(fantoccini::key::Key::Enter).to_string()).await;
        widget.event("flexepin-redeemed").await;
        assert!(taken(&pin).await.is_string());
    })
    .await;
}

#[tokio::test]
async fn a_double_click_sends_one_request() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = scripted("0000");
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.type_into("pin", &pin).await;
        let twice =
            "const submit = document.querySelector('flexepin-cashier').shadowRoot.querySelector('[part=submit]');
            submit.click(); submit.click(); submit.form.requestSubmit();";
        browser.script(twice, &[]).await;
        widget.event("flexepin-redeemed").await;
        assert_eq!(crate::sandbox::tries(&pin).await, 1);
        let submits = widget.events().await.iter().filter(|event| event["type"] == "flexepin-submit").count();
        assert_eq!(submits, 1);
    })
    .await;
}

#[tokio::test]
async fn a_typed_amount_and_email_are_asked_for_and_the_amount_is_confirmed() {
    let shop = Merchant::with_widget("endpoint=/cashier/flexepin currency=EUR user-id=user_123").await;
    let pin = issue(50.0, "EUR").await;
    browse(PHONE, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.type_into("pin", &pin).await;
        widget.type_into("amount", "50").await;
        widget.type_into("email", "player@example.com").await;
        widget.click("submit").await;
        widget.text_with("confirm", "Redeem €50.00?").await;
        assert_eq!(crate::sandbox::tries(&pin).await, 0, "nothing is sent before it is confirmed");
        widget.click("back").await;
        widget.reaches("editing").await;
        widget.click("submit").await;
        widget.click("confirm-yes").await;
        let detail = widget.event("flexepin-redeemed").await;
        assert_eq!(detail["amountMinor"], 5000);
    })
    .await;
}

#[tokio::test]
async fn before_submit_is_asked_first_and_can_stop_it() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = issue(25.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        let set = |answer: &str| {
            format!(
                "document.querySelector('flexepin-cashier').beforeSubmit = ask => {{ window.asked = ask; {answer} }}"
            )
        };
        browser.script(&set("return false"), &[]).await;
        widget.type_into("pin", &pin).await;
        widget.submit_when_options_are_in_force().await;
        widget.text_with("form-error", "Your voucher is untouched").await;
        assert_eq!(crate::sandbox::tries(&pin).await, 0);
        let asked = browser.script("return JSON.stringify(window.asked)", &[]).await;
        assert!(
            asked.as_str().is_some_and(|asked| asked.contains("\"amountMinor\":2500") && !asked.contains(&pin)),
            "{asked}"
        );
        browser.script(&set("return new Promise(resolve => { window.allow = resolve })"), &[]).await;
        widget.submit_when_options_are_in_force().await;
        widget.reaches("preparing").await;
        assert_eq!(crate::sandbox::tries(&pin).await, 0);
        browser.script("window.allow({ headers: { 'Accept-Language': 'en' } })", &[]).await;
        widget.event("flexepin-redeemed").await;
    })
    .await;
}

#[tokio::test]
async fn what_is_on_screen_is_what_is_sent_whatever_is_pasted_while_the_form_is_locked() {
    let shop = Merchant::with_widget("endpoint=/cashier/flexepin currency=EUR user-id=u email=a@example.com").await;
    let (pin, other) = (issue(25.0, "EUR").await, issue(25.0, "EUR").await);
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.type_into("pin", &pin).await;
        widget.type_into("amount", "25").await;
        widget.click("submit").await;
        widget.reaches("confirming").await;
        widget.paste_into("pin", &other).await;
        assert_eq!(widget.pin_and_caret().await.0, grouped(&pin));
        widget.click("confirm-yes").await;
        widget.event("flexepin-redeemed").await;
        assert!(taken(&pin).await.is_string() && taken(&other).await.is_null());
    })
    .await;
}

#[tokio::test]
async fn one_tap_submits_though_the_field_that_it_leaves_is_wrong() {
    let shop = Merchant::with_widget(FIXED).await;
    browse(PHONE, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.type_into("pin", "12345").await;
        let submits = "window.submits = 0;
            const root = document.querySelector('flexepin-cashier').shadowRoot;
            root.querySelector('form').addEventListener('submit', () => { window.submits += 1 });
            const box = root.querySelector('[part=submit]').getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height - 4]";
        let place = browser.script(submits, &[]).await;
        browser.devtools("Emulation.setTouchEmulationEnabled", json!({ "enabled": true })).await;
        let touch = json!({ "type": "touchStart", "touchPoints": [{ "x": place[0], "y": place[1] }] });
        browser.devtools("Input.dispatchTouchEvent", touch).await;
        browser.devtools("Input.dispatchTouchEvent", json!({ "type": "touchEnd", "touchPoints": [] })).await;
        widget.text_with("error", "You have entered 5.").await;
        assert_eq!(browser.script("return window.submits", &[]).await, 1, "the tap reached the button");
    })
    .await;
}
