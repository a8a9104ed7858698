//! The merchant's `beforeSubmit`: asked before a try, never given the PIN.

use js_sys::{Array, Function, Object, Promise, Reflect};
use redemption::{BeforeSubmit, Permission, Secret};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

/// Headers that are the widget's own.
const RESERVED: [&str; 2] = ["idempotency-key", "content-type"];

/// Calls the merchant's function and waits for its answer. `false` and a throw mean no; a throw is logged for the
/// merchant.
pub(crate) async fn ask(callback: &Function, ask: &BeforeSubmit, signal: &AbortSignal) -> Permission {
    let answer = match callback.call1(&JsValue::UNDEFINED, &question(ask, signal)) {
        Ok(answer) => JsFuture::from(Promise::resolve(&answer)).await,
        Err(thrown) => Err(thrown),
    };
    match answer {
        Ok(answer) if answer == JsValue::FALSE => Permission::Refused,
        Ok(answer) => granted(&answer),
        Err(thrown) => {
            web_sys::console::error_2(&"flexepin-cashier: beforeSubmit failed; nothing was sent.".into(), &thrown);
            Permission::Refused
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most 10^12 minor units, exact in a double")]
fn question(ask: &BeforeSubmit, signal: &AbortSignal) -> JsValue {
    let question = Object::new();
    let reason = if ask.try_number == 1 { "submit" } else { "retry" };
    for (name, value) in [
        ("attempt", JsValue::from(ask.attempt.as_str())),
        ("try", ask.try_number.into()),
        ("amountMinor", JsValue::from(ask.amount.minor() as f64)),
        ("currency", ask.amount.currency().code().into()),
        ("reason", reason.into()),
        ("signal", signal.into()),
    ] {
        // Setting a property on a fresh object cannot fail.
        let _ = Reflect::set(&question, &name.into(), &value);
    }
    question.into()
}

fn granted(answer: &JsValue) -> Permission {
    let field = |name: &str| answer.is_object().then(|| Reflect::get(answer, &name.into()).ok()).flatten();
    let session_token = field("sessionToken").and_then(|token| token.as_string()).map(Secret::new);
    let given = field("headers")
        .filter(JsValue::is_object)
        .map_or_else(Array::new, |headers| Object::entries(headers.unchecked_ref()));
    let mut headers = Vec::new();
    for entry in given.iter().map(|entry| Array::from(&entry)) {
        let (Some(name), Some(value)) = (entry.get(0).as_string(), entry.get(1).as_string()) else { continue };
        if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
            web_sys::console::warn_1(&format!("flexepin-cashier: beforeSubmit cannot set the header {name}.").into());
        } else {
            headers.push((name, Secret::new(value)));
        }
    }
    Permission::Granted { headers, session_token }
}
