//! The tools beside cargo that the widget needs: the wasm target, wasm-bindgen with its test runner, and Trunk where
//! it is there.
//!
//! A tool on PATH in the right version is used, then one in `target/tools`; else it is built there, once.
//! wasm-bindgen must have exactly the version that Cargo.lock has for the library: glue and wasm are two halves of
//! one thing.

use crate::apt;
use crate::steps::{answer, cargo, command, run, step, target_dir};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// The target the widget is built for.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// wasm-bindgen in the version of Cargo.lock.
pub(crate) struct WasmBindgen {
    /// Writes the glue.
    pub(crate) bindgen: PathBuf,
    /// Runs browser tests; cargo's runner for the wasm target.
    pub(crate) test_runner: PathBuf,
}

impl WasmBindgen {
    /// Finds it, or builds it in `target/tools`.
    pub(crate) async fn ready() -> Result<Self> {
        let version = locked_version(&std::fs::read_to_string("Cargo.lock").context("cannot read Cargo.lock")?)?;
        if let Some(found) = Self::find(&version).await? {
            return Ok(found);
        }
        let root = target_dir()?.join("tools");
        let what = format!("build wasm-bindgen {version} in target/tools: about 2.5 minutes on two cores, once");
        let package = ["install", "wasm-bindgen-cli", "--version", &version, "--locked", "--root"];
        step(&what, run(cargo().args(package).arg(&root))).await.with_context(|| {
            format!(
                "install it by hand: `cargo install wasm-bindgen-cli --version {version} --locked`, and have it on PATH"
            )
        })?;
        Self::find(&version).await?.context("wasm-bindgen was installed in target/tools and is not there")
    }

    async fn find(version: &str) -> Result<Option<Self>> {
        Ok(match (find("wasm-bindgen", version).await?, find("wasm-bindgen-test-runner", version).await?) {
            (Some(bindgen), Some(test_runner)) => Some(Self { bindgen, test_runner }),
            _ => None,
        })
    }
}

/// Has the wasm target installed. rustup reads it from rust-toolchain.toml, but adds it by itself only to a new
/// toolchain.
pub(crate) async fn wasm_target() -> Result<()> {
    let libraries = answer(command("rustc").args(["--print", "target-libdir", "--target", WASM])).await;
    if libraries.is_some_and(|folder| Path::new(&folder).is_dir()) {
        return Ok(());
    }
    ensure!(
        on_path("rustup").is_some(),
        "this Rust toolchain lacks the target {WASM}, and there is no rustup to add it: install Rust by \
         https://rustup.rs or the target's standard library by your package manager (Debian: libstd-rust-dev-wasm32)"
    );
    step(&format!("add the target {WASM}"), run(command("rustup").args(["target", "add", WASM]))).await
}

/// Trunk, where it is there. It is optional: building it takes longer than everything else together.
pub(crate) fn trunk() -> Result<Option<PathBuf>> {
    let own = own_tool("trunk")?;
    Ok(on_path("trunk").or_else(|| own.is_file().then_some(own)))
}

/// Node.js with npm, which the pages of frameworks and the typings are built and checked with. Never installed: what
/// Debian 12 has is too old.
pub(crate) fn node() -> Result<PathBuf> {
    on_path("npm").and(on_path("node")).context(
        "these tests need Node.js 20.19 or newer with npm on PATH (`node`, `npm`): https://nodejs.org/en/download, or your \
         package manager's where it is new enough",
    )
}

/// Has PHP installed where that can be done without asking: some of the proxies in the documents are written in it. Says so
/// where it cannot.
pub(crate) async fn php_ready() -> Result<()> {
    // A proxy in PHP calls Mozarto by curl.
    let has_curl = command("php").args(["-r", "exit((int) !function_exists('curl_init'));"]).status().await;
    if has_curl.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    if apt::is_here() {
        return apt::install(&["php-cli", "php-curl"]).await.context("cannot install PHP");
    }
    println!(
        "\n!!! PHP is missing here (`php` with curl; on Debian: php-cli php-curl). What the documents show in PHP is not run."
    );
    Ok(())
}

/// The first executable file of this name on PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Where a tool lies that was built here.
pub(crate) fn own_tool(name: &str) -> Result<PathBuf> {
    Ok(target_dir()?.join("tools/bin").join(name))
}

async fn find(name: &str, version: &str) -> Result<Option<PathBuf>> {
    for tool in on_path(name).into_iter().chain([own_tool(name)?]) {
        let said = answer(command(&tool).arg("--version")).await;
        if said.is_some_and(|said| said.split_whitespace().nth(1) == Some(version)) {
            return Ok(Some(tool));
        }
    }
    Ok(None)
}

/// The version of the library wasm-bindgen in the text of Cargo.lock.
fn locked_version(lock: &str) -> Result<String> {
    let package = lock.split("[[package]]").find(|package| package.contains("\nname = \"wasm-bindgen\"\n"));
    let version = package.and_then(|package| package.split_once("\nversion = \"")?.1.split_once('"'));
    Ok(version.context("Cargo.lock has no package wasm-bindgen")?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_library_and_not_of_its_relatives() {
        let lock = "version = 4\n\n[[package]]\nname = \"wasm-bindgen-test\"\nversion = \"0.3.78\"\n\n[[package]]\n\
                    name = \"wasm-bindgen\"\nversion = \"0.2.128\"\nsource = \"x\"\n";
        assert_eq!(locked_version(lock).expect("it is there"), "0.2.128");
        assert!(locked_version("version = 4\n").is_err());
    }

    #[test]
    fn the_shell_is_on_path_and_a_folder_is_no_program() {
        assert!(on_path("sh").is_some());
        assert_eq!(on_path(""), None);
        assert_eq!(on_path("no-such-program-here"), None);
    }
}
