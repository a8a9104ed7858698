//! The widget as a merchant loads it: compiled to wasm, bound to JavaScript (here), and assembled into a folder
//! (`assemble`).
//!
//! Left to others: the tools (`tools`), and what the files say (`static/`, `src/`).

mod assemble;
mod same_everywhere;

pub(crate) use assemble::assemble;

use crate::steps::{cargo, command, run, step, target_dir};
use crate::tools::{WASM, WasmBindgen, wasm_target};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// How cargo builds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Fast to build.
    Dev,
    /// As shipped.
    Release,
}

impl Profile {
    fn folder(self) -> &'static str {
        if self == Self::Release { "release" } else { "debug" }
    }
}

/// Builds the widget into the folder `out`, which is replaced when all is well and untouched when it is not.
pub(crate) async fn build(profile: Profile, tools: &WasmBindgen, out: &Path) -> Result<()> {
    wasm_target().await?;
    let target = target_dir()?;
    step(&format!("build the widget ({})", profile.folder()), async {
        let mut build = cargo();
        build.args(["build", "--package", "flexepin-cashier", "--lib", "--target", WASM]);
        if profile == Profile::Release {
            build.args(["--release", "--locked"]).env("CARGO_ENCODED_RUSTFLAGS", same_everywhere::flags().await?);
        }
        run(&mut build).await?;

        let bindgen_out = target.join("bindgen").join(profile.folder());
        let wasm = target.join(WASM).join(profile.folder()).join("flexepin_cashier.wasm");
        let mut bindgen = command(&tools.bindgen);
        bindgen.args(["--target", "no-modules", "--no-typescript", "--out-name", "flexepin_cashier", "--out-dir"]);
        run(bindgen.arg(&bindgen_out).arg(wasm)).await?;

        let fresh = out.with_extension("new");
        remove(&fresh)?;
        assemble(&bindgen_out, &fresh)?;
        swap(&fresh, out)
    })
    .await
}

/// Puts the folder `fresh` where `out` is: who reads there sees all of the old or all of the new files.
fn swap(fresh: &Path, out: &Path) -> Result<()> {
    let old = out.with_extension("old");
    remove(&old)?;
    if out.exists() {
        fs::rename(out, &old).with_context(|| format!("cannot move {} aside", out.display()))?;
    }
    fs::rename(fresh, out).with_context(|| format!("cannot move the new files to {}", out.display()))?;
    remove(&old)
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn read(file: impl AsRef<Path>) -> Result<String> {
    let file = file.as_ref();
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn write(file: &Path, content: &[u8]) -> Result<()> {
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_replaces_the_folder_and_leaves_nothing_beside_it() {
        let place = std::env::temp_dir().join(format!("xtask-swap-{}", std::process::id()));
        let (out, fresh) = (place.join("dist"), place.join("dist.new"));
        for text in ["one", "two"] {
            fs::create_dir_all(&fresh).expect("writable");
            fs::write(fresh.join(format!("{text}.js")), text).expect("writable");
            swap(&fresh, &out).expect("it swaps");
            assert_eq!(read(out.join(format!("{text}.js"))).expect("it is there"), text);
        }
        assert!(!out.join("one.js").exists());
        assert_eq!(fs::read_dir(&place).expect("readable").count(), 1);
        fs::remove_dir_all(&place).expect("removable");
    }
}
