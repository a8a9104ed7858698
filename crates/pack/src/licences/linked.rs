//! Which crates are linked into the wasm, as cargo tells.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

const WASM: &str = "wasm32-unknown-unknown";

/// A library of somebody else's.
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) version: String,
    /// A licence expression, as its author wrote it.
    pub(crate) licence: String,
    /// Where its source lies.
    pub(crate) folder: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    manifest_path: PathBuf,
    /// Absent for the repository's own.
    source: Option<String>,
}

/// The crates that the widget's wasm is linked from, without the repository's own.
pub(crate) fn linked(repository: &Path) -> Result<Vec<Crate>> {
    let tree = ["tree", "--locked", "--package", "flexepin-cashier", "--target", WASM];
    let shown = ["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"];
    let tree = said(repository, &[&tree[..], &shown].concat())?;
    let names: BTreeSet<_> = tree.lines().map(name_and_version).collect::<Result<_>>()?;
    let metadata = said(repository, &["metadata", "--locked", "--format-version", "1", "--filter-platform", WASM])?;
    let metadata: Metadata = serde_json::from_str(&metadata).context("cargo's metadata are not as expected")?;
    crates(metadata, &names)
}

fn crates(metadata: Metadata, names: &BTreeSet<(String, String)>) -> Result<Vec<Crate>> {
    let mut missing = names.clone();
    let mut crates = Vec::new();
    for package in metadata.packages {
        let Package { name, version, license, manifest_path, source } = package;
        if !missing.remove(&(name.clone(), version.clone())) || source.is_none() {
            continue;
        }
        let licence = license.with_context(|| format!("{name} {version} does not say how it is licensed"))?;
        let folder = manifest_path.parent().context("a manifest lies in a folder")?.to_owned();
        crates.push(Crate { name, version, licence, folder });
    }
    ensure!(missing.is_empty(), "cargo's tree has {missing:?}, and its metadata have not");
    Ok(crates)
}

/// Of a line such as `serde v1.0.229` or `mozarto v0.1.0 (/place) (*)`.
fn name_and_version(line: &str) -> Result<(String, String)> {
    let mut words = line.split(' ');
    let (name, version) = (words.next(), words.next().and_then(|version| version.strip_prefix('v')));
    let (name, version) = name.zip(version).with_context(|| format!("cargo's tree has the line `{line}`"))?;
    Ok((name.to_owned(), version.to_owned()))
}

/// What cargo writes to its standard output.
fn said(repository: &Path, arguments: &[&str]) -> Result<String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let output =
        Command::new(program).args(arguments).current_dir(repository).output().context("cannot start cargo")?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`cargo {}` failed: {}", arguments.join(" "), error.trim());
    String::from_utf8(output.stdout).context("cargo's answer is no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_tree_tells_name_and_version() {
        for line in ["serde v1.0.229", "serde v1.0.229 (*)", "serde v1.0.229 (/home/serde)"] {
            assert_eq!(name_and_version(line).expect(line), ("serde".to_owned(), "1.0.229".to_owned()));
        }
        for line in ["", "serde", "serde 1.0.229", "[build-dependencies]"] {
            assert!(name_and_version(line).is_err(), "{line}");
        }
    }

    #[test]
    fn crates_are_those_of_the_tree_that_are_not_our_own() {
        let package = |name: &str, license: Option<&str>, source: Option<&str>| Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            manifest_path: Path::new("/cargo").join(name).join("Cargo.toml"),
            source: source.map(str::to_owned),
        };
        let packages = || {
            vec![
                package("serde", Some("MIT"), Some("registry")),
                package("mozarto", Some("MIT"), None),
                package("syn", Some("MIT"), Some("registry")),
                package("silent", None, Some("registry")),
            ]
        };
        let found = |names: &[&str]| {
            let names = names.iter().map(|name| ((*name).to_owned(), "1.0.0".to_owned())).collect();
            crates(Metadata { packages: packages() }, &names)
        };
        let crates = found(&["serde", "mozarto"]).expect("all are there");
        let told: Vec<_> = crates.iter().map(|c| (c.name.as_str(), c.licence.as_str(), c.folder.as_path())).collect();
        assert_eq!(told, [("serde", "MIT", Path::new("/cargo/serde"))]);
        for (names, said) in [(["serde", "silent"], "silent 1.0.0 does not say"), (["serde", "gone"], "gone")] {
            let error = found(&names).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(said), "{error}");
        }
    }
}
