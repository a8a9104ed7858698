//! A page with a mounted widget, as the custom element makes it, and a `fetch` that the test answers.

use flexepin_cashier::{Handle, mount};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Array, Function, JSON, Object, Promise, Reflect};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Element, HtmlElement, HtmlInputElement, Request, Response, ResponseInit, ShadowRoot, ShadowRootInit,
    ShadowRootMode, Storage,
};

pub(crate) const PIN: &str = "1234567890123456";
pub(crate) const SUCCESS: &str = include_str!("../fixtures/mozarto/replies/redeemed.json");

/// A widget on a page of its own. Dropping it takes it off the page.
pub(crate) struct Page {
    pub(crate) root: ShadowRoot,
    pub(crate) handle: Handle,
    host: HtmlElement,
    events: Rc<RefCell<Vec<(String, JsValue)>>>,
    acts: Rc<RefCell<Vec<Act>>>,
    /// What the page would know if the instance trapped: phase, attempt, reference.
    kept: Rc<RefCell<Array>>,
}

/// An event's name, and what happens inside its handler, once.
type Act = (String, Box<dyn FnOnce()>);

/// The form shell in a shadow root, before any app: what `static/shell.js` makes.
pub(crate) fn shell() -> (HtmlElement, ShadowRoot) {
    let module = include_str!("../../static/shell.js").replace("export const", "const");
    let make_shell = format!("{module}\nreturn makeShell();");
    let shell = Function::new_no_args(&make_shell).call0(&JsValue::UNDEFINED).expect("the shell's script runs");
    let document = web_sys::window().and_then(|window| window.document()).expect("a page");
    let host: HtmlElement = document.create_element("div").expect("a host").unchecked_into();
    document.body().expect("a body").append_child(&host).expect("appended");
    let root = host.attach_shadow(&ShadowRootInit::new(ShadowRootMode::Open)).expect("a shadow root");
    for part in ["cards", "form", "screen", "notice", "live"] {
        let part: Element = get(&shell, part).unchecked_into();
        root.append_child(&part).expect("appended");
    }
    (host, root)
}

/// The options that the custom element would hand over: 25.00 EUR fixed, with these changes.
pub(crate) fn options(changes: &str) -> JsValue {
    let defaults = r#"{"endpoint": "https://shop.example/cashier/flexepin", "currency": "EUR", "amounts": null, "amount": "25.00", "userId": "user_123",
        "email": "player@example.com", "brandId": null, "sessionToken": null, "timeout": 30000,
        "credentials": "same-origin", "messages": null}"#;
    let options: Object = json(defaults).unchecked_into();
    Object::assign(&options, json(changes).unchecked_ref()).into()
}

impl Page {
    /// For a customer whom this browser has never seen.
    pub(crate) fn mount(options: &JsValue) -> Self {
        for storage in storages() {
            storage.clear().expect("cleared");
        }
        Self::mount_again(options)
    }

    /// As after a reload: with what the page before has stored.
    pub(crate) fn mount_again(options: &JsValue) -> Self {
        let (host, root) = shell();
        Self::mount_over(host, root, options)
    }

    pub(crate) fn mount_over(host: HtmlElement, root: ShadowRoot, options: &JsValue) -> Self {
        let events: Rc<RefCell<Vec<(String, JsValue)>>> = Rc::default();
        let acts: Rc<RefCell<Vec<Act>>> = Rc::default();
        let (heard, to_do) = (Rc::clone(&events), Rc::clone(&acts));
        let emit = Closure::<dyn Fn(String, JsValue)>::new(move |name: String, detail| {
            let due = to_do.borrow_mut().extract_if(.., |(awaited, _)| *awaited == name).collect::<Vec<_>>();
            heard.borrow_mut().push((name, detail));
            for (_, act) in due {
                act();
            }
        });
        let kept: Rc<RefCell<Array>> = Rc::default();
        let told = Rc::clone(&kept);
        let keep = Closure::<dyn Fn(JsValue, JsValue, JsValue)>::new(move |phase, attempt, reference| {
            told.replace(Array::of3(&phase, &attempt, &reference));
        });
        let [emit, keep] = [emit.into_js_value(), keep.into_js_value()].map(JsCast::unchecked_into);
        let handle = mount(root.clone(), options, emit, keep).expect("the options go together");
        handle.ready();
        Self { root, handle, host, events, acts, kept }
    }

    /// The phase, as the page was told it last.
    pub(crate) fn phase(&self) -> String {
        self.kept.borrow().get(0).as_string().unwrap_or_else(|| "editing".to_owned())
    }

    /// The element that the shadow root is of.
    pub(crate) fn host(&self) -> HtmlElement {
        self.host.clone()
    }

