//! What the end-to-end tests need around them: the widget as shipped, sandbox and proxy, the playground's page, pages of
//! frameworks, a browser's drivers, and a second page from Trunk's output where Trunk is there.
//!
//! The tests are in `tests/e2e`; they find all of it in `E2E_…` variables. Built once; started anew for each browser, so
//! that no voucher is known from the browser before. Everything ends with its run.

use crate::browsers::{self, Browser, Drivers, Engine};
use crate::count::{self, Ran};
use crate::dist;
use crate::page_server::{PageServer, Pages, Upstreams};
use crate::services::{self, Login, OUTCOMES_TOKEN, Ports, Services, listen_for_pages};
use crate::steps::{cargo, command, run as run_command, step, target_dir};
use crate::test::run_tests;
use crate::tools::{WasmBindgen, node, trunk};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// What is built for the tests.
pub(crate) struct Ground {
    browsers: Vec<Browser>,
    dist: PathBuf,
    hosts: PathBuf,
    trunk: Option<PathBuf>,
}

impl Ground {
    /// Finds the browsers and builds everything but the tests.
    pub(crate) async fn ready(engines: &[Engine]) -> Result<Self> {
        let mut browsers = Vec::new();
        for &engine in engines {
            browsers.push(Browser::ready(engine).await?);
        }
        if engines.contains(&Engine::Chromium) {
            browsers::typefaces_ready().await?;
        }
        let (tools, node) = (WasmBindgen::ready().await?, node()?);
        let target = std::path::absolute(target_dir()?).context("cannot tell where the target folder is")?;
        // Not dist/: that one is complete, with compressed copies.
        let (dist, hosts) = (target.join("e2e/dist"), target.join("hosts"));
        std::fs::create_dir_all(target.join("e2e")).context("cannot make the folder of the tests")?;
        dist::build(&tools, &dist, dist::Copies::None).await?;
        let mut build_hosts = command(node);
        build_hosts.arg("tests/hosts/build.mjs").arg("--dist").arg(&dist).arg("--out").arg(&hosts);
        step("build the pages of frameworks (npm, Vite)", run_command(&mut build_hosts)).await?;
        let trunk = build_with_trunk(&tools).await?;
        services::build().await?;
        Ok(Self { browsers, dist, hosts, trunk })
    }

    /// The browsers that [`Self::test`] can run in.
    pub(crate) fn browsers(&self) -> &[Browser] {
        &self.browsers
    }

    /// Starts everything and runs the tests in a browser: in Chromium all of them, elsewhere those that are meant for every
    /// browser.
    pub(crate) async fn test(&self, browser: &Browser) -> Result<Option<Ran>> {
        let engine = browser.engine;
        let (folder, filter) = if engine == Engine::Chromium {
            ("tests/e2e", None)
        } else {
            ("tests/e2e/everywhere", Some("everywhere::"))
        };
        let declared = count::declared(Path::new(folder), &["#[test]", "#[tokio::test]", "#[tokio::test("])?;
        let ran = self.run(browser, filter, None).await?;
        if ran.failed == 0 {
            count::all_ran(&format!("e2e, {}", engine.name()), declared, ran.passed)?;
        }
        Ok(Some(ran))
    }

    /// Takes the pictures of every screen into a folder.
    pub(crate) async fn take_pictures(&self, browser: &Browser, folder: &Path) -> Result<()> {
        let ran = self.run(browser, Some("pictures::"), Some(folder)).await?;
        ensure!(ran.failed == 0 && ran.passed > 0, "no pictures could be taken; the output above says why");
        Ok(())
    }

    async fn run(&self, browser: &Browser, filter: Option<&str>, pictures: Option<&Path>) -> Result<Ran> {
        let engine = browser.engine;
        let logs = std::path::absolute(target_dir()?)?.join("e2e").join(engine.name());
        let demo = listen_for_pages(0).await?;
        let mut services = Services::start(Ports::ANY, demo.local_addr()?.port(), Some(&logs), Login::Nobodys).await?;
        let upstreams = Upstreams::of(&services);
        let demo = PageServer::start(demo, &Pages::Playground { widget: &self.dist }, upstreams.clone())?;
        let drivers = Drivers::start(browser, &logs).await?;

        let mut tests = cargo();
        // With --workspace, so that libraries have the features they have in the native tests, and are not built again.
        tests.args(["test", "--workspace", "--test", "e2e"]);
        tests.args(filter.map(|filter| ["--", filter]).into_iter().flatten());
        tests.envs(pictures.map(|folder| ("E2E_PICTURES", folder)));
        tests.env("E2E_ENGINE", engine.name()).env("E2E_BROWSER", &browser.program);
        tests.env("E2E_WEBDRIVER", drivers.urls.join(" ")).env("RUST_TEST_THREADS", drivers.urls.len().to_string());
        tests.env("E2E_DEMO", &demo.url).env("E2E_DIST", &self.dist).env("E2E_HOSTS", &self.hosts);
        tests.env("E2E_LOGS", &logs).env("E2E_PROGRAMS", std::path::absolute(target_dir()?.join("debug"))?);
        tests.env("E2E_PROXY", &upstreams.proxy).env("E2E_SANDBOX", &upstreams.sandbox);
        tests.env("E2E_OUTCOMES_TOKEN", OUTCOMES_TOKEN);
        let trunk_page = match &self.trunk {
            Some(folder) => Some(PageServer::start(listen_for_pages(0).await?, &Pages::Folder(folder), upstreams)?),
            None => None,
        };
        match &trunk_page {
            Some(page) => tests.env("E2E_TRUNK", &page.url),
            None => tests.env_remove("E2E_TRUNK"),
        };
        tokio::select! {
            ran = run_tests(&mut tests) => ran,
            error = services.ended() => Err(error.context(format!("its log is in {}", logs.display()))),
        }
    }
}

/// Takes the pictures of every screen that the documents show.
pub(crate) async fn pictures() -> Result<()> {
    let ground = Ground::ready(&[Engine::Chromium]).await?;
    let folder = std::path::absolute("docs/screens").context("cannot tell where the pictures go")?;
    for browser in ground.browsers() {
        ground.take_pictures(browser, &folder).await?;
    }
    println!("\nThe pictures are in {}.", folder.display());
    Ok(())
}

/// Trunk's output folder; without Trunk none, and said so loudly.
async fn build_with_trunk(tools: &WasmBindgen) -> Result<Option<PathBuf>> {
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
