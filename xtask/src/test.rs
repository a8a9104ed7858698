//! `cargo xtask test`: every check that a change must pass, in the order in which they are cheap.
//!
//! A failing check does not hide the next ones; the table at the end has them all. Left to others: what end-to-end
//! tests need around them (`e2e`), and counting (`count`).

use crate::browsers::{Browser, Engine};
use crate::count::{self, Ran};
use crate::e2e::Ground;
use crate::programs::{self, Engine as LedgerEngine};
use crate::steps::{cargo, command, run, run_and_read, seconds, target_dir};
use crate::tools::{WASM, WasmBindgen, node, php_ready, wasm_target};
use crate::{fuzz, postgres};
use anyhow::{Result, bail, ensure};
use own_postgres::Programs;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// A part of the checks.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Format and clippy, native and wasm
    Lint,
    /// Every crate's tests on this machine
    Native,
    /// The widget's tests in a browser (Chromium, Firefox)
    Web,
    /// The widget, the proxy and the sandbox together, in a browser
    E2e,
    /// The typings, by several versions of TypeScript
    Types,
    /// The proxy's interface, by a fuzzer that reads its `OpenAPI` document
    Fuzz,
    /// A short storm on each engine of the ledger: hundreds of redemptions while everything fails
    Storm,
}

/// Runs all parts, or one; those in a browser in each of `engines`.
pub(crate) async fn run_parts(only: Option<Part>, engines: &[Engine]) -> Result<()> {
    let wanted = |part| only.is_none_or(|only| only == part);
    let mut table = Table::default();
    let mut programs_of_postgres = None;
    if wanted(Part::Native) || wanted(Part::Storm) {
        let set_up = async { postgres::programs().await.map(|found| programs_of_postgres = found) };
        table.check("PostgreSQL, set-up", async { set_up.await.map(|()| None) }).await;
        if programs_of_postgres.is_none() {
            table.leave_out("tests on PostgreSQL");
        }
    }
    if wanted(Part::Lint) {
        table.check("format", async { run(cargo().args(["fmt", "--all", "--check"])).await.map(|()| None) }).await;
        table.check("clippy, native", clippy(&["--workspace", "--all-targets"])).await;
        table.check("clippy, wasm", clippy_of_wasm()).await;
    }
    if wanted(Part::Native) {
        table.check("native tests", native(programs_of_postgres.as_ref())).await;
    }
    if wanted(Part::Types) {
        table.check("typings", types()).await;
    }
    if wanted(Part::Web) {
        for &engine in engines {
            match engine {
                // Its runner of wasm-bindgen-test is for Safari alone.
                Engine::Webkit => ensure!(only.is_none() || engines.len() > 1, "there are no web tests in WebKitGTK"),
                _ => table.check(&format!("web tests, {}", engine.name()), web(engine)).await,
            }
        }
    }
    if wanted(Part::E2e) {
        let mut ground = None;
        let set_up = async { Ground::ready(engines).await.map(|ready| ground = Some(ready)) };
        table.check("end-to-end, set-up", async { set_up.await.map(|()| None) }).await;
        // Without its ground none can run; that failure stands in the table.
        if let Some(ground) = &ground {
            for browser in ground.browsers() {
                table.check(&format!("end-to-end, {}", browser.engine.name()), ground.test(browser)).await;
            }
        }
    }
    if wanted(Part::Fuzz) {
        let mut fuzzer = None;
        let set_up = async { fuzz::ready().await.map(|found| fuzzer = found) };
        table.check("fuzzer, set-up", async { set_up.await.map(|()| None) }).await;
        match fuzzer {
            Some(fuzzer) => table.check("fuzzer", async { fuzz::proxy(fuzzer).await.map(|()| None) }).await,
            None => table.leave_out("the fuzzer"),
        }
    }
    if wanted(Part::Storm) {
        table.check("short storm, SQLite", storm(LedgerEngine::Sqlite)).await;
        if programs_of_postgres.is_some() {
            table.check("short storm, PostgreSQL", storm(LedgerEngine::Postgres)).await;
        }
    }
    table.close()
}

