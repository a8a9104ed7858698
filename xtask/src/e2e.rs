//! What the end-to-end tests need around them: the widget as shipped, sandbox and proxy, the playground's page,
//! a `WebDriver` server, and a second page from Trunk's output where Trunk is there.
//!
//! The tests are in `tests/e2e`; they find all of it in `E2E_…` variables. Everything ends with this run.

use crate::browsers::{Chromium, Driver};
use crate::count::{self, Ran};
use crate::page_server::{PageServer, Pages, Upstreams};
use crate::services::{self, OUTCOMES_TOKEN, Ports, Services, listen_for_pages};
use crate::steps::{cargo, command, run as run_command, step, target_dir};
use crate::test::run_tests;
use crate::tools::{WasmBindgen, trunk};
use crate::widget::{self, Profile};
use anyhow::{Context, Result};
use std::path::Path;

/// Builds, starts and tests.
pub(crate) async fn run() -> Result<Option<Ran>> {
    let declared = count::declared(Path::new("tests/e2e"), &["#[test]", "#[tokio::test]", "#[tokio::test("])?;
    let (chromium, tools) = (Chromium::ready().await?, WasmBindgen::ready().await?);
    let dist = std::path::absolute("dist").context("cannot tell where dist/ is")?;
    widget::build(Profile::Release, &tools, &dist).await?;
    let trunk_output = build_with_trunk(&tools).await?;
    services::build().await?;

    let logs = target_dir()?.join("e2e");
    let demo = listen_for_pages(0).await?;
    let mut services = Services::start(Ports::ANY, demo.local_addr()?.port(), Some(&logs)).await?;
    let upstreams = Upstreams::of(&services);
    let demo = PageServer::start(demo, &Pages::Playground { widget: &dist }, upstreams.clone())?;
    let driver = Driver::start(&chromium.driver).await?;

    let mut tests = cargo();
    // With --workspace, so that libraries have the features they have in the native tests, and are not built again.
    tests.args(["test", "--workspace", "--test", "e2e"]);
    tests.env("E2E_WEBDRIVER", &driver.url).env("E2E_CHROMIUM", &chromium.browser);
    tests.env("E2E_DEMO", &demo.url).env("E2E_DIST", &dist);
    tests.env("E2E_PROXY", &upstreams.proxy).env("E2E_SANDBOX", &upstreams.sandbox);
    tests.env("E2E_OUTCOMES_TOKEN", OUTCOMES_TOKEN);
    let trunk_page = match &trunk_output {
        Some(folder) => Some(PageServer::start(listen_for_pages(0).await?, &Pages::Folder(folder), upstreams)?),
        None => None,
    };
    match &trunk_page {
        Some(page) => tests.env("E2E_TRUNK", &page.url),
        None => tests.env_remove("E2E_TRUNK"),
    };
    let ran = tokio::select! {
        ran = run_tests(&mut tests) => ran?,
        error = services.ended() => return Err(error.context(format!("its log is in {}", logs.display()))),
    };
    if ran.failed == 0 {
        count::all_ran("e2e", declared, ran.passed)?;
    }
    Ok(Some(ran))
}

/// Trunk's output folder; without Trunk none, and said so loudly.
async fn build_with_trunk(tools: &WasmBindgen) -> Result<Option<std::path::PathBuf>> {
    let Some(trunk) = trunk()? else {
        println!("\n!!! Trunk is not installed: the redemption on Trunk's page is NOT tested.");
        println!("!!! To have it tested: cargo install trunk --version 0.21.14 --locked (7.5 minutes on two cores)");
        return Ok(None);
    };
    let folder = target_dir()?.join("trunk");
    let mut build = command(trunk);
    build.arg("build").arg("--dist").arg(&folder);
    // Trunk takes the wasm-bindgen that it finds on PATH. It reads NO_COLOR as a flag of its own, and refuses its
    // usual value.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let beside = tools.bindgen.parent().map(Path::to_path_buf);
    let path = std::env::join_paths(beside.into_iter().chain(std::env::split_paths(&path)));
    build.env("PATH", path.context("a folder on PATH has a colon in its name")?).env_remove("NO_COLOR");
    step("build the playground with Trunk", run_command(&mut build)).await?;
    Ok(Some(folder))
}
