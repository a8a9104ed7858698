//! Where a PIN may go: to the endpoint that the attempt began with, and nowhere else. Addresses that are none are
//! refused in every form, redirects are not followed, and whoever changes an option in the middle changes nothing for
//! that attempt.

use super::page;
use crate::browser::{DESKTOP, browse, until};
use crate::merchant::{FIXED, Merchant, Road, Seen, bad};
use crate::sandbox::{issue, taken};
use crate::widget::Widget;
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

/// What nobody may post a PIN to, however it is written.
const REFUSED: &[&str] = &[
    "javascript:alert(1)",
    " JavaScript:window.executed=1//",
    "data:application/json,{}",
    "blob:http://127.0.0.1/0b5ee2f1-4a0d-4b39-9d8c-1d2f6b8a7c11",
    "ftp://127.0.0.1/cashier",
    "ws://127.0.0.1/cashier",
    "file:///cashier",
    "about:blank",
    "https://user@shop.example/cashier",
    "https://user:word@shop.example/cashier",
    "https://:word@shop.example/cashier",
    "http://user@127.0.0.1/cashier",
    "http://127.0.0.1@shop.example/cashier",
    "http://shop.example/cashier",
    "//shop.example/cashier",
    "\\\\shop.example\\cashier",
    "http://127.0.0.1.example.com/cashier",
    "http://127.example.com/cashier",
    "http://localhost.example.com/cashier",
    "http://localhost./cashier",
    "http://notlocalhost/cashier",
    "http://[::2]/cashier",
    "http://[::ffff:127.0.0.1]/cashier",
    "http://[::]/cashier",
    "http://0.0.0.0/cashier",
    "http://126.255.255.255/cashier",
    "http://128.0.0.1/cashier",
    "http://0x7e000001/cashier",
    "http://10.0.0.1/cashier",
    "http://",
    "https://",
    "https://[::1/cashier",
    "",
    "   ",
];

/// What is this machine or https, once it is parsed: what is written, and what it comes to.
const ACCEPTED: &[(&str, &str)] = &[
    ("https://shop.example/cashier?shop=1#part", "https://shop.example/cashier?shop=1"),
    ("HTTPS://SHOP.example:443/a/../cashier", "https://shop.example/cashier"),
    ("http://localhost:8082/cashier", "http://localhost:8082/cashier"),
    ("http://LOCALHOST/cashier", "http://localhost/cashier"),
    ("http://127.255.0.9/cashier", "http://127.255.0.9/cashier"),
    ("http://0x7f000001/cashier", "http://127.0.0.1/cashier"),
    ("http://2130706433/cashier", "http://127.0.0.1/cashier"),
    ("http://127.1/cashier", "http://127.0.0.1/cashier"),
    ("http://[0:0:0:0:0:0:0:1]/cashier", "http://[::1]/cashier"),
];

