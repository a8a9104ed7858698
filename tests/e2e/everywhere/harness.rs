//! The harness itself, on pages of its own: what it types, pastes, hears and breaks is what it says.

use crate::browser::{Browser, DESKTOP, PHONE, browse, until};
use crate::merchant::{CDN, Merchant, REPORTS, Serves, bad};
use crate::widget::Widget;
use serde_json::{Value, json};

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

        widget.paste_into("pin", "PIN: １２ - 34").await;
        assert_eq!(widget.pin_and_caret().await.0, "PIN: １２ - 34");
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
async fn what_is_said_on_the_console_and_errors_that_nobody_caught_are_collected() {
    let empty = "<link rel=icon href=data:,>";
    for (script, level, word) in [
        ("console.log('fine', {a: [1]})", "log", "fine {\"a\":[1]}"),
        ("console.warn('careful')", "warn", "careful"),
        ("console.error('wrong', new TypeError('why'))", "error", "TypeError: why"),
        ("missing()", "error", "missing"),
        ("Promise.reject(new RangeError('lost'))", "error", "RangeError: lost"),
    ] {
        let merchant = Merchant::open(format!("{empty}<script>{script}</script>")).await;
        browse(DESKTOP, async |browser| {
            browser.goto(&merchant.url).await;
            let said = until("it is said", async || browser.console().await.pop()).await;
            assert_eq!(said["level"], level, "{script}");
            assert!(said["text"].as_str().is_some_and(|text| text.contains(word)), "{script}: {said}");
            let errors = browser.console_errors().await;
            assert_eq!(errors.len(), usize::from(level == "error"), "{script}: {errors:?}");
            assert!(
                errors.iter().all(|error| error.contains(word.split(' ').next_back().expect("a word"))),
                "{errors:?}"
            );
            merchant.set_page(empty);
            browser.reload().await;
            assert!(browser.console_errors().await.is_empty() && browser.console().await.is_empty());
        })
        .await;
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_test_that_panicked() {
    let merchant = Merchant::open(STAND_IN).await;
    let left = "return [localStorage.length, sessionStorage.length, document.cookie, history.length]";
    let failing = tokio::task::LocalSet::new();
    let url = merchant.url.clone();
    let outcome = failing.run_until(async {
        tokio::task::spawn_local(browse(DESKTOP, async move |browser: &Browser| {
            browser.goto(&url).await;
            browser
                .script("localStorage.left = sessionStorage.left = 'behind'; document.cookie = 'left=behind'", &[])
                .await;
            browser.open_tab().await;
            browser.goto(&url).await;
            std::panic::resume_unwind(Box::new("on purpose"));
        }))
        .await
    });
    let panic = outcome.await.expect_err("the panic goes on").into_panic();
    assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
    browse(DESKTOP, async |browser| {
        browser.goto(&merchant.url).await;
        let left = browser.script(left, &[]).await;
        assert_eq!((&left[0], &left[1], &left[2]), (&json!(0), &json!(0), &json!("")));
        assert!(left[3].as_u64() <= Some(2), "{left}");
    })
    .await;
}

#[tokio::test]
async fn a_file_comes_late_altered_or_not_at_all_as_the_merchant_is_told_from_any_origin() {
    let (page, merchant) = (Merchant::open("<link rel=icon href=data:,>").await, Merchant::open("").await);
    browse(DESKTOP, async |browser| {
        browser.goto(&page.url).await;
        let start = "window.got = null; fetch(arguments[0]).then(r => r.text().then(t => [r.status, t.length]), () => ['cut', 0])
            .then(got => { window.got = got })";
        let got = async || until("it is fetched", async || browser.script("return window.got", &[]).await.as_array().cloned()).await;
        let mut lengths = Vec::new();
        for address in [format!("{}/flexepin-cashier.js", merchant.url), format!("{}{CDN}/flexepin-cashier.js", merchant.url)] {
            for (serves, status) in
                [(Serves::AsBuilt, json!(200)), (Serves::Altered, json!(200)), (Serves::Missing, json!(404)), (Serves::Cut, json!("cut"))]
            {
                merchant.set_file("flexepin-cashier.js", Serves::Held);
                browser.script(start, &[json!(address)]).await;
                assert_eq!(browser.script("return window.got", &[]).await, json!(null), "it is held");
                merchant.set_file("flexepin-cashier.js", serves);
                let got = got().await;
                assert_eq!(got[0], status);
                lengths.push(got[1].as_u64().expect("a length"));
            }
        }
        assert!(lengths[0] > 10_000 && lengths[1] == lengths[0] + 1 && lengths[..4] == lengths[4..], "{lengths:?}");
    })
    .await;
}

#[tokio::test]
async fn a_page_has_its_headers_and_what_its_policy_forbids_is_known_and_reported() {
    let shop = Merchant::open("").await;
    let policy = format!("script-src 'nonce-abc'; report-uri {REPORTS}");
    let html = "<!doctype html><link rel=icon href=data:,><script nonce=abc src=/recorder.js></script><script>window.executed = 1</script>";
    shop.add_page("/strict", html, &[("content-security-policy", &policy), ("x-frame-options", "DENY")]);
    browse(DESKTOP, async |browser| {
        browser.goto(&format!("{}/strict", shop.url)).await;
        assert_eq!(browser.script("return window.executed ?? null", &[]).await, json!(null));
        let violations =
            until("a violation", async || Some(browser.violations().await).filter(|list| !list.is_empty())).await;
        assert_eq!((violations.len(), &violations[0]["directive"]), (1, &json!("script-src-elem")), "{violations:?}");
        let report = until("a report", async || shop.reports().pop()).await;
        let directive = report["csp-report"]["effective-directive"].as_str().unwrap_or_default().to_owned();
        assert!(directive.starts_with("script-src"), "{report}");
        assert_eq!(browser.console_errors().await.len(), 1);
        browser.goto(&shop.url).await;
        assert!(browser.violations().await.is_empty(), "another page has another policy");
    })
    .await;
}

#[tokio::test]
async fn the_endpoint_answers_pages_of_any_origin_and_requests_are_taken_down() {
    let (page, shop) = (Merchant::open("<link rel=icon href=data:,>").await, Merchant::open("").await);
    page.add_page(
        "/alone",
        "<!doctype html><link rel=icon href=data:,>",
        &[("content-security-policy", "sandbox allow-scripts")],
    );
    browse(DESKTOP, async |browser| {
        for path in ["/", "/alone"] {
            browser.goto(&format!("{}{path}", page.url)).await;
            let ask = "return fetch(arguments[0], {headers: {'Accept-Language': 'en', Authorization: 'Bearer t'}})
                .then(async r => [r.status, r.headers.get('attempt-key'), (await r.json()).errorCode])";
            let key = "123e4567-e89b-42d3-a456-426614174000";
            let address = format!("{}/cashier/flexepin/{key}", shop.url);
            let answer = browser.script(ask, &[json!(address)]).await;
            assert_eq!(answer, json!([404, key, "ATTEMPT_UNKNOWN"]), "{path}");
            let seen = shop.requests().pop().expect("it came in");
            assert_eq!((seen.line, seen.body.as_str()), (format!("GET /cashier/flexepin/{key}"), ""));
            assert!(seen.headers.contains("authorization: Bearer t"), "{}", seen.headers);
        }
        let origin = shop.requests().pop().and_then(|seen| seen.header("origin").map(str::to_owned));
        assert_eq!(origin.as_deref(), Some("null"), "a sandboxed page has no origin");
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
