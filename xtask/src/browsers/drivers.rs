//! The drivers as running programs: as many sessions at a time as a browser's tests have threads.
//!
//! Each takes a free port. They end, with the browsers they started, when [`Drivers`] is dropped. Chromium's driver has
//! any number of sessions; those of Firefox and `WebKitGTK` have one each, so there are several of them. `WebKitGTK`'s browser
//! has no mode without a window: each of its drivers has a screen of its own (Xvfb), and with it a clipboard.

use super::{Browser, Engine};
use crate::steps::{Child, command};
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

/// How long a program may take until it listens.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many tests run in a browser at a time. They wait more than they work, so two cores carry them.
const fn sessions(engine: Engine) -> usize {
    match engine {
        Engine::Chromium => 3,
        Engine::Firefox | Engine::Webkit => 2,
    }
}

/// Running drivers of one browser.
pub(crate) struct Drivers {
    /// An address for each session that there can be at a time.
    pub(crate) urls: Vec<String>,
    children: Vec<Child>,
}

impl Drivers {
    /// Starts them; returns when all listen. What they have to say goes into the folder `logs`.
    pub(crate) async fn start(browser: &Browser, logs: &Path) -> Result<Self> {
        std::fs::create_dir_all(logs).context("cannot make the folder of the logs")?;
        // Firefox ends with its driver, which cannot remove the profile then.
        let profiles = logs.join("profiles");
        if profiles.exists() {
            std::fs::remove_dir_all(&profiles).context("cannot remove the profiles of the last run")?;
        }
        std::fs::create_dir_all(&profiles).context("cannot make the folder of the profiles")?;
        let mut drivers = Self { urls: Vec::new(), children: Vec::new() };
        let processes = if browser.engine == Engine::Chromium { 1 } else { sessions(browser.engine) };
        for number in 0..processes {
            let log = |program: &str| {
                File::create(logs.join(format!("{program}-{number}.log"))).context("cannot write a driver's log")
            };
            let mut driver = command(&browser.driver);
            let port = match browser.engine {
                Engine::Chromium => {
                    driver.arg("--port=0").stderr(log("chromedriver")?);
                    drivers.spawn(&mut driver, port_of_chromedriver).await?
                }
                Engine::Firefox => {
                    driver
                        .args(["--port=0", "--websocket-port=0", "--profile-root"])
                        .arg(&profiles)
                        .stderr(log("geckodriver")?);
                    drivers.spawn(&mut driver, port_of_geckodriver).await?
                }
                Engine::Webkit => {
                    let mut screen = command("Xvfb");
                    screen.args(["-displayfd", "1", "-screen", "0", "1400x1000x24", "-nolisten", "tcp", "-noreset"]);
                    screen.stderr(log("xvfb")?);
                    let display: u16 = drivers.spawn(&mut screen, |line| line.trim().parse().ok()).await?;
                    // Its pages' language is the system's, and "C" is none that a customer has.
                    driver.env("DISPLAY", format!(":{display}")).env("LANG", "en_US.UTF-8").env_remove("LC_ALL");
                    driver.stdout(log("webkitdriver")?).stderr(log("minibrowser")?);
                    drivers.spawn_on_free_port(&mut driver).await?
                }
            };
            drivers.urls.push(format!("http://127.0.0.1:{port}"));
        }
        drivers.urls = drivers.urls.iter().cycle().take(sessions(browser.engine)).cloned().collect();
        Ok(drivers)
    }

    /// Starts a program and returns what `read` finds in a line that it writes.
    async fn spawn<T>(&mut self, program: &mut Command, read: fn(&str) -> Option<T>) -> Result<T> {
        let mut child = Child::spawn(program.stdout(Stdio::piped()))?;
        let mut lines = BufReader::new(child.stdout()?).lines();
        self.children.push(child);
        let found = started(program, async {
            while let Some(line) = lines.next_line().await? {
                if let Some(found) = read(&line) {
                    return Ok(found);
                }
            }
            bail!("it ended")
        });
        let found = found.await?;
        // A full pipe must not stop it.
        tokio::spawn(async move { while matches!(lines.next_line().await, Ok(Some(_))) {} });
        Ok(found)
    }

    /// Starts a program that must be told its port, and does not say when it listens.
    async fn spawn_on_free_port(&mut self, program: &mut Command) -> Result<u16> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("there is no free port")?;
        let port = free.local_addr()?.port();
        drop(free);
        self.children.push(Child::spawn(program.arg(format!("--port={port}")))?);
        started(program, async {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(port)
        })
        .await
    }
}

async fn started<T>(program: &Command, ready: impl Future<Output = Result<T>>) -> Result<T> {
    let ready = tokio::time::timeout(PATIENCE, ready).await;
    let ready = ready.with_context(|| format!("it was not ready for {PATIENCE:?}")).and_then(|ready| ready);
    ready.with_context(|| format!("{} did not start", Path::new(program.as_std().get_program()).display()))
}

/// The port in chromedriver's line `ChromeDriver was started successfully on port 33989.`
fn port_of_chromedriver(line: &str) -> Option<u16> {
    line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
}

/// The port in geckodriver's line `1785672000123 geckodriver INFO Listening on 127.0.0.1:41173`, with tabs in it.
fn port_of_geckodriver(line: &str) -> Option<u16> {
    line.split_once("Listening on 127.0.0.1:")?.1.trim_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_the_line_that_says_it_is_ready() {
        assert_eq!(port_of_chromedriver("Starting ChromeDriver 156.0.8078.79 (a21c) on port 0"), None);
        assert_eq!(port_of_chromedriver("ChromeDriver was started successfully on port 33989."), Some(33989));
        assert_eq!(port_of_geckodriver("1785672000123\tgeckodriver\tINFO\tListening on 127.0.0.1:41173"), Some(41173));
        assert_eq!(port_of_geckodriver("1785672000124\twebdriver::httpapi\tINFO\tsomething else"), None);
    }

    #[tokio::test]
    async fn a_program_that_ends_before_it_is_ready_did_not_start() {
        let mut drivers = Drivers { urls: Vec::new(), children: Vec::new() };
        let mut shell = command("sh");
        let error = drivers.spawn(shell.args(["-c", "echo no"]), port_of_chromedriver).await.expect_err("it ended");
        assert_eq!(format!("{error:#}"), "sh did not start: it ended");
    }
}
