//! The handle that the custom element holds, and the one function that makes it.

use super::{notices, options};
use crate::app::{App, Kept, Told};
use crate::shell::{lock, storage};
use js_sys::{Function, Map, Set};
use redemption::{Event, Field};
use std::rc::Rc;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::ShadowRoot;

/// One mounted widget, as the custom element sees it. Dropping it (`free`) is `destroy`.
#[wasm_bindgen]
pub struct Handle {
    app: Rc<App>,
}

/// What outlives this instance if it traps: `records` of open attempts that the browser would not store, and what
/// `releases` the locks that are held.
#[wasm_bindgen]
pub fn survive(records: Map, releases: Set) {
    storage::remember_in(records);
    lock::remember_in(releases);
}

/// Mounts the app over the form shell in `host`, a shadow root. `emit(name, detail)` hears every event, each in a task of
/// its own. `keep(phase, attempt, reference)` is called at once with what is to be said if this instance traps: the
/// phase, and the attempt that is open, if one is.
///
/// # Errors
/// A text for the merchant, where options do not go together, such as an amount with more decimals than its currency has.
#[wasm_bindgen]
pub fn mount(host: ShadowRoot, options: &JsValue, emit: Function, keep: Function) -> Result<Handle, JsValue> {
    let (options, settings) = options::read(options)?;
    let tell = Box::new(move |told: Told| {
        let (name, detail) = notices::event(&told);
        // An embedder's listener that throws reports itself on the console; it changes nothing here.
        let _ = emit.call2(&JsValue::UNDEFINED, &name.into(), &detail);
    });
    let keep = Box::new(move |(phase, open): &Kept| {
        let (attempt, reference) = open.as_ref().map_or((JsValue::NULL, JsValue::NULL), |open| {
            (open.attempt.as_str().into(), open.reference.as_str().into())
        });
        let _ = keep.call3(&JsValue::UNDEFINED, &phase.as_str().into(), &attempt, &reference);
    });
    let app = App::mount(host, options, settings, tell, keep).ok_or("the form shell is missing")?;
    Ok(Handle { app })
}

#[wasm_bindgen]
impl Handle {
    /// Shows the widget, and emits `flexepin-ready` the first time.
    pub fn ready(&self) {
        self.app.ready();
    }

    /// Takes changed options over; what was typed stays.
    ///
    /// # Errors
    /// As [`mount`]; then nothing has changed.
    pub fn update(&self, options: &JsValue) -> Result<(), JsValue> {
        let (options, settings) = options::read(options)?;
        self.app.update(options, settings);
        Ok(())
    }

    /// Submits the form. Whether an attempt has begun by it.
    pub fn submit(&self) -> bool {
        self.app.submit()
    }

    /// Back to an empty form.
    ///
    /// # Errors
    /// `InvalidStateError` while an attempt is being sent.
    pub fn reset(&self) -> Result<(), JsValue> {
        if self.app.is_sending() {
            let message = "flexepin-cashier: an attempt is being sent; reset when it has an outcome";
            return Err(
                web_sys::DomException::new_with_message_and_name(message, "InvalidStateError")?.unchecked_into()
            );
        }
        self.app.dispatch(Event::ResetRequested);
        Ok(())
    }

    /// Moves the focus to what is on screen.
    pub fn focus(&self) {
        self.app.focus();
    }

    /// Shows the merchant's words at a field (`pin`, `amount` or `email`), or takes them back.
    pub fn set_field_error(&self, field: &str, message: Option<String>) {
        let field = match field {
            "pin" => Field::Pin,
            "amount" => Field::Amount,
            "email" => Field::Email,
            _ => return,
        };
        self.app.dispatch(Event::FieldErrorSet(field, message));
    }

    /// Stops timers and takes the components down; a POST that has left goes on.
    pub fn destroy(&self) {
        self.app.destroy();
    }
}
