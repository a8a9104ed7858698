//! What the page itself goes through: it comes back online or from the back-forward cache, another tab changes the
//! stored records, somebody is about to leave it. Listeners are taken off when dropped.

use super::storage;
use crate::object::{get, set};
use gloo_events::{EventListener, EventListenerOptions};
use std::cell::RefCell;

/// The listeners of one widget.
pub(crate) struct PageEvents {
    _heard: [EventListener; 4],
}

impl PageEvents {
    /// Calls back on each; `None` where there is no window.
    pub(crate) fn listen(
        came_back: impl Fn() + Clone + 'static,
        records_changed: impl Fn() + Clone + 'static,
    ) -> Option<Self> {
        let window = web_sys::window()?;
        let (online, shown) = (came_back.clone(), came_back);
        let (of_another_tab, of_another_widget) = (records_changed.clone(), records_changed);
        Some(Self {
            _heard: [
                EventListener::new(&window, "online", move |_| online()),
                EventListener::new(&window, "pageshow", move |event| {
                    if get(event, "persisted").is_truthy() {
                        shown();
                    }
                }),
                EventListener::new(&window, "storage", move |event| {
                    if storage::concerns(get(event, "key").as_string().as_deref()) {
                        of_another_tab();
                    }
                }),
                EventListener::new(&window, storage::CHANGED, move |_| of_another_widget()),
            ],
        })
    }
}

/// Asks before the page is left, while it is on. Not there otherwise: a page that listens is kept out of the
/// back-forward cache by some browsers.
#[derive(Default)]
pub(crate) struct Leaving(RefCell<Option<EventListener>>);

impl Leaving {
    pub(crate) fn ask(&self, on: bool) {
        let mut listener = self.0.borrow_mut();
        if on == listener.is_some() {
            return;
        }
        *listener = web_sys::window().filter(|_| on).map(|window| {
            let options = EventListenerOptions::enable_prevent_default();
            EventListener::new_with_options(&window, "beforeunload", options, |event| {
                event.prevent_default();
                // What Chromium before 119 wants. An event that takes no such field loses nothing.
                set(event, "returnValue", &true.into());
            })
        });
    }
}
