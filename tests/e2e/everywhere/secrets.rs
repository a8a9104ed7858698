//! A canary PIN goes through the widget and is then looked for wherever a page, a server or a log could have it: it is
//! in the bodies of POSTs to the endpoint, and nowhere else. The last test hides one in each place, and every look must
//! find it. Left to `places`: where is looked, and how; to `markup`: texts that are shown as text.

mod markup;
mod places;

use crate::browser::{Browser, DESKTOP, PHONE, browse, until};
use crate::merchant::{FIXED, Merchant, Road, Serves};
use crate::sandbox::{grouped, issue, scripted, taken};
use crate::widget::Widget;
pub(crate) use places::is_in;
use places::{fields, logs, logs_in, of_page, of_requests, spellings};
use serde_json::json;

/// Looks everywhere, and finds the PIN nowhere.
async fn is_nowhere(browser: &Browser, shop: &Merchant, pin: &str, name: &str) {
    for (place, text) in of_page(browser).await.into_iter().chain(of_requests(shop)) {
        assert!(!is_in(&text, pin), "{name}: the PIN is in {place}");
    }
}

/// Opens the shop with a `beforeSubmit` that keeps what it is told.
async fn open<'a>(browser: &'a Browser, shop: &Merchant) -> Widget<'a> {
    browser.goto(&format!("{}/?shop=1", shop.url)).await;
    let widget = Widget::ready_on(browser).await;
    let keep = "window.asked = [];
        window.cashier = document.querySelector('flexepin-cashier');
        cashier.beforeSubmit = (...told) => { asked.push(told) }";
    browser.script(keep, &[]).await;
    widget
}

#[tokio::test]
async fn a_redeemed_pin_is_nowhere_but_in_the_posts_and_its_field_is_empty() {
    for pasted in [false, true] {
        let shop = Merchant::with_widget(FIXED).await;
        let pin = issue(25.0, "EUR").await;
        browse(if pasted { DESKTOP } else { PHONE }, async |browser| {
            let widget = open(browser, &shop).await;
            if pasted {
                widget.paste_into("pin", &format!("Flexepin {}", grouped(&pin).replace(' ', "-"))).await;
            } else {
                widget.type_into("pin", &pin).await;
            }
            widget.submit_when_options_are_in_force().await;
            widget.event("flexepin-redeemed").await;
            widget.text_with("receipt", "redeemed").await;
            assert_eq!(taken(&pin).await, widget.event("flexepin-redeemed").await["transactionId"]);
            is_nowhere(browser, &shop, &pin, "redeemed").await;
            assert_eq!(fields(browser).await, "", "the field is cleared");
            assert!(browser.script("return asked.length", &[]).await.as_u64() > Some(0), "beforeSubmit was asked");
        })
        .await;
        let posts: Vec<_> = shop.requests().into_iter().filter(|seen| seen.line == "POST /cashier/flexepin").collect();
        assert!(!posts.is_empty() && posts.iter().all(|post| is_in(&post.body, &pin)), "it is where it belongs");
        for (log, text) in logs() {
            assert!(!is_in(&text, &pin), "the PIN is in {}", log.display());
        }
    }
}

#[tokio::test]
async fn a_rejected_pin_is_in_its_field_and_nowhere_else() {
    // The last one is answered by a text that repeats the PIN three times.
    for script in ["4075", "0410", "0403", "0777"] {
        let shop = Merchant::with_widget(FIXED).await;
        let pin = scripted(script);
        browse(DESKTOP, async |browser| {
            let widget = open(browser, &shop).await;
            widget.type_into("pin", &pin).await;
            widget.submit_when_options_are_in_force().await;
            let told = if script == "0403" { "flexepin-failed" } else { "flexepin-rejected" };
            widget.event(told).await;
            is_nowhere(browser, &shop, &pin, script).await;
            assert!(is_in(&fields(browser).await, &pin), "{script}: the customer can correct it");
            widget.call("destroy", &[]).await;
            let kept = "return window.cashier.shadowRoot.querySelector('[part=pin]').value";
            assert_eq!(browser.script(kept, &[]).await, "", "{script}: a widget that is gone keeps nothing");
        })
        .await;
        for (log, text) in logs() {
            assert!(!is_in(&text, &pin), "{script}: the PIN is in {}", log.display());
        }
    }
}

