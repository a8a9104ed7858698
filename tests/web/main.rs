//! What only a browser can show, in a browser: answers through its own JSON, the app over the real form shell, requests
//! as it makes them. `fetch` alone is played. Run by `cargo xtask test`, which asserts how many ran.

#![cfg(target_arch = "wasm32")]

mod answers;
mod component;
#[path = "../fixtures/mod.rs"]
mod fixtures;
mod live;
mod money;
mod open_attempts;
mod page;
mod pin_field;
mod redeeming;
mod shop;
mod texts;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
