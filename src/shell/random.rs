//! Fresh attempt keys.

use redemption::AttemptKey;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Crypto;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = crypto)]
    static CRYPTO: Crypto;
}

/// A UUID of version 4. `crypto.randomUUID` is missing on plain-HTTP pages of other hosts than this machine, so the
/// random bytes are asked for and written out here.
pub(crate) fn attempt_key() -> AttemptKey {
    let mut bytes = [0_u8; 16];
    CRYPTO.with(|crypto| crypto.get_random_values_with_u8_array(&mut bytes)).expect("16 bytes are far below the quota");
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    AttemptKey::new([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}
