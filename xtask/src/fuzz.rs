//! The proxy's interface, tried by a fuzzer that reads its `OpenAPI` document: schemathesis, from `PyPI`, in a
//! virtual environment of its own under `target/`.

use crate::apt;
use crate::services::{self, Login, OUTCOMES_TOKEN, Ports, SESSION_ISSUER, SESSION_KEYS, Services};
use crate::steps::{command, run, step, target_dir};
use crate::tools::on_path;
use anyhow::{Context, Result};
use std::path::PathBuf;

const VERSION: &str = "4.32.5";
const MISSING: &str = "NO PYTHON 3 HERE (with venv): the proxy's interface is not fuzzed.
  Debian, Ubuntu: apt-get install python3-venv (this command does it by itself as root)";
/// What it asks beside the document itself: an answer of 5xx is fine where it is documented (504 says "not known"), and
/// a body that has the right form may still be no voucher.
const LEFT_OUT: &str = "not_a_server_error,positive_data_acceptance";

/// The fuzzer, installed. `None` where it cannot be had; under CI that is an error.
pub(crate) async fn ready() -> Result<Option<PathBuf>> {
    let home = target_dir()?.join(format!("schemathesis-{VERSION}"));
    let fuzzer = home.join("bin/schemathesis");
    if run(command(&fuzzer).arg("--version")).await.is_ok() {
        return Ok(Some(fuzzer));
    }
    if on_path("python3").is_none() || run(command("python3").args(["-c", "import ensurepip"])).await.is_err() {
        if apt::is_here() {
            apt::install(&["python3-venv"]).await.context(MISSING)?;
        } else {
            anyhow::ensure!(std::env::var_os("CI").is_none(), MISSING);
            println!("{MISSING}");
            return Ok(None);
        }
    }
    step(&format!("install schemathesis {VERSION} (pip)"), async {
        run(command("python3").args(["-m", "venv", "--clear"]).arg(&home)).await?;
        let mut pip = command(home.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        run(pip.arg(format!("schemathesis=={VERSION}"))).await
    })
    .await?;
    Ok(Some(fuzzer))
}

/// Tries the proxy, in front of the sandbox, with what the document allows and with what it does not.
pub(crate) async fn proxy(fuzzer: PathBuf) -> Result<()> {
    services::build().await?;
    let folder = target_dir()?.join("fuzz");
    let services = Services::start(Ports::ANY, 1, Some(&folder), Login::Sessions).await?;
    let config = folder.join("schemathesis.toml");
    let bearers = [("session", session().await?), ("outcomes", OUTCOMES_TOKEN.to_owned())];
    let bearers = bearers.map(|(scheme, bearer)| format!("[auth.openapi.{scheme}]\nbearer = \"{bearer}\"\n"));
    std::fs::write(&config, bearers.concat()).context("cannot write what the fuzzer reads")?;
    let mut fuzz = command(fuzzer);
    fuzz.arg("--config-file").arg(config);
    fuzz.args([
        "run",
        "docs/openapi.json",
        "--url",
        &services.proxy.url,
        "--checks",
        "all",
        "--exclude-checks",
        LEFT_OUT,
    ]);
    // The same cases at each run.
    fuzz.args(["--seed", "1", "--max-examples", "50", "--generation-database", "none", "--no-color"]);
    run(&mut fuzz).await
}

/// A checkout session of one customer, as a merchant's server mints it.
async fn session() -> Result<String> {
    let mut mint = command("python3");
    mint.args(["docs/sessions/python.py", r#"{"sub":"fuzzer","email":"fuzzer@shop.example"}"#]);
    mint.env("CASHIER_SESSION_KEYS", SESSION_KEYS).env("CASHIER_SESSION_ISSUER", SESSION_ISSUER);
    let minted = mint.output().await.context("no checkout session could be minted")?;
    anyhow::ensure!(minted.status.success(), "no checkout session: {}", String::from_utf8_lossy(&minted.stderr));
    Ok(String::from_utf8(minted.stdout)?.trim().to_owned())
}
