//! `package.json`: how npm, bundlers, TypeScript and script networks find their file.
//!
//! There is no `engines`: the package runs in browsers, and importing it on a server does nothing there. `type` is
//! `module` so that the typings are those of a module; the classic script says nothing that depends on it.

use anyhow::{Context, Result};
use serde::Serialize;
use std::collections::BTreeMap;

/// The classic script.
pub(crate) const SCRIPT: &str = "flexepin-cashier.js";
/// The module.
pub(crate) const MODULE: &str = "flexepin-cashier.mjs";
/// What both load; the classic script loads the style sheet too.
pub(crate) const WASM: &str = "flexepin-cashier.wasm";
/// The style sheet.
pub(crate) const STYLE: &str = "flexepin-cashier.css";
/// This file.
pub(crate) const MANIFEST: &str = "package.json";
/// What TypeScript reads.
pub(crate) const TYPES: &str = "flexepin-cashier.d.ts";

/// The fields in the order in which they are written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    name: &'a str,
    version: &'a str,
    description: &'a str,
    keywords: [&'a str; 7],
    license: &'a str,
    r#type: &'a str,
    exports: BTreeMap<String, Export>,
    main: String,
    types: String,
    unpkg: String,
    jsdelivr: String,
    side_effects: [String; 2],
    files: &'a [&'a str],
}

/// What is behind a name that can be imported.
#[derive(Serialize)]
#[serde(untagged)]
enum Export {
    File(String),
    /// The first condition that holds counts.
    Typed {
        types: String,
        default: String,
    },
}

/// The manifest of a package that has these files beside itself; those that browsers load can be asked for by name.
pub(crate) fn manifest(version: &str, files: &[&str], loaded: &[&str]) -> Result<Vec<u8>> {
    let export = |file: &str| match file {
        MODULE => Export::Typed { types: at(TYPES), default: at(MODULE) },
        file => Export::File(at(file)),
    };
    let mut exports: BTreeMap<_, _> = loaded.iter().map(|file| (at(file), export(file))).collect();
    exports.insert(".".to_owned(), export(MODULE));
    exports.insert(at(MANIFEST), export(MANIFEST));
    json(&Manifest {
        name: "flexepin-cashier",
        version,
        description: "A browser cashier with which a customer redeems a prepaid Flexepin voucher",
        keywords: ["flexepin", "voucher", "cashier", "payment", "custom-element", "web-component", "webassembly"],
        license: "MIT OR Apache-2.0",
        r#type: "module",
        exports,
        main: at(MODULE),
        types: at(TYPES),
        unpkg: at(SCRIPT),
        jsdelivr: at(SCRIPT),
        // Importing defines the element, whether or not anything of the import is used.
        side_effects: [at(SCRIPT), at(MODULE)],
        files,
    })
}

fn at(file: &str) -> String {
    format!("./{file}")
}

/// A JSON file: indented, and ended by a line break.
pub(crate) fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value).context("a value is no JSON")?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn of(loaded: &[&str]) -> Value {
        let text = manifest("1.2.3", &[loaded, &["README.md"]].concat(), loaded).expect("it is written");
        serde_json::from_slice(&text).expect("it is JSON")
    }

    #[test]
    fn each_reader_finds_its_file() {
        let manifest = of(&[SCRIPT, MODULE, WASM, "flexepin-cashier.css", "sri.json"]);
        for (pointer, file) in [
            ("/exports/./default", MODULE),
            ("/exports/./types", TYPES),
            ("/exports/.~1flexepin-cashier.wasm", WASM),
            ("/exports/.~1flexepin-cashier.mjs/types", TYPES),
            ("/exports/.~1flexepin-cashier.js", SCRIPT),
            ("/exports/.~1sri.json", "sri.json"),
            ("/exports/.~1package.json", "package.json"),
            ("/types", TYPES),
            ("/main", MODULE),
            ("/unpkg", SCRIPT),
            ("/jsdelivr", SCRIPT),
        ] {
            assert_eq!(manifest.pointer(pointer), Some(&Value::String(at(file))), "{pointer}");
        }
        assert_eq!(manifest["version"], "1.2.3");
        assert_eq!(manifest.pointer("/exports/.~1README.md"), None);
        assert_eq!(manifest["files"], json!([SCRIPT, MODULE, WASM, "flexepin-cashier.css", "sri.json", "README.md"]));
        assert_eq!(manifest["sideEffects"], json!([at(SCRIPT), at(MODULE)]));
    }

    #[test]
    fn types_come_first_where_the_first_match_counts() {
        let text = String::from_utf8(manifest("1.2.3", &[], &[]).expect("it is written")).expect("text");
        let exports = &text[text.find("\".\": {").expect("the package itself")..];
        assert!(exports.find("\"types\":") < exports.find("\"default\":"), "{text}");
    }
}
