//! A Yew application around the component: a page of a shop, which the test renders again and again.

use crate::page::{PIN, storages, until};
use flexepin_cashier::component::{Cashier, CashierProps, Outcome};
use gloo_timers::future::TimeoutFuture;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement, ShadowRoot};
use yew::{AppHandle, AttrValue, Callback, Html, Properties, component, html, props};

/// A shop's page, in which other things are before and behind the cashier.
#[component]
pub(crate) fn Shop(props: &ShopProps) -> Html {
    let things = props.things.iter().map(|thing| match &props.cashier {
        Some(cashier) if *thing == "cashier" => html! { <Cashier key="cashier" ..cashier.clone() /> },
        _ => html! { <p key={*thing}>{ thing }</p> },
    });
    html! { <main>{ for things }</main> }
}

#[derive(Clone, PartialEq, Properties)]
pub(crate) struct ShopProps {
    pub(crate) things: Vec<&'static str>,
    pub(crate) cashier: Option<CashierProps>,
}

/// A running shop, and what its callbacks heard. Dropping it ends it.
pub(crate) struct Page {
    shop: Option<AppHandle<Shop>>,
    props: ShopProps,
    place: Element,
    pub(crate) heard: Heard,
}

pub(crate) type Heard = Rc<RefCell<Vec<String>>>;

/// 25.00 EUR fixed; every callback is noted.
pub(crate) fn cashier(heard: &Heard) -> CashierProps {
    fn note<T: 'static>(heard: &Heard, words: impl Fn(T) -> String + 'static) -> Callback<T> {
        let heard = Rc::clone(heard);
        Callback::from(move |told| heard.borrow_mut().push(words(told)))
    }
    props!(CashierProps {
        endpoint: "https://shop.example/cashier/flexepin",
        currency: "EUR",
        amount: "25.00",
        user_id: "user_123",
        email: "player@example.com",
        locale: "en",
        on_ready: note(heard, |()| "ready".to_owned()),
        on_submit: note(heard, |_| "submit".to_owned()),
        on_outcome: note(heard, |outcome: Outcome| outcome.code.as_str().to_owned()),
        on_config_error: note(heard, |reason: AttrValue| reason.to_string()),
    })
}

impl Page {
    /// Opens the shop with these changes of the cashier's props, and waits until the cashier is ready.
    pub(crate) async fn open(change: impl FnOnce(&mut CashierProps)) -> Self {
        let page = Self::open_at_once(change);
        page.hears("ready").await;
        page
    }

    pub(crate) fn open_at_once(change: impl FnOnce(&mut CashierProps)) -> Self {
        for storage in storages() {
            storage.clear().expect("cleared");
        }
        let document = web_sys::window().and_then(|window| window.document()).expect("a page");
        let place = document.create_element("div").expect("a place");
        document.body().expect("a body").append_child(&place).expect("appended");
        let heard = Heard::default();
        let mut cashier = cashier(&heard);
        change(&mut cashier);
        let props = ShopProps { things: vec!["news", "cashier", "footer"], cashier: Some(cashier) };
        let shop = yew::Renderer::<Shop>::with_root_and_props(place.clone(), props.clone()).render();
        Self { shop: Some(shop), props, place, heard }
    }

    /// Renders the shop again with these changes.
    pub(crate) async fn change(&mut self, change: impl FnOnce(&mut ShopProps)) {
        change(&mut self.props);
        self.shop.as_mut().expect("open").update(self.props.clone());
        TimeoutFuture::new(0).await;
    }

    pub(crate) async fn change_cashier(&mut self, change: impl FnOnce(&mut CashierProps)) {
        self.change(|shop| change(shop.cashier.as_mut().expect("there"))).await;
    }

    pub(crate) async fn hears(&self, word: &str) {
        until(word, || self.heard.borrow().iter().any(|heard| heard.contains(word))).await;
    }

    pub(crate) fn times(&self, word: &str) -> usize {
        self.heard.borrow().iter().filter(|heard| heard.contains(word)).count()
    }

    pub(crate) fn host(&self) -> Element {
        self.place.query_selector("main > div").expect("a selector").expect("the cashier's element")
    }

    pub(crate) fn root(&self) -> ShadowRoot {
        self.host().shadow_root().expect("an open shadow root")
    }

    pub(crate) fn part(&self, part: &str) -> HtmlElement {
        let found = self.root().query_selector(&format!("[part={part}]")).expect("a selector");
        found.unwrap_or_else(|| panic!("there is no part {part}")).unchecked_into()
    }

    pub(crate) fn pin(&self) -> HtmlInputElement {
        self.part("pin").unchecked_into()
    }

    pub(crate) fn type_pin(&self, text: &str) {
        let pin = self.pin();
        pin.set_value(text);
        pin.dispatch_event(&web_sys::Event::new("input").expect("an event")).expect("dispatched");
    }

    pub(crate) fn redeem(&self) {
        self.type_pin(PIN);
        self.part("submit").click();
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if let Some(shop) = self.shop.take() {
            shop.destroy();
        }
        self.place.remove();
    }
}
