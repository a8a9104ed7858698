//! DOM listeners that are taken off when their component goes. Yew's own `onclick=` registers closures at the root that
//! it never drops (0.23, `subtree_root.rs`), so a page that mounts often would grow.

use gloo_events::EventListener;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlInputElement};
use yew::{NodeRef, hook, use_effect_with, use_mut_ref};

/// Calls back on each `kind` event that reaches the element. One listener for the component's life; it calls the newest
/// callback.
#[hook]
pub(super) fn use_listener(node: &NodeRef, kind: &'static str, callback: impl Fn(&Event) + 'static) {
    type Newest = Rc<RefCell<Option<Rc<dyn Fn(&Event)>>>>;
    let newest: Newest = use_mut_ref(|| None);
    newest.replace(Some(Rc::new(callback)));
    use_effect_with(node.clone(), move |node| {
        let listener = node.cast::<Element>().map(|element| {
            EventListener::new(&element, kind, move |event| {
                let callback = newest.borrow().clone();
                if let Some(callback) = callback {
                    callback(event);
                }
            })
        });
        move || drop(listener)
    });
}

/// The text of the input that an event came from.
pub(super) fn input_text(event: &Event) -> String {
    let input = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
    input.map(|input| input.value()).unwrap_or_default()
}
