//! Sandbox and proxy as running programs, and the ports they and the page server have.
//!
//! [`build`] makes both with one call of cargo. [`Services::start`] returns when both listen: each says so in one
//! line on stdout. They end when [`Services`] is dropped.

use crate::steps::{Child, cargo, command, run, step, target_dir};
use anyhow::{Context, Error, Result, anyhow, bail};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;

/// Port of the sandbox, unless it is chosen freely.
const SANDBOX_PORT: u16 = 8081;
/// Port of the proxy, unless it is chosen freely.
const PROXY_PORT: u16 = 8082;

/// What the merchant's own books show to read outcomes, in demo and tests.
pub(crate) const OUTCOMES_TOKEN: &str = "outcomes-of-the-demo";

/// Limits of the proxy that would meet every customer of a demo or test: all have one address, and play with what fails.
const OFF: [&str; 5] = [
    "CASHIER_LIMIT_ADDRESS",
    "CASHIER_LIMIT_SESSION",
    "CASHIER_LIMIT_CUSTOMER",
    "CASHIER_GUESSES",
    "CASHIER_BREAKER_FAILURES",
];

/// Under which checkout sessions are signed, where there are any.
pub(crate) const SESSION_KEYS: &str = "tests=the-session-keys-of-the-tests-and-of-nothing-else";
/// Whose they are.
pub(crate) const SESSION_ISSUER: &str = "https://shop.example";

/// Who may redeem.
#[derive(Clone, Copy)]
pub(crate) enum Login {
    /// Whoever reaches the proxy.
    Nobodys,
    /// Whoever has a checkout session.
    Sessions,
}

/// Builds the programs of sandbox and proxy.
pub(crate) async fn build() -> Result<()> {
    let packages = ["build", "--package", "mozarto-sandbox", "--package", "flexepin-cashier-proxy", "--bins"];
    step("build sandbox and proxy", run(cargo().args(packages))).await
}

/// The ports of sandbox and proxy, free when they were looked at: before anything is built.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    sandbox: u16,
    proxy: u16,
}

impl Ports {
    /// Free ports, chosen when the services start.
    pub(crate) const ANY: Self = Self { sandbox: 0, proxy: 0 };

    /// The usual ports, which Trunk.toml names too.
    pub(crate) async fn usual() -> Result<Self> {
        for (name, port) in [("the sandbox", SANDBOX_PORT), ("the proxy", PROXY_PORT)] {
            listen(port).await.with_context(|| format!("port {port} is for {name}; {TAKEN}"))?;
        }
        Ok(Self { sandbox: SANDBOX_PORT, proxy: PROXY_PORT })
    }
}

const TAKEN: &str = "stop what listens there, or let `--port 0` choose every port freely";

/// Takes a port on 127.0.0.1 for pages; 0 takes a free one.
pub(crate) async fn listen_for_pages(port: u16) -> Result<TcpListener> {
    listen(port).await.with_context(|| format!("port {port} is for the page; name another with `--port`, or {TAKEN}"))
}

async fn listen(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}

/// Sandbox and proxy, running.
pub(crate) struct Services {
    /// Plays Mozarto.
    pub(crate) sandbox: Service,
    /// The merchant's proxy.
    pub(crate) proxy: Service,
}

impl Services {
    /// Starts both; pages of 127.0.0.1 and localhost at `page_port` may call the proxy directly. Their logs go to the
    /// terminal, or into the folder `logs`. The proxy's ledger begins empty, as the sandbox does.
    pub(crate) async fn start(ports: Ports, page_port: u16, logs: Option<&Path>, login: Login) -> Result<Self> {
        let database = fresh_database().context("cannot make a place for the proxy's ledger")?;
        let programs = target_dir()?.join("debug");
        let mut sandbox = command(programs.join("mozarto-sandbox"));
        sandbox.args(["--listen", &format!("127.0.0.1:{}", ports.sandbox)]);
        let sandbox = Service::start("mozarto-sandbox", sandbox, logs).await?;

        let mut proxy = command(programs.join("flexepin-cashier-proxy"));
        proxy.args(["--listen", &format!("127.0.0.1:{}", ports.proxy)]);
        proxy.args(["--mozarto-url", &sandbox.url]);
        match login {
            Login::Nobodys => proxy.arg("--insecure-no-sessions"),
            Login::Sessions => {
                proxy.env("CASHIER_SESSION_KEYS", SESSION_KEYS).args(["--session-issuer", SESSION_ISSUER])
            }
        };
        for host in ["127.0.0.1", "localhost"] {
            proxy.args(["--allow-origin", &format!("http://{host}:{page_port}")]);
        }
        proxy.env("CASHIER_COMPANY_TOKEN", "sandbox-company").env("CASHIER_DATABASE_URL", database);
        // Nothing here is worth anything, so nothing here is a secret.
        proxy.env("CASHIER_PIN_KEY", "a key for a demo, and for nothing else");
        proxy.env("CASHIER_OUTCOMES_TOKEN", OUTCOMES_TOKEN);
        proxy.envs(OFF.map(|limit| (limit, "0")));
        let proxy = Service::start("flexepin-cashier-proxy", proxy, logs).await?;
        Ok(Self { sandbox, proxy })
    }

