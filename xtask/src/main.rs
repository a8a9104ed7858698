#![doc = include_str!("../README.md")]
#![expect(clippy::print_stdout, reason = "a command line speaks on stdout")]

mod apt;
mod browsers;
mod count;
mod demo;
mod dist;
mod e2e;
mod fuzz;
mod page_server;
mod postgres;
mod programs;
mod services;
mod steps;
mod test;
mod tools;
mod widget;

use anyhow::{Context, Result};
use clap::Parser;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Every command of this repository. Each does its own set-up on a machine that has Rust.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Build the widget, start sandbox and proxy, and serve the playground
    ///
    /// Builds what it needs, serves the page on port 8080 of 127.0.0.1, and runs until ctrl-c. No voucher is worth
    /// anything: the sandbox plays Mozarto, and the PINs it knows are printed.
    Demo(demo::Options),
    /// Run every check: lints, native tests, browser tests, end-to-end tests
    ///
    /// Needs the browsers asked for and their drivers, and a PostgreSQL server's programs; on Debian and Ubuntu as root they are
    /// installed, elsewhere it says what to install.
    Test {
        /// Run one part alone
        #[arg(long)]
        only: Option<test::Part>,
        /// The browsers of the browser tests and the end-to-end tests
        #[arg(long, default_value = "chromium")]
        browsers: browsers::Browsers,
    },
    /// Take the pictures of every screen, light and dark, into docs/screens/
    Pictures,
    /// Build the widget as shipped into dist/
    Dist(dist::Options),
    /// Run thousands of redemptions through the real proxy while everything fails, and compare four ledgers
    Storm(Told),
    /// Check a proxy, in any language, against the contract
    Conformance(Told),
    /// Measure what the proxy adds and what it sustains
    Bench(Told),
    /// Assemble the widget from wasm-bindgen's output (Trunk's hook: in its staging folder)
    #[command(hide = true)]
    Assemble {
        /// Folder with wasm-bindgen's no-modules glue and its wasm
        #[arg(env = "TRUNK_STAGING_DIR")]
        bindgen_out: PathBuf,
        /// Folder to write the widget's files to
        #[arg(env = "TRUNK_STAGING_DIR")]
        out: PathBuf,
    },
}

/// What a program of this repository is told; its own `--help` says what it can be.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
struct Told {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let task = Task::parse();
    match run(task).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a task to its end, or to a signal; either way what it started ends with it.
async fn run(task: Task) -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the repository")?;
    std::env::set_current_dir(root).with_context(|| format!("cannot enter {}", root.display()))?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let work = async {
        match task {
            Task::Demo(options) => demo::run(&options).await,
            Task::Test { only, browsers } => Box::pin(test::run_parts(only, browsers.engines())).await,
            Task::Pictures => Box::pin(e2e::pictures()).await,
            Task::Dist(options) => dist::dist(&options).await,
            Task::Storm(told) => programs::storm(&told.arguments).await,
            Task::Conformance(told) => programs::conformance(&told.arguments).await,
            Task::Bench(told) => programs::bench(&told.arguments).await,
            Task::Assemble { bindgen_out, out } => widget::assemble(&bindgen_out, &out),
        }
    };
    tokio::select! {
        done = work => done.map(|()| ExitCode::SUCCESS),
        _ = terminate.recv() => Ok(ExitCode::from(128 + 15)),
        _ = interrupt.recv() => Ok(ExitCode::from(128 + 2)),
    }
}
