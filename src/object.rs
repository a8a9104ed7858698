//! JavaScript by name: plain objects, and what the browser has that is used too rarely for a binding. Each binding is in
//! the page's script, which must be small.

use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// An object with these fields.
pub(crate) fn object(fields: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        set(&object, name, value);
    }
    object
}

/// Sets a field. What refuses it stays as it is.
pub(crate) fn set(object: &JsValue, name: &str, value: &JsValue) {
    let _ = Reflect::set(object, &name.into(), value);
}

/// A field, or undefined where there is none.
pub(crate) fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}

/// What a method gives; undefined where there is none, or it throws.
pub(crate) fn call(object: &JsValue, method: &str, arguments: &[JsValue]) -> JsValue {
    let method = get(object, method).dyn_into::<Function>();
    method.and_then(|method| method.apply(object, &arguments.iter().collect::<Array>())).unwrap_or_default()
}

/// A new object of a class; undefined where there is no such class, or it throws.
pub(crate) fn new(class: &JsValue, arguments: &[JsValue]) -> JsValue {
    let class = class.dyn_ref::<Function>();
    let made = class.and_then(|class| Reflect::construct(class, &arguments.iter().collect()).ok());
    made.unwrap_or_default()
}
