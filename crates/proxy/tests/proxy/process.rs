//! The program as a process: started with all its settings, ended by a signal.

use crate::database::database_in;
use crate::world::{BOOKS, PIN_KEY, TOKEN};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flexepin-cashier-proxy"));
    command
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// What `attempts …` says of the ledger in `folder`, and whether it succeeded.
pub(crate) async fn staff(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = program(&["attempts"]);
    command.args(arguments).env("CASHIER_DATABASE_URL", database_in(folder));
    let (code, said, error) = output(&mut command).await;
    (code == Some(0), said + &error)
}

/// A program with all its settings, its database in `folder`.
pub(crate) fn complete(upstream: &str, folder: &Path, more: &[&str]) -> Command {
    let mut command = program(&["--listen", "127.0.0.1:0", "--mozarto-url", upstream, "--insecure-no-sessions"]);
    command.env("CASHIER_LIMIT_ADDRESS", "0").env("CASHIER_LIMIT_CUSTOMER", "0");
    command.args(more).env("CASHIER_COMPANY_TOKEN", TOKEN).env("CASHIER_PIN_KEY", PIN_KEY).env("RUST_LOG", "trace");
    command.env("CASHIER_OUTCOMES_TOKEN", BOOKS).env("CASHIER_DATABASE_URL", database_in(folder));
    command.env("CASHIER_MARK_FILE", folder.join("cashier.db.mark"));
    command
}

/// A running program. Its log is read as it is written: a pipe that nobody reads fills up and holds the program.
pub(crate) struct Running {
    child: Child,
    log: Arc<Mutex<String>>,
    reading: JoinHandle<()>,
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.child
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Running {
    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("not poisoned").clone()
    }

    /// The first line of the log with that text, once it is there; a minute at most.
    pub(crate) async fn logged(&self, text: &str) -> String {
        let looking = async {
            loop {
                if let Some(line) = self.log().lines().find(|line| line.contains(text)) {
                    return line.to_owned();
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), looking).await.expect(text)
    }
}

/// A running program and its endpoint.
pub(crate) async fn running(upstream: &str, folder: &Path, more: &[&str]) -> (Running, String) {
    running_of(&mut complete(upstream, folder, more)).await
}

/// The same, of a command that was made ready.
pub(crate) async fn running_of(command: &mut Command) -> (Running, String) {
    let mut child = command.spawn().expect("it starts");
    let log: Arc<Mutex<String>> = Arc::default();
    let (noted, stderr) = (Arc::clone(&log), child.stderr.take().expect("piped"));
    let reading = tokio::spawn(async move {
        let mut lines = BufReader::new(stderr).lines();
        while let Some(line) = lines.next_line().await.expect("text") {
            let mut noted = noted.lock().expect("not poisoned");
            noted.push_str(&line);
            noted.push('\n');
        }
    });
    let mut line = String::new();
    let stdout = child.stdout.as_mut().expect("piped");
    BufReader::new(stdout).read_line(&mut line).await.expect("a line");
    let url = line.trim().strip_prefix("flexepin-cashier-proxy listens on ").expect(&line).to_owned();
    (Running { child, log, reading }, format!("{url}/cashier/flexepin"))
}

/// Asks the program to end.
pub(crate) async fn terminate(child: &Child) {
    let id = child.id().expect("it runs").to_string();
    Command::new("kill").args(["-TERM", &id]).status().await.expect("a signal");
}

/// Waits for the end, and gives all that it wrote.
pub(crate) async fn ended(mut child: Running) -> String {
    let mut said = String::new();
    child.stdout.as_mut().expect("piped").read_to_string(&mut said).await.expect("text");
    assert!(child.wait().await.expect("it ends").success());
    (&mut child.reading).await.expect("read to its end");
    said + &child.log()
}

/// What a program that ends by itself says: exit code, stdout, stderr.
pub(crate) async fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let output = tokio::time::timeout(Duration::from_secs(30), command.output()).await;
    let output = output.expect("it ends by itself").expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code(), text(output.stdout), text(output.stderr))
}
