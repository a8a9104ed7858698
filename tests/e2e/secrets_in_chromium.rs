//! What only Chromium's own protocol shows of a PIN's ways: its whole log, and the tab's history.

use crate::browser::{DESKTOP, browse};
use crate::everywhere::secrets::is_in;
use crate::merchant::{FIXED, Merchant, Serves};
use crate::sandbox::{issue, scripted};
use crate::widget::Widget;
use serde_json::json;

#[tokio::test]
async fn the_browsers_own_log_and_the_tabs_history_have_no_digit_of_it() {
    let enter = char::from(fantoccini::key::Key::Enter).to_string();
    for (pin, held, event) in [
        (issue(25.0, "EUR").await, false, "flexepin-redeemed"),
        (issue(25.0, "EUR").await, true, "flexepin-redeemed"),
        (scripted("0777"), false, "flexepin-rejected"),
        (scripted("0403"), false, "flexepin-failed"),
    ] {
        let shop = Merchant::with_widget(FIXED).await;
        shop.set_wasm(if held { Serves::Held } else { Serves::AsBuilt });
        browse(DESKTOP, async |browser| {
            browser.goto(&shop.url).await;
            let widget = Widget::on(browser).await;
            widget.type_into("pin", &pin).await;
            browser.keys(&enter).await;
            shop.set_wasm(Serves::AsBuilt);
            widget.event(event).await;
            let history = browser.devtools("Page.getNavigationHistory", json!({})).await;
            let last = history["entries"].as_array().and_then(|entries| entries.last()).expect("the page is in it");
            assert_eq!(last["url"], format!("{}/", shop.url));
            assert!(!is_in(&history.to_string(), &pin), "{event}: {history}");
            let log = browser.whole_log().await;
            assert!(log.iter().all(|entry| !is_in(entry, &pin)), "{event}: {log:?}");
            // The looks can fail.
            browser
                .script("console.debug(arguments[0]); history.pushState(null, '', '#' + arguments[0])", &[json!(pin)])
                .await;
            assert!(browser.whole_log().await.iter().any(|entry| is_in(entry, &pin)));
            assert!(is_in(&browser.devtools("Page.getNavigationHistory", json!({})).await.to_string(), &pin));
        })
        .await;
    }
}