async fn clippy(of: &[&str]) -> Result<Option<Ran>> {
    run(cargo().arg("clippy").args(of).args(["--", "--deny", "warnings"])).await?;
    Ok(None)
}

async fn clippy_of_wasm() -> Result<Option<Ran>> {
    wasm_target().await?;
    clippy(&["--package", "flexepin-cashier", "--features", "component", "--lib", "--test", "web", "--target", WASM])
        .await
}

/// With a server of PostgreSQL where there is one, which ends with them.
async fn native(programs: Option<&Programs>) -> Result<Option<Ran>> {
    php_ready().await?;
    let mut tests = cargo();
    tests.args(["test", "--workspace", "--no-fail-fast"]);
    let server = match programs {
        Some(programs) => Some(postgres::server(programs).await?),
        None => None,
    };
    if let Some(server) = &server {
        tests.env(postgres::URL, server.url("postgres"));
    }
    let mut all = run_tests(&mut tests).await?;
    if let Some(server) = &server {
        // The proxy's own once more, with its ledger on that server. What it does about a file is left out.
        let mut again = cargo();
        again.args(["test", "--package", "flexepin-cashier-proxy", "--test", "proxy", "--no-fail-fast", "--"]);
        again.args([
            "--skip",
            "disk_trouble::",
            "--skip",
            "restored::",
            "--skip",
            "no_file_of_the_ledger",
            "--skip",
            "a_disk_that_is_full",
        ]);
        all = all.and(run_tests(again.env("CASHIER_TESTS_ON", server.url("postgres"))).await?);
    }
    drop(server);
    // What the component's documentation shows.
    let shown = ["test", "--doc", "--package", "flexepin-cashier", "--features", "component"];
    let shown = run_tests(cargo().args(shown)).await?;
    Ok(Some(all.and(shown)))
}

async fn storm(engine: LedgerEngine) -> Result<Option<Ran>> {
    programs::short_storm(engine).await.map(|()| None)
}

/// The type checks count themselves; one that fails is an error, as a lint is.
async fn types() -> Result<Option<Ran>> {
    run(command(node()?).arg("tests/types/check.mjs")).await?;
    Ok(None)
}

async fn web(engine: Engine) -> Result<Option<Ran>> {
    let declared = count::declared(Path::new("tests/web"), &["#[wasm_bindgen_test]", "#[wasm_bindgen_test("])?;
    wasm_target().await?;
    let (tools, browser) = (WasmBindgen::ready().await?, Browser::ready(engine).await?);
    let mut tests = cargo();
    tests.args(["test", "--package", "flexepin-cashier", "--target", WASM, "--features", "component", "--test", "web"]);
    tests.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", tools.test_runner);
    if engine == Engine::Firefox {
        // Its driver looks for a `firefox` only, and Debian's has another name.
        let options = target_dir()?.join("firefox.json");
        std::fs::write(
            &options,
            format!("{{\"moz:firefoxOptions\":{{\"binary\":\"{}\"}}}}", browser.program.display()),
        )?;
        tests.env("GECKODRIVER", browser.driver).env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", options);
    } else {
        tests.env("CHROMEDRIVER", browser.driver);
    }
    // The runner's own limit of 20 s is for all tests together.
    let ran = run_tests(tests.env("WASM_BINDGEN_TEST_TIMEOUT", "180")).await?;
    if ran.failed == 0 {
        count::all_ran("web", declared, ran.passed)?;
    }
    Ok(Some(ran))
}

/// Runs a test command. Failed tests are counted, not an error; a run that fails without a failed test is one.
pub(crate) async fn run_tests(command: &mut Command) -> Result<Ran> {
    let (status, output) = run_and_read(command).await?;
    counted(status.success(), &output)
}

