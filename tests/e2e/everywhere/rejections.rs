//! What is not redeemed: each rejection at the field at fault with the PIN kept, each failure of the set-up told to the
//! merchant and, in plain words, to the customer.

use crate::browser::{DESKTOP, PHONE, browse};
use crate::merchant::{FIXED, Merchant};
use crate::sandbox::{grouped, issue, scripted};
use crate::widget::Widget;
use serde_json::json;

const CHOICE: &str =
    "endpoint=/cashier/flexepin amounts='10 25' currency=EUR user-id=user_123 email=player@example.com";

#[tokio::test]
async fn each_rejection_stands_at_the_field_at_fault_with_the_pin_kept_and_the_focus_there() {
    let shop = Merchant::with_widget(CHOICE).await;
    for (pin, code, next, field, words) in [
        (scripted("4075"), "INVALID_VOUCHER_PIN", "edit", "pin", "Flexepin does not know this PIN"),
        (scripted("0410"), "VOUCHER_ALREADY_REDEEMED", "support", "pin", "already been used"),
        (scripted("0411"), "MISMATCHED_AMOUNT", "edit", "amount-choice", "not worth €25.00"),
        (scripted("0412"), "MISMATCHED_CURRENCY", "edit", "pin", "another currency"),
        (scripted("0777"), "VOUCHER_REJECTED", "edit", "pin", "did not accept this voucher"),
        (issue(10.0, "EUR").await, "MISMATCHED_AMOUNT", "edit", "amount-choice", "not worth €25.00"),
        (issue(25.0, "USD").await, "MISMATCHED_CURRENCY", "edit", "pin", "another currency"),
    ] {
        browse(PHONE, async |browser| {
            browser.goto(&shop.url).await;
            let widget = Widget::ready_on(browser).await;
            widget.type_into("pin", &pin).await;
            widget.choose_amount("€25.00").await;
            widget.click("submit").await;
            let detail = widget.event("flexepin-rejected").await;
            assert_eq!((&detail["code"], &detail["next"]), (&json!(code), &json!(next)));
            // The proxy keeps attempts, so "already used" at first sight was somebody else's doing.
            assert_eq!(detail["money"], "no", "{code}");
            widget.text_with("error", words).await;
            widget.reaches("editing").await;
            assert_eq!(widget.pin_and_caret().await.0, grouped(&pin), "{code}");
            widget.has_focus(field).await;
            assert!(!json!(detail).to_string().contains(&pin), "{code}: no event holds the PIN");
        })
        .await;
    }
}

#[tokio::test]
async fn a_failure_of_the_set_up_is_told_to_the_merchant_and_in_plain_words_to_the_customer() {
    let shop = Merchant::with_widget(FIXED).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.type_into("pin", &scripted("0403")).await;
        widget.click("submit").await;
        let detail = widget.event("flexepin-failed").await;
        let told = (&detail["code"], &detail["money"], &detail["next"]);
        assert_eq!(told, (&json!("INVALID_PSP_CREDENTIALS"), &json!("no"), &json!("none")));
        let shown = widget.text_with("failed", "Please tell the shop").await;
        assert!(
            shown.contains("untouched") && shown.contains(detail["reference"].as_str().expect("a reference")),
            "{shown}"
        );
        let errors = browser.console_errors().await.join("\n");
        assert!(errors.contains("INVALID_PSP_CREDENTIALS") && errors.contains("Payment Methods"), "{errors}");
        widget.click("edit").await;
        widget.reaches("editing").await;
    })
    .await;
}

#[tokio::test]
async fn too_many_requests_are_waited_out_and_who_does_not_want_to_wait_has_an_untouched_voucher() {
    let shop = Merchant::with_widget(FIXED).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.type_into("pin", &scripted("0429")).await;
        widget.click("submit").await;
        widget.text_with("waiting", "Nothing has been taken from your voucher yet").await;
        widget.click("stop").await;
        let detail = widget.event("flexepin-failed").await;
        let told = (&detail["code"], &detail["money"], &detail["next"]);
        assert_eq!(told, (&json!("PSP_RATE_LIMITED"), &json!("no"), &json!("same-attempt")));
        widget.click("retry").await;
        assert_eq!(widget.event("flexepin-redeemed").await["attempt"], detail["attempt"]);
    })
    .await;
}

