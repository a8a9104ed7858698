//! What only Chromium's own protocol can do to the PIN field: real compositions of an input method, and real drops.

use crate::browser::{Browser, DESKTOP, browse, until};
use crate::everywhere::typing::FieldHands;
use crate::merchant::{FIXED, Merchant};
use crate::widget::Widget;
use serde_json::{Value, json};

/// The composition under way becomes this; a fresh one begins where none is.
async fn compose(browser: &Browser, text: &str) {
    let end = text.encode_utf16().count();
    let composition = json!({"text": text, "selectionStart": end, "selectionEnd": end});
    browser.devtools("Input.imeSetComposition", composition).await;
}

/// The composition under way ends as this.
async fn commit(browser: &Browser, text: &str) {
    browser.devtools("Input.insertText", json!({"text": text})).await;
}

#[tokio::test]
async fn an_input_method_composes_digits_anywhere_and_they_are_grouped_when_it_commits() {
    let shop = Merchant::with_widget(FIXED).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.click("pin").await;
        let hands = FieldHands::on(browser).await;
        for (start, composed, committed, expected, undone) in [
            ("|", "１２３", "１２３４５", "1234 5|", "|"),
            ("1234 |5678", "９", "９", "1234 9|567 8", "1234 |5678"),
            ("1234| 5678", "９０", "90", "1234 90|56 78", "1234| 5678"),
            ("12[34 56]78", "９０", "９０", "1290| 78", "12|34 5678"),
            ("1234 5678 9012 34|", "５６", "５６", "1234 5678 9012 3456|", "1234 5678 9012 34|"),
            // It may come to something else than digits.
            ("1234|", "ｐ", "ピン", "1234ピン|", "1234|"),
        ] {
            hands.start(start).await;
            compose(browser, composed).await;
            let marked = start.find(['[', '|']).map(|at| &start[..at]).expect("the start has a caret");
            assert!(
                hands.shown().await.starts_with(&format!("{marked}{composed}|")),
                "{start}: it is as it is composed"
            );
            compose(browser, committed).await;
            commit(browser, committed).await;
            hands.expect(&format!("{start} {committed}"), expected).await;
            hands.press("^z").await;
            hands.expect(&format!("{start} {committed} and back"), undone).await;
            hands.press("^y").await;
            hands.expect(&format!("{start} {committed} and again"), expected).await;
        }
        hands.assert_all_came_true();
    })
    .await;
}

#[tokio::test]
async fn a_composition_that_is_given_up_leaves_everything_as_it_was() {
    let shop = Merchant::with_widget(FIXED).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.click("pin").await;
        let hands = FieldHands::on(browser).await;
        for start in ["|", "1234|", "1234 |5678", "1234| 5678", "1234 5678 9012 3456|"] {
            hands.start(start).await;
            compose(browser, "９").await;
            compose(browser, "９０").await;
            compose(browser, "").await;
            hands.expect(&format!("{start} given up"), start).await;
            hands.press("7").await;
            hands.press("^z").await;
            hands.expect(&format!("{start} typed into after that"), start).await;
        }
        hands.assert_all_came_true();
    })
    .await;
}

#[tokio::test]
async fn a_composed_pin_is_told_at_once_and_enter_belongs_to_the_input_method_until_it_commits() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = crate::sandbox::issue(25.0, "EUR").await;
    let wide: String = pin.bytes().filter_map(|digit| char::from_u32(0xff10 + u32::from(digit - b'0'))).collect();
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.click("pin").await;
        compose(browser, &wide).await;
        let valid = json!({"complete": true, "valid": true});
        until("it is valid", async || {
            let last = widget.events().await.into_iter().rfind(|event| event["type"] == "flexepin-change");
            last.filter(|change| change["detail"] == valid)
        })
        .await;
        for kind in ["rawKeyDown", "keyUp"] {
            let process = json!({"type": kind, "key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229});
            browser.devtools("Input.dispatchKeyEvent", process).await;
        }
        commit(browser, &wide).await;
        assert_eq!(widget.pin_and_caret().await, (crate::sandbox::grouped(&pin), Some(19)));
        assert_eq!((widget.phase().await.as_str(), shop.posts().len()), ("editing", 0), "it was not submitted");
        FieldHands::on(browser).await.press("⏎").await;
        widget.event("flexepin-redeemed").await;
    })
    .await;
}

/// The place of a character's left edge in the PIN field, of digits all as wide.
async fn place(browser: &Browser, index: usize) -> (Value, Value) {
    let look = "const pin = document.querySelector('flexepin-cashier').shadowRoot.querySelector('[part=pin]');
        const style = getComputedStyle(pin);
        const pen = document.createElement('canvas').getContext('2d');
        // Their `font` together is empty: it has no words for tabular numbers.
        pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
        const box = pin.getBoundingClientRect();
        const before = pen.measureText(pin.value.slice(0, arguments[0])).width;
        return [box.x + pin.clientLeft + parseFloat(style.paddingLeft) + before, box.y + box.height / 2]";
    let place = browser.script(look, &[json!(index)]).await;
    (place[0].clone(), place[1].clone())
}

/// What is dragged comes to this place, and is let go there.
async fn drop_at(browser: &Browser, index: usize, text: &str) {
    let (x, y) = place(browser, index).await;
    let items = json!([{"mimeType": "text/plain", "data": text}]);
    let data = json!({"items": items, "files": [], "dragOperationsMask": 19});
    for kind in ["dragEnter", "dragOver", "drop"] {
        browser.devtools("Input.dispatchDragEvent", json!({"type": kind, "x": x, "y": y, "data": data})).await;
    }
}

async fn mouse(browser: &Browser, kind: &str, (x, y): (Value, Value)) {
    let buttons = u8::from(kind != "mouseReleased");
    let event = json!({"type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1});
    browser.devtools("Input.dispatchMouseEvent", event).await;
}

#[tokio::test]
async fn what_is_dropped_goes_where_it_is_dropped_also_from_within_the_field() {
    let shop = Merchant::with_widget(FIXED).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.click("pin").await;
        let hands = FieldHands::on(browser).await;
        for (start, text, at, expected) in
            [("|", "1234-5678-9012-3456", 0, "1234 5678 9012 3456|"), ("1234 5678|", "9", 2, "129|3 4567 8")]
        {
            hands.start(start).await;
            drop_at(browser, at, text).await;
            hands.expect(&format!("{text} dropped at {at} of {start}"), expected).await;
        }
        browser.devtools("Input.setInterceptDrags", json!({"enabled": true})).await;
        for (start, from, to, expected) in
            [("1234 [5678] 9012", 7, 0, "5678| 1234 9012"), ("[12]34 5678 9012", 1, 9, "3456 7812| 9012")]
        {
            let dragged = start.split(['[', ']']).nth(1).expect("something is selected");
            hands.start(start).await;
            mouse(browser, "mousePressed", place(browser, from).await).await;
            for step in [from + 1, from + 2] {
                mouse(browser, "mouseMoved", place(browser, step).await).await;
            }
            drop_at(browser, to, dragged).await;
            mouse(browser, "mouseReleased", place(browser, to).await).await;
            hands.expect(&format!("{start} dragged to {to}"), expected).await;
        }
        hands.assert_all_came_true();
    })
    .await;
}
