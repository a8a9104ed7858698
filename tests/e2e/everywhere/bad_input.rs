//! Input that is wrong, from the customer and from the endpoint: a clear message, nothing executed, nothing lost, the
//! form usable.

use crate::browser::{DESKTOP, PHONE, browse, until_within};
use crate::merchant::{FIXED, Merchant, bad};
use crate::sandbox::{grouped, issue, tries};
use crate::widget::Widget;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_pin_that_is_none_is_said_to_be_none_and_stays() {
    let shop = Merchant::with_widget(FIXED).await;
    browse(PHONE, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        let long = "1".repeat(10_000);
        for (pasted, words) in [
            ("123456789012345", "You have entered 15 digits."),
            ("12345678901234567", "You have entered 17 digits."),
            ("1234abcd56789012", "digits only"),
            ("🎟🎟", "digits only"),
            (long.as_str(), "You have entered 10,000 digits."),
        ] {
            widget.paste_into("pin", pasted).await;
            widget.click("submit").await;
            widget.text_with("error", words).await;
            widget.has_focus("pin").await;
            let kept = widget.pin_and_caret().await.0;
            assert_eq!(kept.replace(' ', ""), pasted, "nothing is lost");
        }
        widget.clear("pin").await;
        widget.click("submit").await;
        widget.text_with("error", "Enter your Flexepin PIN").await;
        assert!(widget.events().await.iter().all(|event| event["type"] != "flexepin-submit"), "nothing was sent");
    })
    .await;
}

#[tokio::test]
async fn digits_of_other_scripts_are_digits() {
    let shop = Merchant::with_widget(FIXED).await;
    for zero in ['０', '٠', '۰'] {
        let pin = issue(25.0, "EUR").await;
        let written: String =
            pin.chars().filter_map(|digit| char::from_u32(u32::from(zero) + digit.to_digit(10)?)).collect();
        browse(DESKTOP, async |browser| {
            browser.goto(&shop.url).await;
            let widget = Widget::ready_on(browser).await;
            widget.type_into("pin", &written).await;
            assert_eq!(widget.pin_and_caret().await.0, grouped(&pin));
            widget.click("submit").await;
            widget.event("flexepin-redeemed").await;
        })
        .await;
    }
}

#[tokio::test]
async fn edits_in_the_middle_keep_the_caret_and_a_deletion_takes_a_digit() {
    let shop = Merchant::with_widget(FIXED).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        let key = |key: fantoccini::key::Key| char::from(key).to_string();
        widget.type_into("pin", "123456789").await;
        assert_eq!(widget.pin_and_caret().await, ("1234 5678 9".into(), Some(11)));
        browser.keys(&key(fantoccini::key::Key::Left)).await;
        browser.keys(&key(fantoccini::key::Key::Backspace)).await;
        assert_eq!(widget.pin_and_caret().await, ("1234 5679".into(), Some(8)), "the digit before the space is gone");
        browser.keys(&key(fantoccini::key::Key::Home)).await;
        browser.keys("0").await;
        assert_eq!(widget.pin_and_caret().await, ("0123 4567 9".into(), Some(1)));
        browser.keys(&key(fantoccini::key::Key::Delete)).await;
        assert_eq!(widget.pin_and_caret().await, ("0234 5679".into(), Some(1)));
    })
    .await;
}

#[tokio::test]
async fn an_amount_that_is_none_is_said_to_be_none_and_nothing_is_sent() {
    let shop = Merchant::with_widget("endpoint=/cashier/flexepin currency=EUR user-id=u email=a@example.com").await;
    let pin = issue(25.0, "EUR").await;
    browse(PHONE, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.type_into("pin", &pin).await;
        for (amount, words) in [
            ("0", "must be more than zero"),
            ("-5", "must be more than zero"),
            ("25.001", "too many decimals"),
            ("1e9", "in digits, such as 25.00"),
            ("25,00", "in digits, such as 25.00"),
            ("99999999999999999999", "too large"),
        ] {
            widget.clear("amount").await;
            widget.type_into("amount", amount).await;
            widget.click("submit").await;
            widget.text_with("error", words).await;
            widget.has_focus("amount").await;
        }
        widget.clear("amount").await;
        widget.click("submit").await;
        widget.text_with("error", "Enter the value of your voucher").await;
        assert_eq!(tries(&pin).await, 0);
        widget.type_into("amount", "25").await;
        widget.click("submit").await;
        widget.click("confirm-yes").await;
        widget.event("flexepin-redeemed").await;
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_that_is_none_leaves_the_truth_open_and_the_attempt_at_hand() {
    for path in [bad::HTML, bad::EMPTY, bad::CLOSED, bad::HUGE, bad::REDIRECT] {
        let attributes = FIXED.replace("/cashier/flexepin", path);
        let shop = Merchant::with_widget(&attributes).await;
        browse(DESKTOP, async |browser| {
            browser.goto(&shop.url).await;
            let widget = Widget::ready_on(browser).await;
            widget.type_into("pin", "1234567890123456").await;
            widget.click("submit").await;
            widget.click("stop").await;
            let detail = widget.event("flexepin-unconfirmed").await;
            assert_eq!((&detail["code"], &detail["money"]), (&json!("NO_ANSWER"), &json!("unknown")), "{path}");
            assert!(widget.shows("retry").await, "{path}");
            assert_eq!(browser.script("return window.executed ?? null", &[]).await, json!(null), "{path}");
            assert_eq!(browser.script("return location.pathname", &[]).await, "/", "{path}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_server_that_is_down_leaves_the_truth_open() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let shop =
        Merchant::with_widget(&FIXED.replace("/cashier/flexepin", &format!("http://{free}/cashier/flexepin"))).await;
    browse(PHONE, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.type_into("pin", "1234567890123456").await;
        widget.click("submit").await;
        // Five tries, 15 s apart in all.
        until_within(Duration::from_secs(40), "tries are spent", async || {
            (widget.phase().await == "unconfirmed").then_some(())
        })
        .await;
        assert_eq!(widget.event("flexepin-unconfirmed").await["money"], "unknown");
        widget.text_with("unconfirmed", "We do not know yet").await;
    })
    .await;
}

#[tokio::test]
async fn markup_and_overrides_in_an_answer_are_shown_as_text() {
    let shop = Merchant::with_widget(&FIXED.replace("/cashier/flexepin", bad::MARKUP)).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.type_into("pin", "1234567890123456").await;
        widget.click("submit").await;
        let detail = widget.event("flexepin-redeemed").await;
        let serial = widget.texts("receipt-serial").await.join("");
        assert!(serial.starts_with("<img src=x"), "{serial}");
        assert_eq!(detail["serial"], json!(serial));
        let shown = widget.texts("receipt").await.join("");
        assert!(!shown.contains(['\u{202e}', '\u{7}']), "{shown:?}");
        let images =
            "return document.querySelector('flexepin-cashier').shadowRoot.querySelectorAll('img, script').length";
        assert_eq!(browser.script(images, &[]).await, 0);
        assert_eq!(browser.script("return window.executed ?? null", &[]).await, json!(null));
    })
    .await;
}
