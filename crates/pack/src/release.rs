//! The order in which an assembled folder becomes what ships.
//!
//! Short names come first: they change the wasm, whose hash the scripts carry; then the scripts are minified; then
//! everything is listed, hashed and compressed. The same input gives the same bytes: no time, place or order of the
//! disk goes in.

use crate::imports::Shortened;
use crate::manifest::{MANIFEST, MODULE, SCRIPT, STYLE, TYPES, WASM, manifest};
use crate::minify::{Kind, minified, with_asset};
use crate::{glue, imports, integrity, licences, precompressed};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The folder of the texts of each language.
const LOCALES: &str = "locales/";

/// Files by name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// What the package has beside the assembled files.
pub(crate) struct Texts {
    /// By the names that they have in the package.
    pub(crate) files: Files,
}

impl Texts {
    /// Those of the repository.
    pub(crate) fn of(repository: &Path) -> Result<Self> {
        let read = |file: &str| {
            let path = repository.join(file);
            fs::read(&path).with_context(|| format!("cannot read {}, which ships", path.display()))
        };
        let mut files = Files::new();
        files.insert(TYPES.to_owned(), read(&format!("static/{TYPES}"))?);
        for file in ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"] {
            files.insert(file.to_owned(), read(file)?);
        }
        let apache = String::from_utf8(read("LICENSE-APACHE")?).context("LICENSE-APACHE is no text")?;
        let third_party = licences::third_party(&licences::linked(repository)?, &apache)?;
        files.insert("THIRD-PARTY-LICENSES.txt".to_owned(), third_party.into_bytes());
        Ok(Self { files })
    }
}

/// What ships of an assembled folder, without compressed copies.
pub(crate) fn release(mut files: Files, texts: Texts, version: &str) -> Result<Files> {
    let style = files.get(STYLE).with_context(|| format!("the assembled folder has no {STYLE}"))?;
    let style = integrity::sha384(style);
    let wasm = take(&mut files, WASM)?;
    let shortened = imports::shortened(&wasm)?;
    let assets: Vec<String> = files.keys().filter(|name| name.starts_with(LOCALES)).cloned().collect();
    for (name, kind) in [(SCRIPT, Kind::Script), (MODULE, Kind::Module)] {
        let script = String::from_utf8(take(&mut files, name)?).with_context(|| format!("{name} is no text"))?;
        let mut ready = ready(&script, kind, &wasm, &shortened, version).with_context(|| format!("in {name}"))?;
        if kind == Kind::Module {
            for asset in assets.iter().map(String::as_str).chain([WASM]) {
                ready = with_asset(&ready, asset).with_context(|| format!("in {name}"))?;
            }
        }
        // The module has the style itself.
        ensure!(kind == Kind::Module || ready.contains(&style), "{name} has not the hash of the {STYLE} beside it");
        files.insert(name.to_owned(), ready.into_bytes());
    }
    files.insert(WASM.to_owned(), shortened.wasm);

    let hashes = integrity::list(version, files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))?;
    files.insert("sri.json".to_owned(), hashes);
    let readme = readme(version, &files[SCRIPT]);
    files.insert("README.md".to_owned(), readme.into_bytes());
    for (name, text) in texts.files {
        let there = files.insert(name.clone(), text);
        ensure!(there.is_none(), "the assembled folder has a {name} already");
    }
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let loaded: Vec<&str> = names.iter().copied().filter(|name| is_loaded(name)).collect();
    let manifest = manifest(version, &names, &loaded)?;
    files.insert(MANIFEST.to_owned(), manifest);
    Ok(files)
}

fn ready(script: &str, kind: Kind, wasm: &[u8], shortened: &Shortened, version: &str) -> Result<String> {
    let script = glue::renamed(script, kind, shortened)?;
    let script = integrity::replaced(&script, wasm, &shortened.wasm)?;
    let script = minified(&script, kind, version)?;
    ensure!(
        script.contains(&integrity::sha384(&shortened.wasm)),
        "the minifier took the wasm's hash away: is it used?"
    );
    Ok(script)
}

/// These files, and beside each that browsers load itself by brotli and by gzip. The others are read by people and by
/// tools, which ask for no compressed copies; and npm would take those of the read-me along, whatever it is told.
pub(crate) fn with_compressed(files: &Files) -> Result<Files> {
    let mut all = files.clone();
    for (name, bytes) in files.iter().filter(|(name, _)| is_loaded(name)) {
        all.insert(format!("{name}.br"), precompressed::brotli(bytes)?);
        all.insert(format!("{name}.gz"), precompressed::gzip(bytes)?);
    }
    Ok(all)
}

/// Whether a browser may load a file of this name.
fn is_loaded(name: &str) -> bool {
    let ending = name.rsplit('.').next();
    name != MANIFEST && ending.is_some_and(|ending| ["css", "js", "json", "mjs", "wasm"].contains(&ending))
}

