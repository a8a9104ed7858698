//! Of several tabs one sends for an attempt: Web Locks. Where the browser has none, the proxy's own guard is what there
//! is. What releases a lock is known to the page too: a lock must not outlive an instance that traps.

use js_sys::{Array, Function, Promise, Reflect, Set};
use redemption::AttemptKey;
use std::cell::RefCell;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

thread_local! {
    /// What releases the locks that are held.
    static HELD: RefCell<Set> = RefCell::new(Set::new(&JsValue::UNDEFINED));
}

/// What releases locks is kept in this set from now on.
pub(crate) fn remember_in(held: Set) {
    HELD.replace(held);
}

/// The right to send for an attempt, until it is dropped.
pub(crate) struct Guard(Option<Function>);

impl Guard {
    fn new(release: Function) -> Self {
        HELD.with_borrow(|held| held.add(&release));
        Self(Some(release))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(release) = &self.0 {
            HELD.with_borrow(|held| held.delete(release));
            // A function of a promise of ours cannot throw.
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}

/// The right to send for an attempt. `None` where another tab has it. A browser without locks, or with none for this
/// page, gives it to everybody.
pub(crate) async fn acquire(attempt: &AttemptKey) -> Option<Guard> {
    let (tell, told) = promise();
    let (release, held) = promise();
    let granted = Closure::once_into_js(move |lock: JsValue| -> JsValue {
        let _ = tell.call1(&JsValue::UNDEFINED, &JsValue::from(lock.is_object()));
        if lock.is_object() { held.into() } else { JsValue::UNDEFINED }
    });
    let Ok(request) = request(attempt, &granted) else { return Some(Guard(None)) };
    // Whichever comes first: the answer, or the refusal of the whole.
    match JsFuture::from(Promise::race(&Array::of2(&told, &request))).await {
        Ok(answer) if answer == JsValue::TRUE => Some(Guard::new(release)),
        Ok(_) => None,
        Err(_) => Some(Guard(None)),
    }
}

fn request(attempt: &AttemptKey, granted: &JsValue) -> Result<Promise, JsValue> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into())?;
    let locks = Reflect::get(&navigator, &"locks".into())?;
    let request: Function = Reflect::get(&locks, &"request".into())?.dyn_into()?;
    let options = js_sys::Object::new();
    Reflect::set(&options, &"ifAvailable".into(), &JsValue::TRUE)?;
    let name = format!("flexepin-cashier.{}", attempt.as_str());
    request.call3(&locks, &name.into(), &options, granted)?.dyn_into()
}

fn promise() -> (Function, Promise) {
    let mut resolve = None;
    let promise = Promise::new(&mut |fulfil, _| resolve = Some(fulfil));
    (resolve.expect("a promise runs its executor at once"), promise)
}
