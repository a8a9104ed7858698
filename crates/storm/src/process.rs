//! A proxy as its process: started, killed, stopped for a while, ended, and started again on the same port. Its log's last
//! lines are kept, and no way out of the storm leaves it running. What it stores where is its owner's.

use crate::settings::UPSTREAM_DEADLINE;
use crate::{Settings, held};
use anyhow::{Context, bail, ensure};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex as Lock};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

/// The bearer token of `GET /outcomes`.
pub(crate) const OUTCOMES_TOKEN: &str = "outcomes-of-the-storm";
/// How long it may take to start, with a ledger of thousands of attempts.
const START: Duration = Duration::from_secs(20);
/// How long it may take to end when told, beyond its running tries.
const END: Duration = Duration::from_secs(20);
/// How many of its last log lines are kept.
const LOG_LINES: usize = 50;
/// Below the ports that systems give to outgoing connections, of which the storm makes thousands.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// Limits that are not what the storm is about.
const OFF: [&str; 4] =
    ["CASHIER_LIMIT_ADDRESS", "CASHIER_LIMIT_CUSTOMER", "CASHIER_GUESSES", "CASHIER_BREAKER_FAILURES"];

/// One proxy.
pub(crate) struct Process {
    binary: PathBuf,
    arguments: Vec<String>,
    /// By which it notices a ledger that was restored.
    mark: PathBuf,
    pub(crate) address: SocketAddr,
    child: Mutex<Option<Child>>,
    log: Arc<Lock<VecDeque<String>>>,
    /// How long it may take to end when told.
    ends_within: Duration,
}

