//! A trap of the wasm in every phase. Made from outside: a function of the browser that the wasm calls throws through it,
//! which leaves it in the middle of something, as a defect of ours would.

use crate::browser::{Browser, DESKTOP, browse, until_within};
use crate::merchant::{FIXED, Merchant, Road};
use crate::sandbox::{issue, scripted, taken};
use crate::widget::Widget;
use serde_json::{Value, json};
use std::time::Duration;

/// The wasm looks at the clock when the page comes back online.
const TRAP: &str = "const now = Date.now;
    Date.now = () => { throw new Error('the clock is broken') };
    window.dispatchEvent(new Event('online'));
    Date.now = now;";

/// Runs a script as the page's own: what a driver's script changes in a browser's built-in objects, a page may not see.
async fn in_page(browser: &Browser, script: &str) {
    let run = "document.head.append(Object.assign(document.createElement('script'), { textContent: arguments[0] }))";
    browser.script(run, &[json!(format!("{{ {script} }}"))]).await;
}

/// How often each outcome was told, with its code.
async fn told(widget: &Widget<'_>, kind: &str) -> Vec<Value> {
    let events = widget.events().await.into_iter().filter(|event| event["type"] == kind);
    events.map(|event| event["detail"].clone()).collect()
}

async fn submit(widget: &Widget<'_>, pin: &str) {
    widget.type_into("pin", pin).await;
    widget.click("submit").await;
}

/// The widget has said that it stopped, and works again after "try again".
async fn tries_again(browser: &Browser, widget: &Widget<'_>) {
    widget.click("retry").await;
    let twice = async || (told(widget, "flexepin-ready").await.len() == 2).then_some(());
    until_within(Duration::from_secs(10), "a fresh instance is ready", twice).await;
    assert_eq!(browser.script("return customElements.get('flexepin-cashier') !== undefined", &[]).await, true);
}

#[tokio::test]
async fn where_nothing_is_open_it_is_failed_with_the_voucher_untouched_and_what_was_typed_stays() {
    let typed = FIXED.replace("amount=25.00", "");
    for (phase, attributes) in [("editing", FIXED), ("confirming", &typed), ("preparing", FIXED)] {
        let shop = Merchant::with_widget(attributes).await;
        let pin = issue(25.0, "EUR").await;
        browse(DESKTOP, async |browser| {
            browser.goto(&shop.url).await;
            let widget = Widget::ready_on(browser).await;
            widget.type_into("pin", &pin).await;
            if phase == "confirming" {
                widget.type_into("amount", "25").await;
            }
            if phase == "preparing" {
                let never = "document.querySelector('flexepin-cashier').beforeSubmit = () => new Promise(() => {})";
                browser.script(never, &[]).await;
            }
            if phase != "editing" {
                widget.submit_when_options_are_in_force().await;
            }
            widget.reaches(phase).await;
            in_page(browser, TRAP).await;
            let detail = widget.event("flexepin-failed").await;
            let expected =
                json!({"code": "internal", "money": "no", "next": "none", "attempt": null, "reference": null});
            assert_eq!(detail, expected, "{phase}");
            widget.text_with("notice", "Your voucher is untouched").await;
            assert_eq!(widget.phase().await, "failed");
            // A second one tells nobody anything: nobody is in there any more.
            in_page(browser, TRAP).await;
            browser.script("document.querySelector('flexepin-cashier').beforeSubmit = null", &[]).await;
            tries_again(browser, &widget).await;
            assert_eq!(told(&widget, "flexepin-failed").await.len(), 1, "{phase}");
            assert!(shop.posts().is_empty(), "{phase}");
            assert_eq!(widget.pin_and_caret().await.0.replace(' ', ""), pin, "what was typed is there");
            if phase == "confirming" {
                widget.type_into("amount", "25").await;
                widget.click("submit").await;
                widget.click("confirm-yes").await;
            } else {
                widget.click("submit").await;
            }
            widget.event("flexepin-redeemed").await;
        })
        .await;
    }
}

#[tokio::test]
async fn while_a_request_is_under_way_it_is_unconfirmed_once_and_trying_again_finds_the_truth() {
    let shop = Merchant::with_widget(FIXED).await;
    shop.set_road(Road::HoldsAnswers);
    let pin = issue(25.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        submit(&widget, &pin).await;
        let attempt = widget.event("flexepin-submit").await["attempt"].clone();
        until_within(Duration::from_secs(10), "the voucher is taken", async || {
            taken(&pin).await.is_string().then_some(())
        })
        .await;
        in_page(browser, TRAP).await;
        let detail = widget.event("flexepin-unconfirmed").await;
        let expected =
            json!({"code": "internal", "money": "unknown", "next": "status", "attempt": attempt, "reference": attempt});
        assert_eq!(detail, expected);
        widget.text_with("notice", attempt.as_str().expect("a key")).await;
        assert_eq!(widget.phase().await, "unconfirmed");
        shop.set_road(Road::Open);
        tries_again(browser, &widget).await;
        assert_eq!(widget.event("flexepin-redeemed").await["attempt"], attempt);
        widget.part("receipt").await;
        assert_eq!(told(&widget, "flexepin-unconfirmed").await.len(), 1);
        assert_eq!(shop.posts().len(), 1, "nothing was sent again");
    })
    .await;
}