    /// Types a text into a field as a browser would: a value and an `input` event.
    pub(crate) fn type_into(&self, part: &str, text: &str) {
        let input: HtmlInputElement = self.part(part).unchecked_into();
        input.set_value(text);
        input.dispatch_event(&web_sys::Event::new("input").expect("an event")).expect("dispatched");
    }

    pub(crate) fn part(&self, part: &str) -> HtmlElement {
        let found = self.root.query_selector(&format!("[part={part}]")).expect("a selector");
        found.unwrap_or_else(|| panic!("there is no part {part}")).unchecked_into()
    }

    pub(crate) fn text(&self, part: &str) -> String {
        self.part(part).text_content().unwrap_or_default()
    }

    /// Waits until a part is there with this in its text.
    pub(crate) async fn shows(&self, part: &str, text: &str) {
        let found = || self.root.query_selector(&format!("[part={part}]")).expect("a selector");
        until(text, || found().and_then(|element| element.text_content()).is_some_and(|shown| shown.contains(text)))
            .await;
    }

    /// The details of the events of this name, as JSON.
    pub(crate) fn heard(&self, name: &str) -> Vec<String> {
        let events = self.events.borrow();
        let details = events.iter().filter(|(heard, _)| heard == name).map(|(_, detail)| detail);
        details.map(|detail| JSON::stringify(detail).expect("a detail is JSON").into()).collect()
    }

    /// Does something inside the handler of the next event of this name.
    pub(crate) fn when_heard(&self, name: &str, act: impl FnOnce() + 'static) {
        self.acts.borrow_mut().push((name.to_owned(), Box::new(act)));
    }

    /// Waits until this event was heard, and gives its detail.
    pub(crate) async fn hears(&self, name: &str) -> JsValue {
        until(name, || !self.heard(name).is_empty()).await;
        let events = self.events.borrow();
        events.iter().find(|(heard, _)| heard == name).map(|(_, detail)| detail.clone()).expect("heard")
    }

    /// Presses a button.
    pub(crate) async fn press(&self, part: &str) {
        until(part, || self.root.query_selector(&format!("[part={part}]")).expect("a selector").is_some()).await;
        self.part(part).click();
    }

    /// Submits a valid form.
    pub(crate) fn redeem(&self) {
        self.type_into("pin", PIN);
        assert!(self.handle.submit(), "an attempt begins");
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.handle.destroy();
        self.host.remove();
    }
}

/// `localStorage` and `sessionStorage`.
pub(crate) fn storages() -> [Storage; 2] {
    let window = web_sys::window().expect("a page");
    [window.local_storage(), window.session_storage()].map(|storage| storage.expect("allowed").expect("there"))
}

/// Everything that is stored, as one text.
pub(crate) fn stored() -> String {
    storages().iter().map(|storage| String::from(JSON::stringify(storage).expect("texts"))).collect()
}

/// Lets the page go on until the condition holds; says what was waited for when it never does.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..1000 {
        if condition() {
            return;
        }
        TimeoutFuture::new(2).await;
    }
    panic!("{what}: never happened");
}

/// Plays the network: each request is noted and answered by `answer` with its number, from 1.
pub(crate) fn play_fetch(answer: impl Fn(usize) -> Promise + 'static) -> Rc<RefCell<Vec<Request>>> {
    let requests: Rc<RefCell<Vec<Request>>> = Rc::default();
    let noted = Rc::clone(&requests);
    let fetch = Closure::<dyn Fn(Request) -> Promise>::new(move |request| {
        noted.borrow_mut().push(request);
        let number = noted.borrow().len();
        answer(number)
    });
    Reflect::set(&js_sys::global(), &"fetch".into(), &fetch.into_js_value()).expect("fetch can be replaced");
    requests
}

/// An answer with this status, headers (as JSON) and body.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Promise {
    let init = ResponseInit::new();
    init.set_status(status);
    init.set_headers(&json(headers));
    let response = Response::new_with_opt_str_and_init(Some(body), &init).expect("a response");
    Promise::resolve(&JsValue::from(response))
}

/// The body of a fixture, as its text.
pub(crate) fn body_of(fixture: &str) -> String {
    JSON::stringify(&get(&json(fixture), "body")).expect("a body").into()
}

pub(crate) fn json(text: &str) -> JsValue {
    JSON::parse(text).expect("the test's own JSON")
}

pub(crate) fn get(value: &JsValue, name: &str) -> JsValue {
    Reflect::get(value, &name.into()).expect("an object")
}

/// Several fields of a detail, as one JSON array.
pub(crate) fn fields(value: &JsValue, names: &[&str]) -> String {
    let fields: Array = names.iter().map(|name| get(value, name)).collect();
    JSON::stringify(&fields).expect("fields are JSON").into()
}
