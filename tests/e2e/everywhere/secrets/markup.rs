//! Markup in any text that a server or the merchant's page gives is shown as text, in every screen that it reaches.

use crate::browser::{Browser, DESKTOP, browse};
use crate::merchant::{FIXED, Merchant, bad};
use crate::sandbox::{issue, scripted};
use crate::widget::Widget;
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

/// Would run if it were anything but text.
const MARKUP: &str = "<img src=x onerror='window.executed=1'><b>bold</b>";

/// Every message that a merchant can put in another's place.
fn message_keys() -> Vec<&'static str> {
    let typings = include_str!("../../../../static/flexepin-cashier.d.ts");
    let (_, keys) = typings.split_once("type FlexepinMessageKey =").expect("the typings list them");
    let (keys, _) = keys.split_once(';').expect("the list ends");
    keys.split('"').skip(1).step_by(2).collect()
}

/// Nothing of the widget's has an element that only markup could have made, and nothing ran.
async fn is_all_text(browser: &Browser, screen: &str) {
    let made = "const root = document.querySelector('flexepin-cashier').shadowRoot;
        return root.querySelectorAll('img, b, script, iframe, svg[onload]').length";
    assert_eq!(browser.script(made, &[]).await, 0, "{screen}");
    assert_eq!(browser.script("return window.executed ?? null", &[]).await, Value::Null, "{screen}");
}

/// A tag whose endpoint always gives this answer.
fn answered_by(status: u16, answer: &Value) -> String {
    let answer: String = byte_serialize(answer.to_string().as_bytes()).collect();
    FIXED.replace("/cashier/flexepin", &format!("'{}?status={status}&json={answer}'", bad::SAYS))
}

#[tokio::test]
async fn markup_in_a_servers_texts_is_text_on_every_screen_that_shows_them() {
    let id = format!("\u{202e}{MARKUP}\u{7}");
    let texts =
        json!({"message": MARKUP, "status": MARKUP, "errors": [MARKUP], "transactionId": id, "isSuccess": false});
    let with = |name: &str, value: Value| {
        let mut texts = texts.clone();
        texts[name] = value;
        texts
    };
    let redeemed =
        json!({"result": "0", "serial": id, "transactionId": id, "value": 25.0, "currency": MARKUP, "status": MARKUP});
    for (part, status, answer) in [
        ("receipt", 200, json!({"status": MARKUP, "isSuccess": true, "message": MARKUP, "data": redeemed})),
        ("error", 400, with("message", json!("Voucher already redeemed"))),
        ("error", 400, with("message", json!(format!("Voucher rejected {MARKUP}")))),
        ("failed", 400, with("errorCode", json!("INVALID_PSP_CREDENTIALS"))),
        ("unconfirmed", 500, with("errorCode", json!("UNKNOWN_PSP_ERROR"))),
        ("unconfirmed", 400, with("errorCode", json!(MARKUP))),
    ] {
        let shop = Merchant::with_widget(&answered_by(status, &answer)).await;
        browse(DESKTOP, async |browser| {
            browser.goto(&shop.url).await;
            let mut widget = Widget::ready_on(browser).await;
            widget.type_into("pin", "1234567890123456").await;
            widget.click("submit").await;
            let reference = &MARKUP[..20];
            let shows_it = part != "error" || answer["message"] == "Voucher already redeemed";
            let shown = widget.text_with(part, if shows_it { reference } else { "did not accept this voucher" }).await;
            assert!(!shown.contains(['\u{202e}', '\u{7}']), "{shown:?}");
            is_all_text(browser, part).await;
            if part == "unconfirmed" {
                widget.click("another").await;
                widget.text_with("card", reference).await;
                is_all_text(browser, "card").await;
                browser.reload().await;
                widget = Widget::ready_on(browser).await;
                widget.text_with("card", reference).await;
                is_all_text(browser, "card after a reload").await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn markup_in_every_message_is_text_on_every_screen() {
    let keys = message_keys();
    assert!(keys.len() > 80, "{keys:?}");
    let options = "endpoint=/cashier/flexepin currency=EUR user-id='<b>user</b>'";
    let shop = Merchant::with_widget(options).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        let (good, fields) = (issue(25.0, "EUR").await, ["pin", "amount", "email"]);
        let set =
            "const [keys, markup] = arguments, messages = Object.fromEntries(keys.map(key => [key, key + markup]));
            document.querySelector('flexepin-cashier').messages = messages";
        browser.script(set, &[json!(keys), json!(MARKUP)]).await;
        widget.text_with("submit", MARKUP).await;
        for field in fields {
            widget.call("setFieldError", &[json!(field), json!(MARKUP)]).await;
        }
        crate::browser::until("each field has the merchant's words", async || {
            let shown = widget.texts("error").await;
            (shown.iter().filter(|text| text.contains(MARKUP)).count() == fields.len()).then_some(())
        })
        .await;
        is_all_text(browser, "the merchant's errors").await;
        widget.click("submit").await;
        widget.text_with("error", "pin-empty<img").await;
        is_all_text(browser, "the form").await;

        for (pin, part) in [
            (scripted("4075"), "error"),
            (scripted("0403"), "failed"),
            (scripted("0599"), "unconfirmed"),
            (good, "receipt"),
        ] {
            for (field, text) in [("pin", pin.as_str()), ("amount", "25"), ("email", "a@example.com")] {
                widget.clear(field).await;
                widget.type_into(field, text).await;
            }
            widget.click("submit").await;
            widget.text_with("confirm", "confirm-title<img").await;
            is_all_text(browser, "the question").await;
            widget.click("confirm-yes").await;
            widget.text_with(part, "<img").await;
            is_all_text(browser, part).await;
            match part {
                "failed" => widget.click("edit").await,
                "unconfirmed" => widget.click("another").await,
                _ => {}
            }
        }
        let post = shop.requests().into_iter().find(|seen| seen.line == "POST /cashier/flexepin");
        let body = post.expect("it was sent").body;
        assert!(body.contains("<b>user</b>"), "an option is what it is: {body}");
    })
    .await;
}
