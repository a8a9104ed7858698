//! The widget, the proxy and the sandbox together, in a real browser. `cargo xtask test --only e2e` builds and starts
//! all of it, and asserts that every test here ran.
//!
//! Reading order: `browser` drives Chromium, `widget` is the page object, `merchant` plays a shop with chosen faults;
//! `harness` tests these three on pages of its own. What is started for all tests is found in `E2E_…` variables (see
//! [`given`]).

mod bad_input;
mod browser;
mod harness;
mod loading;
mod lost_answers;
mod merchant;
mod redeeming;
mod rejections;
mod sandbox;
mod widget;

/// What `cargo xtask test` tells by the variable `name`:
///
/// | variable | meaning |
/// |---|---|
/// | `E2E_WEBDRIVER` | address of a `WebDriver` server |
/// | `E2E_CHROMIUM` | path of the browser |
/// | `E2E_DEMO` | address of the playground, with `/cashier/` and `/sandbox/` |
/// | `E2E_PROXY`, `E2E_SANDBOX` | addresses of proxy and sandbox; pages of `E2E_DEMO`'s port may call the proxy |
/// | `E2E_OUTCOMES_TOKEN` | bearer of the proxy's `/outcomes` |
/// | `E2E_DIST` | folder with the widget as shipped |
/// | `E2E_TRUNK` | address of the playground as Trunk builds it; only where Trunk is there |
fn given(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask test --only e2e`"))
}