#[tokio::test]
async fn a_pin_whose_answer_was_lost_is_nowhere_also_after_a_reload() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = issue(25.0, "EUR").await;
    browse(PHONE, async |browser| {
        let widget = open(browser, &shop).await;
        shop.set_road(Road::LosesAnswers);
        widget.type_into("pin", &pin).await;
        widget.submit_when_options_are_in_force().await;
        until("taken", async || taken(&pin).await.as_str().map(str::to_owned)).await;
        is_nowhere(browser, &shop, &pin, "in the middle").await;
        widget.press("stop").await;
        widget.event("flexepin-unconfirmed").await;
        is_nowhere(browser, &shop, &pin, "unconfirmed").await;
        widget.click("another").await;
        widget.text_with("card-text", &pin[12..]).await;
        is_nowhere(browser, &shop, &pin, "as a card").await;
        assert_eq!(fields(browser).await, "", "another voucher's field is empty");
        browser.accept_leaving().await;
        browser.reload().await;
        let widget = Widget::present_on(browser).await;
        shop.set_road(Road::Open);
        widget.event("flexepin-redeemed").await;
        is_nowhere(browser, &shop, &pin, "after a reload").await;
    })
    .await;
    for (log, text) in logs() {
        assert!(!is_in(&text, &pin), "the PIN is in {}", log.display());
    }
}

#[tokio::test]
async fn what_is_submitted_before_the_app_is_there_goes_nowhere() {
    let enter = char::from(fantoccini::key::Key::Enter).to_string();
    let pin = issue(25.0, "EUR").await;
    for (serves, policy) in [
        (Serves::Held, ""),
        (Serves::Missing, ""),
        (Serves::Cut, ""),
        (Serves::Altered, ""),
        (Serves::AsBuilt, "connect-src 'none'"),
        (Serves::AsBuilt, "script-src 'self'"),
    ] {
        let shop = Merchant::with_widget(FIXED).await;
        let html = format!(
            "<!doctype html><title>Shop</title><script src=/flexepin-cashier.js></script>
            <flexepin-cashier {FIXED}></flexepin-cashier>"
        );
        let policy = if policy.is_empty() { "img-src *" } else { policy };
        shop.add_page("/shop", html, &[("content-security-policy", policy)]);
        shop.set_wasm(Serves::Held);
        browse(DESKTOP, async |browser| {
            browser.goto(&format!("{}/shop?shop=1", shop.url)).await;
            let before = browser.script("return [location.href, history.length]", &[]).await;
            let widget = Widget::present_on(browser).await;
            // A page that forbids it at once has no field by now; else it is typed into and submitted twice.
            if widget.shows("submit").await {
                let submit = "const root = document.querySelector('flexepin-cashier').shadowRoot;
                    const pin = root.querySelector('[part=pin]');
                    pin.value = arguments[0]; pin.focus(); root.querySelector('[part=submit]').click()";
                browser.script(submit, &[json!(pin)]).await;
                browser.keys(&enter).await;
            }
            shop.set_wasm(serves);
            if serves != Serves::Held {
                widget.event("flexepin-loaderror").await;
                widget.text_with("notice", "could not be loaded").await;
            }
            assert_eq!(browser.script("return [location.href, history.length]", &[]).await, before, "{policy}");
            is_nowhere(browser, &shop, &pin, policy).await;
            assert!(!shop.requests().iter().any(|seen| is_in(&seen.body, &pin)), "{policy}: not in any request");
        })
        .await;
    }
    assert!(taken(&pin).await.is_null());
}

