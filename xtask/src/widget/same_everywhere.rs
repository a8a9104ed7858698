//! rustc's flags by which the wasm has the same bytes wherever the repository, cargo's home and the toolchain lie. They
//! change names of files in panic messages, and nothing else.

use crate::steps::{answer, cargo, command, run};
use crate::tools::WASM;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The value of `CARGO_ENCODED_RUSTFLAGS`: given in this variable they also stand in place of whatever flags the machine
/// has.
pub(super) async fn flags() -> Result<String> {
    // Has every library's source unpacked: the registry's folder is named after the registry, and must exist to be named
    // here.
    run(cargo().args(["fetch", "--quiet", "--locked", "--target", WASM])).await?;
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))).context("cargo's home is not known")?;
    let sources = home.join("registry/src");
    let mut renamed = vec![(std::env::current_dir()?, "/flexepin-cashier".to_owned())];
    for folder in fs::read_dir(&sources).with_context(|| format!("cannot read {}", sources.display()))? {
        renamed.push((folder?.path(), "/cargo".to_owned()));
    }
    // With the component rust-src, rustc names the standard library's files where they lie, else as it was built.
    let rustc = answer(command("rustc").args(["--verbose", "--version"])).await.context("rustc tells no version")?;
    let commit = rustc.lines().find_map(|line| line.strip_prefix("commit-hash: ")).context("rustc tells no commit")?;
    let sysroot = answer(command("rustc").args(["--print", "sysroot"])).await.context("rustc tells no folder")?;
    renamed.push((Path::new(&sysroot).join("lib/rustlib/src/rust"), format!("/rustc/{commit}")));
    renamed.sort();
    let flags = renamed.iter().map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display()));
    Ok(flags.collect::<Vec<_>>().join("\u{1f}"))
}
