//! The element's life in the page: several of them, moved, taken off and put back, and what stands between its tags.

use super::open_shop;
use crate::browser::{DESKTOP, browse, until};
use crate::merchant::Road;
use crate::sandbox::{issue, taken, tries};
use crate::widget::{Widget, take_in_hand};
use serde_json::json;

#[tokio::test]
async fn widgets_on_a_page_know_nothing_of_each_other() {
    let shop = open_shop().await;
    let (pin, other) = (issue(25.0, "EUR").await, issue(10.0, "USD").await);
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let mount = "
            const dollars = {userId: 'second', theme: 'dark', currency: 'USD', amount: '10'};
            window.first = FlexepinCashier.mount('main', {...OPTIONS, userId: 'first', theme: 'light'});
            window.second = FlexepinCashier.mount('main', {...OPTIONS, ...dollars});
            window.third = FlexepinCashier.mount('main', OPTIONS);
            window.heard = {first: [], second: [], third: []};
            for (const name of ['change', 'submit', 'redeemed', 'rejected', 'unconfirmed', 'failed'])
              for (const who in heard) window[who].addEventListener(`flexepin-${name}`, () => heard[who].push(name));
            return Promise.all([first, second, third].map(widget => said(widget, 'ready'))).then(() => {})";
        browser.script(mount, &[]).await;
        take_in_hand(browser, "second").await;
        let widget = Widget::on(browser).await;
        widget.type_into("pin", &other).await;
        take_in_hand(browser, "first").await;
        assert_eq!(widget.pin_and_caret().await.0, "");
        widget.type_into("pin", &pin).await;
        widget.text_with("submit", "€25.00").await;
        let colours = "return [first, second].map(widget => getComputedStyle(part(widget, 'form')).backgroundColor)";
        assert_eq!(browser.script(colours, &[]).await, json!(["rgb(255, 255, 255)", "rgb(23, 29, 39)"]));

        // One is removed in the middle of another's redemption, then that one in the middle of the next one's.
        shop.set_road(Road::HoldsAnswers);
        widget.click("submit").await;
        until("taken", async || taken(&pin).await.as_str().map(str::to_owned)).await;
        let phases = browser.script("third.remove(); return task().then(() => [first.phase, second.phase])", &[]).await;
        assert_eq!(phases, json!(["redeeming", "editing"]));
        shop.set_road(Road::Open);
        widget.text_with("receipt", "€25.00 redeemed").await;
        take_in_hand(browser, "second").await;
        widget.text_with("submit", "$10.00").await;
        shop.set_road(Road::HoldsAnswers);
        widget.click("submit").await;
        until("taken", async || taken(&other).await.as_str().map(str::to_owned)).await;
        browser.script("first.remove(); return task()", &[]).await;
        shop.set_road(Road::Open);
        widget.text_with("receipt", "$10.00 redeemed").await;
        let told = json!(["change", "submit", "redeemed"]);
        let heard = browser.script("return task().then(() => heard)", &[]).await;
        assert_eq!(heard, json!({"first": told, "second": told, "third": []}));
        assert_eq!((tries(&pin).await, tries(&other).await), (1, 1));
    })
    .await;
}

/// The ways in which a page moves an element. `moveBefore` is not in every browser yet.
const MOVES: &[(&str, &str)] = &[
    ("append", "aside().append(widget)"),
    ("insertBefore", "main().insertBefore(widget, main().firstChild)"),
    ("into a shadow root", "aside().attachShadow({mode: 'open'}).append(widget)"),
    ("out of it again", "main().append(widget)"),
    ("moveBefore", "const place = aside(); place.moveBefore ? place.moveBefore(widget, null) : place.append(widget)"),
];