/// Puts the canary into a place, spelled as `arguments[0]`.
const HIDE: &[(&str, &str)] = &[
    ("events", "window.dispatchEvent(new CustomEvent('flexepin-change', {detail: {deep: [arguments[0]]}}))"),
    ("asked", "asked.push([{signal: {reason: arguments[0]}}])"),
    ("console", "console.debug({deep: arguments[0]})"),
    (
        "console",
        "const script = document.createElement('script');
        script.textContent = `throw new Error(${JSON.stringify(arguments[0])})`;
        document.head.append(script); script.remove()",
    ),
    ("localStorage", "localStorage.setItem(arguments[0], '')"),
    ("localStorage", "localStorage.setItem('canary', arguments[0])"),
    ("sessionStorage", "sessionStorage.setItem('canary', arguments[0])"),
    ("cookie", "document.cookie = 'canary=' + arguments[0].replace(/[=;]/g, '')"),
    ("indexedDB", "return new Promise(resolve => { indexedDB.open(arguments[0]).onsuccess = () => resolve() })"),
    ("caches", "return caches.open(arguments[0]).then(() => {})"),
    (
        "caches",
        "const address = '/' + encodeURIComponent(arguments[0]);
        return caches.open('canary').then(cache => cache.put(address, new Response('')))",
    ),
    ("location", "history.replaceState(null, '', '#' + arguments[0])"),
    ("history", "history.replaceState({deep: [arguments[0]]}, '')"),
    ("title", "document.title = arguments[0]"),
    ("name", "window.name = arguments[0]"),
    ("performance", "performance.mark(arguments[0])"),
    ("performance", "performance.measure('canary', {start: 0, end: 1, detail: arguments[0]})"),
    ("dom", "document.body.append(arguments[0])"),
    ("dom", "document.body.setAttribute('data-canary', arguments[0])"),
    ("dom", "document.body.append(document.createComment(arguments[0]))"),
    ("dom", "document.querySelector('flexepin-cashier').shadowRoot.querySelector('form').append(arguments[0])"),
    (
        "dom",
        "const root = document.querySelector('flexepin-cashier').shadowRoot;
        root.querySelector('input').setAttribute('value', arguments[0])",
    ),
    ("options", "document.querySelector('flexepin-cashier').messages = {title: arguments[0]}"),
    ("line", "return fetch('/canary?' + encodeURIComponent(arguments[0])).then(() => {})"),
    ("headers", "return fetch('/canary', {headers: {canary: arguments[0]}}).then(() => {})"),
    ("body", "return fetch('/canary', {method: 'POST', body: arguments[0]}).then(() => {})"),
];

#[tokio::test]
async fn each_look_finds_what_is_hidden_in_its_place() {
    let pin = issue(25.0, "EUR").await;
    let shop = Merchant::with_widget(FIXED).await;
    browse(DESKTOP, async |browser| {
        open(browser, &shop).await;
        is_nowhere(browser, &shop, &pin, "before").await;
        for ((place, hide), spelled) in HIDE.iter().zip(spellings(&pin).iter().cycle()) {
            // Some places cannot be emptied again: each has a shop of its own.
            let shop = Merchant::with_widget(FIXED).await;
            open(browser, &shop).await;
            browser.script(hide, &[json!(spelled)]).await;
            let looked = async || {
                let page = of_page(browser).await.into_iter().chain(of_requests(&shop));
                let found = page.filter(|(_, text)| is_in(text, &pin)).any(|(found, _)| found == *place);
                found.then_some(())
            };
            until(&format!("{spelled} is found in {place}"), looked).await;
        }
        assert_eq!(fields(browser).await, "");
        let hide = "document.cookie = 'canary=; max-age=0'; window.name = '';
            document.body.append(Object.assign(document.createElement('input'), {value: arguments[0]}))";
        browser.script(hide, &[json!(pin)]).await;
        assert!(is_in(&fields(browser).await, &pin));
    })
    .await;
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("canary-{pin}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("any.log"), format!("INFO a line\nINFO {pin} another")).expect("a file");
    assert!(logs_in(&folder).iter().any(|(_, text)| is_in(text, &pin)));
    std::fs::remove_dir_all(folder).expect("it is removed");
}
