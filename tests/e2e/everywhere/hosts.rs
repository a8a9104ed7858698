//! The cashier in pages of frameworks, as `tests/hosts` builds them from the packed package: plain HTML, React in
//! `StrictMode`, Vue, Svelte and Angular. Each has the classic script before the app, the classic script after the
//! app's first render, and the module. What a page does in each: render again, change options, move the cashier, hear
//! its event, take it away and put it back.

use crate::browser::{Browser, DESKTOP, browse, until};
use crate::given;
use crate::merchant::Merchant;
use crate::sandbox::{grouped, issue, taken};
use crate::widget::Widget;
use serde_json::json;

/// The pages of a host, below its folder, and whether the element is undefined at the first render.
const PAGES: [(&str, bool); 3] = [("script/", false), ("script/late.html", true), ("module/", false)];

#[tokio::test]
async fn the_cashier_works_in_plain_html() {
    works_in("html").await;
}

#[tokio::test]
async fn the_cashier_works_in_react_and_its_strict_mode_sends_one_request() {
    works_in("react").await;
}

#[tokio::test]
async fn the_cashier_works_in_vue() {
    works_in("vue").await;
}

#[tokio::test]
async fn the_cashier_works_in_svelte() {
    works_in("svelte").await;
}

#[tokio::test]
async fn the_cashier_works_in_angular() {
    works_in("angular").await;
}

async fn works_in(host: &str) {
    let shop = Merchant::of_folder(given("E2E_HOSTS")).await;
    for (page, is_late) in PAGES {
        let pin = issue(25.0, "EUR").await;
        let sent_before = shop.posts().len();
        browse(DESKTOP, async |browser| {
            browser.goto(&format!("{}/{host}/{page}", shop.url)).await;
            let widget = Widget::ready_on(browser).await;
            let rendered = browser.script("return document.documentElement.dataset.rendered ?? null", &[]).await;
            assert_eq!(rendered == "before the script", is_late, "{page}");
            redeems_whatever_the_page_does(browser, &widget, &pin).await;
            assert_eq!(shop.posts().len() - sent_before, 1, "{page}");
            assert!(taken(&pin).await.is_string(), "{page}");
            leaves_and_comes_back(browser, &widget).await;
            let errors = browser.console_errors().await;
            assert!(errors.is_empty(), "{page}: {errors:?}");
        })
        .await;
    }
}

async fn redeems_whatever_the_page_does(browser: &Browser, widget: &Widget<'_>, pin: &str) {
    widget.type_into("pin", &pin[..9]).await;
    let watch = "const cashier = document.querySelector('flexepin-cashier');
        window.firstField = cashier.shadowRoot.querySelector('[part=pin]');
        window.moves = 0;
        window.watch = new MutationObserver((changes) => {
          for (const { removedNodes } of changes) window.moves += [...removedNodes].includes(cashier);
        });
        window.watch.observe(document.body, { subtree: true, childList: true });";
    browser.script(watch, &[]).await;

    press(browser, "again").await;
    press(browser, "again").await;
    page_says(browser, "renders", "2").await;
    for values in [["CA$10.00", "CA$25.00", "CA$50.00"], ["€10.00", "€25.00", "€50.00"]] {
        press(browser, "currency").await;
        until(values[0], async || (widget.texts("amount-option").await == values).then_some(())).await;
    }
    press(browser, "theme").await;
    is_true(browser, "cashier.shadowRoot.querySelector('form').dataset.theme === 'dark'").await;
    press(browser, "words").await;
    is_true(browser, "cashier.shadowRoot.textContent.includes('Cash here')").await;
    // Twice: a framework moves either the cashier or what is beside it.
    press(browser, "move").await;
    press(browser, "move").await;
    is_true(browser, "window.moves > 0").await;

    is_true(browser, "cashier.shadowRoot.querySelector('[part=pin]') === window.firstField").await;
    assert_eq!(widget.pin_and_caret().await.0, grouped_so_far(&pin[..9]), "what was typed is kept");
    widget.type_into("pin", &pin[9..]).await;
    assert_eq!(widget.pin_and_caret().await.0, grouped(pin));
    widget.choose_amount("€25.00").await;
    widget.click("submit").await;
    page_says(browser, "heard", "REDEEMED 2500 EUR ").await;
    page_says(browser, "asked", "submit ").await;
    assert_eq!(times_ready(widget).await, 1, "moving is no second mount");
}

async fn leaves_and_comes_back(browser: &Browser, widget: &Widget<'_>) {
    press(browser, "toggle").await;
    is_true(browser, "cashier === null").await;
    press(browser, "toggle").await;
    until("the cashier is ready again", async || (times_ready(widget).await == 2).then_some(())).await;
    assert_eq!(widget.phase().await, "editing");
    assert_eq!(widget.pin_and_caret().await.0, "");
}

async fn times_ready(widget: &Widget<'_>) -> usize {
    widget.events().await.iter().filter(|event| event["type"] == "flexepin-ready").count()
}

/// Presses a button of the page's own.
async fn press(browser: &Browser, id: &str) {
    browser.script("document.getElementById(arguments[0]).click()", &[json!(id)]).await;
}

/// Awaits what the page itself shows.
async fn page_says(browser: &Browser, id: &str, text: &str) {
    let look = "return document.getElementById(arguments[0]).textContent";
    until(&format!("{id} says {text}"), async || (browser.script(look, &[json!(id)]).await == text).then_some(()))
        .await;
}

/// Awaits that a condition on `cashier`, the element, holds.
async fn is_true(browser: &Browser, condition: &str) {
    let look = format!("const cashier = document.querySelector('flexepin-cashier'); return {condition}");
    until(condition, async || browser.script(&look, &[]).await.as_bool().filter(|holds| *holds)).await;
}

fn grouped_so_far(digits: &str) -> String {
    let groups: Vec<&str> = (0..digits.len()).step_by(4).map(|at| &digits[at..digits.len().min(at + 4)]).collect();
    groups.join(" ")
}
