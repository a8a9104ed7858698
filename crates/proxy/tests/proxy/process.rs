//! The program as a process: started with all its settings, ended by a signal.

use crate::world::{BOOKS, PIN_KEY, TOKEN};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

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

/// A program with all its settings, its database in `folder`.
pub(crate) fn complete(upstream: &str, folder: &Path, more: &[&str]) -> Command {
    let mut command = program(&["--listen", "127.0.0.1:0", "--mozarto-url", upstream, "--insecure-no-sessions"]);
    command.env("CASHIER_LIMIT_ADDRESS", "0").env("CASHIER_LIMIT_CUSTOMER", "0");
    command.args(more).env("CASHIER_COMPANY_TOKEN", TOKEN).env("CASHIER_PIN_KEY", PIN_KEY).env("RUST_LOG", "trace");
    command.env("CASHIER_OUTCOMES_TOKEN", BOOKS).env("CASHIER_DATABASE_URL", database_in(folder));
    command
}

pub(crate) fn database_in(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("cashier.db").display())
}

/// A running program and its endpoint.
pub(crate) async fn running(upstream: &str, folder: &Path, more: &[&str]) -> (Child, String) {
    running_of(&mut complete(upstream, folder, more)).await
}

/// The same of a command.
pub(crate) async fn running_of(command: &mut Command) -> (Child, String) {
    let mut child = command.spawn().expect("it starts");
    let mut line = String::new();
    let stdout = child.stdout.as_mut().expect("piped");
    BufReader::new(stdout).read_line(&mut line).await.expect("a line");
    let url = line.trim().strip_prefix("flexepin-cashier-proxy listens on ").expect(&line).to_owned();
    (child, format!("{url}/cashier/flexepin"))
}

/// Asks the program to end.
pub(crate) async fn terminate(child: &Child) {
    let id = child.id().expect("it runs").to_string();
    Command::new("kill").args(["-TERM", &id]).status().await.expect("a signal");
}

/// Waits for the end, and gives all that it wrote.
pub(crate) async fn ended(mut child: Child) -> String {
    let (mut out, mut log) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let (mut said, mut logged) = (String::new(), String::new());
    let (said_read, log_read) = tokio::join!(out.read_to_string(&mut said), log.read_to_string(&mut logged));
    said_read.and(log_read).expect("text");
    assert!(child.wait().await.expect("it ends").success());
    said + &logged
}

/// What a program that ends by itself says: exit code, stdout, stderr.
pub(crate) async fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let output = tokio::time::timeout(Duration::from_secs(30), command.output()).await;
    let output = output.expect("it ends by itself").expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code(), text(output.stdout), text(output.stderr))
}
