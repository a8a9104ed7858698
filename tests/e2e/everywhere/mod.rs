//! The tests that run in every browser: Chromium, Firefox and WebKitGTK. What needs Chromium's own protocol is outside.

mod bad_input;
mod examples;
mod harness;
mod hosts;
mod interface;
mod loading;
pub(crate) mod lost_answers;
mod policies;
mod redeeming;
mod rejections;
pub(crate) mod secrets;
mod tags;
mod traps;
