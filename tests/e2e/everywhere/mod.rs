//! The tests that run in every browser: Chromium, Firefox and WebKitGTK. What needs Chromium's own protocol is outside.

mod accessibility;
mod bad_input;
mod examples;
mod harness;
mod hosts;
mod interface;
mod keyboard;
mod languages;
mod layout;
mod loading;
pub(crate) mod lost_answers;
mod policies;
mod redeeming;
mod rejections;
pub(crate) mod secrets;
mod sessions;
mod simulated;
pub(crate) mod spoken;
mod tags;
mod themes;
mod traps;
pub(crate) mod typing;
