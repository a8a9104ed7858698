//! A customer redeems on the playground's pages, and by a touch: in Chromium.

use crate::browser::{Browser, DESKTOP, PHONE, browse, until};
use crate::given;
use crate::merchant::{FIXED, Merchant};
use crate::sandbox::{grouped, issue, taken};
use crate::widget::Widget;
use serde_json::json;

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
async fn one_tap_submits_though_the_field_that_it_leaves_is_wrong() {
    let shop = Merchant::with_widget(FIXED).await;
    browse(PHONE, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.type_into("pin", "12345").await;
        let clicks = "window.clicks = 0;
            const button = document.querySelector('flexepin-cashier').shadowRoot.querySelector('[part=submit]');
            button.addEventListener('click', () => { window.clicks += 1 });
            const box = button.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height - 4]";
        let place = browser.script(clicks, &[]).await;
        browser.devtools("Emulation.setTouchEmulationEnabled", json!({ "enabled": true })).await;
        let touch = json!({ "type": "touchStart", "touchPoints": [{ "x": place[0], "y": place[1] }] });
        browser.devtools("Input.dispatchTouchEvent", touch).await;
        browser.devtools("Input.dispatchTouchEvent", json!({ "type": "touchEnd", "touchPoints": [] })).await;
        widget.text_with("error", "You have entered 5 digits.").await;
        // The error is there when the field has lost the focus; the tap becomes a click after that.
        until("the tap reaches the button", async || {
            (browser.script("return window.clicks", &[]).await == 1).then_some(())
        })
        .await;
    })
    .await;
}
