//! Running other programs: announced, timed, and ended together with what they started.
//!
//! A [`Child`] is in a process group of its own, which is killed when the child is dropped: at the end, at ctrl-c, at
//! SIGTERM and when a panic unwinds. Left to the callers: which programs, and what to do when one fails.

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::process::{ChildStdout, Command};

/// Says what is being done, does it, and says how long it took.
pub(crate) async fn step<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    println!("\n==> {what}");
    let start = Instant::now();
    let done = work.await.with_context(|| format!("failed: {what}"))?;
    println!("    {} s", seconds(start.elapsed()));
    Ok(done)
}

/// Seconds with one decimal, as every table here shows them.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64())
}

/// A command without standard input. It does not inherit what `cargo run` told us about this package: some build
/// scripts look there, and would build again after each change between `cargo xtask` and plain `cargo`.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Cargo's target folder: this program lies in its `debug` folder.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot tell where this program lies")?;
    Ok(program.ancestors().nth(2).context("this program lies in no target folder: run it with `cargo xtask`")?.into())
}

/// Runs a command with its output on the terminal. An error if it cannot start or fails.
pub(crate) async fn run(command: &mut Command) -> Result<()> {
    println!("    $ {}", shown(command));
    let status = Child::spawn(command)?.wait().await?;
    ensure!(status.success(), "`{}` failed ({status}); its output above says why", shown(command));
    Ok(())
}

/// Runs a command with its output on the terminal, and returns what it wrote to stdout, whether it succeeded or not.
pub(crate) async fn run_and_read(command: &mut Command) -> Result<(ExitStatus, String)> {
    println!("    $ {}", shown(command));
    let mut child = Child::spawn(command.stdout(Stdio::piped()))?;
    let mut stdout = child.stdout()?;
    let (mut text, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let read = stdout.read(&mut chunk).await?;
        if read == 0 {
            break;
        }
        let mut terminal = std::io::stdout().lock();
        terminal.write_all(&chunk[..read])?;
        terminal.flush()?;
        text.extend_from_slice(&chunk[..read]);
    }
    Ok((child.wait().await?, String::from_utf8_lossy(&text).into_owned()))
}

/// What a command writes to stdout, quietly; `None` if it cannot start or fails.
pub(crate) async fn answer(command: &mut Command) -> Option<String> {
    let output = command.output().await.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A running program and all that it started.
pub(crate) struct Child(tokio::process::Child);

impl Child {
    /// Starts it in a process group of its own: ctrl-c reaches us alone, and we end the group.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        let child = command.process_group(0).kill_on_drop(true).spawn();
        Ok(Self(child.with_context(|| format!("cannot start `{}`: is it installed?", shown(command)))?))
    }

    /// Its end.
    pub(crate) async fn wait(&mut self) -> Result<ExitStatus> {
        self.0.wait().await.context("cannot wait for a program to end")
    }

    /// Its standard output, which the command must have piped; once.
    pub(crate) fn stdout(&mut self) -> Result<ChildStdout> {
        self.0.stdout.take().context("the program's output is not piped")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Without an id it has ended and was waited for.
        let group = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(group) = group {
            // The group may have ended just now; then there is nothing left to do.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

fn shown(command: &Command) -> String {
    let command = command.as_std();
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| format!(" {}", argument.to_string_lossy()));
    arguments.fold(name, |line, argument| line + &argument)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncBufReadExt, BufReader};

    #[tokio::test]
    async fn a_dropped_child_takes_what_it_started_with_it() {
        let mut shell = Child::spawn(command("sh").args(["-c", "sleep 600 & echo $!; wait"]).stdout(Stdio::piped()))
            .expect("a shell starts");
        let mut lines = BufReader::new(shell.stdout().expect("piped")).lines();
        let grandchild = lines.next_line().await.expect("readable").expect("the sleeper's id");
        drop(shell);
        // The sleeper holds the pipe open: it closes when the sleeper is gone.
        assert_eq!(lines.next_line().await.expect("readable"), None, "{grandchild} is still there");
    }

    #[tokio::test]
    async fn a_failing_command_is_named_in_the_error() {
        let error = run(command("sh").args(["-c", "exit 3"])).await.expect_err("it fails");
        assert!(error.to_string().starts_with("`sh -c exit 3` failed (exit status: 3)"), "{error}");
        let error = run(&mut command("no-such-program-here")).await.expect_err("it is not there");
        assert!(error.to_string().contains("cannot start `no-such-program-here`"), "{error}");
    }

    #[tokio::test]
    async fn output_is_read_whether_the_command_succeeds_or_not() {
        let (status, text) = run_and_read(command("sh").args(["-c", "echo 3 passed; exit 1"])).await.expect("it runs");
        assert_eq!((status.success(), text.as_str()), (false, "3 passed\n"));
        assert_eq!(answer(command("sh").args(["-c", "echo 1.2"])).await.as_deref(), Some("1.2"));
        assert_eq!(answer(&mut command("false")).await, None);
    }
}
