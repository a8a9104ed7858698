//! The Yew component, in a Yew application. `fetch` is played.

use crate::page::{PIN, SUCCESS, answer, body_of, get, play_fetch, until};
use crate::shop::{Page, cashier};
use flexepin_cashier::component::{
    Amount, BeforeSubmitFn, CashierHandle, Code, Field, OutcomeKind, Permission, PhaseName, Secret, Sending,
};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Array, Function, Promise};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Request;
use yew::Callback;

fn redeemed() -> Promise {
    answer(200, "{}", &body_of(SUCCESS))
}

/// The body of the first request.
async fn body_sent(requests: &RefCell<Vec<Request>>) -> JsValue {
    let body = requests.borrow()[0].json().expect("a body");
    JsFuture::from(body).await.expect("JSON")
}

fn header(request: &Request, name: &str) -> String {
    request.headers().get(name).expect("a header name").unwrap_or_default()
}

#[wasm_bindgen_test]
async fn a_voucher_is_redeemed_in_a_yew_application() {
    let requests = play_fetch(|_| redeemed());
    let outcomes = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&outcomes);
    let page = Page::open(|cashier| {
        cashier.on_outcome = Callback::from(move |outcome| kept.borrow_mut().push(outcome));
    })
    .await;
    assert_eq!(get(&page.root(), "adoptedStyleSheets").unchecked_into::<Array>().length(), 1);
    page.redeem();
    until("an outcome", || !outcomes.borrow().is_empty()).await;
    assert_eq!((requests.borrow().len(), page.times("submit")), (1, 1));
    let outcome = outcomes.borrow()[0].clone();
    assert_eq!(outcome.code, Code::Redeemed);
    let OutcomeKind::Redeemed(redemption) = outcome.kind else { panic!("it is redeemed") };
    assert_eq!(redemption.amount.map(Amount::minor), Some(2500));
    assert_eq!(redemption.serial.as_deref(), Some("FP-9876543210"));
    assert_eq!(page.pin().value(), "", "the PIN is gone");
    until("the receipt", || page.root().query_selector("[part=receipt]").is_ok_and(|found| found.is_some())).await;
    assert_eq!(get(&body_sent(&requests).await, "voucherPin").as_string().as_deref(), Some(PIN));
}

#[wasm_bindgen_test]
async fn changed_props_lose_nothing_that_was_typed() {
    let mut page = Page::open(|cashier| cashier.theme = Some("light".into())).await;
    let pin = page.pin();
    page.type_pin("12345678");
    page.change_cashier(|cashier| {
        cashier.theme = Some("dark".into());
        cashier.amount = None;
        cashier.amounts = ["10", "20"].into();
        cashier.messages = HashMap::from([("pin-label".into(), "Your code".into())]);
    })
    .await;
    until("the choice", || page.root().query_selector("[part=amounts]").is_ok_and(|found| found.is_some())).await;
    assert!(page.pin().is_same_node(Some(&pin)), "the same field");
    assert_eq!(pin.value(), "1234 5678");
    assert_eq!(page.part("label").text_content().as_deref(), Some("Your code"));
    assert_eq!(page.part("form").get_attribute("data-theme").as_deref(), Some("dark"));
    assert_eq!(page.times("ready"), 1);
}

#[wasm_bindgen_test]
async fn rendering_the_parent_again_and_moving_the_key_mounts_nothing_anew() {
    let requests = play_fetch(|_| redeemed());
    let mut page = Page::open(|_| ()).await;
    let (host, pin) = (page.host(), page.pin());
    page.type_pin(PIN);
    for things in [vec!["cashier", "news", "footer"], vec!["footer", "news", "cashier"], vec!["cashier"]] {
        page.change(|shop| shop.things.clone_from(&things)).await;
        assert!(page.host().is_same_node(Some(&host)) && page.pin().is_same_node(Some(&pin)), "{things:?}");
    }
    // As a parent does that makes its callbacks anew at each rendering.
    let heard = Rc::clone(&page.heard);
    page.change_cashier(|props| props.on_outcome = cashier(&heard).on_outcome).await;
    assert_eq!((pin.value(), page.times("ready")), ("1234 5678 9012 3456".to_owned(), 1));
    page.part("submit").click();
    page.hears("REDEEMED").await;
    assert_eq!(requests.borrow().len(), 1);
}

