//! Answers that are lost, and pages that are left, in the middle of a redemption: each ends with the truth, and no voucher
//! is taken twice. Real browsers, real proxy with its ledger, real sockets.

use crate::browser::{Browser, DESKTOP, PHONE, browse, until, until_within};
use crate::merchant::{FIXED, Merchant, Road};
use crate::sandbox::{issue, outcomes, scripted, taken, tries};
use crate::widget::Widget;
use serde_json::{Value, json};
use std::time::Duration;

/// What was told of each kind, in order.
pub(crate) async fn told(widget: &Widget<'_>) -> Vec<String> {
    let kinds = ["flexepin-redeemed", "flexepin-rejected", "flexepin-unconfirmed", "flexepin-failed"];
    let events = widget.events().await.into_iter().filter_map(|event| event["type"].as_str().map(str::to_owned));
    events.filter(|kind| kinds.contains(&kind.as_str())).collect()
}

/// A page that has just submitted this PIN, on a road that delivers nothing back.
pub(crate) async fn submitted<'a>(browser: &'a Browser, shop: &Merchant, pin: &str) -> Widget<'a> {
    browser.goto(&shop.url).await;
    let widget = Widget::ready_on(browser).await;
    widget.type_into("pin", pin).await;
    widget.click("submit").await;
    widget.event("flexepin-submit").await;
    widget
}

#[tokio::test]
async fn an_answer_that_proved_nothing_is_followed_by_the_same_attempt_and_nobody_is_told() {
    let shop = Merchant::with_widget(FIXED).await;
    for script in ["0408", "0500", "0444", "0503"] {
        let pin = scripted(script);
        browse(PHONE, async |browser| {
            let widget = submitted(browser, &shop, &pin).await;
            let detail = widget.event("flexepin-redeemed").await;
            assert_eq!(detail["transactionId"], taken(&pin).await, "{script}");
            assert_eq!(told(&widget).await, ["flexepin-redeemed"], "{script}: retries tell nothing");
        })
        .await;
    }
}

