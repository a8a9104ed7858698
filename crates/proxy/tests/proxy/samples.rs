//! The programs of docs/sessions and docs/receivers, as they stand there, run and checked. Where a language's runtime
//! is missing its sample is left out, and that is said; in CI it is an error.

mod minting;
mod receiving;

use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// What a sample is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Node,
    Python,
    Php,
    Rust,
}

impl Language {
    const ALL: [Self; 4] = [Self::Node, Self::Python, Self::Php, Self::Rust];

    /// Those whose samples can be run here: all, but for the runtimes that are missing.
    async fn here() -> Vec<Self> {
        let mut here = Vec::new();
        for language in Self::ALL {
            let Some((runtime, asks)) = language.runtime() else {
                here.push(language);
                continue;
            };
            let mut command = Command::new(runtime);
            command.arg(asks).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            if command.status().await.is_ok_and(|status| status.success()) {
                here.push(language);
                continue;
            }
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{runtime} is missing, and CI runs all samples");
            // Past the test runner, which would swallow it.
            let said = writeln!(stderr(), "NOT RUN: the {language:?} samples are not checked, as {runtime} is missing");
            said.expect("somebody listens");
        }
        assert!(here.contains(&Self::Rust), "which needs nothing");
        here
    }

    /// The program that runs it, and what that program is asked to see whether it is there.
    fn runtime(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Node => Some(("node", "--version")),
            Self::Python => Some(("python3", "--version")),
            Self::Php => Some(("php", "-v")),
            Self::Rust => None,
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Node => "node.mjs",
            Self::Python => "python.py",
            Self::Php => "php.php",
            Self::Rust => "rust.rs",
        }
    }

    /// The sample of `docs/<folder>` as a command, whose Rust one is the example of that name. `php` is what PHP itself
    /// is told. Nothing of this process's environment reaches it but where programs are found.
    fn command(self, folder: &str, example: &str, php: &[&str]) -> Command {
        let source = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs")).join(folder).join(self.file());
        let mut command = match self.runtime() {
            Some((runtime, _)) => {
                let mut command = Command::new(runtime);
                command.args(if self == Self::Php { php } else { &[] }).arg(source);
                command
            }
            None => Command::new(built(example)),
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for kept in ["HOME", "PYENV_ROOT", "PYENV_VERSION"] {
            command.envs(std::env::var_os(kept).map(|value| (kept, value)));
        }
        command.kill_on_drop(true);
        command
    }
}

/// An example of this crate. Cargo builds them with the tests, beside their folder, unless some tests alone are named.
fn built(example: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    let program = test.parent().and_then(Path::parent).expect("target/debug").join("examples").join(example);
    assert!(program.is_file(), "{} is missing: `cargo build -p flexepin-cashier-proxy --examples`", program.display());
    program
}
