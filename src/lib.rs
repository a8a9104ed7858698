//! The cashier widget: a form in a shadow root with which a customer redeems a Flexepin voucher.
//!
//! Reading order: `embed` is how a page gets in (`mount` gives a `Handle`), `app` owns the machine and carries its
//! effects out, `shell` has one small adapter per effect, `view` the components over the machine's view model,
//! `i18n` the words. What is decided is decided in the crate `redemption`; what an answer means, in the crate
//! `mozarto`.
//!
//! There is no start hook: loading the module does nothing until `mount` is called.
//!
//! Yew applications take the feature `component`, and from the module of that name `Cashier`.

mod app;
#[cfg(feature = "component")]
pub mod component;
mod embed;
mod i18n;
mod object;
mod shell;
mod view;

pub use embed::{Handle, mount, survive};
