//! The pass-through proxies of docs/proxies, as they stand there, run and checked. Where a language's runtime is
//! missing its sample is left out, and that is said.

use crate::world::{TIMES, logged_in, named, setup, upstream};
use flexepin_conformance::{Behind, Customer, RULES, Report, Verdict, check};
use serde_json::json;
use std::io::{Write, stderr};
use std::path::PathBuf;
use std::process::Stdio;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// A sample, and how it is started at a port.
#[derive(Clone, Copy)]
struct Sample {
    file: &'static str,
    runtime: &'static str,
}

const NODE: Sample = Sample { file: "node.mjs", runtime: "node" };
const PYTHON: Sample = Sample { file: "python.py", runtime: "python3" };
const PHP: Sample = Sample { file: "php.php", runtime: "php" };

/// The sample as a program; it ends with the test.
struct Running {
    _program: Child,
    _folder: tempfile::TempDir,
    endpoint: String,
}

impl Sample {
    /// Whether it can be run here.
    async fn is_runnable(self) -> bool {
        let version = if self.runtime == "php" { "-v" } else { "--version" };
        let mut command = Command::new(self.runtime);
        let ran = command.arg(version).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().await;
        ran.is_ok_and(|status| status.success())
    }

    async fn start(self, mozarto: &str, attempts_per_customer: usize) -> Running {
        let port =
            TcpListener::bind("127.0.0.1:0").await.and_then(|listener| listener.local_addr()).expect("a port").port();
        let folder = tempfile::tempdir().expect("a folder");
        let file = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/proxies")).join(self.file);
        let mut command = Command::new(self.runtime);
        if self.runtime == "php" {
            command.args(["-S", &format!("127.0.0.1:{port}")]);
        }
        let sessions = ["alice", "bob"].map(|name| {
            let customer = json!({ "userId": name, "email": format!("{name}@example.com"), "brandId": "brand-1" });
            (name.to_owned(), customer)
        });
        command
            .arg(file)
            .env("PORT", port.to_string())
            .env("MOZARTO_URL", mozarto)
            .env("CASHIER_COMPANY_TOKEN", "company-token-canary")
            .env("MOZARTO_DEADLINE_MS", TIMES.upstream_deadline.as_millis().to_string())
            .env("ATTEMPTS_PER_CUSTOMER", attempts_per_customer.to_string())
            .env("DEMO_SESSIONS", serde_json::Value::from_iter(sessions).to_string())
            .env("CASHIER_TRIES_DIR", folder.path())
            // PHP's workers outlive the program that is ended.
            .env_remove("PHP_CLI_SERVER_WORKERS")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let program = command.spawn().expect("it starts");
        Running { _program: program, _folder: folder, endpoint: format!("http://127.0.0.1:{port}/cashier/flexepin") }
    }

    /// The kit's report on it; none, said aloud, where it cannot be run.
    async fn report(self, attempts_per_customer: usize, only: &[&str]) -> Option<Report> {
        if !self.is_runnable().await {
            // Past the test runner, which would swallow it.
            let said = writeln!(stderr(), "NOT RUN: {} is not checked, as {} is missing here", self.file, self.runtime);
            said.expect("somebody listens");
            return None;
        }
        let upstream = upstream().await;
        let running = self.start(&upstream.url(), attempts_per_customer).await;
        let mut setup = setup(&running.endpoint, Behind::Kit(upstream));
        let customer = |name| Customer { headers: logged_in(name).headers, ..named(name) };
        (setup.customer, setup.other) = (customer("alice"), Some(customer("bob")));
        setup.origin = None;
        setup.only = only.iter().map(|&name| name.to_owned()).collect();
        Some(check(setup).await.expect("it can be checked"))
    }

    async fn keeps_what_binds_every_proxy(self) {
        let Some(report) = self.report(1000, &[]).await else { return };
        assert!(!report.keeps_attempts, "{report}");
        assert_eq!(report.names(Verdict::Fail), [""; 0], "{}:\n{report}", self.file);
        // No other origin is let in, and the limit is far away.
        let not_asked = ["limit.new-keys", "cors.preflight", "cors.exposed"];
        let asked = RULES.iter().filter(|rule| !rule.is_about_attempts() && !not_asked.contains(&rule.id));
        assert_eq!(report.names(Verdict::Pass), asked.map(|rule| rule.id).collect::<Vec<_>>(), "{report}");
        let Some(report) = self.report(5, &["limit.new-keys"]).await else { return };
        assert_eq!(report.names(Verdict::Pass), ["limit.new-keys"], "{}:\n{report}", self.file);
    }
}

#[tokio::test]
async fn the_node_sample_keeps_what_binds_every_proxy() {
    NODE.keeps_what_binds_every_proxy().await;
}

#[tokio::test]
async fn the_python_sample_keeps_what_binds_every_proxy() {
    PYTHON.keeps_what_binds_every_proxy().await;
}

#[tokio::test]
async fn the_php_sample_keeps_what_binds_every_proxy() {
    PHP.keeps_what_binds_every_proxy().await;
}
