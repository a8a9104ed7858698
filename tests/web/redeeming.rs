//! From submit to outcome, with the requests that the browser would send.

use crate::fixtures;
use crate::page::{PIN, Page, SUCCESS, answer, body_of, fields, get, json, options, play_fetch, until};
use js_sys::{Array, Function, JSON, Promise, Reflect};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::HtmlInputElement;

#[wasm_bindgen_test]
async fn one_submit_is_one_post_with_the_contracts_headers_and_body() {
    let requests = play_fetch(|_| answer(200, "{}", &body_of(SUCCESS)));
    let page = Page::mount(&options(r#"{"sessionToken": "token-1"}"#));
    page.redeem();
    assert!(!page.handle.submit(), "the second submit begins nothing");
    page.hears("flexepin-redeemed").await;
    assert_eq!(requests.borrow().len(), 1);
    let request = requests.borrow()[0].clone().expect("a request");
    let shape = fields(&request, &["method", "redirect", "cache", "referrerPolicy", "credentials", "keepalive"]);
    assert_eq!(shape, r#"["POST","error","no-store","no-referrer","same-origin",true]"#);
    let header = |name: &str| request.headers().get(name).expect("a header name").unwrap_or_default();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("authorization"), "Bearer token-1");
    let attempt = get(&page.hears("flexepin-submit").await, "attempt").as_string().expect("a key");
    assert_eq!((header("idempotency-key"), attempt.len()), (attempt, 36));
    let body = JsFuture::from(request.json().expect("a body")).await.expect("JSON");
    let expected = json(include_str!("../fixtures/mozarto/request.json"));
    assert_eq!(sorted(&body), sorted(&expected));
}

fn sorted(object: &JsValue) -> String {
    let entries = js_sys::Object::entries(object.unchecked_ref()).sort();
    JSON::stringify(&entries).expect("entries are JSON").into()
}

#[wasm_bindgen_test]
async fn a_redemption_is_told_with_the_answers_facts_and_the_pin_is_gone() {
    play_fetch(|_| answer(200, "{}", &body_of(SUCCESS)));
    let page = Page::mount(&options("{}"));
    page.redeem();
    let detail = page.hears("flexepin-redeemed").await;
    let told = fields(
        &detail,
        &["code", "money", "next", "reference", "amountMinor", "currency", "serial", "transactionId", "discrepancy"],
    );
    assert_eq!(
        told,
        r#"["REDEEMED","yes","none","64a1f2b3c4d5e6f7a8b9c0d1",2500,"EUR","FP-9876543210","64a1f2b3c4d5e6f7a8b9c0d1",null]"#
    );
    assert_eq!(page.phase(), "redeemed");
    page.shows("receipt-serial", "FP-9876543210").await;
    assert_eq!(page.text("receipt-amount"), "€25.00");
    assert_eq!(page.part("pin").unchecked_into::<HtmlInputElement>().value(), "");
    let all = ["change", "submit", "redeemed"].map(|name| page.heard(&format!("flexepin-{name}")).join("")).join("");
    assert!(!all.contains(PIN), "{all}");
}

#[wasm_bindgen_test]
async fn an_answer_that_proves_nothing_is_tried_again_and_unconfirmed_when_that_stops() {
    let huge = "x".repeat(300 * 1024);
    for body in ["", "<html><script>window.hacked = 1</script></html>", r#"{"isSuccess": true}"#, "{", huge.as_str()] {
        let owned = body.to_owned();
        play_fetch(move |_| answer(200, r#"{"Content-Type": "text/html"}"#, &owned));
        let page = Page::mount(&options("{}"));
        page.redeem();
        page.press("stop").await;
        let detail = page.hears("flexepin-unconfirmed").await;
        let shown = &body[..body.len().min(20)];
        assert_eq!(fields(&detail, &["code", "money", "next"]), r#"["NO_ANSWER","unknown","status"]"#, "{shown}");
    }
    assert!(get(&js_sys::global(), "hacked").is_undefined());
}

#[wasm_bindgen_test]
async fn a_body_that_never_ends_is_given_up_at_256_kb() {
    let endless = Function::new_no_args(
        "window.pulled = 0; return Promise.resolve(new Response(new ReadableStream({ pull(stream) { window.pulled += 1; stream.enqueue(new Uint8Array(65536)); } })))",
    );
    play_fetch(move |_| endless.call0(&JsValue::UNDEFINED).expect("a response").unchecked_into());
    let page = Page::mount(&options("{}"));
    page.redeem();
    page.press("stop").await;
    page.hears("flexepin-unconfirmed").await;
    let pulled = get(&js_sys::global(), "pulled").as_f64().expect("a count");
    assert!((5.0..12.0).contains(&pulled), "{pulled}");
}

#[wasm_bindgen_test]
async fn a_request_that_fails_is_sent_again_under_the_same_key_and_nobody_is_told() {
    let requests = play_fetch(|number| match number {
        1 => Promise::reject(&"no network".into()),
        _ => answer(200, "{}", &body_of(SUCCESS)),
    });
    let page = Page::mount(&options("{}"));
    page.redeem();
    page.shows("wait", "1 second").await;
    assert_eq!(page.phase(), "waiting");
    page.press("try-now").await;
    page.hears("flexepin-redeemed").await;
    assert!(page.heard("flexepin-unconfirmed").is_empty());
    let keys: Vec<_> =
        requests.borrow().iter().map(|request| request.headers().get("idempotency-key").expect("a name")).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
}

#[wasm_bindgen_test]
async fn a_late_answer_still_counts() {
    let (release, held) = held_promise();
    play_fetch(move |_| held.clone());
    let page = Page::mount(&options(r#"{"timeout": 20}"#));
    page.redeem();
    page.press("stop").await;
    page.hears("flexepin-unconfirmed").await;
    let response = JsFuture::from(answer(200, "{}", &body_of(SUCCESS))).await.expect("a response");
    release.call1(&JsValue::UNDEFINED, &response).expect("released");
    page.hears("flexepin-redeemed").await;
}

pub(crate) fn held_promise() -> (Function, Promise) {
    let release = Array::new();
    let promise = Promise::new(&mut |resolve, _| {
        release.push(&resolve);
    });
    (release.get(0).unchecked_into(), promise)
}

#[wasm_bindgen_test]
async fn already_redeemed_is_certain_only_where_the_proxy_keeps_the_attempt() {
    let body = r#"{"status": "error", "isSuccess": false, "message": "Voucher already redeemed"}"#;
    play_fetch(move |_| answer(400, "{}", body));
    let page = Page::mount(&options("{}"));
    page.redeem();
    let detail = page.hears("flexepin-rejected").await;
    assert_eq!(fields(&detail, &["code", "money", "next"]), r#"["VOUCHER_ALREADY_REDEEMED","unknown","support"]"#);
    assert_eq!(page.phase(), "editing");
    assert_eq!(page.part("pin").unchecked_into::<HtmlInputElement>().value(), "1234 5678 9012 3456");
}

#[wasm_bindgen_test]
async fn before_submit_can_say_no_and_can_add_headers_but_not_the_contracts_own() {
    let requests = play_fetch(|_| answer(200, "{}", &body_of(SUCCESS)));
    let asked = |body: &str| {
        let options = options("{}");
        Reflect::set(&options, &"beforeSubmit".into(), &Function::new_with_args("ask", body)).expect("set");
        Page::mount(&options)
    };
    let page = asked("window.asked = JSON.stringify(ask); return false");
    page.redeem();
    until("back in the form", || page.phase() == "editing").await;
    assert!(requests.borrow().is_empty());
    let question = get(&js_sys::global(), "asked").as_string().expect("asked");
    assert!(question.contains(r#""try":1,"amountMinor":2500,"currency":"EUR","reason":"submit""#), "{question}");
    assert!(!question.contains(PIN));
    drop(page);

    let page = asked("return { headers: { 'X-Shop': 'a', 'idempotency-KEY': 'mine' }, sessionToken: 'fresh' }");
    page.redeem();
    page.hears("flexepin-redeemed").await;
    let request = requests.borrow()[0].clone().expect("a request");
    let header = |name: &str| request.headers().get(name).expect("a header name").unwrap_or_default();
    assert_eq!((header("x-shop").as_str(), header("authorization").as_str()), ("a", "Bearer fresh"));
    assert_ne!(header("idempotency-key"), "mine");
    drop(page);

    for unusable in
        ["return { headers: { 'not a name': 'a' } }", "throw new Error('no')", "return { get headers() { throw 1 } }"]
    {
        let page = asked(unusable);
        page.redeem();
        page.shows("form-error", "untouched").await;
        assert_eq!((page.phase().as_str(), requests.borrow().len()), ("editing", 1), "{unusable}");
    }
    let page = asked("return { headers: new Headers({ 'X-Shop': 'b' }) }");
    page.redeem();
    page.hears("flexepin-redeemed").await;
    assert_eq!(requests.borrow()[1].headers().get("x-shop").expect("a header name").as_deref(), Some("b"));
}

#[wasm_bindgen_test]
async fn a_servers_text_is_shown_as_text() {
    let body = r#"{"status": "error", "isSuccess": false, "errorCode": "INVALID_PSP_CREDENTIALS", "message": "x",
        "transactionId": "<img src=x onerror=alert(1)>\u202e\u0007"}"#;
    play_fetch(move |_| answer(400, "{}", body));
    let page = Page::mount(&options("{}"));
    page.redeem();
    let detail = page.hears("flexepin-failed").await;
    assert_eq!(get(&detail, "reference").as_string(), Some("<img src=x onerror=alert(1)>".into()));
    page.shows("reference", "<img src=x onerror=alert(1)>").await;
    assert!(page.root.query_selector("img").expect("a selector").is_none());
}

#[wasm_bindgen_test]
async fn reset_is_refused_while_a_try_is_sent_and_keeps_an_open_attempt_in_sight_else() {
    let (release, held) = held_promise();
    play_fetch(move |_| held.clone());
    let page = Page::mount(&options(r#"{"timeout": 50}"#));
    page.redeem();
    let refused = || get(&page.handle.reset().expect_err("refused"), "name").as_string();
    assert_eq!(refused().as_deref(), Some("InvalidStateError"));
    page.press("stop").await;
    page.hears("flexepin-unconfirmed").await;
    page.handle.reset().expect("nothing is sent now");
    assert_eq!(page.phase(), "editing");
    assert_eq!(page.part("pin").unchecked_into::<HtmlInputElement>().value(), "");
    page.shows("card-text", "voucher ending in 3456: we do not know yet").await;
    let response = JsFuture::from(answer(200, "{}", &body_of(SUCCESS))).await.expect("a response");
    release.call1(&JsValue::UNDEFINED, &response).expect("released");
    page.hears("flexepin-redeemed").await;
    page.shows("card-text", "voucher ending in 3456: redeemed").await;
}

#[wasm_bindgen_test]
async fn methods_may_be_called_inside_an_event_handler() {
    play_fetch(|_| answer(200, "{}", &body_of(SUCCESS)));
    let page = Rc::new(Page::mount(&options("{}")));
    let inside = Rc::downgrade(&page);
    page.when_heard("flexepin-redeemed", move || {
        let page = inside.upgrade().expect("the page is there");
        page.handle.reset().expect("allowed");
        page.handle.focus();
        assert!(!page.handle.submit(), "an empty form");
        page.handle.set_field_error("pin", Some("inside".into()));
    });
    page.redeem();
    page.shows("error", "inside").await;
    assert_eq!((page.phase().as_str(), page.heard("flexepin-redeemed").len()), ("editing", 1));
}

#[wasm_bindgen_test]
async fn who_destroys_the_widget_is_still_told_what_came_of_the_request() {
    let (release, held) = held_promise();
    play_fetch(move |_| held.clone());
    let page = Page::mount(&options("{}"));
    page.redeem();
    page.hears("flexepin-submit").await;
    page.handle.destroy();
    let response = JsFuture::from(answer(200, "{}", &body_of(SUCCESS))).await.expect("a response");
    release.call1(&JsValue::UNDEFINED, &response).expect("released");
    page.hears("flexepin-redeemed").await;
}

#[wasm_bindgen_test]
async fn what_wraps_the_pages_fetch_cannot_end_the_widget() {
    for wrapper in [
        "throw new Error('wrapped')",
        "return Promise.reject('not an error')",
        "return 7",
        "const response = new Response('{}'); return response.text().then(() => response)",
        "const response = new Response('{}'); response.body.getReader(); return Promise.resolve(response)",
    ] {
        let wrapper = Function::new_no_args(wrapper);
        Reflect::set(&js_sys::global(), &"fetch".into(), &wrapper).expect("fetch can be replaced");
        let page = Page::mount(&options("{}"));
        page.redeem();
        page.press("stop").await;
        let detail = page.hears("flexepin-unconfirmed").await;
        assert_eq!(get(&detail, "code").as_string().as_deref(), Some("NO_ANSWER"), "{wrapper:?}");
    }
}

#[wasm_bindgen_test]
async fn every_example_of_the_pages_ends_with_its_money_on_the_whole_way_through_the_widget() {
    for (name, text) in fixtures::REPLIES {
        let fixture = json(text);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a status of the fixtures")]
        let status = get(&fixture, "status").as_f64().expect(name) as u16;
        let body = body_of(text);
        play_fetch(move |_| answer(status, "{}", &body));
        let page = Page::mount(&options("{}"));
        page.redeem();
        let outcomes = ["redeemed", "rejected", "unconfirmed", "failed"].map(|kind| format!("flexepin-{kind}"));
        let retried = || page.root.query_selector("[part=stop]").expect("a selector").is_some();
        until(name, || retried() || outcomes.iter().any(|kind| !page.heard(kind).is_empty())).await;
        if retried() {
            page.press("stop").await;
            until(name, || outcomes.iter().any(|kind| !page.heard(kind).is_empty())).await;
        }
        let heard = outcomes.iter().find(|kind| !page.heard(kind).is_empty()).expect(name);
        assert_eq!(get(&page.hears(heard).await, "money"), get(&fixture, "money"), "{name}");
    }
}

#[wasm_bindgen_test]
async fn an_answer_nested_without_end_is_read_or_refused_and_traps_nothing() {
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let body = format!(r#"{{"isSuccess": true, "message": {deep}, "data": {{"result": "0"}}}}"#);
    play_fetch(move |_| answer(200, "{}", &body));
    let page = Page::mount(&options("{}"));
    page.redeem();
    until("an outcome", || ["redeemed", "waiting"].contains(&page.phase().as_str())).await;
}
