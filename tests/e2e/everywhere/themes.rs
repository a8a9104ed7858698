//! Looks that a merchant sets, and pages whose own style would break a form that leaned on them.

use crate::browser::{Browser, DESKTOP, browse};
use crate::merchant::{FIXED, Merchant};
use crate::sandbox::issue;
use crate::widget::Widget;
use serde_json::{Value, json};

/// A page with this head, and a widget with these attributes.
fn page(doctype: &str, head: &str, attributes: &str) -> String {
    format!(
        "{doctype}<html lang=en><meta charset=utf-8><title>Shop</title><link rel=icon href=data:,>{head}
        <script src=/flexepin-cashier.js async></script><flexepin-cashier {FIXED} {attributes}></flexepin-cashier>"
    )
}

/// Computed styles of a part, by property.
async fn styles(browser: &Browser, part: &str, properties: &[&str]) -> Value {
    let look = "const root = document.querySelector('flexepin-cashier').shadowRoot;
        const style = getComputedStyle(root.querySelector(`[part=${arguments[0]}]`));
        return arguments[1].map(property => style[property])";
    browser.script(look, &[json!(part), json!(properties)]).await
}

/// What a form must have to be used, whatever the page does: boxes of a size, one below the other, and readable.
const USABLE: &str = "
    const host = document.querySelector('flexepin-cashier'), root = host.shadowRoot;
    const part = name => root.querySelector(`[part=${name}]`);
    const [form, pin, submit, label] = ['form', 'pin', 'submit', 'label'].map(part);
    const box = element => element.getBoundingClientRect();
    const wrong = [];
    const must = (holds, words) => holds || wrong.push(words);
    must(getComputedStyle(form).display === 'grid', 'the form is a grid');
    must(box(form).width <= 452 && box(form).width > 250, `the form is ${box(form).width} wide`);
    must(box(pin).height >= 44 && box(submit).height >= 44, 'controls are high enough');
    must(box(pin).width > 200, 'the field is wide enough');
    must(box(submit).top >= box(pin).bottom, 'the button is below the field');
    must(getComputedStyle(submit).backgroundColor === 'rgb(29, 78, 216)', 'the button has its colour');
    must(getComputedStyle(label).color === 'rgb(22, 32, 46)', 'the label has its colour');
    must(parseFloat(getComputedStyle(pin).fontSize) >= 16, 'the digits are large enough');
    return wrong;";

#[tokio::test]
async fn whatever_style_the_page_has_the_form_is_one_that_can_be_used() {
    let reset = "<style>* { all: unset }</style>";
    let shouting = "<style>
        html { font-size: 62.5% } body { font: 16px/0.9 serif; text-transform: uppercase; text-align: center; text-indent: 3em; white-space: nowrap; cursor: wait; color: red }
        input, button, form, label, p, h2, svg { display: none !important; color: red !important; font-size: 3px !important }
        div { float: left; width: 10px }</style>";
    for (doctype, head, quirks) in
        [("<!doctype html>", reset, false), ("<!doctype html>", shouting, false), ("", "", true), ("", reset, true)]
    {
        let shop = Merchant::open(page(doctype, head, "theme=light")).await;
        let pin = issue(25.0, "EUR").await;
        browse(DESKTOP, async |browser| {
            browser.goto(&shop.url).await;
            let widget = Widget::ready_on(browser).await;
            let mode = browser.script("return document.compatMode === 'BackCompat'", &[]).await;
            assert_eq!(mode, quirks, "{head}");
            assert_eq!(browser.script(USABLE, &[]).await, json!([]), "{doctype} {head}");
            widget.type_into("pin", &pin).await;
            widget.click("submit").await;
            widget.event("flexepin-redeemed").await;
            assert!(widget.shows("receipt").await);
        })
        .await;
    }
}

#[tokio::test]
async fn tokens_and_parts_reach_the_form_and_change_at_run_time_at_once() {
    let head = "<style>
        .shop { --flexepin-accent: #6d28d9; --flexepin-radius: 0px; --flexepin-border: 3px; --flexepin-space: 40px; --flexepin-font: monospace;
          --flexepin-font-size: 20px; --flexepin-width: 300px }
        .other { --flexepin-accent: #00735c }
        flexepin-cashier::part(submit) { letter-spacing: 5px }</style>";
    let shop = Merchant::open(page("<!doctype html>", head, "theme=light class=shop")).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        Widget::ready_on(browser).await;
        let button = ["backgroundColor", "borderRadius", "letterSpacing", "fontFamily"];
        assert_eq!(styles(browser, "submit", &button).await, json!(["rgb(109, 40, 217)", "0px", "5px", "monospace"]));
        let pin = ["borderTopWidth", "fontFamily"];
        assert_eq!(styles(browser, "pin", &pin).await, json!(["3px", "monospace"]));
        assert_eq!(styles(browser, "form", &["width", "rowGap"]).await, json!(["300px", "40px"]));
        // In the same task: nothing fades, so nothing flickers.
        let change = "const host = document.querySelector('flexepin-cashier');
            const style = () => getComputedStyle(host.shadowRoot.querySelector('[part=submit]')).backgroundColor;
            const seen = [];
            host.className = 'other'; seen.push(style());
            host.className = ''; seen.push(style());
            host.theme = 'dark'; seen.push(style());
            seen.push(getComputedStyle(host.shadowRoot.querySelector('form')).colorScheme);
            host.theme = 'light'; seen.push(style());
            return seen";
        let expected = json!(["rgb(0, 115, 92)", "rgb(29, 78, 216)", "rgb(138, 176, 255)", "dark", "rgb(29, 78, 216)"]);
        assert_eq!(browser.script(change, &[]).await, expected);
    })
    .await;
}

#[tokio::test]
async fn the_pages_typeface_and_size_are_the_forms() {
    let head = "<style>body { font: 18px/1.6 Georgia, serif }</style>";
    let shop = Merchant::open(page("<!doctype html>", head, "")).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        Widget::ready_on(browser).await;
        assert_eq!(styles(browser, "label", &["fontSize", "fontFamily"]).await, json!(["18px", "Georgia, serif"]));
    })
    .await;
}

#[tokio::test]
async fn words_of_the_merchant_with_markup_are_text_also_before_the_app_is_there() {
    let shop = Merchant::open(page("<!doctype html>", "", "")).await;
    shop.set_wasm(crate::merchant::Serves::Held);
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::on(browser).await;
        let set = "document.querySelector('flexepin-cashier').messages =
            {'pin-label': '<img src=x onerror=\"window.executed=1\">', 'load-failed': '<b>No</b>', 'pin-hint': 'x'.repeat(100000)}";
        browser.script(set, &[]).await;
        shop.set_wasm(crate::merchant::Serves::Missing);
        widget.text_with("notice", "<b>No</b>").await;
        shop.set_wasm(crate::merchant::Serves::AsBuilt);
        widget.click("retry").await;
        widget.event("flexepin-ready").await;
        widget.text_with("label", "<img src=x").await;
        // The app knows that nobody wants that much to be read, and says so.
        widget.text_with("hint", "16 digits").await;
        let console = json!(browser.console().await).to_string();
        assert!(console.contains("\\\"pin-hint\\\" is longer than 600 characters"), "{console}");
        assert_eq!(browser.script("return window.executed ?? null", &[]).await, Value::Null);
    })
    .await;
}
