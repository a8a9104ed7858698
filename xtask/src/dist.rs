//! `cargo xtask dist`: what ships, in a folder that works from any origin and path; and the proof that anybody can make
//! the same bytes.
//!
//! The proof is a second build, of a copy of the repository at a longer path, with its own target folder and cargo's
//! home under another name; what they share is the libraries' source and wasm-bindgen. Left to others: building and
//! assembling (`widget`), and what becomes of it then (`crates/pack`).

use crate::steps::{cargo, run, step, target_dir};
use crate::tools::WasmBindgen;
use crate::widget::{self, Profile};
use anyhow::{Context, Result, bail, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// What to do with the folder.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Build a copy of the repository elsewhere too, and compare all bytes
    #[arg(long)]
    check: bool,
}

/// Builds into dist/, and checks that a copy of the repository builds the same if asked to.
pub(crate) async fn dist(options: &Options) -> Result<()> {
    let (tools, out) = (WasmBindgen::ready().await?, Path::new("dist"));
    if !options.check {
        return build(&tools, out, Copies::Compressed).await;
    }
    // First of all: what is edited from now on is no difference between the two.
    let place = target_dir()?.join("dist-check");
    let copy = place.join("a/clone/in/a/folder/with/a/much/longer/path");
    step("copy the repository", async { copy_repository(&copy) }).await?;
    build(&tools, out, Copies::Compressed).await?;
    // In memory: whatever is built into dist/ meanwhile is not what is compared.
    let here = files_of(out, "")?;
    step("build the copy", run(&mut dist_of(&copy, &another_home(&place)?)?)).await?;
    same(&here, &files_of(&copy.join("dist"), "")?).with_context(|| format!("its dist/ is in {}", copy.display()))?;
    println!("\nThe same bytes from both builds, in {} files.", here.len());
    Ok(())
}

/// Whether each file has compressed copies beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copies {
    /// As shipped.
    Compressed,
    /// Tests need none, and they take longest.
    None,
}

/// Builds, assembles and packs into the folder `out`, which is replaced when all is well and untouched when it is not.
pub(crate) async fn build(tools: &WasmBindgen, out: &Path, copies: Copies) -> Result<()> {
    let assembled = target_dir()?.join("assembled");
    widget::build(Profile::Release, tools, &assembled).await?;
    let mut pack = cargo();
    pack.args(["run", "--quiet", "--locked", "--package", "cashier-pack", "--"]);
    pack.arg("--from").arg(assembled).arg("--out").arg(out);
    pack.args((copies == Copies::None).then_some("--uncompressed"));
    step(&format!("pack into {}", out.display()), run(&mut pack)).await
}

/// `cargo xtask dist` in a copy of the repository.
fn dist_of(copy: &Path, home: &Path) -> Result<Command> {
    let mut dist = cargo();
    dist.args(["xtask", "dist"]).current_dir(copy).env("CARGO_TARGET_DIR", copy.join("target"));
    dist.env("CARGO_HOME", home).env("CARGO_NET_OFFLINE", "true");
    // Where wasm-bindgen lies: it would be built once more otherwise.
    let tools = target_dir()?.join("tools/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(tools).chain(std::env::split_paths(&path)));
    dist.env("PATH", path.context("a folder on PATH has a colon in its name")?);
    Ok(dist)
}

/// Puts what git has or would take into `copy`, beside the target folder of an earlier check.
fn copy_repository(copy: &Path) -> Result<()> {
    fs::create_dir_all(copy).with_context(|| format!("cannot make {}", copy.display()))?;
    for entry in fs::read_dir(copy)? {
        let entry = entry?;
        if entry.file_name() != "target" {
            let is_folder = entry.file_type()?.is_dir();
            let remove = if is_folder { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
            remove.with_context(|| format!("cannot remove {}", entry.path().display()))?;
        }
    }
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = std::process::Command::new("git").args(list).output().context("cannot start git")?;
    ensure!(listed.status.success(), "git cannot list the files: {}", String::from_utf8_lossy(&listed.stderr).trim());
    let names = String::from_utf8(listed.stdout).context("a file's name is no text")?;
    // A file that is deleted and not yet committed is listed too.
    for name in names.split_terminator('\0').filter(|name| Path::new(name).exists()) {
        let to = copy.join(name);
        fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
        fs::copy(name, &to).with_context(|| format!("cannot copy {name}"))?;
    }
    Ok(())
}

/// Cargo's home under another name.
fn another_home(place: &Path) -> Result<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))).context("cargo's home is not known")?;
    let name = place.join("home-of-cargo");
    if name.symlink_metadata().is_ok() {
        fs::remove_file(&name).with_context(|| format!("cannot remove {}", name.display()))?;
    }
    std::os::unix::fs::symlink(home, &name).with_context(|| format!("cannot link {}", name.display()))?;
    Ok(name)
}

/// The bytes of all files below a folder, by name.
fn files_of(folder: &Path, below: &str) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            files.append(&mut files_of(&entry.path(), &format!("{name}/"))?);
        } else {
            files.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(files)
}

/// An error that names the first file that two builds do not have in common, byte by byte.
fn same(here: &BTreeMap<String, Vec<u8>>, there: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    ensure!(!here.is_empty(), "the build has no files");
    let names: BTreeSet<_> = here.keys().chain(there.keys()).collect();
    for name in names {
        let (Some(a), Some(b)) = (here.get(name), there.get(name)) else {
            bail!(
                "{name} is in the build of {} only",
                if here.contains_key(name) { "this folder" } else { "the copy" }
            );
        };
        let differing = a.iter().zip(b).position(|(a, b)| a != b);
        if let Some(at) = differing.or((a.len() != b.len()).then(|| a.len().min(b.len()))) {
            bail!("{name} in the build of the copy differs from byte {at} on");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_file_that_differs_is_named() {
        for (case, here, there, said) in [
            ("equal", &[("a", "1"), ("b/c", "2")][..], &[("a", "1"), ("b/c", "2")][..], ""),
            (
                "a byte",
                &[("a", "1"), ("b/c", "12")],
                &[("a", "1"), ("b/c", "13")],
                "b/c in the build of the copy differs from byte 1",
            ),
            ("longer", &[("a", "1")], &[("a", "12")], "a in the build of the copy differs from byte 1"),
            ("one more", &[("a", "1")], &[("a", "1"), ("b", "")], "b is in the build of the copy only"),
            ("one less", &[("a", "1"), ("b", "")], &[("a", "1")], "b is in the build of this folder only"),
            ("nothing", &[], &[], "no files"),
        ] {
            let files = |files: &[(&str, &str)]| {
                files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
            };
            let error = same(&files(here), &files(there)).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(said) && error.is_empty() == said.is_empty(), "{case}: {error}");
        }
    }

    #[test]
    fn files_are_those_of_inner_folders_too() {
        let place = std::env::temp_dir().join(format!("xtask-dist-{}", std::process::id()));
        fs::create_dir_all(place.join("locales")).expect("writable");
        for name in ["a.js", "locales/de.json"] {
            fs::write(place.join(name), name).expect("writable");
        }
        let files = files_of(&place, "").expect("readable");
        assert_eq!(files.keys().collect::<Vec<_>>(), ["a.js", "locales/de.json"]);
        fs::remove_dir_all(&place).expect("removable");
    }
}
