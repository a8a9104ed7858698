//! The browser's side: one small adapter per effect, and what the page made before the app was there. Nothing here
//! decides.

pub(crate) mod before_submit;
pub(crate) mod clipboard;
pub(crate) mod clock;
pub(crate) mod form_shell;
pub(crate) mod http;
pub(crate) mod lock;
pub(crate) mod page_events;
pub(crate) mod pin_field;
mod pin_grouping;
mod pin_history;
pub(crate) mod press;
pub(crate) mod print;
pub(crate) mod random;
pub(crate) mod status;
pub(crate) mod storage;