#[tokio::test]
async fn a_moved_element_keeps_its_text_its_phase_and_what_is_under_way() {
    let shop = open_shop().await;
    let pin = issue(25.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let mount = "window.widget = FlexepinCashier.mount('main', {...OPTIONS, amount: null, email: null});
            window.aside = () => document.body.appendChild(document.createElement('aside'))";
        browser.script(mount, &[]).await;
        let widget = Widget::ready_on(browser).await;
        take_in_hand(browser, "window.widget").await;
        for (part, text) in [("amount", "25"), ("email", "a@example.com"), ("pin", pin.as_str())] {
            widget.type_into(part, text).await;
        }
        browser.keys(&char::from(fantoccini::key::Key::Left).to_string().repeat(3)).await;
        let state = "const texts = ['pin', 'amount', 'email'].map(name => part(widget, name).value);
            return [...texts, part(widget, 'pin').selectionStart, widget.phase]";
        let before = browser.script(state, &[]).await;
        assert_eq!(before[3], 16, "the caret is behind the thirteenth digit");
        for (name, act) in MOVES {
            browser.script(&format!("{act}; return task().then(task)"), &[]).await;
            assert_eq!(browser.script(state, &[]).await, before, "{name}");
        }
        // A browser that keeps the focus keeps the caret with it.
        let kept = "const can = Boolean(main().moveBefore), field = part(widget, 'pin'); field.focus();
            if (can) main().moveBefore(widget, null);
            return !can || [widget.shadowRoot.activeElement === field, field.selectionStart].join() === 'true,16'";
        assert_eq!(browser.script(kept, &[]).await, true);

        shop.set_road(Road::HoldsAnswers);
        widget.click("submit").await;
        widget.click("confirm-yes").await;
        widget.reaches("redeeming").await;
        for (name, act) in MOVES {
            browser.script(&format!("{act}; return task().then(task)"), &[]).await;
            assert_eq!(widget.phase().await, "redeeming", "{name}");
        }
        shop.set_road(Road::Open);
        widget.event("flexepin-redeemed").await;
        widget.text_with("receipt", "€25.00 redeemed").await;
        assert_eq!(tries(&pin).await, 1);
        let ready = widget.events().await.iter().filter(|event| event["type"] == "flexepin-ready").count();
        assert_eq!(ready, 1, "it was never mounted anew");
    })
    .await;
}

#[tokio::test]
async fn a_destroyed_element_is_gone_and_comes_back_fresh() {
    let shop = open_shop().await;
    let pin = issue(25.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        browser.script("window.widget = FlexepinCashier.mount('main', OPTIONS)", &[]).await;
        let widget = Widget::ready_on(browser).await;
        widget.type_into("pin", &pin).await;
        let destroy = "widget.destroy();
            widget.destroy();
            return task().then(() => [widget.isConnected, part(widget, 'pin').value, widget.phase])";
        assert_eq!(browser.script(destroy, &[]).await, json!([false, "", "editing"]));
        let called = "return [
              thrown(() => widget.update({theme: 'dark'})), thrown(() => widget.reset()),
              thrown(() => widget.focus()), thrown(() => widget.setFieldError('pin', null)), widget.submit(),
            ]";
        let late = browser.script(called, &[]).await;
        assert_eq!(late, json!([null, null, null, null, false]), "whoever calls late breaks nothing");
        let again = "const again = said(widget, 'ready'); main().append(widget); return again.then(() => {})";
        browser.script(again, &[]).await;
        assert_eq!(widget.pin_and_caret().await.0, "");
        widget.type_into("pin", &pin).await;
        widget.click("submit").await;
        widget.event("flexepin-redeemed").await;
        assert_eq!(tries(&pin).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_stands_between_the_tags_is_not_shown_where_the_widget_is() {
    let shop = open_shop().await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let place = "main().innerHTML = `<flexepin-cashier endpoint=/cashier/flexepin currency=EUR amount=25>
            Please use <b>another browser</b>.</flexepin-cashier>`";
        browser.script(place, &[]).await;
        Widget::ready_on(browser).await;
        let shown = "const words = document.querySelector('b');
            const isRead = document.body.innerText.includes(words.textContent);
            return [words.getClientRects().length, isRead, words.isConnected]";
        assert_eq!(browser.script(shown, &[]).await, json!([0, false, true]));
    })
    .await;
}
