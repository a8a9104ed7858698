//! A browser of its own for each test: Chromium without a window, over `WebDriver`.
//!
//! [`browse`] opens it, hands it to the test, and closes it, also when the test panics; then the screen and the
//! console are kept in `target/tmp`. The driver gives each browser a fresh profile and removes it. Nothing here waits
//! for a fixed time: [`until`] looks again until a deadline.

use crate::given;
use axum::http::Method;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::{Element, ElementRef};
use fantoccini::wd::{WebDriverCompatibleCommand, WindowHandle};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

const FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// Size of the page in CSS pixels.
#[derive(Clone, Copy)]
pub(crate) struct Screen {
    width: u32,
    height: u32,
    is_phone: bool,
}

/// A small phone, upright.
pub(crate) const PHONE: Screen = Screen { width: 360, height: 740, is_phone: true };
/// A laptop.
pub(crate) const DESKTOP: Screen = Screen { width: 1280, height: 800, is_phone: false };

/// What the system prefers.
#[derive(Clone, Copy)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

/// Opens a browser, runs `test` in it, and closes it. A panic of the test goes on after that.
pub(crate) async fn browse(screen: Screen, test: impl AsyncFnOnce(&Browser)) {
    let browser = Browser::open(screen).await;
    let outcome = {
        let mut test = pin!(test(&browser));
        poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| test.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        })
        .await
    };
    if outcome.is_err() {
        browser.keep_evidence().await;
    }
    // The test's own panic matters more than a browser that is gone already.
    let closed = browser.client.close().await;
    match outcome {
        Ok(()) => closed.expect("the browser closes"),
        Err(panic) => resume_unwind(panic),
    }
}

/// Looks every 20 ms until `look` finds something, and returns it. Panics after 10 s, naming `what` was awaited.
pub(crate) async fn until<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    until_within(Duration::from_secs(10), what, look).await
}

