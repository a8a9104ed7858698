//! The merchant's `beforeSubmit`: asked before a try, never given the PIN.

use crate::object::object;
use js_sys::{Array, Function, Promise, Reflect};
use redemption::{BeforeSubmit, Permission, Secret};
#[cfg(feature = "component")]
use std::{pin::Pin, rc::Rc};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, console};

/// Headers that are the widget's own.
const RESERVED: [&str; 2] = ["idempotency-key", "content-type"];

/// The merchant's function.
#[derive(Clone)]
pub(crate) enum Asked {
    /// A page's.
    Script(Function),
    /// A Yew application's.
    #[cfg(feature = "component")]
    Rust(Rc<AskedInRust>),
}

#[cfg(feature = "component")]
pub(crate) type AskedInRust = dyn Fn(BeforeSubmit, AbortSignal) -> Pin<Box<dyn Future<Output = Permission>>>;

/// Calls the merchant's function and waits for its answer.
pub(crate) async fn ask(asked: &Asked, ask: &BeforeSubmit, signal: &AbortSignal) -> Permission {
    let permission = match asked {
        Asked::Script(function) => ask_script(function, ask, signal).await,
        #[cfg(feature = "component")]
        Asked::Rust(function) => function(ask.clone(), signal.clone()).await,
    };
    match permission {
        Permission::Granted { mut headers, session_token } => {
            headers.retain(|(name, _)| is_free(name));
            Permission::Granted { headers, session_token }
        }
        Permission::Refused => permission,
    }
}

/// Whether the merchant may set this header; where not, that is said.
fn is_free(name: &str) -> bool {
    let free = !RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name));
    if !free {
        console::warn_1(&format!("flexepin-cashier: beforeSubmit cannot set the header {name}.").into());
    }
    free
}

/// `false` and a throw mean no; a throw is logged for the merchant.
async fn ask_script(callback: &Function, ask: &BeforeSubmit, signal: &AbortSignal) -> Permission {
    let answer = match callback.call1(&JsValue::UNDEFINED, &question(ask, signal)) {
        Ok(answer) => JsFuture::from(Promise::resolve(&answer)).await,
        Err(thrown) => Err(thrown),
    };
    let permission = match answer {
        Ok(answer) if answer == JsValue::FALSE => Ok(Permission::Refused),
        Ok(answer) => granted(&answer),
        Err(thrown) => Err(thrown),
    };
    permission.unwrap_or_else(|thrown| {
        console::error_2(&"flexepin-cashier: beforeSubmit failed; nothing was sent.".into(), &thrown);
        Permission::Refused
    })
}

#[expect(clippy::cast_precision_loss, reason = "at most 10^12 minor units, exact in a double")]
fn question(ask: &BeforeSubmit, signal: &AbortSignal) -> JsValue {
    object(&[
        ("attempt", ask.attempt.as_str().into()),
        ("try", ask.try_number.into()),
        ("amountMinor", JsValue::from(ask.amount.minor() as f64)),
        ("currency", ask.amount.currency().code().into()),
        ("reason", ask.reason.as_str().into()),
        ("signal", signal.into()),
    ])
    .into()
}

/// What the browser cannot use as headers throws, and so refuses the try.
fn granted(answer: &JsValue) -> Result<Permission, JsValue> {
    let field =
        |name: &str| if answer.is_object() { Reflect::get(answer, &name.into()) } else { Ok(JsValue::UNDEFINED) };
    let session_token = field("sessionToken")?.as_string().map(Secret::new);
    let given = field("headers")?;
    let mut headers = Vec::new();
    if given.is_object() {
        let given = Headers::new_with_record_from_str_to_str(given.unchecked_ref())?;
        for entry in js_sys::try_iter(&given)?.into_iter().flatten() {
            let entry = Array::from(&entry?);
            let (Some(name), Some(value)) = (entry.get(0).as_string(), entry.get(1).as_string()) else { continue };
            headers.push((name, Secret::new(value)));
        }
    }
    Ok(Permission::Granted { headers, session_token })
}