#[tokio::test]
async fn an_endpoint_that_is_none_is_refused_in_each_form_and_the_customer_is_told() {
    let shop = Merchant::open(page("<script src=/flexepin-cashier.js></script>", "<main></main>")).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        // As property, in `update` and in `mount` a TypeError; as attribute and as data-* a notice and an event.
        let refused = "
            const [address] = arguments, main = document.querySelector('main');
            main.replaceChildren();
            const rest = {currency: 'EUR', amount: '25', userId: 'u', email: 'a@example.com'};
            const good = {endpoint: '/cashier/flexepin', ...rest};
            const thrown = act => { try { act(); return 'accepted' } catch (error) { return error } };
            const made = FlexepinCashier.mount(main, good), kept = made.endpoint;
            const errors = [
              thrown(() => { made.endpoint = address }),
              thrown(() => made.update({endpoint: address, amount: '10'})),
              thrown(() => FlexepinCashier.mount(main, {...good, endpoint: address})),
            ].map(({name, message}) => message?.includes('endpoint') ? name : message);
            const unchanged = made.endpoint === kept && made.amount === '25' && main.childElementCount === 1;
            made.destroy();

            const heard = [];
            const both = new Promise(resolve => {
              window.hear?.abort();
              window.hear = new AbortController();
              main.addEventListener('flexepin-failed', ({target, detail}) => {
                const notice = target.shadowRoot.querySelector('[part=notice]').textContent;
                heard.push([detail.code, notice.includes('not set up correctly'), target.submit()]);
                if (heard.length === 2) resolve([errors, unchanged, ...heard]);
              }, {signal: window.hear.signal});
            });
            const byAttribute = document.createElement('flexepin-cashier');
            const all = {endpoint: address, currency: 'EUR', amount: '25'};
            for (const name in all) byAttribute.setAttribute(name, all[name]);
            main.append(byAttribute);
            const script = Object.assign(document.createElement('script'), {src: '/flexepin-cashier.js'});
            Object.assign(script.dataset, all);
            main.append(script);
            return both";
        for address in REFUSED {
            let came_to = browser.script(refused, &[json!(address)]).await;
            let told = json!(["config", true, false]);
            assert_eq!(came_to, json!([["TypeError", "TypeError", "TypeError"], true, told, told]), "{address:?}");
        }
        assert_eq!(browser.script("return window.executed ?? null", &[]).await, Value::Null);
        let seen = shop.requests();
        assert!(seen.iter().all(|seen| !seen.line.contains("cashier/flexepin")), "nothing was asked or sent");
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_is_what_url_parsing_makes_of_it() {
    let shop = Merchant::open(page("<script src=/flexepin-cashier.js></script>", "<main></main>")).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let parsed = "const element = document.createElement('flexepin-cashier'), attributed = element.cloneNode();
            element.endpoint = arguments[0];
            attributed.setAttribute('endpoint', arguments[0]);
            return [element.endpoint, attributed.endpoint]";
        let relative =
            ["/cashier", "cashier", "http:cashier"].map(|address| (address, format!("{}/cashier", shop.url)));
        let absolute = ACCEPTED.iter().map(|&(written, parsed)| (written, parsed.to_owned()));
        for (written, meant) in absolute.chain(relative) {
            assert_eq!(browser.script(parsed, &[json!(written)]).await, json!([meant, meant]), "{written}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_customer_learns_that_nobody_knows() {
    for status in [302, 307] {
        let (shop, other) = (Merchant::open("").await, Merchant::open("").await);
        let pin = issue(25.0, "EUR").await;
        for target in [format!("{}/cashier/flexepin", shop.url), format!("{}/cashier/flexepin", other.url)] {
            let to: String = byte_serialize(target.as_bytes()).collect();
            let endpoint = format!("'{}?status={status}&to={to}'", bad::AWAY);
            let tag =
                format!("<flexepin-cashier {}></flexepin-cashier>", FIXED.replace("/cashier/flexepin", &endpoint));
            shop.set_page(page("<script src=/flexepin-cashier.js></script>", &tag));
            browse(DESKTOP, async |browser| {
                browser.goto(&shop.url).await;
                let widget = Widget::ready_on(browser).await;
                widget.type_into("pin", &pin).await;
                widget.click("submit").await;
                widget.press("stop").await;
                let detail = widget.event("flexepin-unconfirmed").await;
                assert_eq!((&detail["code"], &detail["money"]), (&json!("NO_ANSWER"), &json!("unknown")), "{status}");
                widget.text_with("unconfirmed", "Do not use this voucher anywhere else").await;
            })
            .await;
        }
        let asked = shop.requests().into_iter().filter(|seen| seen.line.starts_with(&format!("POST {}", bad::AWAY)));
        assert!(asked.count() >= 2, "{status}: each was tried");
        let followed = |seen: &Seen| seen.line.contains(" /cashier/");
        assert!(!shop.requests().iter().chain(&other.requests()).any(followed), "{status} was followed");
        assert!(taken(&pin).await.is_null(), "{status}");
    }
}

/// When somebody changes the options of an attempt that has begun, by what part of the merchant's page, on what road.
const CHANGES: &[(&str, Road, &str)] = &[
    ("by the submit event", Road::LosesAnswers, "widget.addEventListener('flexepin-submit', divert)"),
    ("in beforeSubmit", Road::LosesAnswers, "widget.beforeSubmit = divert"),
    (
        "in a later beforeSubmit",
        Road::LosesAnswers,
        "widget.beforeSubmit = ({reason}) => { if (reason === 'retry') divert() }",
    ),
    ("before a retry", Road::LosesAnswers, "window.divert = divert"),
    ("while the answer is held", Road::HoldsAnswers, "window.divert = divert"),
    ("by a base", Road::LosesAnswers, "window.divert = () => document.head.prepend(base)"),
];

#[tokio::test]
async fn whatever_is_changed_in_the_middle_of_an_attempt_goes_to_its_own_endpoint_with_its_own_body() {
    for &(name, road, part) in CHANGES {
        let (shop, other) = (Merchant::with_widget(FIXED).await, Merchant::open("").await);
        let pin = issue(25.0, "EUR").await;
        browse(DESKTOP, async |browser| {
            browser.goto(&shop.url).await;
            let widget = Widget::ready_on(browser).await;
            let prepare = format!(
                "const widget = document.querySelector('flexepin-cashier'), [elsewhere] = arguments;
                const base = Object.assign(document.createElement('base'), {{href: elsewhere}});
                const endpoint = elsewhere + 'cashier/flexepin';
                const changed = {{endpoint, currency: 'USD', amount: '50', email: 'm@example.com'}};
                const divert = () => {{ for (const name in changed) widget.setAttribute(name, changed[name]) }};
                {part}"
            );
            browser.script(&prepare, &[json!(format!("{}/", other.url))]).await;
            shop.set_road(road);
            widget.type_into("pin", &pin).await;
            widget.submit_when_options_are_in_force().await;
            widget.event("flexepin-submit").await;
            until("taken", async || taken(&pin).await.as_str().map(str::to_owned)).await;
            browser.script("window.divert?.()", &[]).await;
            if road == Road::LosesAnswers {
                widget.reaches("waiting").await;
            }
            shop.set_road(Road::Open);
            let detail = widget.event("flexepin-redeemed").await;
            all_went_to(&shop, &detail["attempt"], &pin, name);
            assert!(!other.requests().iter().any(|seen| seen.line.contains("/cashier/")), "{name}: it went elsewhere");
            if !name.contains("base") {
                follows_for_the_next(&widget, &other, name).await;
            }
        })
        .await;
    }
}

/// The POSTs of one attempt, all with the key and the body that it began with.
fn all_went_to(shop: &Merchant, attempt: &Value, pin: &str, name: &str) {
    let posts: Vec<_> = shop.requests().into_iter().filter(|seen| seen.line == "POST /cashier/flexepin").collect();
    assert!(posts.len() >= if name.contains("held") { 1 } else { 2 }, "{name}: {posts:?}");
    let body = json!({
        "type": "PAYIN", "pspType": "FLEXEPIN", "voucherPin": pin, "baseamount": 25.0, "currency": "EUR",
        "currencyCode": "EUR", "userId": "user_123", "email": "player@example.com",
    });
    for post in posts {
        assert_eq!(post.header("idempotency-key"), attempt.as_str(), "{name}");
        let mut sent: Value = serde_json::from_str(&post.body).expect("JSON");
        // JSON has one kind of number.
        sent["baseamount"] = json!(sent["baseamount"].as_f64());
        assert_eq!(sent, body, "{name}");
    }
}

/// What was changed is in force for the next attempt.
async fn follows_for_the_next(widget: &Widget<'_>, other: &Merchant, name: &str) {
    widget.call("reset", &[]).await;
    let pin = issue(50.0, "USD").await;
    widget.type_into("pin", &pin).await;
    // By the method: a click is the other half's matter.
    assert_eq!(widget.call("submit", &[]).await, true, "{name}");
    let sent = async || other.requests().into_iter().find(|seen| seen.line == "POST /cashier/flexepin");
    let post = until("the next one is sent elsewhere", sent).await;
    assert!(post.body.contains("USD") && post.body.contains(&pin), "{name}");
}