#[tokio::test]
async fn a_voucher_that_a_lost_try_took_is_never_called_rejected() {
    let shop = Merchant::with_widget(FIXED).await;
    for script in ["1408", "1500", "1444"] {
        let pin = scripted(script);
        browse(DESKTOP, async |browser| {
            let widget = submitted(browser, &shop, &pin).await;
            let detail = widget.event("flexepin-unconfirmed").await;
            assert!(taken(&pin).await.is_string(), "{script}");
            assert_eq!((&detail["code"], &detail["next"]), (&json!("ATTEMPT_UNCONFIRMED"), &json!("support")));
            widget.text_with("unconfirmed", "contact the shop’s support").await;
            assert!(!widget.shows("retry").await, "{script}: nothing is sent after \"already redeemed\"");
            widget.click("check").await;
            widget.text_with("check", "Check now").await;
            assert_eq!(told(&widget).await, ["flexepin-unconfirmed"], "{script}");
            assert_eq!(tries(&pin).await, 2, "{script}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_late_success_is_found_though_the_customer_stopped_waiting() {
    // Takes the voucher and answers after 40 s, while the customer waits 5 s.
    let shop = Merchant::with_widget(&format!("{FIXED} timeout=5000")).await;
    let pin = scripted("1504");
    browse(DESKTOP, async |browser| {
        let widget = submitted(browser, &shop, &pin).await;
        widget.reaches("waiting").await;
        widget.reaches("checking").await;
        until_within(Duration::from_secs(70), "the late answer", async || {
            (widget.phase().await == "redeemed").then_some(())
        })
        .await;
        // The event comes a task after the phase.
        widget.event("flexepin-redeemed").await;
        assert_eq!((told(&widget).await, tries(&pin).await), (vec!["flexepin-redeemed".to_owned()], 1));
    })
    .await;
}

#[tokio::test]
async fn an_answer_lost_on_the_way_back_is_had_by_the_same_key_and_the_voucher_is_taken_once() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = issue(25.0, "EUR").await;
    browse(PHONE, async |browser| {
        shop.set_road(Road::LosesAnswers);
        let widget = submitted(browser, &shop, &pin).await;
        until("taken", async || taken(&pin).await.as_str().map(str::to_owned)).await;
        widget.reaches("waiting").await;
        shop.set_road(Road::Open);
        let detail = widget.event("flexepin-redeemed").await;
        assert_eq!(detail["transactionId"], taken(&pin).await);
        assert_eq!((told(&widget).await, tries(&pin).await), (vec!["flexepin-redeemed".to_owned()], 1));
    })
    .await;
}

#[tokio::test]
async fn a_page_reloaded_in_the_middle_asks_and_tells_the_truth() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = issue(25.0, "EUR").await;
    browse(PHONE, async |browser| {
        shop.set_road(Road::HoldsAnswers);
        submitted(browser, &shop, &pin).await;
        until("taken", async || taken(&pin).await.as_str().map(str::to_owned)).await;
        browser.accept_leaving().await;
        browser.reload().await;
        shop.set_road(Road::Open);
        let widget = Widget::present_on(browser).await;
        let detail = widget.event("flexepin-redeemed").await;
        assert_eq!(detail["transactionId"], taken(&pin).await);
        widget.text_with("receipt", "redeemed").await;
        assert_eq!((told(&widget).await, tries(&pin).await), (vec!["flexepin-redeemed".to_owned()], 1));
        assert_eq!(stored(browser).await, json!([]), "nothing is left open");
    })
    .await;
}

#[tokio::test]
async fn a_page_reloaded_before_anything_arrived_says_that_the_voucher_is_untouched() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = issue(25.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        shop.set_road(Road::Closed);
        submitted(browser, &shop, &pin).await;
        browser.accept_leaving().await;
        browser.reload().await;
        shop.set_road(Road::Open);
        let widget = Widget::present_on(browser).await;
        let detail = widget.event("flexepin-rejected").await;
        assert_eq!((&detail["code"], &detail["money"]), (&json!("ATTEMPT_CLOSED"), &json!("no")));
        widget.text_with("form-error", "untouched").await;
        widget.type_into("pin", &pin).await;
        widget.click("submit").await;
        let redeemed = widget.event("flexepin-redeemed").await;
        assert_ne!(redeemed["attempt"], detail["attempt"], "a new key");
        assert_eq!(tries(&pin).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_closed_tabs_redemption_is_told_by_the_next_one() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = issue(25.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        shop.set_road(Road::HoldsAnswers);
        submitted(browser, &shop, &pin).await;
        until("taken", async || taken(&pin).await.as_str().map(str::to_owned)).await;
        let first = browser.window().await;
        browser.open_tab().await;
        let second = browser.window().await;
        browser.switch_to(&first).await;
        browser.close_tab().await;
        browser.switch_to(&second).await;
        browser.goto(&shop.url).await;
        let widget = Widget::present_on(browser).await;
        let detail = widget.event("flexepin-redeemed").await;
        assert_eq!((&detail["transactionId"], tries(&pin).await), (&taken(&pin).await, 1));
    })
    .await;
}

#[tokio::test]
async fn a_duplicated_tab_sends_nothing_and_both_end_with_the_truth() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = issue(25.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        shop.set_road(Road::HoldsAnswers);
        submitted(browser, &shop, &pin).await;
        until("taken", async || taken(&pin).await.as_str().map(str::to_owned)).await;
        let first = browser.window().await;
        browser.open_tab().await;
        browser.goto(&shop.url).await;
        let second = Widget::present_on(browser).await;
        let detail = second.event("flexepin-redeemed").await;
        assert_eq!(detail["transactionId"], taken(&pin).await);
        browser.switch_to(&first).await;
        shop.set_road(Road::Open);
        let first = Widget::present_on(browser).await;
        let detail = first.event("flexepin-redeemed").await;
        assert_eq!((&detail["transactionId"], tries(&pin).await), (&taken(&pin).await, 1));
    })
    .await;
}

