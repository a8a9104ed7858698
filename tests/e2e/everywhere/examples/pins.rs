//! The scripted PINs that docs/merchant.md lists: each ends with the event and the code that it says. All at once, each in a
//! cashier of its own on one page: some are tried again for seconds.

use super::street::Street;
use crate::browser::{DESKTOP, browse, until_within};
use crate::document::scripted_pins;
use crate::sandbox::scripted;
use serde_json::{Value, json};
use std::time::Duration;

/// Redeems each of the PINs in `arguments[0]`, and puts type and code of the first outcome of each into `window.outcomes`.
const REDEEM: &str = "
    window.outcomes = {};
    for (const pin of arguments[0]) {
      const cashier = FlexepinCashier.mount(document.body, {
        endpoint: '/cashier/flexepin', amount: '25.00', currency: 'EUR', userId: `user-${pin.slice(-4)}`, email: 'player@example.com',
      });
      cashier.addEventListener('flexepin-ready', () => {
        const field = cashier.shadowRoot.querySelector('[part=pin]');
        field.value = pin;
        field.dispatchEvent(new Event('input'));
        cashier.submit();
      });
      for (const type of ['flexepin-redeemed', 'flexepin-rejected', 'flexepin-unconfirmed', 'flexepin-failed'])
        cashier.addEventListener(type, ({ detail }) => { window.outcomes[pin] ??= [type, detail.code] });
    }";

#[tokio::test]
async fn scripted_pins_end_as_the_document_says() {
    let promised = scripted_pins();
    assert!(promised.len() > 10, "{promised:?}");
    let pins: Vec<String> = promised.iter().map(|(digits, ..)| scripted(digits)).collect();
    let street = Street::open().await;
    let script = format!("/flexepin-cashier/{}/flexepin-cashier.js", env!("CARGO_PKG_VERSION"));
    street.lay(&format!("<script src={script}></script>"), &[]);
    browse(DESKTOP, async |browser| {
        browser.goto(&street.shop.url).await;
        browser.script(REDEEM, &[json!(pins)]).await;
        let outcomes: Value = until_within(Duration::from_secs(40), "each has an outcome", async || {
            let outcomes = browser.script("return window.outcomes", &[]).await;
            (outcomes.as_object().map(serde_json::Map::len) == Some(pins.len())).then_some(outcomes)
        })
        .await;
        for ((digits, event, code), pin) in promised.iter().zip(&pins) {
            assert_eq!(outcomes[pin], json!([event, code]), "9900 {digits}");
        }
    })
    .await;
}
