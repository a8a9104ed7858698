//! From what wasm-bindgen wrote and what lies in `static/` to the widget's files: the classic script, the ES module, the
//! style sheet, the wasm, and the texts of each language with a list of their hashes.
//!
//! The sources in `static/` are ES modules. Each of the two entries is put together with what it imports into one file:
//! modules come once, before who imports them; `import` lines and the word `export` go. Marks are filled: `__VERSION__`,
//! the hashes, the style, and the line `/* @glue */`.

use super::{read, write};
use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha384};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Writes the widget's files into `out` from what wasm-bindgen wrote into `bindgen_out` (no-modules glue and
/// `*_bg.wasm`) and from `static/`. The two folders may be one.
pub(crate) fn assemble(bindgen_out: &Path, out: &Path) -> Result<()> {
    let wasm = the_wasm(bindgen_out)?;
    let glue = glue(&read(wasm.to_string_lossy().replace("_bg.wasm", ".js"))?)?;
    let wasm = fs::read(&wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    let style = read("static/flexepin-cashier.css")?;
    let locales = locales(Path::new("static/locales"))?;
    let index = languages(&locales)?;
    let names: Vec<_> = locales.keys().map(String::as_str).collect();
    let marks = [
        ("__VERSION__", env!("CARGO_PKG_VERSION").to_owned()),
        ("__WASM_INTEGRITY__", integrity(&wasm)),
        ("__STYLE_INTEGRITY__", integrity(style.as_bytes())),
        ("\"__STYLE__\"", serde_json::to_string(&style)?),
        ("__LOCALES_INTEGRITY__", integrity(&index)),
        ("\"__FILES__\": \"\"", names.iter().chain(&[INDEX]).map(|name| asset(name)).collect::<Vec<_>>().join(", ")),
    ];
    let source = |file: &str| read(Path::new("static").join(file));
    let script = fill(&bundle("script.js", &source)?, &glue, &marks)?;
    let module = fill(&bundle("module.js", &source)?, &glue, &marks)?;
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    fs::create_dir_all(out.join("locales")).context("cannot make the folder of the texts")?;
    for (name, texts) in locales.iter().map(|(name, texts)| (name.as_str(), texts)).chain([(INDEX, &index)]) {
        write(&out.join(format!("locales/{name}.json")), texts)?;
    }
    write(&out.join("flexepin-cashier.js"), format!("(() => {{\n\"use strict\";\n{script}}})();\n").as_bytes())?;
    write(&out.join("flexepin-cashier.mjs"), module.as_bytes())?;
    write(&out.join("flexepin-cashier.css"), style.as_bytes())?;
    write(&out.join("flexepin-cashier.wasm"), &wasm)
}

/// The name of the list of the texts' hashes, which lies beside them.
const INDEX: &str = "index";

/// The texts of each language, by its name, as they ship: without what only translators read, on one line.
fn locales(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    #[derive(Deserialize, Serialize)]
    struct Catalogue {
        locale: String,
        dir: String,
        messages: BTreeMap<String, String>,
    }
    let mut locales = BTreeMap::new();
    for file in fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))? {
        let path = file?.path();
        let name = path.file_stem().context("a file has a name")?.to_string_lossy().into_owned();
        let catalogue: Catalogue =
            serde_json::from_str(&read(&path)?).with_context(|| format!("{} is no catalogue", path.display()))?;
        locales.insert(name, serde_json::to_vec(&catalogue)?);
    }
    Ok(locales)
}

/// The list of languages: what `static/languages.json` says, and every catalogue with its hash.
fn languages(locales: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>> {
    let rules = read("static/languages.json")?;
    let mut list: serde_json::Value = serde_json::from_str(&rules).context("static/languages.json is no JSON")?;
    list["hashes"] = locales.iter().map(|(name, texts)| (name.clone(), integrity(texts))).collect();
    Ok(serde_json::to_vec(&list)?)
}

/// Where the module finds a file of texts, in the words that bundlers look for.
fn asset(name: &str) -> String {
    let file = format!("locales/{name}.json");
    format!("\"{file}\": new URL(\"{file}\", import.meta.url)")
}

/// A file's hash as `integrity` attributes have it.
fn integrity(bytes: &[u8]) -> String {
    format!("sha384-{}", STANDARD.encode(Sha384::digest(bytes)))
}

/// The one `*_bg.wasm` of a folder.
fn the_wasm(folder: &Path) -> Result<PathBuf> {
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

/// wasm-bindgen's glue without its own loading: `wasm_bindgen(module, guard)` instantiates a compiled module and gives the
/// glue's exports; `guard` may wrap the instance's own.
fn glue(text: &str) -> Result<String> {
    const LOADING: &str = "    async function __wbg_load(";
    const START: &str = "    return (module, guard) =>
        WebAssembly.instantiate(module, __wbg_get_imports()).then((instance) => {
            __wbg_finalize_init({ exports: guard(instance.exports) }, module);
            return exports;
        });
})({ __proto__: null });
";
    const ADDRESS: &str = "    let script_src;
    if (typeof document !== 'undefined' && document.currentScript !== null) {
        script_src = new URL(document.currentScript.src, location.href).toString();
    }
";
    let (kept, loading) = text.split_once(LOADING).context("wasm-bindgen's glue has no __wbg_load any more")?;
    let expected = loading.trim_end().ends_with("})({ __proto__: null });")
        && kept.matches(ADDRESS).count() == 1
        && kept.contains("function __wbg_get_imports(")
        && kept.contains("function __wbg_finalize_init(instance, module)");
    ensure!(expected, "wasm-bindgen's glue has another shape than the one that static/load.js starts");
    Ok(kept.replace(ADDRESS, "") + START)
}

