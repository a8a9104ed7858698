//! How a page gets in: `mount(host, options, emit)` gives a [`Handle`]. `JsValue` becomes typed values here and nowhere
//! else.

mod handle;
mod notices;
mod options;

pub use handle::{Handle, mount};
