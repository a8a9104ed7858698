//! The proxy as its program: one process at a time on one database, killed and started again on the same port.
//! Everything it writes is in a folder that goes with it, and no way out of the storm leaves it running.

use crate::{Blow, Dealt, Settings, Subject, held};
use anyhow::{Context, bail, ensure};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex as Lock};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

const OUTCOMES_TOKEN: &str = "outcomes-of-the-storm";
/// How long it may take to start, with a ledger of thousands of attempts.
const START: Duration = Duration::from_secs(20);
/// How long it may take to get hold of its database's lock.
const LOCK: Duration = Duration::from_mins(1);
/// How many of its last log lines are kept.
const LOG_LINES: usize = 50;
/// Below the ports that systems give to outgoing connections, of which the storm makes thousands.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// The proxy's program.
pub struct Program {
    binary: PathBuf,
    arguments: Vec<String>,
    url: String,
    // Before the folder: what is dropped first ends first.
    child: Mutex<Option<Child>>,
    folder: TempDir,
    log: Arc<Lock<VecDeque<String>>>,
}

impl Program {
    /// Starts the program for the first time, with its Mozarto at `mozarto` and its times shortened as the storm's.
    ///
    /// # Errors
    /// When it cannot be started, with what it said.
    pub async fn start(binary: &Path, mozarto: &str, settings: &Settings) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("cashier-storm-").tempdir().context("no temporary folder")?;
        let address = free_address()?;
        let ms = |seconds| settings.scaled(Duration::from_secs(seconds)).as_millis().to_string();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let arguments = [
            ("--listen", address.to_string()),
            ("--mozarto-url", mozarto.to_owned()),
            ("--database-url", format!("sqlite://{}", path("ledger.db"))),
            ("--test-upstream-deadline-ms", ms(45)),
            ("--test-answer-within-ms", ms(25)),
            ("--test-clock-offset-file", path("clock")),
        ];
        let arguments = arguments.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]);
        let program = Self {
            binary: binary.to_owned(),
            arguments: arguments
                .chain(
                    ["--insecure-no-sessions", "--limit-address=0", "--limit-customer=0", "--guesses=0"]
                        .map(str::to_owned),
                )
                .collect(),
            url: format!("http://{address}"),
            child: Mutex::new(None),
            folder,
            log: Arc::default(),
        };
        *program.child.lock().await = Some(program.spawn().await?);
        Ok(program)
    }

    /// Kills it for good.
    pub async fn stop(&self) {
        if let Some(mut child) = self.child.lock().await.take() {
            // One that has ended by itself cannot be killed.
            let _ = child.kill().await;
        }
    }

    /// The last lines of its log.
    pub fn log(&self) -> Vec<String> {
        held(&self.log).iter().cloned().collect()
    }

    async fn spawn(&self) -> anyhow::Result<Child> {
        let mut child = ignoring_file_limits(&self.binary)
            .args(&self.arguments)
            .env("CASHIER_COMPANY_TOKEN", "sandbox-company")
            .env("CASHIER_PIN_KEY", "a key for the storm and nothing else")
            .env("CASHIER_OUTCOMES_TOKEN", OUTCOMES_TOKEN)
            .env("RUST_LOG", "warn")
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
            bail!("the proxy does not start:\n{}", self.log().join("\n"));
        }
        Ok(child)
    }

    async fn kill(&self, down: Duration) -> anyhow::Result<()> {
        let mut running = self.child.lock().await;
        if let Some(child) = running.as_mut() {
            if let Some(status) = child.try_wait()? {
                bail!("the proxy ended by itself: {status}\n{}", self.log().join("\n"));
            }
            child.kill().await?;
        }
        *running = None;
        tokio::time::sleep(down).await;
        *running = Some(self.spawn().await?);
        Ok(())
    }

    async fn lock_database(&self, lasting: Duration) -> anyhow::Result<()> {
        let file = self.folder.path().join("ledger.db");
        let options = SqliteConnectOptions::new().filename(file).busy_timeout(Duration::ZERO);
        let mut other: SqliteConnection = options.connect().await.context("cannot open the proxy's database")?;
        // A busy proxy leaves short gaps only: SQLite's own waiting, which gets longer and longer, may never meet one.
        let began = Instant::now();
        while let Err(error) = sqlx::query("BEGIN EXCLUSIVE").execute(&mut other).await {
            ensure!(began.elapsed() < LOCK, "cannot lock the proxy's database: {error}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(lasting).await;
        sqlx::query("ROLLBACK").execute(&mut other).await?;
        other.close().await?;
        Ok(())
    }

    /// Has every write of the running program fail from now on, or lets it write again. Whether that can be had here.
    #[cfg(target_os = "linux")]
    async fn let_write(&self, writing: bool) -> anyhow::Result<bool> {
        use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
        let running = self.child.lock().await;
        let id = running.as_ref().and_then(Child::id).and_then(|id| i32::try_from(id).ok());
        let pid = id.and_then(Pid::from_raw).context("the proxy is not running")?;
        // The program has inherited ours.
        let as_it_was = getrlimit(Resource::Fsize);
        let limit = if writing { as_it_was } else { Rlimit { current: Some(0), ..as_it_was } };
        Ok(prlimit(Some(pid), Resource::Fsize, limit).is_ok())
    }

    #[cfg(not(target_os = "linux"))]
    async fn let_write(&self, _: bool) -> anyhow::Result<bool> {
        Ok(false)
    }
}

impl Subject for Program {
    fn url(&self) -> &str {
        &self.url
    }

    fn outcomes_token(&self) -> &str {
        OUTCOMES_TOKEN
    }

    async fn suffer(&self, blow: Blow) -> anyhow::Result<Dealt> {
        match blow {
            Blow::Kill { down } => self.kill(down).await?,
            Blow::LockDatabase { lasting } => self.lock_database(lasting).await?,
            Blow::FillDisk { lasting } | Blow::KillWhileFull { lasting } => {
                if !self.let_write(false).await? {
                    return Ok(Dealt::No("DISK NOT FILLED: this system does not limit the files of a running program"));
                }
                tokio::time::sleep(lasting).await;
                match blow {
                    // The limit goes with the process.
                    Blow::KillWhileFull { .. } => self.kill(Duration::ZERO).await?,
                    _ => ensure!(self.let_write(true).await?, "the proxy's disk stays full"),
                }
            }
            Blow::SetClock { days } => {
                std::fs::write(self.folder.path().join("clock"), (days * 24 * 60 * 60).to_string())?;
            }
        }
        Ok(Dealt::Yes)
    }
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

fn free_address() -> anyhow::Result<SocketAddr> {
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let port = (0..100).map(|_| fastrand::u16(PORTS)).find(free).context("no port for the proxy")?;
    Ok(SocketAddr::from(([127, 0, 0, 1], port)))
}
