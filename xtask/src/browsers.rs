//! The browsers of the tests and their drivers, found or installed.
//!
//! On Debian and Ubuntu as root they are installed; elsewhere the error says what to install. Firefox's driver is built in
//! `target/tools` where it is missing. Left to `drivers`: running them.

mod drivers;

pub(crate) use drivers::Drivers;

use crate::apt;
use crate::steps::{cargo, run, step, target_dir};
use crate::tools::{on_path, own_tool};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// What `--browsers` can be.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Browsers {
    /// Chromium alone
    Chromium,
    /// Firefox alone: tests that need nothing of Chromium's own
    Firefox,
    /// `WebKitGTK` alone: tests that need nothing of Chromium's own
    Webkit,
    /// One after the other
    All,
}

impl Browsers {
    /// The engines that are meant.
    pub(crate) fn engines(self) -> &'static [Engine] {
        match self {
            Self::Chromium => &[Engine::Chromium],
            Self::Firefox => &[Engine::Firefox],
            Self::Webkit => &[Engine::Webkit],
            Self::All => &[Engine::Chromium, Engine::Firefox, Engine::Webkit],
        }
    }
}

/// A browser engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Chromium,
    Firefox,
    Webkit,
}

impl Engine {
    /// The word that the tests know it by (`E2E_ENGINE`).
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::Webkit => "webkit",
        }
    }

    /// What apt calls what is needed of it.
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Chromium => &["chromium", "chromium-driver"],
            Self::Firefox => &["firefox-esr"],
            Self::Webkit => &["webkit2gtk-driver", "xvfb"],
        }
    }

    fn missing(self) -> &'static str {
        match self {
            Self::Chromium => NO_CHROMIUM,
            Self::Firefox => NO_FIREFOX,
            Self::Webkit => NO_WEBKIT,
        }
    }
}

const NO_CHROMIUM: &str = "the browser tests need Chromium and its driver on PATH (`chromium`, `chromium-browser` or \
`google-chrome`, and `chromedriver`, both of one version).
  Debian, Ubuntu: apt-get install chromium chromium-driver (this command does it by itself as root)
  Fedora:         dnf install chromium chromedriver
  Arch:           pacman -S chromium
  macOS:          brew install --cask chromium chromedriver
  elsewhere:      https://googlechromelabs.github.io/chrome-for-testing/";

const NO_FIREFOX: &str = "these tests need Firefox on PATH (`firefox` or `firefox-esr`); its driver, `geckodriver`, is built \
where it is missing.
  Debian:         apt-get install firefox-esr (this command does it by itself as root)
  Fedora:         dnf install firefox
  Arch:           pacman -S firefox
  macOS:          brew install --cask firefox, and have it on PATH
  Ubuntu's snap is not enough: its driver cannot reach the profiles it makes. See https://www.mozilla.org/firefox/linux/";

const NO_WEBKIT: &str =
    "these tests need WebKitGTK's driver and `Xvfb` on PATH (`WebKitWebDriver`), and its MiniBrowser \
below /usr/lib or /usr/libexec.
  Debian, Ubuntu: apt-get install webkit2gtk-driver xvfb (this command does it by itself as root)
  elsewhere:      your distribution's WebKitGTK (built with ENABLE_WEBDRIVER and ENABLE_MINIBROWSER) and Xvfb
  macOS has no WebKitGTK: `--browsers firefox` and the default run there";

/// A browser and its driver, as programs.
pub(crate) struct Browser {
    /// Which one.
    pub(crate) engine: Engine,
    /// The browser.
    pub(crate) program: PathBuf,
    /// Its `WebDriver` server.
    pub(crate) driver: PathBuf,
}

impl Browser {
    /// Finds both, or installs them where that can be done without asking.
    pub(crate) async fn ready(engine: Engine) -> Result<Self> {
        if engine == Engine::Firefox && geckodriver()?.is_none() {
            build_geckodriver().await?;
        }
        if let Some(found) = Self::find(engine)? {
            return Ok(found);
        }
        if !apt::is_here() {
            bail!("{}", engine.missing());
        }
        apt::install(engine.packages()).await.context(engine.missing())?;
        Self::find(engine)?.context(engine.missing())
    }

    fn find(engine: Engine) -> Result<Option<Self>> {
        let first = |names: &[&str]| names.iter().copied().find_map(on_path);
        let (program, driver) = match engine {
            Engine::Chromium => (first(&["chromium", "chromium-browser", "google-chrome"]), on_path("chromedriver")),
            Engine::Firefox => (first(&["firefox", "firefox-esr"]), geckodriver()?),
            Engine::Webkit => (mini_browser(), on_path("Xvfb").and(on_path("WebKitWebDriver"))),
        };
        Ok(program.zip(driver).map(|(program, driver)| Self { engine, program, driver }))
    }
}

/// Typefaces with the letters of every language that the widget speaks: without them a browser shows boxes, whose widths are
/// no text's.
const TYPEFACES: [&str; 2] = ["fonts-noto-core", "fonts-wqy-zenhei"];

/// Has letters for every language installed where that can be done without asking; says so where it cannot.
pub(crate) async fn typefaces_ready() -> Result<()> {
    // Hindi's are among the one, Korean's among the other.
    let are_there = |language: &str| {
        let list = std::process::Command::new("fc-list").arg(format!(":lang={language}")).output();
        list.is_ok_and(|list| !list.stdout.is_empty())
    };
    if ["hi", "ko"].into_iter().all(are_there) {
        return Ok(());
    }
    if apt::is_here() {
        return apt::install(&TYPEFACES).await.context("cannot install typefaces");
    }
    println!("\n!!! Letters of some languages are missing here (on Debian: {}).", TYPEFACES.join(", "));
    println!("!!! Whether their texts fit the screen is measured with boxes in their place.");
    Ok(())
}

/// The version of Firefox's driver that is built where none is there.
const GECKODRIVER: &str = "0.37.1";

fn geckodriver() -> Result<Option<PathBuf>> {
    let own = own_tool("geckodriver")?;
    Ok(on_path("geckodriver").or_else(|| own.is_file().then_some(own)))
}

async fn build_geckodriver() -> Result<()> {
    let what = format!("build geckodriver {GECKODRIVER} in target/tools: about 1.5 minutes on two cores, once");
    let package = ["install", "geckodriver", "--version", GECKODRIVER, "--locked", "--root"];
    let by_hand = "install it by hand: `cargo install geckodriver --locked`, and have it on PATH";
    step(&what, run(cargo().args(package).arg(target_dir()?.join("tools")))).await.context(by_hand)
}

/// `WebKitGTK`'s own small browser, which no PATH has: `/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser` on Debian,
/// `/usr/libexec/webkit2gtk-4.1/MiniBrowser` on Fedora.
fn mini_browser() -> Option<PathBuf> {
    let below = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    };
    let homes = below(Path::new("/usr/lib")).into_iter().chain([PathBuf::from("/usr/libexec")]);
    let mut found: Vec<_> = homes
        .flat_map(|home| below(&home))
        .filter(|folder| folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("webkit2gtk-4.")))
        .map(|folder| folder.join("MiniBrowser"))
        .filter(|program| program.is_file())
        .collect();
    found.sort();
    found.pop()
}
