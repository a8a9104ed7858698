//! Everything by keys alone, in a page that keeps something at its top and bottom: the order, where the focus goes, and
//! that it is always seen.

use crate::browser::{Browser, PHONE, browse, until};
use crate::merchant::Merchant;
use crate::sandbox::{issue, scripted, taken};
use crate::screens::{Shown, show};
use crate::widget::Widget;
use fantoccini::key::Key;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const FOCUS: &str = include_str!("keyboard/focus.js");

/// How long the focus may be on its way.
const LIMIT: Duration = Duration::from_secs(10);
/// The screens that have controls of their own.
const TABBED: [Shown; 8] = [
    Shown::Editing,
    Shown::Mistakes,
    Shown::Confirming,
    Shown::Waiting,
    Shown::Redeemed,
    Shown::Unconfirmed,
    Shown::Card,
    Shown::LoadError,
];
/// What the page's header and footer cover, in CSS pixels.
const EDGE: u32 = 80;

/// A long page with a header and a footer that stay, and a button before and after the widget. The focus is on the first.
const FRAME: &str = "const [edge] = arguments;
    const add = (tag, style, place) => {
      const node = document.createElement(tag);
      node.style = style;
      document.body[place](node);
      return node;
    };
    const button = (id, place) => Object.assign(add('button', 'display: block', place), { id, textContent: id });
    button('before', 'prepend');
    button('after', 'append');
    for (const place of ['prepend', 'append']) add('div', 'height: 700px', place);
    for (const end of ['top', 'bottom'])
      add('div', `position: fixed; inset-inline: 0; ${end}: 0; height: ${edge}px; background: #fff; z-index: 9`, 'append');
    document.getElementById('before').focus()";

/// Presses a key.
async fn press(browser: &Browser, key: Key) {
    browser.keys(&char::from(key).to_string()).await;
}

/// Presses Tab so often; backwards where it is negative.
async fn tab(browser: &Browser, times: i32) {
    for _ in 0..times.abs() {
        let modifiers: &[Key] = if times < 0 { &[Key::Shift] } else { &[] };
        browser.with(modifiers, Key::Tab.into()).await;
    }
}

async fn focus(browser: &Browser) -> Value {
    browser.script(FOCUS, &[json!(EDGE)]).await
}

/// Awaits that the focus is in a part, or on a part's heading, and that it is seen there.
async fn focus_is_seen_in(browser: &Browser, name: &str) {
    let (mut last, start) = (Value::Null, Instant::now());
    while last["name"] != name || last["faults"] != json!([]) {
        assert!(start.elapsed() < LIMIT, "the focus is not seen in {name}: {last}");
        last = focus(browser).await;
    }
}

