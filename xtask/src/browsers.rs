//! Chromium and its driver, found or installed, and the driver as a running program.
//!
//! On Debian and Ubuntu as root they are installed; elsewhere the error says what to install. The driver takes a free
//! port and ends, with the browsers it started, when it is dropped.

use crate::steps::{Child, command, run, step};
use crate::tools::on_path;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};

/// Where Chromium and its driver lie.
pub(crate) struct Chromium {
    /// The browser.
    pub(crate) browser: PathBuf,
    /// Its `WebDriver` server.
    pub(crate) driver: PathBuf,
}

impl Chromium {
    /// Finds both on PATH, or installs them where that can be done without asking.
    pub(crate) async fn ready() -> Result<Self> {
        if let Some(found) = Self::find() {
            return Ok(found);
        }
        if on_path("apt-get").is_none() || !rustix::process::geteuid().is_root() {
            bail!("{MISSING}");
        }
        let update = || command_of_apt(&["update"]);
        let packages = ["install", "--yes", "--no-install-recommends", "chromium", "chromium-driver"];
        step("install Chromium and its driver (apt-get)", async {
            for last_try in [false, true] {
                let done = async {
                    run(&mut update()).await?;
                    run(&mut command_of_apt(&packages)).await
                };
                match done.await {
                    Err(error) if last_try => return Err(error.context(MISSING)),
                    Err(error) => println!("    {error}; once more"),
                    Ok(()) => break,
                }
            }
            Self::find().context(MISSING)
        })
        .await
    }

    fn find() -> Option<Self> {
        let browser = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(on_path)?;
        Some(Self { browser, driver: on_path("chromedriver")? })
    }
}

const MISSING: &str = "the browser tests need Chromium and its driver on PATH (`chromium`, `chromium-browser` or \
`google-chrome`, and `chromedriver`, both of one version).
  Debian, Ubuntu: apt-get install chromium chromium-driver (this command does it by itself as root)
  Fedora:         dnf install chromium chromedriver
  Arch:           pacman -S chromium
  macOS:          brew install --cask chromium chromedriver
  elsewhere:      https://googlechromelabs.github.io/chrome-for-testing/";

fn command_of_apt(arguments: &[&str]) -> tokio::process::Command {
    let mut apt = command("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
    apt
}

/// A running chromedriver.
pub(crate) struct Driver {
    /// Its address.
    pub(crate) url: String,
    _child: Child,
}

impl Driver {
    /// Starts it on a free port of its choice; returns when it listens.
    pub(crate) async fn start(program: &Path) -> Result<Self> {
        let mut child = Child::spawn(command(program).arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()))?;
        let mut lines = BufReader::new(child.stdout()?).lines();
        let port = tokio::time::timeout(Duration::from_secs(20), async {
            while let Some(line) = lines.next_line().await? {
                if let Some(port) = port_of(&line) {
                    return Ok(port);
                }
            }
            bail!("it ended")
        });
        let port = port.await.context("it said nothing for 20 s").and_then(|port| port);
        let port = port.with_context(|| format!("{} did not start", program.display()))?;
        // It is told to write no more, but a full pipe must not stop it either.
        tokio::spawn(async move { while matches!(lines.next_line().await, Ok(Some(_))) {} });
        Ok(Self { url: format!("http://127.0.0.1:{port}"), _child: child })
    }
}

/// The port in chromedriver's line `ChromeDriver was started successfully on port 33989.`
fn port_of(line: &str) -> Option<u16> {
    line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_the_line_that_says_it_is_ready() {
        assert_eq!(port_of("Starting ChromeDriver 156.0.8078.79 (a21c) on port 0"), None);
        assert_eq!(port_of("ChromeDriver was started successfully on port 33989."), Some(33989));
    }
}
