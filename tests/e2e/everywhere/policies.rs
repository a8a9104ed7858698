//! Strict pages: under the policies that DESIGN.md promises to work under, in another element's shadow root, and in
//! sandboxed frames a voucher is redeemed by hand, and nothing is forbidden that the widget wanted.

mod endpoints;

use crate::browser::{Browser, DESKTOP, browse, until};
use crate::merchant::{Merchant, REPORTS};
use crate::sandbox::{issue, scripted, taken};
use crate::widget::{Widget, take_in_hand};
use serde_json::{Value, json};

const SCRIPT: &str = "/flexepin-cashier.js";
const OPTIONS: &str = "amounts='10 25' currency=EUR user-id=user_123 email=player@example.com theme=light";

/// The policy of DESIGN.md, for what scripts and what connections.
fn policy(scripts: &str, connections: &str) -> String {
    format!(
        "default-src 'none'; script-src {scripts} 'wasm-unsafe-eval'; connect-src {connections}; form-action 'none'; \
         base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'; report-uri {REPORTS}"
    )
}

fn page(scripts: &str, widget: &str) -> String {
    format!("<!doctype html><html lang=en><meta charset=utf-8><title>Shop</title>\n{scripts}\n<body>{widget}")
}

fn tag(endpoint: &str) -> String {
    format!("<flexepin-cashier endpoint={endpoint}/cashier/flexepin {OPTIONS}></flexepin-cashier>")
}

/// What a page's `integrity` must be for a file, as the browser in hand reckons it.
async fn integrity(browser: &Browser, url: &str) -> String {
    let reckon = "return fetch(arguments[0]).then(file => file.arrayBuffer())
        .then(bytes => crypto.subtle.digest('SHA-384', bytes))
        .then(hash => 'sha384-' + btoa(String.fromCharCode(...new Uint8Array(hash))))";
    browser.script(reckon, &[json!(url)]).await.as_str().expect("a hash").to_owned()
}

/// Whether a part looks as the style sheet has it.
async fn is_styled(browser: &Browser, widget: &Widget<'_>, part: &str, property: &str, value: &str) {
    let look = "return getComputedStyle(arguments[0])[arguments[1]]";
    let element = widget.part(part).await;
    assert_eq!(browser.script(look, &[json!(element), json!(property)]).await, value, "{property} of {part}");
}

/// Every kind of screen by hand, ending with a redemption.
async fn shows_everything_and_redeems(browser: &Browser) {
    let widget = Widget::ready_on(browser).await;
    is_styled(browser, &widget, "submit", "backgroundColor", "rgb(29, 78, 216)").await;
    is_styled(browser, &widget, "amounts", "display", "grid").await;
    widget.choose_amount("€25.00").await;
    widget.type_into("pin", &scripted("4075")).await;
    widget.click("submit").await;
    widget.text_with("error", "Flexepin does not know this PIN").await;
    is_styled(browser, &widget, "error", "color", "rgb(179, 38, 30)").await;

    widget.clear("pin").await;
    widget.type_into("pin", &scripted("0599")).await;
    widget.click("submit").await;
    widget.text_with("unconfirmed", "We do not know yet").await;
    is_styled(browser, &widget, "unconfirmed", "display", "grid").await;
    widget.click("another").await;
    widget.text_with("card-text", "Do not use this voucher").await;
    is_styled(browser, &widget, "card", "borderInlineStartWidth", "4px").await;

    let pin = issue(25.0, "EUR").await;
    widget.choose_amount("€25.00").await;
    widget.type_into("pin", &pin).await;
    widget.click("submit").await;
    let detail = widget.event("flexepin-redeemed").await;
    assert_eq!(taken(&pin).await, detail["transactionId"]);
    widget.text_with("receipt", "€25.00 redeemed").await;
    is_styled(browser, &widget, "receipt", "display", "grid").await;
}

/// Firefox holds a page's icon against the page's policy, which no widget can help.
fn is_the_icon(told: &Value) -> bool {
    told.to_string().contains("favicon.ico")
}

/// The page's own console has no error. What Chromium itself adds there is about answers that are no successes.
async fn said_no_error(browser: &Browser, name: &str) {
    let mut said = browser.console().await;
    said.retain(|entry| entry["level"] == "error" && !is_the_icon(entry));
    assert!(said.is_empty(), "{name}: {said:?}");
}

/// Nothing was forbidden so far, and what is forbidden now is known and reported: the last look can fail.
async fn nothing_was_forbidden(browser: &Browser, shop: &Merchant, name: &str) {
    said_no_error(browser, name).await;
    browser.script("document.body.setAttribute('style', 'color: red')", &[]).await;
    let reported = || shop.reports().into_iter().filter(|report| !is_the_icon(report)).collect::<Vec<_>>();
    let reports = until("the inline style is reported", async || Some(reported()).filter(|all| !all.is_empty())).await;
    assert!(reports.len() == 1 && reports[0].to_string().contains("style-src"), "{name}: {reports:?}");
    let mut violations = browser.violations().await;
    violations.retain(|violation| !is_the_icon(violation));
    assert!(violations.len() == 1 && violations[0]["directive"] == "style-src-attr", "{name}: {violations:?}");
}

