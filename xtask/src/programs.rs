//! `cargo xtask storm`, `conformance` and `bench`: programs of this repository, built, and run with what the command line
//! says after their names. What they can be told, they tell themselves by `--help`.

use crate::postgres;
use crate::steps::{cargo, command, run, step, target_dir};
use anyhow::Result;

/// What the proxy's ledger is kept by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// One proxy with a file of its own.
    Sqlite,
    /// Several proxies on a server that the storm starts.
    Postgres,
}

/// Has the storm start a server of its own.
const OWN_POSTGRES: &str = "--own-postgres";

/// Runs the storm against the proxy as it would be deployed.
pub(crate) async fn storm(arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|argument| argument == OWN_POSTGRES) {
        // Where they cannot be had the storm says so itself.
        postgres::programs().await?;
    }
    built_storm(&["--profile", "server"], "server", arguments).await
}

/// A short storm against the proxy as the other tests have it.
pub(crate) async fn short_storm(engine: Engine) -> Result<()> {
    let arguments: &[&str] = match engine {
        Engine::Sqlite => &["--short"],
        Engine::Postgres => &["--short", OWN_POSTGRES],
    };
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    built_storm(&[], "debug", &arguments).await
}

async fn built_storm(profile: &[&str], folder: &str, arguments: &[String]) -> Result<()> {
    let packages = ["--package", "cashier-storm", "--package", "flexepin-cashier-proxy", "--bins"];
    step("build storm and proxy", run(cargo().arg("build").args(packages).args(profile))).await?;
    run(command(target_dir()?.join(folder).join("cashier-storm")).args(arguments)).await
}

/// Checks a proxy against the contract.
pub(crate) async fn conformance(arguments: &[String]) -> Result<()> {
    run(cargo().args(["run", "--quiet", "--package", "flexepin-conformance", "--"]).args(arguments)).await
}

/// Measures the proxy.
pub(crate) async fn bench(arguments: &[String]) -> Result<()> {
    let packages = ["--package", "mozarto-sandbox", "--package", "flexepin-cashier-proxy", "--bins", "--examples"];
    step("build sandbox, proxy and bench", run(cargo().args(["build", "--profile", "server"]).args(packages))).await?;
    run(command(target_dir()?.join("server/examples/bench")).args(arguments)).await
}