#[tokio::test]
async fn tab_comes_to_every_control_in_order_and_each_is_seen() {
    browse(PHONE, async |browser| {
        for shown in TABBED {
            let (_shop, widget) = show(browser, shown, "").await;
            if shown == Shown::Card {
                // It has been asked about: nothing comes between any more.
                widget.part("checked").await;
            }
            browser.script(FRAME, &[json!(EDGE)]).await;
            let (mut place, mut top, mut count) = (0, f64::MIN, None);
            loop {
                tab(browser, 1).await;
                let now = focus(browser).await;
                let name = now["name"].as_str().unwrap_or_default().to_owned();
                if now["place"].is_null() {
                    assert_eq!(name, "after", "{shown:?}: the way out, after {place}");
                    break;
                }
                assert_eq!(now["faults"], json!([]), "{shown:?}: {name}");
                assert_eq!(now["place"], place, "{shown:?}: {name} is out of order");
                // The switch that hides the digits is beside the label, and after the field in tab order.
                if name != "pin-toggle" {
                    let next = now["top"].as_f64().expect("a place");
                    assert!(next >= top - 30.0, "{shown:?}: {name} is above the one before");
                    top = next;
                }
                (place, count) = (place + 1, now["of"].as_u64());
            }
            assert_eq!(Some(place), count, "{shown:?}: every control has its turn");
            tab(browser, -1).await;
            assert_eq!(focus(browser).await["place"], place - 1, "{shown:?}: and back");
            browser.accept_leaving().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_voucher_is_redeemed_by_keys() {
    let options = "endpoint=/cashier/flexepin amounts='10 25 50 100' currency=EUR user-id=by_keys";
    let (shop, pin) = (Merchant::with_widget(options).await, issue(25.0, "EUR").await);
    browse(PHONE, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        browser.script(FRAME, &[json!(EDGE)]).await;
        tab(browser, 1).await;
        focus_is_seen_in(browser, "pin").await;
        browser.keys(&pin).await;
        tab(browser, 1).await;
        for label in ["Show PIN", "Hide PIN"] {
            press(browser, Key::Space).await;
            widget.text_with("pin-toggle", label).await;
        }
        focus_is_seen_in(browser, "pin-toggle").await;
        tab(browser, -1).await;

        // Two fields are wrong: the first of them has the focus, and the list above has the way to the second.
        press(browser, Key::Enter).await;
        focus_is_seen_in(browser, "amount-choice").await;
        tab(browser, -3).await;
        focus_is_seen_in(browser, "summary-link").await;
        press(browser, Key::Space).await;
        focus_is_seen_in(browser, "email").await;
        browser.keys("player@example.com").await;

        tab(browser, -1).await;
        focus_is_seen_in(browser, "amount-choice").await;
        // Coming backwards to a group without a choice one is at its first or last, as the browser has it; from the last,
        // WebKit's arrows go back only.
        press(browser, Key::Space).await;
        widget.text_with("submit", "€").await;
        until("the arrows come to it", async || {
            press(browser, Key::Left).await;
            focus_is_seen_in(browser, "amount-choice").await;
            (widget.texts("submit").await == ["Redeem €25.00"]).then_some(())
        })
        .await;
        for (key, label) in [(Key::Down, "€50.00"), (Key::Left, "€25.00")] {
            press(browser, key).await;
            widget.text_with("submit", label).await;
            focus_is_seen_in(browser, "amount-choice").await;
        }
        tab(browser, 2).await;
        focus_is_seen_in(browser, "submit").await;
        press(browser, Key::Space).await;
        focus_is_seen_in(browser, "heading of receipt").await;
        assert!(taken(&pin).await.is_string());
        tab(browser, 1).await;
        focus_is_seen_in(browser, "copy").await;
        press(browser, Key::Enter).await;
        widget.text_with("receipt", "opied").await;
        tab(browser, 1).await;
        focus_is_seen_in(browser, "print").await;
    })
    .await;
}

#[tokio::test]
async fn an_open_attempt_is_looked_after_by_keys() {
    let options = "endpoint=/cashier/flexepin currency=EUR user-id=open_by_keys email=player@example.com";
    let shop = Merchant::with_widget(options).await;
    browse(PHONE, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        browser.script(FRAME, &[json!(EDGE)]).await;
        tab(browser, 1).await;
        browser.keys(&scripted("0502")).await;
        tab(browser, 2).await;
        focus_is_seen_in(browser, "amount").await;
        browser.keys("25").await;
        press(browser, Key::Enter).await;
        focus_is_seen_in(browser, "heading of confirm").await;
        tab(browser, 2).await;
        focus_is_seen_in(browser, "back").await;
        press(browser, Key::Space).await;
        focus_is_seen_in(browser, "amount").await;
        press(browser, Key::Enter).await;
        focus_is_seen_in(browser, "heading of confirm").await;
        tab(browser, 1).await;
        focus_is_seen_in(browser, "confirm-yes").await;
        press(browser, Key::Enter).await;
        focus_is_seen_in(browser, "heading of waiting").await;
        tab(browser, 2).await;
        focus_is_seen_in(browser, "stop").await;
        press(browser, Key::Enter).await;
        focus_is_seen_in(browser, "heading of unconfirmed").await;

        tab(browser, 1).await;
        focus_is_seen_in(browser, "check").await;
        press(browser, Key::Space).await;
        widget.part("checked").await;
        focus_is_seen_in(browser, "check").await;
        tab(browser, 2).await;
        focus_is_seen_in(browser, "another").await;
        press(browser, Key::Space).await;
        focus_is_seen_in(browser, "pin").await;
        tab(browser, -1).await;
        focus_is_seen_in(browser, "card-finish").await;
        press(browser, Key::Enter).await;
        focus_is_seen_in(browser, "pin").await;
        tab(browser, -1).await;
        focus_is_seen_in(browser, "finish-later").await;
        press(browser, Key::Enter).await;
        focus_is_seen_in(browser, "pin").await;
    })
    .await;
}
