//! A customer redeems, against page server, proxy and sandbox as programs of their own.

use crate::browser::{DESKTOP, PHONE, browse};
use crate::merchant::{FIXED, Merchant};
use crate::sandbox::{grouped, issue, scripted, taken};
use crate::widget::Widget;
use serde_json::json;

#[tokio::test]
async fn a_voucher_typed_key_by_key_is_redeemed_by_enter_and_by_the_button() {
    let shop = Merchant::with_widget(&FIXED.replace("amount=25.00", "amounts='10 25'")).await;
    for (screen, by_enter) in [(PHONE, false), (DESKTOP, true)] {
        let pin = issue(25.0, "EUR").await;
        browse(screen, async |browser| {
            browser.goto(&shop.url).await;
            let widget = Widget::ready_on(browser).await;
            widget.choose_amount("€25.00").await;
            widget.type_into("pin", &pin).await;
            assert_eq!(widget.pin_and_caret().await, (grouped(&pin), Some(19)));
            if by_enter {
                browser.keys(&char::from(fantoccini::key::Key::Enter).to_string()).await;
            } else {
                widget.click("submit").await;
            }
            let detail = widget.event("flexepin-redeemed").await;
            assert_eq!((&detail["amountMinor"], &detail["currency"]), (&json!(2500), &json!("EUR")));
            assert_eq!(widget.text_with("receipt", "redeemed").await.lines().next(), Some("€25.00 redeemed"));
            assert_eq!(taken(&pin).await, detail["transactionId"]);
            assert!(!json!(widget.events().await).to_string().contains(&pin), "no event holds the PIN");
            let errors = browser.console_errors().await;
            assert!(errors.is_empty(), "{errors:?}");
        })
        .await;
    }
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
