//! The receipt on paper: the widget alone, without buttons, whatever else is on the page. Chromium plays the printer.

use crate::browser::{DESKTOP, browse};
use crate::screens::{Shown, show};
use serde_json::json;

#[tokio::test]
async fn the_receipt_is_printed_alone_and_the_page_is_as_it_was_after_that() {
    browse(DESKTOP, async |browser| {
        let (_shop, _widget) = show(browser, Shown::Redeemed, "").await;
        // A dialog would wait for a person: what the printer would see is written down in its place.
        let stand_in = "
            const news = document.body.appendChild(document.createElement('h1'));
            news.textContent = 'News of the shop';
            const host = document.querySelector('flexepin-cashier'), root = host.shadowRoot;
            const seen = element => element.checkVisibility({visibilityProperty: true});
            window.look = () => ({
              news: seen(news),
              amount: seen(root.querySelector('[part=receipt-amount]')),
              button: seen(root.querySelector('[part=print]')),
              top: Math.round(host.getBoundingClientRect().top),
            });
            window.print = () => { window.printed = look(); };";
        browser.script(stand_in, &[]).await;
        browser.devtools("Emulation.setEmulatedMedia", json!({"media": "print"})).await;
        let press = "document.querySelector('flexepin-cashier').shadowRoot.querySelector('[part=print]').click()";
        browser.script(press, &[]).await;
        let printed = browser.script("return window.printed", &[]).await;
        assert_eq!(printed, json!({"news": false, "amount": true, "button": false, "top": 0}));
        let after = "window.dispatchEvent(new Event('afterprint'));
            return [look().news, document.adoptedStyleSheets.length, document.querySelector('flexepin-cashier').getAttributeNames()
              .filter(name => name.startsWith('data-'))]";
        assert_eq!(browser.script(after, &[]).await, json!([true, 0, []]));
    })
    .await;
}

#[tokio::test]
async fn the_browser_makes_a_document_of_the_receipt() {
    browse(DESKTOP, async |browser| {
        let (_shop, _widget) = show(browser, Shown::Redeemed, "theme=dark").await;
        let ink = "const root = document.querySelector('flexepin-cashier').shadowRoot;
            return getComputedStyle(root.querySelector('[part=receipt-amount]')).color";
        browser.devtools("Emulation.setEmulatedMedia", json!({"media": "print"})).await;
        assert_eq!(browser.script(ink, &[]).await, "rgb(0, 0, 0)", "black on white also in a dark theme");
        let paper = browser.devtools("Page.printToPDF", json!({})).await;
        assert!(paper["data"].as_str().is_some_and(|pdf| pdf.len() > 10_000), "a page with something on it");
    })
    .await;
}
