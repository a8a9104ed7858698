//! The browser's clock.

/// Now, in milliseconds since 1970.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and no clock is before 1970"
)]
pub(crate) fn now_ms() -> u64 {
    js_sys::Date::now() as u64
}
