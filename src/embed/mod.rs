//! How a page gets in: `mount(host, options, emit)` gives a [`Handle`]. `JsValue` becomes typed values here and nowhere
//! else.

mod handle;
pub(crate) mod notices;
pub(crate) mod options;

pub use handle::{Handle, mount, survive};