/// Counts what `addEventListener` has added and `removeEventListener` not taken off, on every target but `left_out`.
const COUNT_LISTENERS: &str = "
    const counted = { now: 0 }, { addEventListener, removeEventListener } = EventTarget.prototype, on = new Map();
    const name = (target, type, capture) => [type, capture === true || capture?.capture === true, target].join();
    EventTarget.prototype.addEventListener = function (type, listener, options) {
        const names = on.get(listener) ?? on.set(listener, new Set()).get(listener);
        if (!names.has(name(this, type, options))) { names.add(name(this, type, options)); counted.now += 1; }
        return addEventListener.call(this, type, listener, options);
    };
    EventTarget.prototype.removeEventListener = function (type, listener, options) {
        if (on.get(listener)?.delete(name(this, type, options))) counted.now -= 1;
        return removeEventListener.call(this, type, listener, options);
    };
    counted.stop = () => Object.assign(EventTarget.prototype, { addEventListener, removeEventListener });
    return counted;";

#[wasm_bindgen_test]
async fn unmounting_erases_the_pin_and_leaves_no_listener() {
    let counted = Function::new_no_args(COUNT_LISTENERS).call0(&JsValue::UNDEFINED).expect("it counts");
    let listeners = || get(&counted, "now").as_f64().expect("a number");
    let mut page = Page::open(|_| ()).await;
    assert!(listeners() > 10.0, "the form's and the page's are counted: {}", listeners());
    page.type_pin(PIN);
    let (pin, root) = (page.pin(), page.root());
    page.change(|shop| shop.cashier = None).await;
    until("the components are gone", || root.query_selector("[part=pin-toggle]").is_ok_and(|found| found.is_none()))
        .await;
    assert_eq!(pin.value(), "");
    assert!(listeners() < 1.0, "{} are left", listeners());
    get(&counted, "stop").unchecked_into::<Function>().call0(&JsValue::UNDEFINED).expect("it stops");
}

#[wasm_bindgen_test]
async fn a_wrong_option_is_told_once_and_can_be_put_right() {
    let mut page = Page::open_at_once(|cashier| cashier.amount = Some("25,00".into()));
    page.hears("flexepin-cashier: amount must be a decimal number").await;
    assert!(page.part("notice").text_content().is_some_and(|text| text.contains("not set up correctly")));
    assert!(page.part("form").hidden());
    page.change_cashier(|cashier| cashier.user_id = Some("user_456".into())).await;
    assert_eq!(page.times("amount must be"), 1, "once per reason");
    page.change_cashier(|cashier| cashier.amount = Some("25.00".into())).await;
    page.hears("ready").await;
    assert_eq!((page.part("notice").text_content().as_deref(), page.part("form").hidden()), (Some(""), false));
    // A form that is there goes on with the options that it has.
    page.change_cashier(|cashier| cashier.currency = "Euro".into()).await;
    page.hears("currency must be a currency code").await;
    assert!(!page.part("form").hidden());
    page.change_cashier(|cashier| {
        cashier.currency = "EUR".into();
        cashier.amounts = "10 20".into();
    })
    .await;
    page.hears("amount and amounts exclude each other").await;
    assert_eq!(page.part("submit").text_content().as_deref(), Some("Redeem €25.00"));
}

#[wasm_bindgen_test]
async fn every_option_reaches_the_request_or_the_screen() {
    let requests = play_fetch(|_| redeemed());
    let page = Page::open(|cashier| {
        cashier.user_id = Some("user_456".into());
        cashier.email = Some("other@example.com".into());
        cashier.brand_id = Some("brand_1".into());
        cashier.session_token = Some("token-1".into());
        cashier.credentials = Some("include".into());
        cashier.locale = Some("de-DE".into());
        cashier.timeout = Some(1000);
        cashier.class = "till".into();
    })
    .await;
    assert_eq!(page.part("submit").text_content().as_deref(), Some("Redeem 25,00\u{a0}€"));
    assert_eq!(page.host().class_name(), "till");
    page.redeem();
    page.hears("REDEEMED").await;
    let request = requests.borrow()[0].clone().expect("a request");
    assert_eq!(header(&request, "authorization"), "Bearer token-1");
    assert_eq!(get(&request, "credentials").as_string().as_deref(), Some("include"));
    let body = body_sent(&requests).await;
    let sent = ["userId", "email", "brandId", "currency"].map(|name| get(&body, name).as_string().unwrap_or_default());
    assert_eq!(sent, ["user_456", "other@example.com", "brand_1", "EUR"]);
}