#[tokio::test]
async fn every_screen_is_shown_and_styled_under_the_strict_policy_and_nothing_is_forbidden() {
    for name in ["script", "tag", "module", "nonce"] {
        let shop = Merchant::open("").await;
        let own = shop.url.clone();
        let (scripts, widget) = match name {
            "script" => (format!("<script src={SCRIPT} async></script>"), tag("")),
            "tag" => {
                let options =
                    "data-amounts='10 25' data-currency=EUR data-user-id=u data-email=a@example.com data-theme=light";
                (
                    String::new(),
                    format!("<script src={SCRIPT} data-endpoint=/cashier/flexepin {options} async></script>"),
                )
            }
            "module" => ("<script type=module src=/flexepin-cashier.mjs></script>".to_owned(), tag("")),
            _ => (
                format!("<script nonce=abc src=/recorder.js></script><script nonce=abc src={SCRIPT} async></script>"),
                tag(""),
            ),
        };
        let allowed = if name == "nonce" { "'nonce-abc' 'strict-dynamic'" } else { own.as_str() };
        let policy = policy(allowed, &own);
        shop.add_page("/strict", page(&scripts, &widget), &[("content-security-policy", &policy)]);
        browse(DESKTOP, async |browser| {
            browser.goto(&format!("{own}/strict")).await;
            shows_everything_and_redeems(browser).await;
            nothing_was_forbidden(browser, &shop, name).await;
        })
        .await;
    }
}

#[tokio::test]
async fn from_another_origin_with_its_hash_it_works_under_the_strict_policy() {
    for name in ["script", "module", "nonce"] {
        let (shop, cdn) = (Merchant::open("<!doctype html><title>Shop</title>").await, Merchant::open("").await);
        let (file, kind) =
            if name == "module" { ("flexepin-cashier.mjs", "type=module") } else { ("flexepin-cashier.js", "async") };
        let (nonce, allowed) =
            if name == "nonce" { ("nonce=abc", "'nonce-abc' 'strict-dynamic'") } else { ("", cdn.url.as_str()) };
        let cdn = &cdn.url;
        browse(DESKTOP, async |browser| {
            browser.goto(&shop.url).await;
            let hash = integrity(browser, &format!("{cdn}/{file}")).await;
            let scripts = format!(
                "<script {nonce} src={cdn}/recorder.js></script>\
                 <script {nonce} src={cdn}/{file} {kind} integrity='{hash}' crossorigin></script>"
            );
            let policy = policy(allowed, cdn);
            shop.add_page("/strict", page(&scripts, &tag(cdn)), &[("content-security-policy", &policy)]);
            browser.goto(&format!("{}/strict", shop.url)).await;
            shows_everything_and_redeems(browser).await;
            nothing_was_forbidden(browser, &shop, name).await;
        })
        .await;
    }
}

#[tokio::test]
async fn inside_another_elements_shadow_root_a_voucher_is_redeemed() {
    let shop = Merchant::open(page(&format!("<script src={SCRIPT}></script>"), "<main></main>")).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let place = "const root = document.querySelector('main').attachShadow({mode: 'open'});
            root.append(document.createElement('h1'));
            const options = {endpoint: '/cashier/flexepin', currency: 'EUR', userId: 'u', email: 'a@example.com'};
            FlexepinCashier.mount(root, {...options, amounts: ['10', '25'], theme: 'light'})";
        browser.script(place, &[]).await;
        take_in_hand(browser, "document.querySelector('main').shadowRoot.querySelector('flexepin-cashier')").await;
        shows_everything_and_redeems(browser).await;
        said_no_error(browser, "in a shadow root").await;
    })
    .await;
}

#[tokio::test]
async fn in_a_sandboxed_frame_a_voucher_is_redeemed_by_the_button_and_by_enter() {
    let enter = char::from(fantoccini::key::Key::Enter).to_string();
    for (sandbox, storage) in [("allow-scripts", false), ("allow-scripts allow-same-origin allow-forms", true)] {
        let shop =
            Merchant::open(page("", &format!("<iframe sandbox='{sandbox}' src=/frame width=500 height=640></iframe>")))
                .await;
        shop.add_page("/frame", page(&format!("<script src={SCRIPT} crossorigin async></script>"), &tag("")), &[]);
        for by_enter in [false, true] {
            let pin = issue(25.0, "EUR").await;
            browse(DESKTOP, async |browser| {
                browser.goto(&shop.url).await;
                browser.enter_frame("iframe").await;
                let stores = "try { return Boolean(localStorage) } catch { return false }";
                assert_eq!(browser.script(stores, &[]).await, storage, "{sandbox}");
                let widget = Widget::ready_on(browser).await;
                widget.choose_amount("€25.00").await;
                widget.type_into("pin", &pin).await;
                if by_enter {
                    browser.keys(&enter).await;
                } else {
                    widget.click("submit").await;
                }
                let detail = widget.event("flexepin-redeemed").await;
                assert_eq!(taken(&pin).await, detail["transactionId"], "{sandbox}");
                widget.text_with("receipt", "€25.00 redeemed").await;
                is_styled(browser, &widget, "receipt", "display", "grid").await;
                assert_eq!(browser.script("return location.pathname + location.search", &[]).await, "/frame");
            })
            .await;
        }
        let posts = shop.requests().into_iter().filter(|seen| seen.line == "POST /cashier/flexepin");
        let origins: Vec<_> = posts.map(|seen| seen.header("origin").unwrap_or_default().to_owned()).collect();
        let origin = if storage { shop.url.as_str() } else { "null" };
        assert_eq!(origins, [origin, origin], "{sandbox}");
    }
}
