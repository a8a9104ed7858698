//! The server: its data, its process, its end. Between the two stands a shell that does what it is told by a pipe, and ends
//! the server when the pipe closes.

use crate::Programs;
use crate::user::{User, give, is_open, run_as};
use anyhow::{Context, ensure};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long it may take to start, recovery after a crash included.
const START: Duration = Duration::from_mins(1);
/// How often it is looked whether it has started.
const LOOK: Duration = Duration::from_millis(20);
/// Below the ports that systems give to outgoing connections: it must be free again after a restart.
const PORTS: std::ops::Range<u16> = 20_000..30_000;
/// How many lines of its log stand in an error.
const LAST_LINES: usize = 10;

/// Runs a server until it ends. Says its process id, then waits for one word: the signal by which it is to end. No word, a
/// closed pipe, is SIGQUIT: at once, nothing is asked. The word is read in the background, so that the shell ends
/// when the server ends by itself.
const SHELL: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- & server=$!
echo $server
exec >&-
{ read -r signal <&3 || signal=QUIT; kill -s "$signal" $server; } 2>&- & reader=$!
wait $server
kill $reader
"#;

/// How a server is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// SIGKILL to the one process that the others belong to: what a crash of the machine is to it.
    Kill,
    /// SIGINT: connections are cut, and it ends in order, as at an upgrade.
    Fast,
}

/// A running server. It ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    programs: Programs,
    user: Option<User>,
    port: u16,
    // Before the folder: what is dropped first ends first.
    running: Option<Running>,
    home: TempDir,
}

#[derive(Debug)]
struct Running {
    shell: Child,
    orders: ChildStdin,
    process: String,
}

impl Server {
    /// Makes a server with its data in a folder inside of `place`, and starts it. Where the server's user could not go
    /// through to there, it is the system's folder for temporary files instead.
    ///
    /// # Errors
    /// When it cannot be made or started, with the last lines of its log.
    pub fn start(programs: &Programs, place: &Path) -> anyhow::Result<Self> {
        let user = User::of_the_server()?;
        let temporary = std::env::temp_dir();
        let place = if user.is_none() || is_open(place) { place } else { &temporary };
        let home = tempfile::Builder::new().prefix("postgres-").tempdir_in(place);
        let home = home.with_context(|| format!("cannot make a folder in {}", place.display()))?;
        if let Some(user) = user {
            give(home.path(), user)?;
        }
        let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
        let port = (0..100).map(|_| fastrand::u16(PORTS)).find(is_free).context("no port for PostgreSQL")?;
        let mut server = Self { programs: programs.clone(), user, port, running: None, home };
        server.make_data()?;
        server.start_again()?;
        Ok(server)
    }

    /// The address of one of its databases, for its superuser. There is `postgres` from the start.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Ends it, and comes back when its process has gone. The data stay.
    ///
    /// # Errors
    /// When the system does not let it be waited for.
    pub fn end(&mut self, how: End) -> anyhow::Result<()> {
        self.order(match how {
            End::Kill => "KILL",
            End::Fast => "INT",
        })
    }

    /// Starts it again on the same data and port; comes back when it takes connections.
    ///
    /// # Errors
    /// When it does not start, with the last lines of its log.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START;
        loop {
            let running = self.spawn()?;
            if let Some(running) = running.ready(&self.data().join("postmaster.pid"), deadline)? {
                self.running = Some(running);
                return Ok(());
            }
            // After a crash some of its processes may still hold the shared memory, for a moment.
            ensure!(Instant::now() < deadline, "PostgreSQL does not start:\n{}", self.last_words());
            std::thread::sleep(LOOK);
        }
    }

    fn make_data(&self) -> anyhow::Result<()> {
        let mut initdb = self.command(&self.programs.initdb());
        initdb
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--pgdata"])
            .arg(self.data());
        let made = initdb.stdin(Stdio::null()).output().context("cannot start initdb")?;
        ensure!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr).trim());
        Ok(())
    }

    fn spawn(&self) -> anyhow::Result<Running> {
        let log =
            File::options().create(true).append(true).open(self.log()).context("cannot write PostgreSQL's log")?;
        let mut shell = self.command(Path::new("sh"));
        shell.args(["-c", SHELL, "sh"]).arg(self.programs.postgres()).arg("-D").arg(self.data());
        shell.args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        shell.args(["-c", "unix_socket_directories=", "-c", "max_connections=300"]);
        let spawned = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn();
        let mut shell = spawned.context("cannot start a shell")?;
        let (orders, said) = (shell.stdin.take().context("piped")?, shell.stdout.take().context("piped")?);
        let mut process = String::new();
        BufReader::new(said).read_line(&mut process)?;
        Ok(Running { shell, orders, process: process.trim().to_owned() })
    }

    /// In the server's folder, where its user may be, and with a language in which the log is read.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.home.path()).env("LC_ALL", "C");
        run_as(&mut command, self.user);
        command
    }

    fn order(&mut self, signal: &str) -> anyhow::Result<()> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        // Nobody reads where it has ended by itself.
        let _ = writeln!(running.orders, "{signal}");
        running.shell.wait().context("cannot wait for PostgreSQL's end")?;
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.home.path().join("log")
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }
}

impl Running {
    /// Itself when it takes connections, as it says in its own file; `None` when it has ended or it is too late.
    fn ready(mut self, file: &Path, deadline: Instant) -> anyhow::Result<Option<Self>> {
        while Instant::now() < deadline {
            if self.shell.try_wait()?.is_some() {
                return Ok(None);
            }
            // The file of one that was killed is still there: its process is another.
            let says = std::fs::read_to_string(file).unwrap_or_default();
            let mut lines = says.lines().map(str::trim);
            if lines.next() == Some(self.process.as_str()) && lines.any(|line| line == "ready") {
                return Ok(Some(self));
            }
            std::thread::sleep(LOOK);
        }
        drop(self.orders);
        self.shell.wait()?;
        Ok(None)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whatever is wrong with it, there is nothing left to do.
        let _ = self.order("QUIT");
    }
}
