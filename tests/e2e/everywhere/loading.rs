//! Before the app is there, and when it cannot come.

use crate::browser::{DESKTOP, PHONE, browse, until};
use crate::merchant::{FIXED, Merchant, Serves};
use crate::sandbox::{grouped, issue, taken};
use crate::widget::Widget;

#[tokio::test]
async fn digits_typed_before_the_wasm_arrived_stay_with_field_focus_and_caret() {
    let shop = Merchant::with_widget(FIXED).await;
    shop.set_wasm(Serves::Held);
    let pin = issue(25.0, "EUR").await;
    browse(PHONE, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::on(browser).await;
        browser.script("window.firstField = document.querySelector('flexepin-cashier').shadowRoot.querySelector('[part=pin]')", &[]).await;
        widget.type_into("pin", &pin[..10]).await;
        browser.keys(&char::from(fantoccini::key::Key::Left).to_string().repeat(2)).await;
        assert_eq!(widget.pin_and_caret().await, (pin[..10].to_owned(), Some(8)), "typed into the shell alone");
        assert!(widget.events().await.is_empty(), "the app is not there yet");
        shop.set_wasm(Serves::AsBuilt);
        widget.event("flexepin-ready").await;
        let text = format!("{} {} {}", &pin[..4], &pin[4..8], &pin[8..10]);
        assert_eq!(widget.pin_and_caret().await, (text, Some(9)), "the caret is behind the same digit");
        let same = "return window.firstField === document.querySelector('flexepin-cashier').shadowRoot.querySelector('[part=pin]')";
        assert_eq!(browser.script(same, &[]).await, true, "the same field");
        browser.keys(&char::from(fantoccini::key::Key::End).to_string()).await;
        browser.keys(&pin[10..]).await;
        assert_eq!(widget.pin_and_caret().await.0, grouped(&pin));
        widget.click("submit").await;
        widget.event("flexepin-redeemed").await;
    })
    .await;
}

#[tokio::test]
async fn a_submit_before_ready_is_held_and_navigates_nowhere() {
    let shop = Merchant::with_widget(FIXED).await;
    shop.set_wasm(Serves::Held);
    let pin = issue(25.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::on(browser).await;
        widget.type_into("pin", &pin).await;
        browser.keys(&char::from(fantoccini::key::Key::Enter).to_string()).await;
        shop.set_wasm(Serves::AsBuilt);
        widget.event("flexepin-redeemed").await;
        assert!(taken(&pin).await.is_string());
        let url = browser.script("return location.href", &[]).await;
        assert_eq!(url, format!("{}/", shop.url));
    })
    .await;
}

#[tokio::test]
async fn a_load_that_failed_is_said_and_can_be_tried_again_with_nothing_lost() {
    let shop = Merchant::with_widget(FIXED).await;
    shop.set_wasm(Serves::Missing);
    browse(PHONE, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::present_on(browser).await;
        let detail = widget.event("flexepin-loaderror").await;
        assert_eq!(detail["cause"], "network");
        widget.text_with("notice", "could not be loaded").await;
        shop.set_wasm(Serves::AsBuilt);
        widget.click("retry").await;
        widget.event("flexepin-ready").await;
        assert!(widget.shows("submit").await && widget.texts("notice").await.concat().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_submit_that_was_held_is_forgotten_when_the_set_up_is_wrong_or_the_widget_leaves() {
    let wrong = Merchant::with_widget(&FIXED.replace("25.00", "25,00")).await;
    let late = Merchant::with_widget(FIXED).await;
    late.set_wasm(Serves::Held);
    let pin = issue(25.0, "EUR").await;
    let hold = "const widget = document.querySelector('flexepin-cashier');
        const root = widget.shadowRoot; root.querySelector('[part=pin]').value = arguments[0];
        root.querySelector('form').requestSubmit();";
    for (shop, repair) in [
        (wrong, "document.querySelector('flexepin-cashier').amount = '25.00'"),
        (
            late,
            "const widget = document.querySelector('flexepin-cashier'); widget.remove();
                return new Promise(resolve => setTimeout(() => { document.body.append(widget); resolve() }))",
        ),
    ] {
        browse(DESKTOP, async |browser| {
            browser.goto(&shop.url).await;
            Widget::present_on(browser).await;
            browser.script(hold, &[serde_json::json!(pin)]).await;
            browser.script(repair, &[]).await;
            shop.set_wasm(Serves::AsBuilt);
            let widget = Widget::ready_on(browser).await;
            assert_eq!(widget.phase().await, "editing");
            let sent = widget.events().await.iter().any(|event| event["type"] == "flexepin-submit");
            assert!(!sent && taken(&pin).await.is_null(), "nobody has pressed since");
        })
        .await;
    }
}

#[tokio::test]
async fn properties_that_were_set_before_the_element_was_defined_are_taken_over_and_a_wrong_one_is_named() {
    let shop = Merchant::open(
        "<!doctype html><link rel=icon href=data:,><flexepin-cashier endpoint=/cashier/flexepin></flexepin-cashier><script>
            const widget = document.querySelector('flexepin-cashier');
            Object.assign(widget, { currency: 'EUR', timeout: 5, amounts: ['10', '25'], userId: 'u', email: 'a@example.com' });
        </script><script src=/flexepin-cashier.js></script>",
    )
    .await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::present_on(browser).await;
        assert_eq!(widget.event("flexepin-failed").await["code"], "config");
        assert!(browser.console_errors().await.join("\n").contains("timeout must be"));
        browser.script("document.querySelector('flexepin-cashier').timeout = 5000", &[]).await;
        widget.event("flexepin-ready").await;
        assert_eq!(widget.texts("amount-option").await, ["€10.00", "€25.00"]);
    })
    .await;
}

#[tokio::test]
async fn options_that_change_are_in_force_for_the_next_submit_and_while_it_loads() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = issue(50.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.type_into("pin", &pin).await;
        let both = "const widget = document.querySelector('flexepin-cashier'); widget.update({ amount: '50.00' }); return widget.submit()";
        assert_eq!(browser.script(both, &[]).await, true);
        assert_eq!(widget.event("flexepin-redeemed").await["amountMinor"], 5000);

        shop.set_wasm(Serves::Held);
        browser.goto(&shop.url).await;
        let widget = Widget::on(browser).await;
        // The load is under way; it goes on with what the options are then.
        browser.script("document.querySelector('flexepin-cashier').setAttribute('amount', 'much')", &[]).await;
        assert_eq!(widget.event("flexepin-failed").await["code"], "config");
        shop.set_wasm(Serves::AsBuilt);
        let loaded = "return performance.getEntriesByType('resource').some(({ name, responseEnd }) => name.endsWith('.wasm') && responseEnd > 0)";
        until("the wasm is there", async || browser.script(loaded, &[]).await.as_bool().filter(|loaded| *loaded)).await;
        widget.text_with("notice", "not set up correctly").await;
        browser.script("document.querySelector('flexepin-cashier').setAttribute('amount', '25')", &[]).await;
        widget.event("flexepin-ready").await;
        let failed = widget.events().await.into_iter().filter(|event| event["type"] == "flexepin-failed").count();
        assert_eq!(failed, 1);
    })
    .await;
}
