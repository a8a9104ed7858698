//! Whether the customer is pressing on the page right now. A field that is left by a press is not called wrong before
//! the press has had its click: the words would move the button away from under the finger, and the click would miss
//! it.

use gloo_events::{EventListener, EventListenerOptions};
use gloo_timers::callback::Timeout;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::EventTarget;

/// On a touch screen the field is left, and the click comes, a while after the finger was lifted.
const CLICK_WITHIN_MS: u32 = 400;

#[derive(Default)]
enum State {
    #[default]
    Idle,
    Down,
    /// Lifted; the click is awaited. The timer is what ends that where there is none.
    Lifted {
        _until: Timeout,
    },
}

/// Watches presses on the whole page until it is dropped.
pub(crate) struct Press {
    state: Rc<RefCell<State>>,
    _listeners: Vec<EventListener>,
}

impl Press {
    /// `ended` is called when a press has had its click, or has none.
    pub(crate) fn watch(ended: impl Fn() + Clone + 'static) -> Self {
        let state: Rc<RefCell<State>> = Rc::default();
        let window: EventTarget = js_sys::global().unchecked_into();
        // In the capture phase: a page may stop these events below.
        let on = |kind: &'static str, act: Box<dyn Fn()>| {
            EventListener::new_with_options(&window, kind, EventListenerOptions::run_in_capture_phase(), move |_| act())
        };
        let end_after = |ms: u32| {
            let (state, ended) = (Rc::clone(&state), ended.clone());
            move || {
                let (inner, ended) = (Rc::clone(&state), ended.clone());
                let until = Timeout::new(ms, move || {
                    inner.replace(State::Idle);
                    ended();
                });
                state.replace(State::Lifted { _until: until });
            }
        };
        let down = Rc::clone(&state);
        let listeners = vec![
            on("pointerdown", Box::new(move || drop(down.replace(State::Down)))),
            on("pointerup", Box::new(end_after(CLICK_WITHIN_MS))),
            on("pointercancel", Box::new(end_after(0))),
            // The click's own listeners come first.
            on("click", Box::new(end_after(0))),
        ];
        Self { state, _listeners: listeners }
    }

    /// Whether a press goes on, or may still have its click.
    pub(crate) fn is_on(&self) -> bool {
        !matches!(*self.state.borrow(), State::Idle)
    }
}

impl Drop for Press {
    fn drop(&mut self) {
        // The timer that awaits a click holds the state that it is in: nobody else would end it.
        self.state.replace(State::Idle);
    }
}