#[wasm_bindgen_test]
async fn before_submit_may_be_written_in_rust() {
    let requests = play_fetch(|_| redeemed());
    let asked = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&asked);
    let mut page = Page::open(|cashier| {
        cashier.before_submit = Some(BeforeSubmitFn::new(move |ask, _signal| {
            noted.borrow_mut().push((ask.reason.as_str(), ask.try_number, ask.amount.minor()));
            async { Permission::Refused }
        }));
    })
    .await;
    page.redeem();
    until("the refusal", || page.root().query_selector("[part=form-error]").is_ok_and(|found| found.is_some())).await;
    assert_eq!((asked.borrow().as_slice(), requests.borrow().len()), (&[("submit", 1, 2500)][..], 0));
    page.change_cashier(|cashier| {
        cashier.before_submit = Some(BeforeSubmitFn::new(|_, _| async {
            TimeoutFuture::new(1).await;
            let secret = |text: &str| Secret::new(text.to_owned());
            let headers = vec![("X-Shop".to_owned(), secret("1")), ("idempotency-KEY".to_owned(), secret("mine"))];
            Permission::Granted { headers, session_token: Some(secret("fresh")) }
        }));
    })
    .await;
    page.redeem();
    page.hears("REDEEMED").await;
    let request = requests.borrow()[0].clone().expect("a request");
    assert_eq!((header(&request, "x-shop"), header(&request, "authorization")), ("1".into(), "Bearer fresh".into()));
    assert_eq!(header(&request, "idempotency-key").len(), 36, "a key of the widget's own");
}

#[wasm_bindgen_test]
async fn before_submit_may_be_a_function_of_the_page() {
    let requests = play_fetch(|_| redeemed());
    let function = Function::new_with_args("asked", "return { headers: { 'X-Try': String(asked.try) } }");
    let page = Page::open(|cashier| cashier.before_submit = Some(function.into())).await;
    page.redeem();
    page.hears("REDEEMED").await;
    assert_eq!(header(&requests.borrow()[0], "x-try"), "1");
}

#[wasm_bindgen_test]
async fn the_handle_has_the_methods() {
    let (resolve, answered) = promise();
    play_fetch(move |_| answered.clone());
    let handle = CashierHandle::default();
    assert_eq!((handle.submit(), handle.phase(), handle.reset()), (false, None, Ok(())));
    let given = handle.clone();
    let mut page = Page::open(|cashier| cashier.handle = given).await;
    assert_eq!((handle.submit(), handle.phase()), (false, Some(PhaseName::Editing)));
    handle.set_field_error(Field::Pin, Some("Ask at the till".into()));
    let words = || page.root().query_selector("#pin-error").ok().flatten().and_then(|error| error.text_content());
    until("the words", || words().is_some_and(|words| words == "Ask at the till")).await;
    handle.focus();
    assert!(page.root().active_element().is_some_and(|active| active.is_same_node(Some(&page.pin()))));
    page.type_pin(PIN);
    assert!(handle.submit());
    until("it is being sent", || handle.phase() == Some(PhaseName::Redeeming)).await;
    assert_eq!(handle.reset(), Err(Sending));
    // A request that has left goes on, and its outcome is still told.
    page.change(|shop| shop.cashier = None).await;
    assert_eq!(handle.phase(), None);
    let answer = JsFuture::from(redeemed()).await.expect("an answer");
    resolve.call1(&JsValue::UNDEFINED, &answer).expect("resolved");
    page.hears("REDEEMED").await;
}

/// A promise, and what fulfils it.
fn promise() -> (Function, Promise) {
    let mut resolve = None;
    let promise = Promise::new(&mut |fulfil, _| resolve = Some(fulfil));
    (resolve.expect("a promise runs its executor at once"), promise)
}

#[wasm_bindgen_test]
async fn a_catalogue_gives_the_form_another_language_at_any_time() {
    let mut page = Page::open(|_| ()).await;
    page.type_pin("1234");
    page.change_cashier(|cashier| {
        cashier.catalogue = Some(include_str!("../../static/locales/he.json").into());
        cashier.locale = None;
    })
    .await;
    until("Hebrew", || page.part("title").text_content().is_some_and(|title| title.contains("שובר"))).await;
    let form = page.part("form");
    assert_eq!(
        (form.get_attribute("lang").as_deref(), form.get_attribute("dir").as_deref()),
        (Some("he"), Some("rtl"))
    );
    assert_eq!(page.pin().value(), "1234", "nothing typed is lost");
    page.change_cashier(|cashier| cashier.catalogue = Some("no JSON".into())).await;
    until("English", || page.part("title").text_content().is_some_and(|title| title.contains("Redeem"))).await;
}

#[wasm_bindgen_test]
async fn a_locale_that_is_none_is_told_and_the_application_goes_on() {
    let mut page = Page::open(|_| ()).await;
    page.change_cashier(|cashier| cashier.locale = Some("de_DE".into())).await;
    page.hears("locale must be").await;
    page.change_cashier(|cashier| {
        cashier.locale = None;
        cashier.catalogue = Some(r#"{"locale": "x_y", "messages": {"title": "Titel"}}"#.into());
    })
    .await;
    until("the catalogue's text", || page.part("title").text_content().as_deref() == Some("Titel")).await;
    assert_eq!(page.part("form").get_attribute("lang").as_deref(), Some("en"));
    page.change(|shop| shop.things = vec!["cashier", "later"]).await;
    assert!(page.host().parent_element().expect("a page").text_content().is_some_and(|text| text.contains("later")));
}
