//! Whether the customer is pressing on the page right now. A field that is left by a press is not called wrong before
//! the press has ended: the words would move the button away from under the finger, and the click would miss it.

use gloo_events::EventListener;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::JsCast;

/// Watches presses on the whole page until it is dropped.
pub(crate) struct Press {
    down: Rc<Cell<bool>>,
    _listeners: Vec<EventListener>,
}

impl Press {
    /// `ended` is called at each release, before its click.
    pub(crate) fn watch(ended: impl Fn() + Clone + 'static) -> Self {
        let down: Rc<Cell<bool>> = Rc::default();
        let window: web_sys::EventTarget = js_sys::global().unchecked_into();
        let released = |kind: &'static str| {
            let (down, ended) = (Rc::clone(&down), ended.clone());
            EventListener::new(&window, kind, move |_| {
                down.set(false);
                ended();
            })
        };
        let pressed = Rc::clone(&down);
        let listeners = vec![
            EventListener::new(&window, "pointerdown", move |_| pressed.set(true)),
            released("pointerup"),
            released("pointercancel"),
        ];
        Self { down, _listeners: listeners }
    }

    /// Whether a press goes on.
    pub(crate) fn is_down(&self) -> bool {
        self.down.get()
    }
}