fn counted(success: bool, output: &str) -> Result<Ran> {
    let ran = Ran::read(output);
    ensure!(success || ran.failed > 0, "the tests could not be built or run; the output above says why");
    Ok(ran)
}

/// What was checked so far.
#[derive(Default)]
struct Table(Vec<Row>);

struct Row {
    name: String,
    ran: Option<Ran>,
    took: Duration,
    error: Option<String>,
    left_out: bool,
}

impl Table {
    /// Runs one check and takes it down.
    async fn check(&mut self, name: &str, check: impl Future<Output = Result<Option<Ran>>>) {
        println!("\n==> {name}");
        let start = Instant::now();
        let done = check.await;
        let took = start.elapsed();
        println!("    {} s", seconds(took));
        let (ran, error) = match done {
            Ok(ran) => (ran, None),
            Err(error) => {
                eprintln!("    {error:#}");
                (None, Some(format!("{error:#}")))
            }
        };
        self.0.push(Row { name: name.to_owned(), ran, took, error, left_out: false });
    }

    /// Takes down what was not checked: nobody must think that it was.
    fn leave_out(&mut self, name: &str) {
        self.0.push(Row { name: name.to_owned(), ran: None, took: Duration::ZERO, error: None, left_out: true });
    }

    /// Prints the table; an error if anything failed. A check that failed without a failed test counts as one.
    fn close(&self) -> Result<()> {
        println!("\n{:<26}{:>6}{:>9}", "step", "tests", "seconds");
        for row in &self.0 {
            let tests = row.ran.map_or("-".to_owned(), |ran| (ran.passed + ran.failed).to_string());
            println!("{:<26}{tests:>6}{:>9}  {}", row.name, seconds(row.took), row.verdict());
        }
        let (passed, failed) = self.sums();
        println!("\n{passed} passed, {failed} failed");
        if failed > 0 {
            bail!("not everything passed: what failed stands in the table");
        }
        Ok(())
    }

    fn sums(&self) -> (usize, usize) {
        let ran = |count: fn(Ran) -> usize| self.0.iter().filter_map(|row| row.ran).map(count).sum::<usize>();
        let broken = self.0.iter().filter(|row| row.error.is_some()).count();
        (ran(|ran| ran.passed), ran(|ran| ran.failed) + broken)
    }
}

impl Row {
    fn verdict(&self) -> String {
        match (&self.error, self.ran) {
            (Some(error), _) => format!("FAILED: {}", error.lines().next().unwrap_or_default()),
            (None, Some(Ran { failed: 1.., .. })) => "FAILED".to_owned(),
            (None, _) if self.left_out => "LEFT OUT".to_owned(),
            (None, _) => "ok".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[tokio::test]
    async fn a_failing_check_hides_no_other_and_counts_as_a_failure() {
        let mut table = Table::default();
        table.check("lint", async { Err(anyhow!("untidy\nvery")) }).await;
        table.check("tests", async { Ok(Some(Ran { passed: 5, failed: 2 })) }).await;
        table.check("format", async { Ok(None) }).await;
        table.leave_out("more tests");
        assert_eq!(table.sums(), (5, 3));
        assert_eq!(
            table.0.iter().map(Row::verdict).collect::<Vec<_>>(),
            ["FAILED: untidy", "FAILED", "ok", "LEFT OUT"]
        );
        assert!(table.close().is_err());
    }

    #[test]
    fn a_run_that_fails_without_a_failed_test_is_an_error() {
        assert!(counted(false, "test result: ok. 3 passed; 0 failed; 0 ignored").is_err());
        let failed = counted(false, "test result: FAILED. 1 passed; 2 failed; 0 ignored").expect("counted");
        assert_eq!(failed, Ran { passed: 1, failed: 2 });
        assert_eq!(counted(true, "test result: ok. 3 passed; 0 failed; 0 ignored").expect("counted").passed, 3);
    }
}
