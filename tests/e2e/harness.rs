//! The harness itself, on pages of its own: what it types, pastes, hears and breaks is what it says.

use crate::browser::{Browser, DESKTOP, PHONE, Scheme, browse, until};
use crate::merchant::{Merchant, Wasm, bad};
use crate::widget::Widget;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// A stand-in for the widget: a field in a shadow root, and an event for each input.
const STAND_IN: &str = "<!doctype html><title>stand-in</title><link rel=icon href=data:,><script>
    customElements.define('flexepin-cashier', class extends HTMLElement {
      phase = 'editing';
      connectedCallback() {
        const root = this.attachShadow({mode: 'open'});
        root.innerHTML = '<form><input part=pin inputmode=numeric></form>' +
          '<p part=error hidden>hidden</p><p part=\"error note\">wrong</p>';
        root.querySelector('input').oninput = event => this.dispatchEvent(
          new CustomEvent('flexepin-change', {detail: event.inputType, bubbles: true, composed: true}));
      }
      add(a, b) { return Promise.resolve(a + b); }
    });
    </script><flexepin-cashier></flexepin-cashier>";

#[tokio::test]
async fn keys_arrive_one_by_one_and_a_paste_at_once() {
    let merchant = Merchant::open(STAND_IN).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&merchant.url).await;
        let widget = Widget::on(browser).await;
        widget.type_into("pin", "1234").await;
        widget.type_into("pin", "5").await;
        assert_eq!(widget.pin_and_caret().await, ("12345".to_owned(), Some(5)));
        let inserted = vec![json!({"type": "flexepin-change", "detail": "insertText"}); 5];
        assert_eq!(widget.events().await, inserted);

        widget.paste_into("pin", "PIN:\u{a0}１２ - 34").await;
        assert_eq!(widget.pin_and_caret().await.0, "PIN:\u{a0}１２ - 34");
        assert_eq!(widget.events().await[5..], [json!({"type": "flexepin-change", "detail": "insertFromPaste"})]);
    })
    .await;
}

#[tokio::test]
async fn only_what_is_visible_in_the_shadow_root_is_seen() {
    let merchant = Merchant::open(STAND_IN).await;
    browse(PHONE, async |browser| {
        browser.goto(&merchant.url).await;
        let widget = Widget::on(browser).await;
        assert_eq!(widget.texts("error").await, ["wrong"]);
        assert_eq!(widget.text_with("note", "wro").await, "wrong");
        assert!(!widget.shows("receipt").await);
        widget.reaches("editing").await;
        assert_eq!(widget.call("add", &[json!(2), json!(3)]).await, 5);
    })
    .await;
}

#[tokio::test]
async fn the_page_has_the_size_and_the_scheme_that_were_asked_for() {
    for (screen, width) in [(PHONE, 360), (DESKTOP, 1280)] {
        browse(screen, async |browser| {
            browser.goto("data:text/html,<meta name=viewport content=width=device-width>").await;
            assert_eq!(browser.script("return innerWidth", &[]).await, width);
            let is_dark = "return matchMedia('(prefers-color-scheme: dark)').matches";
            assert_eq!(browser.script(is_dark, &[]).await, false);
            browser.scheme(Scheme::Dark).await;
            browser.reload().await;
            assert_eq!(browser.script(is_dark, &[]).await, true);
            assert!(browser.screenshot().await.starts_with(b"\x89PNG"));
        })
        .await;
    }
}