#[tokio::test]
async fn while_a_try_is_awaited_or_its_status_the_attempt_is_not_lost_even_where_the_browser_stores_nothing() {
    let forbid = "Storage.prototype.setItem = () => { throw new DOMException('no', 'QuotaExceededError') }";
    for (phase, stores) in [("waiting", false), ("checking", true), ("unconfirmed", true)] {
        let shop = Merchant::with_widget(FIXED).await;
        shop.set_road(Road::Closed);
        let pin = issue(25.0, "EUR").await;
        browse(DESKTOP, async |browser| {
            browser.goto(&shop.url).await;
            let mut widget = Widget::ready_on(browser).await;
            if !stores {
                in_page(browser, forbid).await;
            }
            submit(&widget, &pin).await;
            widget.reaches("waiting").await;
            if phase == "unconfirmed" {
                widget.click("stop").await;
            }
            if phase == "checking" {
                browser.accept_leaving().await;
                browser.goto(&shop.url).await;
                widget = Widget::present_on(browser).await;
                widget.event("flexepin-ready").await;
            }
            widget.reaches(phase).await;
            in_page(browser, TRAP).await;
            let detail = widget.event("flexepin-unconfirmed").await;
            assert_eq!((&detail["money"], &detail["next"]), (&json!("unknown"), &json!("status")), "{phase}");
            widget.text_with("notice", "We do not know yet").await;
            tries_again(browser, &widget).await;
            shop.set_road(Road::Open);
            // The proxy has never heard of it, and closes it: nobody else has the right to send any more.
            let detail = widget.event("flexepin-rejected").await;
            assert_eq!((&detail["code"], &detail["money"]), (&json!("ATTEMPT_CLOSED"), &json!("no")), "{phase}");
            assert_eq!(told(&widget, "flexepin-unconfirmed").await.len(), 1, "{phase}");
            submit(&widget, &pin).await;
            widget.event("flexepin-redeemed").await;
        })
        .await;
    }
}

#[tokio::test]
async fn after_an_outcome_a_receipt_stays_and_a_failure_is_still_one() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = issue(25.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        submit(&widget, &pin).await;
        widget.event("flexepin-redeemed").await;
        in_page(browser, TRAP).await;
        browser.script("return new Promise(resolve => setTimeout(resolve))", &[]).await;
        widget.part("receipt").await;
        assert_eq!(widget.phase().await, "redeemed");
        assert!(told(&widget, "flexepin-failed").await.is_empty() && widget.texts("notice").await.concat().is_empty());
        widget.call("reset", &[]).await;
        widget.part("pin").await;
        until_within(Duration::from_secs(10), "the form is ready", async || {
            (told(&widget, "flexepin-ready").await.len() == 2).then_some(())
        })
        .await;

        submit(&widget, &scripted("0403")).await;
        widget.event("flexepin-failed").await;
        in_page(browser, TRAP).await;
        // An outcome was told before, which this voucher may be the one of.
        widget.text_with("notice", "Nothing is being redeemed now").await;
        assert_eq!(told(&widget, "flexepin-failed").await.last().expect("told")["code"], "internal");
    })
    .await;
}

#[tokio::test]
async fn every_widget_of_the_page_is_told_of_a_trap_each_by_what_it_has_open() {
    let shop = Merchant::open(format!(
        "<!doctype html><link rel=icon href=data:,><script src=/flexepin-cashier.js async></script>
         <flexepin-cashier {FIXED}></flexepin-cashier><flexepin-cashier id=second {FIXED}></flexepin-cashier>"
    ))
    .await;
    shop.set_road(Road::Closed);
    let pin = issue(25.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        let both = async || (told(&widget, "flexepin-ready").await.len() == 2).then_some(());
        until_within(Duration::from_secs(10), "both are ready", both).await;
        submit(&widget, &pin).await;
        widget.reaches("waiting").await;
        in_page(browser, TRAP).await;
        assert_eq!(widget.event("flexepin-unconfirmed").await["code"], "internal");
        // The other has nothing open itself; what the browser has stored for this customer is.
        let detail = widget.event("flexepin-failed").await;
        assert_eq!(
            (&detail["code"], &detail["money"], &detail["attempt"]),
            (&json!("internal"), &json!("unknown"), &Value::Null)
        );
    })
    .await;
}

#[tokio::test]
async fn a_card_that_the_browser_would_not_store_is_not_forgotten_by_the_words_of_a_trap() {
    let shop = Merchant::with_widget(FIXED).await;
    shop.set_road(Road::Closed);
    let pin = issue(25.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        in_page(browser, "Storage.prototype.setItem = () => { throw new DOMException('no', 'QuotaExceededError') }")
            .await;
        submit(&widget, &pin).await;
        widget.reaches("waiting").await;
        widget.click("stop").await;
        widget.reaches("unconfirmed").await;
        widget.click("another").await;
        widget.reaches("editing").await;
        in_page(browser, TRAP).await;
        assert_eq!(widget.event("flexepin-failed").await["money"], "unknown");
        widget.text_with("notice", "do not know yet what became of a voucher").await;
    })
    .await;
}

#[tokio::test]
async fn a_set_up_that_went_wrong_before_a_trap_is_told_again_in_the_fresh_form() {
    let shop = Merchant::with_widget(FIXED).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        browser.script("document.querySelector('flexepin-cashier').setAttribute('amount', 'much')", &[]).await;
        assert_eq!(widget.event("flexepin-failed").await["code"], "config");
        in_page(browser, TRAP).await;
        widget.click("retry").await;
        widget.text_with("notice", "not set up correctly").await;
        browser.script("document.querySelector('flexepin-cashier').setAttribute('amount', '25')", &[]).await;
        widget.part("submit").await;
    })
    .await;
}
