//! The widget as a merchant loads it: compiled to wasm, bound to JavaScript, and assembled into a folder of three
//! files.
//!
//! Left to others: the tools (`tools`), and what the files say (`static/`, `src/`).

use crate::steps::{cargo, command, run, step, target_dir};
use crate::tools::{WASM, WasmBindgen, wasm_target};
use anyhow::{Context, Result, bail, ensure};
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
        build.args((profile == Profile::Release).then_some("--release"));
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

/// Writes the widget's files into `out` from what wasm-bindgen wrote into `bindgen_out` (no-modules glue and
/// `*_bg.wasm`) and from `static/`. The two folders may be one.
pub(crate) fn assemble(bindgen_out: &Path, out: &Path) -> Result<()> {
    let wasm = the_wasm(bindgen_out)?;
    let glue = wasm.to_string_lossy().replace("_bg.wasm", ".js");
    let script = script(&read("static/element.js")?, &read(glue)?, |file| read(Path::new("static").join(file)))?;
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    write(&out.join("flexepin-cashier.js"), script.as_bytes())?;
    write(&out.join("flexepin-cashier.css"), read("static/flexepin-cashier.css")?.as_bytes())?;
    let wasm = fs::read(&wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    write(&out.join("flexepin-cashier.wasm"), &wasm)
}

/// The one `*_bg.wasm` of a folder.
fn the_wasm(folder: &Path) -> Result<std::path::PathBuf> {
    let files = fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut found = Vec::new();
    for file in files {
        let path = file?.path();
        if path.to_string_lossy().ends_with("_bg.wasm") {
            found.push(path);
        }
    }
    ensure!(found.len() == 1, "{} has {} files *_bg.wasm, and must have one", folder.display(), found.len());
    Ok(found.remove(0))
}

/// `element` with the glue, the files it includes and the version in their places. A place is a line that reads
/// `/* @glue */` or `/* @include file.js */`; the version is written `__VERSION__`, once.
fn script(element: &str, glue: &str, include: impl Fn(&str) -> Result<String>) -> Result<String> {
    let once = |marker: &str, count: usize| {
        ensure!(count == 1, "static/element.js has the marker {marker} {count} times, and must have it once");
        Ok(())
    };
    once("__VERSION__", element.matches("__VERSION__").count())?;
    once("/* @glue */", element.lines().filter(|line| line.trim() == "/* @glue */").count())?;
    let mut script = String::new();
    for line in element.lines() {
        match line.trim().strip_prefix("/* @").and_then(|marker| marker.strip_suffix(" */")) {
            None => script.push_str(&line.replace("__VERSION__", env!("CARGO_PKG_VERSION"))),
            Some("glue") => script.push_str(glue),
            Some(marker) => match marker.strip_prefix("include ") {
                Some(file) => script.push_str(include(file)?.trim_end()),
                None => bail!("static/element.js has a marker /* @{marker} */ that nothing fills"),
            },
        }
        script.push('\n');
    }
    Ok(script)
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

    const ELEMENT: &str = "const VERSION = \"__VERSION__\";\n  /* @include a.js */\n    /* @glue */\nend();\n";

    fn assembled(element: &str) -> Result<String> {
        script(element, "let wasm_bindgen = \"/* @glue */ __VERSION__\";", |file| Ok(format!("// {file}\n")))
    }

    #[test]
    fn glue_files_and_version_are_in_their_places() {
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!(
            "const VERSION = \"{version}\";\n// a.js\nlet wasm_bindgen = \"/* @glue */ __VERSION__\";\nend();\n"
        );
        assert_eq!(assembled(ELEMENT).expect("all markers are there"), expected);
    }

    #[test]
    fn a_marker_that_is_missing_doubled_or_unknown_is_an_error() {
        for (element, named) in [
            (ELEMENT.replace("/* @glue */", ""), "/* @glue */ 0 times"),
            (format!("{ELEMENT}/* @glue */"), "/* @glue */ 2 times"),
            (ELEMENT.replace("__VERSION__", ""), "__VERSION__ 0 times"),
            (format!("{ELEMENT}__VERSION__"), "__VERSION__ 2 times"),
            (format!("{ELEMENT}/* @glew */"), "/* @glew */"),
        ] {
            let error = assembled(&element).expect_err(&element).to_string();
            assert!(error.contains(named), "{error}");
        }
    }

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