    /// The error that one of them ended. While both run, it does not return.
    pub(crate) async fn ended(&mut self) -> Error {
        tokio::select! {
            error = self.sandbox.ended() => error,
            error = self.proxy.ended() => error,
        }
    }
}

/// The address of a database file that is not there yet, in a folder of this run's own.
fn fresh_database() -> Result<String> {
    let folder = target_dir()?.join("services").join(std::process::id().to_string());
    std::fs::remove_dir_all(&folder).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    std::fs::create_dir_all(&folder)?;
    let file = std::path::absolute(folder.join("cashier.db"))?;
    Ok(format!("sqlite://{}", file.display()))
}

/// A program that listens.
pub(crate) struct Service {
    /// Its address.
    pub(crate) url: String,
    name: &'static str,
    child: Child,
}

impl Service {
    /// Starts a program and waits for its line "NAME listens on URL".
    async fn start(name: &'static str, mut command: Command, logs: Option<&Path>) -> Result<Self> {
        if let Some(folder) = logs {
            std::fs::create_dir_all(folder).context("cannot make the folder of the logs")?;
            let file = std::fs::File::create(folder.join(format!("{name}.log"))).context("cannot write a log")?;
            command.stderr(file);
        }
        let mut child = Child::spawn(command.stdout(Stdio::piped()))?;
        let mut lines = BufReader::new(child.stdout()?).lines();
        let ready = tokio::time::timeout(Duration::from_secs(20), async {
            while let Some(line) = lines.next_line().await? {
                if let Some((_, url)) = line.split_once(" listens on ") {
                    return Ok(url.trim().to_owned());
                }
            }
            bail!("it ended")
        });
        let url = ready.await.context("it did not say for 20 s that it listens").and_then(|url| url);
        let place = logs.map_or("above".to_owned(), |folder| format!("in {}", folder.display()));
        let url = url.with_context(|| format!("{name} did not start; its reason stands {place}"))?;
        tokio::spawn(async move { while matches!(lines.next_line().await, Ok(Some(_))) {} });
        Ok(Self { url, name, child })
    }

    async fn ended(&mut self) -> Error {
        match self.child.wait().await {
            Ok(status) => anyhow!("{} ended ({status})", self.name),
            Err(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut shell = command("sh");
        shell.args(["-c", script]);
        shell
    }

    #[tokio::test]
    async fn a_service_is_ready_at_its_line_and_its_end_is_an_error_that_names_it() {
        let script = "echo warming up; echo stand-in listens on http://127.0.0.1:4711; exec sleep 0.1";
        let mut service = Service::start("stand-in", shell(script), None).await.expect("it is ready");
        assert_eq!(service.url, "http://127.0.0.1:4711");
        assert_eq!(service.ended().await.to_string(), "stand-in ended (exit status: 0)");
    }

    #[tokio::test]
    async fn a_service_that_ends_before_its_line_did_not_start() {
        let error = Service::start("stand-in", shell("echo no; exit 1"), None).await.err().expect("it ended");
        assert_eq!(format!("{error:#}"), "stand-in did not start; its reason stands above: it ended");
    }

    #[tokio::test]
    async fn a_taken_port_is_an_error_that_names_the_flag() {
        let taken = listen_for_pages(0).await.expect("a free port");
        let port = taken.local_addr().expect("bound").port();
        let error = format!("{:#}", listen_for_pages(port).await.expect_err("it is taken"));
        assert!(error.starts_with(&format!("port {port} is for the page; name another with `--port`")), "{error}");
        assert!(error.contains("in use"), "{error}");
    }
}