#[tokio::test]
async fn who_comes_back_by_the_back_button_learns_what_became_of_the_attempt() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = issue(25.0, "EUR").await;
    browse(PHONE, async |browser| {
        shop.set_road(Road::LosesAnswers);
        let widget = submitted(browser, &shop, &pin).await;
        until("taken", async || taken(&pin).await.as_str().map(str::to_owned)).await;
        widget.click("stop").await;
        widget.event("flexepin-unconfirmed").await;
        browser.goto(&format!("{}/flexepin-cashier.css", shop.url)).await;
        shop.set_road(Road::Open);
        browser.back().await;
        let widget = Widget::present_on(browser).await;
        let detail = widget.event("flexepin-redeemed").await;
        assert_eq!((&detail["transactionId"], tries(&pin).await), (&taken(&pin).await, 1));
    })
    .await;
}

#[tokio::test]
async fn who_leaves_in_the_middle_is_asked_first() {
    let shop = Merchant::with_widget(FIXED).await;
    browse(DESKTOP, async |browser| {
        let asks = "const event = new Event('beforeunload', {cancelable: true}); window.dispatchEvent(event);
            return event.defaultPrevented";
        browser.goto(&shop.url).await;
        Widget::ready_on(browser).await;
        assert_eq!(browser.script(asks, &[]).await, false);
        shop.set_road(Road::HoldsAnswers);
        let widget = submitted(browser, &shop, &issue(25.0, "EUR").await).await;
        assert_eq!(browser.script(asks, &[]).await, true);
        shop.set_road(Road::Open);
        widget.event("flexepin-redeemed").await;
        assert_eq!(browser.script(asks, &[]).await, false);
    })
    .await;
}

#[tokio::test]
async fn another_voucher_is_redeemed_while_one_is_open_and_the_open_one_is_finished_with_its_pin() {
    let shop = Merchant::with_widget(FIXED).await;
    let (open, other) = (scripted("0502"), issue(25.0, "EUR").await);
    browse(PHONE, async |browser| {
        let widget = submitted(browser, &shop, &open).await;
        widget.click("stop").await;
        let detail = widget.event("flexepin-unconfirmed").await;
        widget.click("another").await;
        widget.text_with("card-text", &format!("ending in {}", &open[12..])).await;
        widget.type_into("pin", &open).await;
        widget.click("submit").await;
        widget.text_with("error", "still open").await;
        widget.clear("pin").await;
        widget.type_into("pin", &other).await;
        widget.click("submit").await;
        let redeemed = widget.event("flexepin-redeemed").await;
        assert_ne!(redeemed["attempt"], detail["attempt"]);
        browser.reload().await;
        let widget = Widget::ready_on(browser).await;
        widget.click("card-finish").await;
        widget.text_with("finishing", &open[12..]).await;
        widget.type_into("pin", &open).await;
        widget.click("submit").await;
        widget.reaches("waiting").await;
        assert!(tries(&open).await >= 2);
    })
    .await;
}

#[tokio::test]
async fn the_merchants_books_have_each_redemption_once() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = issue(25.0, "EUR").await;
    browse(PHONE, async |browser| {
        shop.set_road(Road::LosesAnswers);
        let widget = submitted(browser, &shop, &pin).await;
        widget.reaches("waiting").await;
        shop.set_road(Road::Open);
        let detail = widget.event("flexepin-redeemed").await;
        let ours = |row: &Value| row["attempt"] == detail["attempt"];
        let rows: Vec<_> = outcomes().await.into_iter().filter(ours).collect();
        assert_eq!(rows.len(), 1, "{rows:?}");
        let row = (&rows[0]["outcome"], &rows[0]["value"], &rows[0]["currency"], &rows[0]["userId"]);
        assert_eq!(row, (&json!("redeemed"), &json!(25.0), &json!("EUR"), &json!("user_123")));
    })
    .await;
}

/// The records that the page's storage has.
async fn stored(browser: &Browser) -> Value {
    browser.script("return Object.keys(localStorage).filter(name => name.startsWith('flexepin-cashier.'))", &[]).await
}