/// The tag by which a page loads the script from beside itself and takes no other.
pub(crate) fn tag(script: &[u8]) -> String {
    format!("<script src=\"{SCRIPT}\" integrity=\"{}\" crossorigin async></script>", integrity::sha384(script))
}

fn readme(version: &str, script: &[u8]) -> String {
    include_str!("../package/README.md").replace("__VERSION__", version).replace("__TAG__", &tag(script))
}

fn take(files: &mut Files, name: &str) -> Result<Vec<u8>> {
    files.remove(name).with_context(|| format!("the assembled folder has no {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::assembled;

    fn texts() -> Texts {
        Texts { files: Files::from([(TYPES.to_owned(), b"export {};\n".to_vec())]) }
    }

    fn text(files: &Files, name: &str) -> String {
        String::from_utf8(files[name].clone()).expect("text")
    }

    #[test]
    fn scripts_carry_the_hash_of_the_wasm_that_ships() {
        let before = assembled();
        let files = release(before.clone(), texts(), "1.2.3").expect("it is packed");
        assert_ne!(files[WASM], before[WASM]);
        let (old, new) = (integrity::sha384(&before[WASM]), integrity::sha384(&files[WASM]));
        for script in [SCRIPT, MODULE] {
            let script = text(&files, script);
            assert_eq!((script.matches(&new).count(), script.matches(&old).count()), (1, 0), "{script}");
            assert!(!script.contains("__wbg_log"), "{script}");
        }
    }

    #[test]
    fn every_file_that_a_browser_may_load_is_listed_with_its_hash() {
        let mut assembled = assembled();
        assembled.insert("locales/de.json".to_owned(), b"{}\n".to_vec());
        let module = [&assembled[MODULE][..], b"f(new URL(\"locales/de.json\", import.meta.url));\n"].concat();
        assembled.insert(MODULE.to_owned(), module);
        let files = release(assembled, texts(), "1.2.3").expect("it is packed");
        let list: serde_json::Value = serde_json::from_slice(&files["sri.json"]).expect("JSON");
        let listed: Vec<_> = list["files"].as_object().expect("hashes").keys().cloned().collect();
        assert_eq!(listed, ["flexepin-cashier.css", SCRIPT, MODULE, WASM, "locales/de.json"]);
        for name in listed {
            assert_eq!(list["files"][&name], integrity::sha384(&files[&name]), "{name}");
        }
        assert!(text(&files, "README.md").contains(&integrity::sha384(&files[SCRIPT])));
        assert!(text(&files, "README.md").contains("1.2.3"));
    }

    #[test]
    fn the_manifest_lists_what_is_there_and_no_compressed_copy() {
        let files = release(assembled(), texts(), "1.2.3").expect("it is packed");
        let manifest: serde_json::Value = serde_json::from_slice(&files[MANIFEST]).expect("JSON");
        let listed: Vec<_> =
            manifest["files"].as_array().expect("names").iter().filter_map(|name| name.as_str()).collect();
        let there: Vec<_> = files.keys().map(String::as_str).filter(|name| *name != MANIFEST).collect();
        assert_eq!(listed, there);
        let all = with_compressed(&files).expect("compressed");
        let copied: Vec<_> = all.keys().filter_map(|name| name.strip_suffix(".br")).collect();
        assert_eq!(copied, ["flexepin-cashier.css", SCRIPT, MODULE, WASM, "sri.json"]);
        assert_eq!(all.len(), files.len() + 2 * copied.len());
        assert_eq!(all["sri.json.br"], precompressed::brotli(&files["sri.json"]).expect("compressed"));
    }

    #[test]
    fn what_is_missing_or_does_not_fit_is_an_error_that_names_the_file() {
        let without = |name: &str| {
            let mut files = assembled();
            files.remove(name);
            files
        };
        let with = |name: &str, bytes: &[u8]| {
            let mut files = assembled();
            files.insert(name.to_owned(), bytes.to_vec());
            files
        };
        for (files, said) in [
            (without(SCRIPT), "the assembled folder has no flexepin-cashier.js"),
            (without(MODULE), "the assembled folder has no flexepin-cashier.mjs"),
            (without(WASM), "the assembled folder has no flexepin-cashier.wasm"),
            (with(SCRIPT, b"\xff"), "flexepin-cashier.js is no text"),
            (with(SCRIPT, b"f();"), "in flexepin-cashier.js: there are 0 functions"),
            (with(MODULE, &assembled()[SCRIPT]), "in flexepin-cashier.mjs: the module has `new URL("),
            (with(TYPES, b""), "the assembled folder has a flexepin-cashier.d.ts already"),
        ] {
            let error = release(files, texts(), "1.2.3").err().map(|error| format!("{error:#}")).unwrap_or_default();
            assert!(error.contains(said), "{said}: {error}");
        }
    }
}