/// [`until`] with another deadline.
pub(crate) async fn until_within<T>(limit: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An open browser with one page.
pub(crate) struct Browser {
    client: Client,
}

impl Browser {
    async fn open(screen: Screen) -> Self {
        let capabilities = json!({
            "goog:chromeOptions": {"binary": given("E2E_CHROMIUM"), "args": FLAGS},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let Value::Object(capabilities) = capabilities else { unreachable!("it is written as an object") };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(capabilities).connect(&given("E2E_WEBDRIVER")).await;
        let browser = Self { client: client.expect("the driver opens a browser") };
        let Screen { width, height, is_phone } = screen;
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone});
        browser.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        browser.scheme(Scheme::Light).await;
        browser.before_each_page(crate::widget::RECORDER).await;
        browser
    }

    /// The driver's address of this browser.
    pub(crate) async fn address(&self) -> String {
        let session = self.client.session_id().await.expect("the driver answers").expect("the browser is open");
        format!("{}/session/{session}", given("E2E_WEBDRIVER"))
    }

    /// Shows a page; returns when it has loaded.
    pub(crate) async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap_or_else(|error| panic!("{url} does not load: {error}"));
    }

    /// The window in hand.
    pub(crate) async fn window(&self) -> WindowHandle {
        self.client.window().await.expect("there is a window")
    }

    /// Opens an empty tab and takes it in hand.
    pub(crate) async fn open_tab(&self) {
        let tab = self.client.new_window(true).await.expect("a tab opens");
        self.switch_to(&tab.handle).await;
        // The recorder is the tab's own.
        self.before_each_page(crate::widget::RECORDER).await;
    }

    /// Takes another tab in hand.
    pub(crate) async fn switch_to(&self, window: &WindowHandle) {
        self.client.switch_to_window(window.clone()).await.expect("the tab is there");
    }

    /// Closes the tab in hand, whatever its page has to say.
    pub(crate) async fn close_tab(&self) {
        self.client.close_window().await.expect("the tab closes");
    }

    /// The renderer of the tab in hand dies.
    pub(crate) async fn crash(&self) {
        let crash = Command { path: "goog/cdp/execute", body: json!({"cmd": "Page.crash", "params": {}}) };
        // The driver answers that its tab has crashed.
        let _ = self.client.issue_cmd(crash).await;
    }

    /// Whoever is asked before leaving the page says yes.
    pub(crate) async fn accept_leaving(&self) {
        let take_off = "window.addEventListener('beforeunload', event => event.stopImmediatePropagation(), true)";
        self.script(take_off, &[]).await;
    }

    /// Loads the page again.
    pub(crate) async fn reload(&self) {
        self.client.refresh().await.expect("the page loads again");
    }

    /// Goes back to the page before.
    pub(crate) async fn back(&self) {
        self.client.back().await.expect("there is a page before");
    }

    /// Takes the network away, or gives it back.
    pub(crate) async fn offline(&self, offline: bool) {
        self.devtools("Network.enable", json!({})).await;
        let conditions = json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        self.devtools("Network.emulateNetworkConditions", conditions).await;
    }

    /// Sets what the system prefers.
    pub(crate) async fn scheme(&self, scheme: Scheme) {
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let features = json!([{"name": "prefers-color-scheme", "value": value}]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features})).await;
    }

    /// Runs a script in the page before the page's own, at each load from now on.
    pub(crate) async fn before_each_page(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": script})).await;
    }

    /// Runs a script's body in the page and returns what it returns; promises are awaited.
    pub(crate) async fn script(&self, body: &str, arguments: &[Value]) -> Value {
        let result = self.client.execute(body, arguments.to_vec()).await;
        result.unwrap_or_else(|error| panic!("{error}\nin the script {body}"))
    }

    /// The element that a script returns, or `None` for `null`.
    pub(crate) async fn element(&self, body: &str, arguments: &[Value]) -> Option<Element> {
        let value = self.script(body, arguments).await;
        // The key that the WebDriver specification gives element references.
        let id = value.get("element-6066-11e4-a52e-4f735466cecf")?.as_str()?;
        Some(Element::from_element_id(self.client.clone(), ElementRef::from(id.to_owned())))
    }

    /// Presses and releases keys one by one, in whatever has the focus. Special keys are [`fantoccini::key::Key`] as
    /// characters.
    pub(crate) async fn keys(&self, text: &str) {
        let press = |actions: KeyActions, value| actions.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        let actions = text.chars().fold(KeyActions::new("keyboard".to_owned()), press);
        self.client.perform_actions(actions).await.expect("the keys are pressed");
    }

    /// Presses ctrl and `key` together.
    pub(crate) async fn ctrl(&self, key: char) {
        let control = char::from(fantoccini::key::Key::Control);
        let actions = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: control })
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key })
            .then(KeyAction::Up { value: control });
        self.client.perform_actions(actions).await.expect("the keys are pressed");
    }

    /// Pastes `text` with ctrl+V into whatever has the focus, through the browser's clipboard.
    pub(crate) async fn paste(&self, text: &str) {
        self.devtools("Browser.grantPermissions", json!({"permissions": ["clipboardSanitizedWrite"]})).await;
        self.script("return navigator.clipboard.writeText(arguments[0])", &[json!(text)]).await;
        self.ctrl('v').await;
    }

    /// What the console has as errors since the last call: uncaught ones, `console.error`, failed and blocked loads.
    pub(crate) async fn console_errors(&self) -> Vec<String> {
        let entries = self.command("se/log", json!({"type": "browser"})).await;
        let entries = entries.as_array().cloned().unwrap_or_default();
        let errors = entries.iter().filter(|entry| entry["level"] == "SEVERE");
        errors.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The screen as a PNG.
    pub(crate) async fn screenshot(&self) -> Vec<u8> {
        self.client.screenshot().await.expect("the screen is taken")
    }

    /// A command of the browser's own protocol (CDP).
    pub(crate) async fn devtools(&self, name: &str, parameters: Value) -> Value {
        self.command("goog/cdp/execute", json!({"cmd": name, "params": parameters})).await
    }

    async fn command(&self, path: &'static str, body: Value) -> Value {
        let done = self.client.issue_cmd(Command { path, body }).await;
        done.unwrap_or_else(|error| panic!("the driver refuses {path}: {error}"))
    }

    /// Screen and console of a failed test, as files named for it.
    async fn keep_evidence(&self) {
        let test = std::thread::current().name().unwrap_or("test").replace("::", "-");
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        let Ok(screen) = self.client.screenshot().await else { return };
        let console = self.console_errors().await.join("\n");
        let kept = std::fs::write(file.with_extension("png"), screen)
            .and_then(|()| std::fs::write(file.with_extension("console.txt"), console));
        match kept {
            Ok(()) => eprintln!("screen and console are in {}.*", file.display()),
            Err(error) => eprintln!("screen and console could not be kept: {error}"),
        }
    }
}

/// A command of the driver that fantoccini has no method for.
#[derive(Debug)]
struct Command {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
