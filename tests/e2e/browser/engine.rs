//! Which browser the tests run in, what its driver is told, and the drivers as a pool: those of Firefox and WebKitGTK
//! have one session each. Firefox takes five seconds of a core to start, so its session goes back into the pool with its
//! driver; what ends it is the end of the driver.

use crate::given;
use serde_json::{Map, Value, json};
use std::sync::{LazyLock, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// A browser engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Chromium,
    Firefox,
    Webkit,
}

const CHROMIUM_FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

impl Engine {
    /// The one of this run.
    pub(crate) fn current() -> Self {
        match given("E2E_ENGINE").as_str() {
            "chromium" => Self::Chromium,
            "firefox" => Self::Firefox,
            "webkit" => Self::Webkit,
            other => panic!("E2E_ENGINE is {other}: it must be chromium, firefox or webkit"),
        }
    }

    /// What a driver is told when it opens a browser.
    pub(super) fn capabilities(self) -> Map<String, Value> {
        let binary = given("E2E_BROWSER");
        let capabilities = match self {
            Self::Chromium => json!({
                "goog:chromeOptions": {"binary": binary, "args": CHROMIUM_FLAGS},
                "goog:loggingPrefs": {"browser": "ALL"},
            }),
            Self::Firefox => json!({
                "moz:firefoxOptions": {
                    "binary": binary,
                    "args": ["-headless"],
                    "prefs": {"ui.systemUsesDarkTheme": 0},
                },
            }),
            Self::Webkit => json!({"webkitgtk:browserOptions": {"binary": binary, "args": ["--automation"]}}),
        };
        let Value::Object(capabilities) = capabilities else { unreachable!("it is written as an object") };
        capabilities
    }
}

/// A driver for one session; goes back into the pool when it is dropped.
pub(super) struct Driver {
    /// Its address.
    pub(super) url: String,
    /// The id of a session that is open and clean.
    pub(super) session: Option<String>,
}

struct Pool {
    free: Mutex<Vec<Driver>>,
    permits: Semaphore,
}

static POOL: LazyLock<Pool> = LazyLock::new(|| {
    let driver = |url: &str| Driver { url: url.to_owned(), session: None };
    let drivers: Vec<_> = given("E2E_WEBDRIVER").split_whitespace().map(driver).collect();
    Pool { permits: Semaphore::new(drivers.len()), free: Mutex::new(drivers) }
});

impl Driver {
    /// Awaits one that is free.
    pub(super) async fn free() -> Self {
        POOL.permits.acquire().await.expect("the pool is never closed").forget();
        POOL.free.lock().unwrap_or_else(PoisonError::into_inner).pop().expect("there are as many as permits")
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let driver = Self { url: std::mem::take(&mut self.url), session: self.session.take() };
        POOL.free.lock().unwrap_or_else(PoisonError::into_inner).push(driver);
        POOL.permits.add_permits(1);
    }
}
