//! The widget, the proxy and the sandbox together, in a real browser. `cargo xtask test --only e2e` builds and starts
//! all of it, and asserts that every test here ran.
//!
//! Reading order: `browser` drives a browser, `widget` is the page object, `merchant` plays a shop with chosen faults;
//! `everywhere/harness` tests these three on pages of its own. What is in `everywhere` runs in every browser, the rest in
//! Chromium. What is started for all tests is found in `E2E_…` variables (see [`given`]).

mod accessibility_in_chromium;
mod browser;
mod dev_server;
mod document;
mod everywhere;
mod harness;
mod languages;
mod leaks;
mod lost_answers;
mod merchant;
mod pictures;
mod printing;
mod redeeming;
mod sandbox;
mod screens;
mod secrets_in_chromium;
mod typing_in_chromium;
mod widget;

/// What `cargo xtask test` tells by the variable `name`:
///
/// | variable | meaning |
/// |---|---|
/// | `E2E_ENGINE` | `chromium`, `firefox` or `webkit` |
/// | `E2E_BROWSER` | path of the browser |
/// | `E2E_WEBDRIVER` | addresses of `WebDriver` servers, one for each session that there may be at a time |
/// | `E2E_DEMO` | address of the playground, with `/cashier/` and `/sandbox/` |
/// | `E2E_PROXY`, `E2E_SANDBOX` | addresses of proxy and sandbox; pages of `E2E_DEMO`'s port may call the proxy |
/// | `E2E_OUTCOMES_TOKEN` | bearer of the proxy's `/outcomes` |
/// | `E2E_PROGRAMS` | folder with the programs of proxy and sandbox |
/// | `E2E_DIST` | folder with the widget as shipped |
/// | `E2E_LOGS` | folder with the logs of proxy and sandbox |
/// | `E2E_HOSTS` | folder with the pages of frameworks, as `tests/hosts/build.mjs` builds them |
/// | `E2E_TRUNK` | address of the playground as Trunk builds it; only where Trunk is there |
fn given(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask test --only e2e`"))
}
