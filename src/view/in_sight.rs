//! What gets the focus is brought into sight, with the margin that the style sheet gives it: Firefox and Safari leave it
//! behind what the merchant's page keeps at its edges.

use crate::object::{call, object};
use gloo_events::{EventListener, EventListenerOptions};
use std::cell::Cell;
use std::rc::Rc;
use web_sys::Element;
use yew::{hook, use_effect_with};

/// Watches the focus in the tree that `place` is in, for the component's life.
#[hook]
pub(super) fn use_focus_in_sight(place: &Element) {
    use_effect_with(place.clone(), |place| {
        let root = place.get_root_node();
        // Nothing moves under a finger or a pointer that is down.
        let is_down = Rc::new(Cell::new(false));
        let on = |kind: &'static str, down: bool| {
            let (is_down, options) = (Rc::clone(&is_down), EventListenerOptions::run_in_capture_phase());
            EventListener::new_with_options(&root, kind, options, move |_| is_down.set(down))
        };
        let pressed =
            [on("pointerdown", true), on("pointerup", false), on("pointercancel", false), on("keydown", false)];
        let focused = EventListener::new(&root, "focusin", move |event| {
            if let Some(target) = event.target().filter(|_| !is_down.get()) {
                call(&target, "scrollIntoView", &[object(&[("block", "nearest".into())]).into()]);
            }
        });
        move || drop((pressed, focused))
    });
}
