//! What a page keeps of an open attempt, and what the next page, another tab or a browser without storage makes of it.

use crate::page::{
    PIN, Page, SUCCESS, answer, body_of, fields, get, json, options, play_fetch, storages, stored, until,
};
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::HtmlInputElement;

/// A page whose request was lost, gone before any answer came.
async fn lost_page(options: &JsValue) -> String {
    let requests = play_fetch(|_| Promise::reject(&"no network".into()));
    let page = Page::mount(options);
    page.redeem();
    until("waiting", || page.phase() == "waiting").await;
    let request = requests.borrow()[0].clone().expect("a request");
    request.headers().get("idempotency-key").expect("a name").expect("a key")
}

fn kept(key: &str) -> String {
    format!(r#"{{"Attempt-Key": "{key}"}}"#)
}

#[wasm_bindgen_test]
async fn a_record_is_stored_before_the_request_leaves_and_gone_after_the_outcome() {
    let seen = Function::new_no_args("window.storedAtFetch = JSON.stringify(localStorage)");
    play_fetch(move |_| {
        seen.call0(&JsValue::UNDEFINED).expect("noted");
        answer(200, "{}", &body_of(SUCCESS))
    });
    let page = Page::mount(&options("{}"));
    page.redeem();
    page.hears("flexepin-redeemed").await;
    let at_fetch = get(&js_sys::global(), "storedAtFetch").as_string().expect("stored");
    for part in ["flexepin-cashier.open.", "lastFour", "3456", "user_123", "amountMinor", "beganAtMs", "sent"] {
        assert!(at_fetch.contains(part), "{part} in {at_fetch}");
    }
    assert!(!at_fetch.contains(PIN) && !at_fetch.contains(&PIN[4..12]), "{at_fetch}");
    assert!(!stored().contains("flexepin-cashier.open."), "{}", stored());
}

#[wasm_bindgen_test]
async fn without_a_user_the_record_is_this_tabs_alone() {
    lost_page(&options(r#"{"userId": null}"#)).await;
    let [local, session] = storages();
    assert_eq!((local.length().expect("a count"), session.length().expect("a count")), (0, 1));
}

#[wasm_bindgen_test]
async fn after_a_reload_the_attempt_is_asked_about_and_its_truth_is_told() {
    let key = lost_page(&options("{}")).await;
    let headers = kept(&key);
    let requests = play_fetch(move |_| answer(200, &headers, &body_of(SUCCESS)));
    let page = Page::mount_again(&options(r#"{"endpoint": "https://shop.example/other"}"#));
    assert_eq!(page.phase(), "editing", "another endpoint");
    drop(page);
    let page = Page::mount_again(&options("{}"));
    assert_eq!(page.phase(), "checking");
    let detail = page.hears("flexepin-redeemed").await;
    assert_eq!(get(&detail, "attempt").as_string().as_deref(), Some(key.as_str()));
    let request = requests.borrow()[0].clone().expect("a request");
    assert_eq!(request.method(), "GET");
    assert!(request.url().ends_with(&format!("/cashier/flexepin/{key}")), "{}", request.url());
    assert!(!stored().contains(&key));
}

#[wasm_bindgen_test]
async fn the_key_is_a_path_segment_before_any_query() {
    let with_query = options(r#"{"endpoint": "https://shop.example/cashier/flexepin/?shop=1"}"#);
    let key = lost_page(&with_query).await;
    let requests = play_fetch(|_| answer(200, "{}", "<!doctype html>"));
    let _page = Page::mount_again(&with_query);
    until("asked", || !requests.borrow().is_empty()).await;
    let url = requests.borrow()[0].url();
    assert_eq!(url, format!("https://shop.example/cashier/flexepin/{key}?shop=1"));
}

#[wasm_bindgen_test]
async fn an_attempt_that_never_arrived_is_closed_and_said_to_be_untouched() {
    let key = lost_page(&options("{}")).await;
    let headers = kept(&key);
    let requests = play_fetch(move |number| match number {
        1 | 2 => answer(404, &headers, r#"{"isSuccess": false, "errorCode": "ATTEMPT_UNKNOWN"}"#),
        _ => answer(200, &headers, r#"{"status": "untouched"}"#),
    });
    let page = Page::mount_again(&options("{}"));
    let detail = page.hears("flexepin-rejected").await;
    assert_eq!(fields(&detail, &["code", "money", "next"]), r#"["ATTEMPT_CLOSED","no","edit"]"#);
    let methods: Vec<_> = requests.borrow().iter().map(web_sys::Request::method).collect();
    assert_eq!(methods, ["GET", "GET", "DELETE"]);
    page.shows("form-error", "untouched").await;
}

#[wasm_bindgen_test]
async fn a_page_that_answers_anything_to_a_get_proves_nothing_and_the_same_pin_finishes() {
    let key = lost_page(&options("{}")).await;
    let headers = kept(&key);
    let requests = play_fetch(move |number| match number {
        1..=3 => answer(200, r#"{"Content-Type": "text/html"}"#, "<!doctype html>"),
        _ => answer(200, &headers, &body_of(SUCCESS)),
    });
    let page = Page::mount_again(&options("{}"));
    let detail = page.hears("flexepin-unconfirmed").await;
    assert_eq!(fields(&detail, &["code", "money", "next"]), r#"["NO_ANSWER","unknown","status"]"#);
    page.press("finish").await;
    page.shows("finishing", "ends in 3456").await;
    page.type_into("pin", "1111222233334444");
    assert!(!page.handle.submit(), "another PIN");
    page.shows("error", "another voucher").await;
    page.redeem();
    let detail = page.hears("flexepin-redeemed").await;
    assert_eq!(get(&detail, "attempt").as_string().as_deref(), Some(key.as_str()));
    let last = requests.borrow().last().expect("a request").clone().expect("a copy");
    assert_eq!((last.method(), last.headers().get("idempotency-key").expect("a name")), ("POST".into(), Some(key)));
}

#[wasm_bindgen_test]
async fn another_voucher_can_be_redeemed_meanwhile_and_the_open_one_is_held_back() {
    lost_page(&options("{}")).await;
    let requests = play_fetch(|number| match number {
        1..=3 => answer(200, "{}", "<!doctype html>"),
        _ => answer(200, "{}", &body_of(SUCCESS)),
    });
    let page = Page::mount_again(&options("{}"));
    page.hears("flexepin-unconfirmed").await;
    page.press("another").await;
    page.shows("card-text", "ending in 3456").await;
    page.type_into("pin", PIN);
    assert!(!page.handle.submit(), "a voucher that ends so is open");
    page.shows("error", "still open").await;
    assert_eq!(requests.borrow().len(), 3);
    page.type_into("pin", "1111222233334444");
    assert!(page.handle.submit());
    page.hears("flexepin-redeemed").await;
    page.shows("card-text", "ending in 3456").await;
}

#[wasm_bindgen_test]
async fn of_two_tabs_one_sends() {
    let requests = play_fetch(|_| Promise::new(&mut |_, _| {}));
    let first = Page::mount(&options("{}"));
    first.redeem();
    until("sent", || requests.borrow().len() == 1).await;
    let key = requests.borrow()[0].headers().get("idempotency-key").expect("a name").expect("a key");
    let headers = kept(&key);
    let requests =
        play_fetch(move |_| answer(404, &headers, r#"{"isSuccess": false, "errorCode": "ATTEMPT_UNKNOWN"}"#));
    let second = Page::mount_again(&options("{}"));
    until("asked three times", || requests.borrow().len() >= 3).await;
    let methods: Vec<_> = requests.borrow().iter().map(web_sys::Request::method).collect();
    assert!(methods.iter().all(|method| method == "GET"), "the first tab still sends: {methods:?}");
    assert_eq!((first.phase().as_str(), second.phase().as_str()), ("redeeming", "checking"));
}

#[wasm_bindgen_test]
async fn who_says_untouched_asks_when_another_page_tries_the_same_attempt() {
    let limited = r#"{"isSuccess": false, "errorCode": "PSP_RATE_LIMITED"}"#;
    play_fetch(move |_| answer(429, r#"{"Retry-After": "300"}"#, limited));
    let page = Page::mount(&options("{}"));
    page.redeem();
    let failed = page.hears("flexepin-failed").await;
    assert_eq!(get(&failed, "money").as_string().as_deref(), Some("no"));
    let name = format!("flexepin-cashier.open.{}", get(&failed, "attempt").as_string().expect("a key"));
    let [local, _] = storages();
    let record = local.get_item(&name).expect("read").expect("kept");
    assert!(record.contains(r#""stage":"untouched","tries":1"#), "{record}");
    local.set_item(&name, &record.replace(r#""untouched","tries":1"#, r#""sent","tries":2"#)).expect("stored");
    play_fetch(|_| Promise::new(&mut |_, _| {}));
    let event = "dispatchEvent(new StorageEvent('storage', { key: 'flexepin-cashier.open.' }))";
    Function::new_no_args(event).call0(&JsValue::UNDEFINED).expect("dispatched");
    assert_eq!(page.phase(), "checking");
    page.shows("checking", "Do not use this voucher anywhere else").await;
}

#[wasm_bindgen_test]
async fn another_user_or_endpoint_frees_no_voucher_that_is_open() {
    for change in [r#"{"userId": "somebody-else"}"#, r#"{"endpoint": "https://shop.example/other"}"#] {
        let requests = play_fetch(|_| Promise::reject(&"no network".into()));
        let page = Page::mount(&options(r#"{"userId": null}"#));
        page.redeem();
        page.press("stop").await;
        page.handle.update(&options(change)).expect("good options");
        page.press("another").await;
        page.type_into("pin", PIN);
        assert!(!page.handle.submit(), "{change}");
        page.shows("error", "still open").await;
        page.shows("card-text", "ending in 3456").await;
        let posts = requests.borrow().iter().filter(|request| request.method() == "POST").count();
        assert_eq!(posts, 1, "{change}");
    }
}

#[wasm_bindgen_test]
async fn a_removed_widgets_late_answer_leaves_the_next_ones_field_alone_and_tells_it_the_end() {
    let (release, held) = crate::redeeming::held_promise();
    play_fetch(move |number| match number {
        1 => held.clone(),
        _ => answer(200, "{}", "<!doctype html>"),
    });
    let first = Page::mount(&options("{}"));
    first.redeem();
    first.hears("flexepin-submit").await;
    first.handle.destroy();
    let second = Page::mount_over(first.host(), first.root.clone(), &options("{}"));
    until("asked in vain", || second.phase() == "unconfirmed").await;
    second.press("another").await;
    second.type_into("pin", "1111222233334444");
    let response =
        wasm_bindgen_futures::JsFuture::from(answer(200, "{}", &body_of(SUCCESS))).await.expect("a response");
    release.call1(&JsValue::UNDEFINED, &response).expect("released");
    first.hears("flexepin-redeemed").await;
    assert_eq!(second.part("pin").unchecked_into::<HtmlInputElement>().value(), "1111 2222 3333 4444");
    until("forgotten", || !stored().contains("flexepin-cashier.open.")).await;
    until("the next one may put it away", || {
        second.root.query_selector("[part=card-dismiss]").expect("a selector").is_some()
    })
    .await;
}

/// Gives storage back, also when the test fails.
struct Allowed;
impl Drop for Allowed {
    fn drop(&mut self) {
        let allow = "Object.defineProperty(window, 'localStorage', window.kept); console.warn = window.warn";
        Function::new_no_args(allow).call0(&JsValue::UNDEFINED).expect("allowed");
    }
}

#[wasm_bindgen_test]
async fn where_storage_is_forbidden_a_voucher_is_redeemed_all_the_same() {
    let forbid = "window.kept = Object.getOwnPropertyDescriptor(window, 'localStorage');
        Object.defineProperty(window, 'localStorage', { configurable: true, get() { throw new DOMException('no', 'SecurityError') } });
        window.warned = 0; window.warn = console.warn; console.warn = () => { window.warned += 1 }";
    Function::new_no_args(forbid).call0(&JsValue::UNDEFINED).expect("forbidden");
    let _allowed = Allowed;
    play_fetch(|number| match number {
        1 => Promise::reject(&"no network".into()),
        _ => answer(200, "{}", &body_of(SUCCESS)),
    });
    let page = Page::mount_again(&options("{}"));
    page.redeem();
    page.press("try-now").await;
    page.hears("flexepin-redeemed").await;
    assert_eq!(get(&js_sys::global(), "warned").as_f64(), Some(1.0), "said once");
}

#[wasm_bindgen_test]
async fn leaving_is_asked_about_while_a_try_is_sent_and_not_before_or_after() {
    let leave = || {
        let event = Function::new_no_args(
            "const event = new Event('beforeunload', { cancelable: true }); window.dispatchEvent(event); return event.defaultPrevented",
        );
        event.call0(&JsValue::UNDEFINED).expect("dispatched").is_truthy()
    };
    play_fetch(|_| Promise::reject(&"no network".into()));
    let page = Page::mount(&options("{}"));
    assert!(!leave());
    page.redeem();
    assert!(leave());
    page.press("stop").await;
    assert!(!leave(), "not known, and nothing is sent");
    page.press("retry").await;
    assert!(leave());
    drop(page);
    assert!(!leave(), "the widget is gone");
}

#[wasm_bindgen_test]
async fn what_came_back_online_is_tried_at_once() {
    let requests = play_fetch(|number| match number {
        1 => Promise::reject(&"no network".into()),
        _ => answer(200, "{}", &body_of(SUCCESS)),
    });
    let page = Page::mount(&options("{}"));
    page.redeem();
    until("waiting", || page.phase() == "waiting").await;
    let window = web_sys::window().expect("a page");
    window.dispatch_event(&web_sys::Event::new("online").expect("an event")).expect("dispatched");
    assert_eq!(page.phase(), "redeeming");
    page.hears("flexepin-redeemed").await;
    assert_eq!(requests.borrow().len(), 2);
}

#[wasm_bindgen_test]
async fn a_page_back_from_the_back_forward_cache_asks_at_once() {
    let key = lost_page(&options("{}")).await;
    let headers = kept(&key);
    let requests = play_fetch(move |number| match number {
        1..=3 => answer(200, "{}", "<!doctype html>"),
        _ => answer(200, &headers, &body_of(SUCCESS)),
    });
    let page = Page::mount_again(&options("{}"));
    page.hears("flexepin-unconfirmed").await;
    let shown = |persisted: bool| {
        let script = format!("dispatchEvent(new PageTransitionEvent('pageshow', {{ persisted: {persisted} }}))");
        Function::new_no_args(&script).call0(&JsValue::UNDEFINED).expect("dispatched");
    };
    shown(false);
    assert_eq!(requests.borrow().len(), 3, "a page that was loaded has asked already");
    shown(true);
    page.hears("flexepin-redeemed").await;
}

#[wasm_bindgen_test]
async fn a_status_is_asked_with_the_merchants_session() {
    let key = lost_page(&options("{}")).await;
    let headers = kept(&key);
    let requests = play_fetch(move |number| match number {
        1 => answer(401, &headers, r#"{"isSuccess": false, "errorCode": "SESSION_EXPIRED"}"#),
        _ => answer(200, &headers, &body_of(SUCCESS)),
    });
    let options = options("{}");
    let ask = "window.reasons = (window.reasons ?? '') + ask.reason + ' '; return { sessionToken: 'fresh', headers: { 'X-Shop': 'a' } }";
    Reflect::set(&options, &"beforeSubmit".into(), &Function::new_with_args("ask", ask)).expect("set");
    let page = Page::mount_again(&options);
    page.hears("flexepin-redeemed").await;
    assert_eq!(get(&js_sys::global(), "reasons").as_string().as_deref(), Some("status session "));
    let request = requests.borrow()[1].clone().expect("a request");
    let header = |name: &str| request.headers().get(name).expect("a name").unwrap_or_default();
    assert_eq!((header("authorization").as_str(), header("x-shop").as_str()), ("Bearer fresh", "a"));
}

#[wasm_bindgen_test]
async fn what_stands_in_storage_and_is_no_record_is_passed_over() {
    let key = lost_page(&options("{}")).await;
    let [local, _] = storages();
    for (name, text) in [
        ("flexepin-cashier.open.x", "{}"),
        ("flexepin-cashier.open.00000000-0000-4000-8000-000000000001", "no JSON"),
        ("flexepin-cashier.open.00000000-0000-4000-8000-000000000002", r#"{"endpoint": 7}"#),
        ("another", "thing"),
    ] {
        local.set_item(name, text).expect("stored");
    }
    let requests = play_fetch(|_| Promise::new(&mut |_, _| {}));
    let page = Page::mount_again(&options("{}"));
    until("asked", || !requests.borrow().is_empty()).await;
    assert!(requests.borrow()[0].url().ends_with(&key));
    assert_eq!(page.root.query_selector_all("[part=card]").expect("a selector").length(), 0);
    assert_eq!(page.part("pin").unchecked_into::<HtmlInputElement>().value(), "");
    assert!(json(&local.get_item(&format!("flexepin-cashier.open.{key}")).expect("read").expect("there")).is_object());
}