/// An entry with all that it imports, in the order in which they need each other.
fn bundle(entry: &str, source: &impl Fn(&str) -> Result<String>) -> Result<String> {
    let (mut done, mut text) = (Vec::new(), String::new());
    add(entry, source, &mut done, &mut text)?;
    Ok(text)
}

fn add(
    file: &str,
    source: &impl Fn(&str) -> Result<String>,
    done: &mut Vec<String>,
    bundled: &mut String,
) -> Result<()> {
    if done.iter().any(|done| done == file) {
        return Ok(());
    }
    done.push(file.to_owned());
    let mut own = String::new();
    for line in source(file)?.lines() {
        if let Some(import) = line.strip_prefix("import ") {
            let from = import.rsplit_once(" from \"./").and_then(|(_, from)| from.strip_suffix("\";"));
            let from =
                from.with_context(|| format!("static/{file}: `{line}` is not `import {{ … }} from \"./…\";`"))?;
            add(from, source, done, bundled)?;
        } else {
            own.push_str(line.strip_prefix("export ").filter(|line| line.starts_with("const ")).unwrap_or(line));
            own.push('\n');
        }
    }
    bundled.push_str(&own);
    Ok(())
}

/// The marks' values and the glue in their places. The script needs no `"__STYLE__"`, and the module no style's hash.
fn fill(bundled: &str, glue: &str, marks: &[(&str, String)]) -> Result<String> {
    let mut filled = bundled.to_owned();
    for (mark, value) in marks {
        ensure!(filled.matches(mark).count() <= 1, "static/ has the mark {mark} more than once");
        filled = filled.replace(mark, value);
    }
    if let Some(at) = filled.find("\"__") {
        bail!("static/ has a mark that nothing fills: {}", filled[at..].lines().next().unwrap_or_default());
    }
    let place = "    /* @glue */\n";
    ensure!(filled.matches(place).count() == 1, "static/ must have the line /* @glue */ once in each entry");
    Ok(filled.replace(place, glue))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(file: &str) -> Result<String> {
        Ok(match file {
            "entry.js" => "import { a } from \"./a.js\";\nimport { b } from \"./b.js\";\nb(a);\n    /* @glue */\n",
            "a.js" => "export const a = \"__VERSION__\";\n",
            "b.js" => "import { a } from \"./a.js\";\nexport const b = () => a;\n",
            "astray.js" => "import a from \"elsewhere\";\n",
            _ => bail!("no file {file}"),
        }
        .to_owned())
    }

    #[test]
    fn modules_come_once_and_before_who_imports_them() {
        let text = bundle("entry.js", &sources).expect("all is there");
        assert_eq!(text, "const a = \"__VERSION__\";\nconst b = () => a;\nb(a);\n    /* @glue */\n");
        let text = fill(&text, "let glue;\n", &[("__VERSION__", "1.2.3".to_owned())]).expect("all marks are known");
        assert_eq!(text, "const a = \"1.2.3\";\nconst b = () => a;\nb(a);\nlet glue;\n");
    }

    #[test]
    fn what_cannot_be_put_together_is_named() {
        for (error, named) in [
            (bundle("astray.js", &sources).expect_err("not relative"), "import a from"),
            (bundle("c.js", &sources).expect_err("no such file"), "no file c.js"),
            (fill("\"__OTHER__\"\n    /* @glue */\n", "", &[]).expect_err("an unknown mark"), "__OTHER__"),
            (fill("", "", &[]).expect_err("no glue"), "/* @glue */"),
            (fill("__A____A__", "", &[("__A__", String::new())]).expect_err("twice"), "__A__ more than once"),
            (glue("let wasm_bindgen;").expect_err("no glue"), "__wbg_load"),
        ] {
            assert!(error.to_string().contains(named), "{error}");
        }
    }

    #[test]
    fn a_hash_is_what_browsers_compare() {
        // FIPS 180-4's example for SHA-384, in base64.
        assert_eq!(integrity(b"abc"), "sha384-ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn");
    }
}