#[tokio::test]
async fn what_proves_nothing_is_unconfirmed_with_the_right_way_on() {
    let shop = Merchant::with_widget(FIXED).await;
    for (script, code, next, may_retry) in [
        ("0599", "UNKNOWN_PSP_ERROR", "support", false),
        ("0202", "PENDING", "status", false),
        ("0503", "PSP_UNAVAILABLE", "status", true),
        ("0502", "NO_ANSWER", "status", true),
        ("0201", "NO_ANSWER", "status", true),
    ] {
        browse(PHONE, async |browser| {
            browser.goto(&shop.url).await;
            let widget = Widget::ready_on(browser).await;
            widget.type_into("pin", &scripted(script)).await;
            widget.click("submit").await;
            if may_retry {
                widget.text_with("waiting", "There is no clear answer yet").await;
                widget.click("stop").await;
            }
            let detail = widget.event("flexepin-unconfirmed").await;
            let told = (&detail["code"], &detail["money"], &detail["next"]);
            assert_eq!(told, (&json!(code), &json!("unknown"), &json!(next)), "{script}");
            widget.text_with("unconfirmed", "Do not use this voucher anywhere else").await;
            assert_eq!(widget.shows("retry").await, may_retry, "{script}");
            assert!(widget.shows("check").await && widget.shows("another").await, "{script}: there is a way on");
        })
        .await;
    }
}

#[tokio::test]
async fn a_wrong_set_up_is_named_on_the_console_and_nothing_can_be_sent() {
    for (attributes, named) in [
        ("currency=EUR amount=25", "endpoint is required"),
        ("endpoint=/cashier/flexepin amount=25", "currency is required"),
        ("endpoint=/cashier/flexepin currency=EUX amount=25", "currency must be a currency code of ISO 4217"),
        ("endpoint=/cashier/flexepin currency=EUR amount=25.001", "too many decimals"),
        ("endpoint=/cashier/flexepin currency=EUR amount=0", "more than 0"),
        ("endpoint=/cashier/flexepin currency=EUR amount=25,00", "must be a decimal number"),
        ("endpoint=/cashier/flexepin currency=EUR amount=1e9", "must be a decimal number"),
        ("endpoint=/cashier/flexepin currency=EUR amounts='10 -5'", "must be a decimal number"),
        ("endpoint=/cashier/flexepin currency=EUR amount=25 amounts='10 25'", "exclude each other"),
        ("endpoint=http://shop.example/ currency=EUR amount=25", "must be https"),
        ("endpoint=javascript:alert(1) currency=EUR amount=25", "must be https"),
        ("endpoint=/cashier/flexepin currency=EUR amount=25 timeout=5", "from 1000 to 120000"),
        ("endpoint=/cashier/flexepin currency=EUR amount=25 theme=pink", "must be one of auto, light, dark"),
        ("endpoint=/cashier/flexepin currency=EUR amount=25 locale=x", "BCP 47"),
    ] {
        let shop = Merchant::with_widget(attributes).await;
        browse(DESKTOP, async |browser| {
            browser.goto(&shop.url).await;
            let widget = Widget::present_on(browser).await;
            let detail = widget.event("flexepin-failed").await;
            assert_eq!((&detail["code"], &detail["money"]), (&json!("config"), &json!("no")), "{attributes}");
            widget.text_with("notice", "not set up correctly").await;
            assert!(!widget.shows("submit").await, "{attributes}");
            let errors = browser.console_errors().await.join("\n");
            assert!(errors.contains(named), "{attributes}: {errors}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_wrong_property_throws_and_a_right_one_repairs_the_set_up() {
    let shop = Merchant::with_widget("currency=EUR amount=25 user-id=u email=a@example.com").await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::present_on(browser).await;
        widget.event("flexepin-failed").await;
        let set = "const widget = document.querySelector('flexepin-cashier');
            try { widget[arguments[0]] = arguments[1]; return null } catch (error) { return [error.name, error.message] }";
        let error = browser.script(set, &[json!("timeout"), json!(5)]).await;
        assert_eq!((&error[0], error[1].as_str().is_some_and(|text| text.contains("timeout"))), (&json!("TypeError"), true));
        assert_eq!(browser.script(set, &[json!("endpoint"), json!("/cashier/flexepin")]).await, json!(null));
        widget.event("flexepin-ready").await;
        assert!(widget.shows("submit").await && widget.texts("notice").await.concat().is_empty());
    })
    .await;
}