#[tokio::test]
async fn console_errors_are_collected() {
    let merchant = Merchant::open("<link rel=icon href=data:,><script>console.log('fine'); missing()</script>").await;
    browse(DESKTOP, async |browser| {
        browser.goto(&merchant.url).await;
        let errors = browser.console_errors().await;
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains("missing is not defined"), "{errors:?}");
        merchant.set_page("<link rel=icon href=data:,>");
        browser.reload().await;
        assert!(browser.console_errors().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_browser_closes_also_when_the_test_panics() {
    let (tell, told) = oneshot::channel();
    let failing = tokio::task::LocalSet::new();
    let outcome = failing.run_until(async {
        tokio::task::spawn_local(browse(DESKTOP, async |browser: &Browser| {
            tell.send(browser.address().await).expect("it is awaited");
            std::panic::resume_unwind(Box::new("on purpose"));
        }))
        .await
    });
    let panic = outcome.await.expect_err("the panic goes on").into_panic();
    assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
    let look = format!("{}/url", told.await.expect("it was told")).parse().expect("an address");
    let client: Client<_, axum::body::Body> = Client::builder(TokioExecutor::new()).build_http();
    assert_eq!(client.get(look).await.expect("the driver answers").status(), 404, "the session is still there");
}

#[tokio::test]
async fn the_wasm_comes_late_or_not_at_all_as_the_merchant_is_told() {
    let merchant = Merchant::open("<link rel=icon href=data:,>").await;
    browse(DESKTOP, async |browser| {
        browser.goto(&merchant.url).await;
        let status = "return fetch('/flexepin-cashier.wasm', {cache: 'no-store'}).then(r => r.status)";
        merchant.set_wasm(Wasm::Missing);
        assert_eq!(browser.script(status, &[]).await, 404);
        merchant.set_wasm(Wasm::Delayed(Duration::from_millis(300)));
        let start = Instant::now();
        assert_eq!(browser.script(status, &[]).await, 200);
        assert!(start.elapsed() >= Duration::from_millis(300));
        merchant.set_wasm(Wasm::AsBuilt);
        let magic = "return fetch('/flexepin-cashier.wasm').then(r => r.arrayBuffer())
            .then(b => String.fromCharCode(...new Uint8Array(b, 1, 3)))";
        assert_eq!(browser.script(magic, &[]).await, "asm");
    })
    .await;
}

#[tokio::test]
async fn each_bad_endpoint_is_bad_in_its_own_way_from_any_origin() {
    let (shop, endpoint) = (Merchant::open("<link rel=icon href=data:,>").await, Merchant::open("").await);
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let answer = async |path: &str| -> Value {
            let post = "return fetch(arguments[0], {method: 'POST', redirect: 'error', body: '{}',
                headers: {'Content-Type': 'application/json', 'Idempotency-Key': 'k'}})
                .then(async r => [r.status, (await r.text()).length], () => null)";
            let (same, other) = (json!(path), json!(format!("{}{path}", endpoint.url)));
            let (same, other) = (browser.script(post, &[same]).await, browser.script(post, &[other]).await);
            assert_eq!(same, other, "{path} from the same and from another origin");
            same
        };
        assert_eq!(answer(bad::HTML).await[0], 200);
        assert_eq!(answer(bad::EMPTY).await, json!([200, 0]));
        assert_eq!(answer(bad::CLOSED).await, Value::Null);
        assert!(answer(bad::HUGE).await[1].as_u64() > Some(10_000_000));
        assert_eq!(answer(bad::REDIRECT).await, Value::Null);
        let markup = browser.script("return fetch(arguments[0]).then(r => r.json())", &[json!(bad::MARKUP)]).await;
        assert_eq!((&markup["isSuccess"], &markup["data"]["result"]), (&json!(true), &json!("0")));
        assert!(markup["data"]["serial"].as_str().is_some_and(|serial| serial.contains('\u{202e}')));
    })
    .await;
}

#[tokio::test]
async fn the_widget_as_shipped_gets_ready_on_a_merchants_page() {
    let options = "endpoint=/cashier/flexepin amount=25 currency=EUR user-id=user_123 email=player@example.com";
    let merchant = Merchant::with_widget(options).await;
    browse(PHONE, async |browser| {
        browser.goto(&merchant.url).await;
        let widget = Widget::ready_on(browser).await;
        assert_eq!(widget.phase().await, "editing");
        let errors = browser.console_errors().await;
        assert!(errors.is_empty(), "{errors:?}");
    })
    .await;
}

#[tokio::test]
async fn a_condition_is_awaited_to_its_deadline_and_named_when_it_fails() {
    let mut looks = 0;
    until("the third look", async || {
        looks += 1;
        (looks == 3).then_some(())
    })
    .await;
    assert_eq!(looks, 3);
}