impl Process {
    /// Starts it for the first time, with its Mozarto at `mozarto`, its times shortened as the storm's, its ledger at
    /// `database`, and what it needs besides in the folder `home`, which is its own.
    pub(crate) async fn start(
        binary: &Path,
        mozarto: &str,
        settings: &Settings,
        database: &str,
        home: &Path,
    ) -> anyhow::Result<Self> {
        let address = free_address()?;
        let ms = |seconds| settings.scaled(Duration::from_secs(seconds)).as_millis().to_string();
        let arguments = [
            ("--listen", address.to_string()),
            ("--mozarto-url", mozarto.to_owned()),
            ("--database-url", database.to_owned()),
            ("--test-upstream-deadline-ms", ms(45)),
            ("--test-answer-within-ms", ms(25)),
            ("--test-clock-offset-file", clock(home).display().to_string()),
        ];
        let arguments = arguments.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]);
        let process = Self {
            binary: binary.to_owned(),
            arguments: arguments.chain(["--insecure-no-sessions".to_owned()]).collect(),
            mark: home.join("mark"),
            address,
            child: Mutex::new(None),
            log: Arc::default(),
            ends_within: settings.scaled(UPSTREAM_DEADLINE) + END,
        };
        *process.child.lock().await = Some(process.spawn().await?);
        Ok(process)
    }

    /// Kills it for good.
    pub(crate) async fn stop(&self) {
        if let Some(mut child) = self.child.lock().await.take() {
            // One that has ended by itself cannot be killed.
            let _ = child.kill().await;
        }
    }

    /// The last lines of its log.
    pub(crate) fn log(&self) -> Vec<String> {
        held(&self.log).iter().cloned().collect()
    }

    async fn spawn(&self) -> anyhow::Result<Child> {
        let mut child = ignoring_file_limits(&self.binary)
            .args(&self.arguments)
            .env("CASHIER_COMPANY_TOKEN", "sandbox-company")
            .env("CASHIER_PIN_KEY", "a key for the storm and nothing else")
            .env("CASHIER_OUTCOMES_TOKEN", OUTCOMES_TOKEN)
            .env("CASHIER_MARK_FILE", &self.mark)
            .env("RUST_LOG", "warn")
            // Every customer has one address and none is a guesser; what the breaker spares Mozarto the storm wants to see.
            .envs(OFF.map(|limit| (limit, "0")))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", self.binary.display()))?;
        let (out, err) = (child.stdout.take().context("piped")?, child.stderr.take().context("piped")?);
        let log = Arc::clone(&self.log);
        tokio::spawn(async move {
            let mut lines = BufReader::new(err).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let mut log = held(&log);
                if log.len() == LOG_LINES {
                    log.pop_front();
                }
                log.push_back(line);
            }
        });
        let mut lines = BufReader::new(out).lines();
        let listens = tokio::time::timeout(START, lines.next_line()).await.context("the proxy does not start")??;
        if !listens.is_some_and(|line| line.contains("listens on")) {
            // Its last words are on their way.
            let _ = child.wait().await;
            bail!(self.complaint("does not start"));
        }
        Ok(child)
    }

    /// Kills it without a word, and starts it again after a while.
    pub(crate) async fn kill(&self, down: Duration) -> anyhow::Result<()> {
        let mut running = self.child.lock().await;
        let mut child = self.alive(running.take())?;
        child.kill().await?;
        tokio::time::sleep(down).await;
        *running = Some(self.spawn().await?);
        Ok(())
    }

    /// Tells it to end, waits until it has, and starts it again.
    #[cfg(unix)]
    pub(crate) async fn end(&self) -> anyhow::Result<()> {
        let mut running = self.child.lock().await;
        let mut child = self.alive(running.take())?;
        rustix::process::kill_process(id(&child)?, rustix::process::Signal::TERM)?;
        let ended = tokio::time::timeout(self.ends_within, child.wait()).await;
        let status: ExitStatus = ended.with_context(|| self.complaint("does not end when told to"))??;
        ensure!(status.success(), self.complaint(&format!("ended with {status} when told to end")));
        *running = Some(self.spawn().await?);
        Ok(())
    }

    /// Has it stand still for a while, with all its connections.
    #[cfg(unix)]
    pub(crate) async fn pause(&self, lasting: Duration) -> anyhow::Result<()> {
        use rustix::process::{Signal, kill_process};
        let mut running = self.child.lock().await;
        let child = self.alive(running.take())?;
        let process = id(&child)?;
        *running = Some(child);
        kill_process(process, Signal::STOP)?;
        tokio::time::sleep(lasting).await;
        kill_process(process, Signal::CONT)?;
        Ok(())
    }

    /// The running program; an error where it has ended, which nobody told it to.
    fn alive(&self, child: Option<Child>) -> anyhow::Result<Child> {
        let mut child = child.context("the proxy is not running")?;
        match child.try_wait()? {
            Some(status) => bail!(self.complaint(&format!("ended by itself: {status}"))),
            None => Ok(child),
        }
    }

    fn complaint(&self, what: &str) -> String {
        format!("the proxy at {} {what}\n{}", self.address, self.log().join("\n"))
    }

    /// Has every write of the running program fail from now on, or lets it write again. Whether that can be had here.
    #[cfg(target_os = "linux")]
    pub(crate) async fn let_write(&self, writing: bool) -> anyhow::Result<bool> {
        use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
        let running = self.child.lock().await;
        let pid = id(running.as_ref().context("the proxy is not running")?)?;
        // The program has inherited ours.
        let as_it_was = getrlimit(Resource::Fsize);
        let limit = if writing { as_it_was } else { Rlimit { current: Some(0), ..as_it_was } };
        Ok(prlimit(Some(pid), Resource::Fsize, limit).is_ok())
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) async fn let_write(&self, _: bool) -> anyhow::Result<bool> {
        Ok(false)
    }
}

#[cfg(unix)]
fn id(child: &Child) -> anyhow::Result<rustix::process::Pid> {
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    id.and_then(rustix::process::Pid::from_raw).context("the proxy is not running")
}

/// The program, such that a write past a limit of file size is an error to it and not its end: what a full disk is.
#[cfg(unix)]
fn ignoring_file_limits(binary: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(binary);
    command
}

#[cfg(not(unix))]
fn ignoring_file_limits(binary: &Path) -> Command {
    Command::new(binary)
}

/// Sets the clock of the process with this home so many days off.
pub(crate) fn set_clock(home: &Path, days: i64) -> std::io::Result<()> {
    std::fs::write(clock(home), (days * 24 * 60 * 60).to_string())
}

fn clock(home: &Path) -> PathBuf {
    home.join("clock")
}

fn free_address() -> anyhow::Result<SocketAddr> {
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let port = (0..100).map(|_| fastrand::u16(PORTS)).find(free).context("no port for the proxy")?;
    Ok(SocketAddr::from(([127, 0, 0, 1], port)))
}
