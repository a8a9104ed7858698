//! A browser of its own for each test, without a window, over `WebDriver`.
//!
//! [`browse`] opens it, hands it to the test, and closes it, also when the test panics; then the screen and the
//! console are kept in `target/tmp`. The driver gives each browser a fresh profile; Firefox
//! stays open and is cleaned. Nothing here waits
//! for a fixed time: [`until`] looks again until a deadline. Left to `engine`: which browser, and its drivers; to `hands`:
//! clicks, keys and the clipboard; to `chromium`: what it alone can do.

mod chromium;
mod engine;
mod hands;

use crate::merchant::RECORDER;
use axum::http::Method;
use engine::{Driver, Engine};
use fantoccini::elements::{Element, ElementRef};
use fantoccini::error::CmdError;
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

/// Size of the page in CSS pixels.
#[derive(Clone, Copy)]
pub(crate) struct Screen {
    width: u32,
    height: u32,
    is_phone: bool,
}

/// A small phone, upright.
pub(crate) const PHONE: Screen = Screen { width: 360, height: 740, is_phone: true };
/// The narrowest screen: 1280 pixels at 400 % are as wide.
pub(crate) const NARROW: Screen = Screen { width: 320, height: 640, is_phone: true };
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
    let closed = browser.close().await;
    match outcome {
        Ok(()) => closed.expect("the browser closes"),
        Err(panic) => resume_unwind(panic),
    }
}

/// Looks every 20 ms until `look` finds something, and returns it. Panics after 20 s, naming `what` was awaited.
pub(crate) async fn until<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    until_within(Duration::from_secs(20), what, look).await
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
    engine: Engine,
    /// After the client: the session ends before its driver is free.
    driver: Driver,
}

impl Browser {
    async fn open(screen: Screen) -> Self {
        let (engine, mut driver) = (Engine::current(), Driver::free().await);
        let client = if let Some(session) = driver.session.take() {
            Client::with_existing_session(&driver.url, &session, HttpConnector::new()).await
        } else {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(engine.capabilities()).connect(&driver.url).await
        };
        let browser = Self { client: client.expect("the driver opens a browser"), engine, driver };
        let Screen { width, height, is_phone } = screen;
        if engine == Engine::Chromium {
            let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone});
            browser.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
            browser.scheme(Scheme::Light).await;
            // For pages that are not a merchant's, and have no recorder of their own.
            browser.before_each_page(RECORDER).await;
        } else {
            // Their windows have a smallest width of their own. Without a window manager the one below the pointer has the
            // focus, and the pointer rests in the middle of a screen of 1400 by 1000.
            let corner = (700 - width / 2, 500 - height / 2);
            browser.client.set_window_rect(corner.0, corner.1, width, height).await.expect("the window has a size");
        }
        browser
    }

    /// Closes it. Firefox is not closed but cleaned, for the next test; if that cannot be, it is closed.
    async fn close(mut self) -> Result<(), CmdError> {
        if self.engine == Engine::Firefox
            && let Ok(session) = self.cleaned().await
        {
            self.driver.session = session;
            return Ok(());
        }
        self.client.close().await
    }

    /// Leaves one new tab, without history and without anything stored by the page in hand, and returns the session's id.
    async fn cleaned(&self) -> Result<Option<String>, CmdError> {
        // Pages of the browser's own have no storage.
        let _ = self.client.execute("localStorage.clear()", Vec::new()).await;
        self.client.delete_all_cookies().await?;
        let before = self.client.windows().await?;
        let fresh = self.client.new_window(true).await?.handle;
        for window in before {
            self.client.switch_to_window(window).await?;
            self.client.close_window().await?;
        }
        self.client.switch_to_window(fresh).await?;
        self.client.persist().await?;
        self.client.session_id().await
    }

    /// The driver's address of this browser.
    pub(crate) async fn address(&self) -> String {
        let session = self.client.session_id().await.expect("the driver answers").expect("the browser is open");
        format!("{}/session/{session}", self.driver.url)
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
        if self.engine == Engine::Chromium {
            // It is the tab's own.
            self.before_each_page(RECORDER).await;
        }
    }

    /// Takes another tab in hand.
    pub(crate) async fn switch_to(&self, window: &WindowHandle) {
        self.client.switch_to_window(window.clone()).await.expect("the tab is there");
    }

    /// Closes the tab in hand, whatever its page has to say.
    pub(crate) async fn close_tab(&self) {
        self.client.close_window().await.expect("the tab closes");
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

    /// Takes the first frame that a selector finds in hand, in place of the page that it is in.
    pub(crate) async fn enter_frame(&self, selector: &str) {
        let look = "return document.querySelector(arguments[0])";
        let frame = self.element(look, &[json!(selector)]).await.expect("the page has the frame");
        frame.enter_frame().await.expect("the frame is there");
    }

    /// Runs a script's body in the page and returns what it returns; promises are awaited.
    pub(crate) async fn script(&self, body: &str, arguments: &[Value]) -> Value {
        // Not every driver has a limit of its own for promises.
        let result = tokio::time::timeout(Duration::from_secs(90), self.client.execute(body, arguments.to_vec())).await;
        let result = result.unwrap_or_else(|_| panic!("no end within 90 s of the script {body}"));
        result.unwrap_or_else(|error| panic!("{error}\nin the script {body}"))
    }

    /// The element that a script returns, or `None` for `null`.
    pub(crate) async fn element(&self, body: &str, arguments: &[Value]) -> Option<Element> {
        let value = self.script(body, arguments).await;
        // The key that the WebDriver specification gives element references.
        let id = value.get("element-6066-11e4-a52e-4f735466cecf")?.as_str()?;
        Some(Element::from_element_id(self.client.clone(), ElementRef::from(id.to_owned())))
    }

    /// The errors of the page in hand since the last call: uncaught ones, `console.error`, failed loads of elements, and what
    /// a policy forbade. Chromium tells more: also of the pages before, and of requests that scripts made in vain.
    pub(crate) async fn console_errors(&self) -> Vec<String> {
        self.errors().await.unwrap_or_else(|error| panic!("{error}: does the page begin with the recorder?"))
    }

    async fn errors(&self) -> Result<Vec<String>, CmdError> {
        if self.engine == Engine::Chromium {
            return self.log_of_errors().await;
        }
        let look = "const fresh = window.flexepinConsole.filter(entry => entry.level === 'error' && !entry.told);
            for (const entry of fresh) entry.told = true;
            return fresh.map(entry => entry.text)";
        let errors = self.client.execute(look, Vec::new()).await?;
        Ok(errors.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Everything that scripts of the page in hand have said on the console, as `{level, text}`.
    pub(crate) async fn console(&self) -> Vec<Value> {
        self.recorded("flexepinConsole").await
    }

    /// What the policy of the page in hand forbade, as `{directive, blocked, sample}`.
    pub(crate) async fn violations(&self) -> Vec<Value> {
        self.recorded("flexepinViolations").await
    }

    async fn recorded(&self, what: &str) -> Vec<Value> {
        let list = self.script("return window[arguments[0]]", &[json!(what)]).await;
        list.as_array().cloned().expect("the page begins with the recorder")
    }

    /// The screen as a PNG.
    pub(crate) async fn screenshot(&self) -> Vec<u8> {
        self.client.screenshot().await.expect("the screen is taken")
    }

    async fn command(&self, path: &'static str, body: Value) -> Value {
        let done = self.client.issue_cmd(Command { path, body }).await;
        done.unwrap_or_else(|error| panic!("the driver refuses {path}: {error}"))
    }

    /// Screen and console of a failed test, as files named for it.
    async fn keep_evidence(&self) {
        let test = std::thread::current().name().unwrap_or("test").replace("::", "-");
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        // WebKitGTK's driver waits for ever for the picture of a tab that is behind another.
        let visible = self.client.execute("return document.visibilityState", Vec::new()).await;
        let screen =
            if visible.is_ok_and(|state| state == "visible") { self.client.screenshot().await.ok() } else { None };
        let console = self.errors().await.unwrap_or_default().join("\n");
        let kept = screen
            .map_or(Ok(()), |screen| std::fs::write(file.with_extension("png"), screen))
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
