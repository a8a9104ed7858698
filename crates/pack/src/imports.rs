//! The wasm's function imports under short names.
//!
//! wasm-bindgen names an import `__wbg_appendChild_0123456789abcdef`, once in the wasm and once in the glue: together a
//! quarter of the compressed script. Names that only these two halves know can be as short as one likes. The exports
//! keep theirs: shorter ones would save some 100 bytes, and the glue uses them in many places. Custom sections (names,
//! producers, features) are for tools, and are dropped.
//!
//! Left to `glue`: the same names in the scripts.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use wasm_encoder::{EntityType, ImportSection, Module, RawSection};
use wasmparser::{ImportSectionReader, Parser, Payload, TypeRef};

/// The short name of the module that all imports come from.
pub(crate) const MODULE: &str = "a";

/// A wasm with short names, and what they were.
pub(crate) struct Shortened {
    /// The module with the new names.
    pub(crate) wasm: Vec<u8>,
    /// The name that the imports' module had.
    pub(crate) module: String,
    /// Each import's old name, and its new one.
    pub(crate) names: BTreeMap<String, String>,
}

/// Renames all imports of a wasm module. An error if it imports anything but functions, or from more than one module:
/// wasm-bindgen's glue does neither.
pub(crate) fn shortened(wasm: &[u8]) -> Result<Shortened> {
    let mut imports = None;
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.context("the wasm cannot be read")? {
            Payload::CustomSection(_) => {}
            Payload::ImportSection(section) => {
                let renamed = renamed(section)?;
                module.section(&renamed.section);
                imports = Some(renamed);
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
                    let data = wasm.get(range).context("a section of the wasm ends behind its end")?;
                    module.section(&RawSection { id, data });
                }
            }
        }
    }
    let imports = imports.context("the wasm imports nothing: is it wasm-bindgen's?")?;
    Ok(Shortened { wasm: module.finish(), module: imports.module, names: imports.names })
}

struct Renamed {
    section: ImportSection,
    module: String,
    names: BTreeMap<String, String>,
}

fn renamed(section: ImportSectionReader<'_>) -> Result<Renamed> {
    let mut renamed = Renamed { section: ImportSection::new(), module: String::new(), names: BTreeMap::new() };
    for (index, import) in section.into_imports().enumerate() {
        let import = import.context("the wasm's imports cannot be read")?;
        let (from, name) = (import.module, import.name);
        let TypeRef::Func(function_type) = import.ty else {
            anyhow::bail!("the wasm imports `{name}`, which is no function")
        };
        if index == 0 {
            from.clone_into(&mut renamed.module);
        }
        ensure!(from == renamed.module, "the wasm imports from `{from}` and `{}`, and must from one", renamed.module);
        let short = short(index);
        renamed.section.import(MODULE, &short, EntityType::Function(function_type));
        let twice = renamed.names.insert(name.to_owned(), short);
        ensure!(twice.is_none(), "the wasm imports `{name}` twice");
    }
    Ok(renamed)
}

/// The n-th name: `a` to `z`, `aa` to `zz`, and so on. They are property keys, where words of the language are allowed.
fn short(n: usize) -> String {
    const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
    let last = char::from(LETTERS[n % LETTERS.len()]);
    match n / LETTERS.len() {
        0 => last.to_string(),
        more => short(more - 1) + &last.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::wasm;

    fn imports(wasm: &[u8]) -> Vec<(String, String)> {
        let payloads = Parser::new(0).parse_all(wasm).map(|payload| payload.expect("it is wasm"));
        let sections = payloads.filter_map(|payload| match payload {
            Payload::ImportSection(section) => Some(section),
            _ => None,
        });
        let imports = sections.flat_map(ImportSectionReader::into_imports).map(|import| import.expect("readable"));
        imports.map(|import| (import.module.to_owned(), import.name.to_owned())).collect()
    }

    #[test]
    fn imports_have_short_names_in_their_order() {
        let shortened = shortened(&wasm("./x_bg.js", &["__wbg_log_01", "__wbindgen_throw"])).expect("it is shortened");
        assert_eq!(imports(&shortened.wasm), [("a".into(), "a".into()), ("a".into(), "b".into())]);
        assert_eq!(shortened.module, "./x_bg.js");
        let names: Vec<_> = shortened.names.iter().map(|(old, new)| (old.as_str(), new.as_str())).collect();
        assert_eq!(names, [("__wbg_log_01", "a"), ("__wbindgen_throw", "b")]);
    }

    #[test]
    fn all_but_imports_and_custom_sections_stays_as_it_was() {
        let before = wasm("./x_bg.js", &["__wbg_log_01"]);
        let after = shortened(&before).expect("it is shortened").wasm;
        let sections = |wasm: &[u8]| -> Vec<(u8, Vec<u8>)> {
            let payloads = Parser::new(0).parse_all(wasm).map(|payload| payload.expect("it is wasm"));
            let sections = payloads.filter_map(|payload| payload.as_section());
            let bytes = |range: std::ops::Range<u64>| {
                let place = |place| usize::try_from(place).expect("small");
                wasm[place(range.start)..place(range.end)].to_vec()
            };
            sections.map(|(id, range)| (id, bytes(range))).collect()
        };
        let (import, custom) = (2, 0);
        assert!(sections(&before).iter().any(|(id, _)| *id == custom), "the wasm has a custom section to drop");
        let kept: Vec<_> = sections(&before).into_iter().filter(|(id, _)| ![import, custom].contains(id)).collect();
        let after: Vec<_> = sections(&after).into_iter().filter(|(id, _)| *id != import).collect();
        assert!(!kept.is_empty());
        assert_eq!(kept, after);
    }

    #[test]
    fn names_are_all_different() {
        assert_eq!([0, 25, 26, 51, 52, 701, 702].map(short), ["a", "z", "aa", "az", "ba", "zz", "aaa"]);
        let names: std::collections::BTreeSet<_> = (0..1000).map(short).collect();
        assert_eq!(names.len(), 1000);
    }

    #[test]
    fn what_is_not_bindgens_is_an_error() {
        for (case, wasm, said) in [
            ("no wasm", b"\0wasm".to_vec(), "cannot be read"),
            ("no imports", wasm_encoder::Module::new().finish(), "imports nothing"),
            ("one import twice", wasm("m", &["f", "f"]), "`f` twice"),
            ("a memory", of(&[("m", "memory", memory())]), "`memory`, which is no function"),
            (
                "two modules",
                of(&[("m", "f", EntityType::Function(0)), ("n", "g", EntityType::Function(0))]),
                "from `n` and `m`",
            ),
        ] {
            let error = shortened(&wasm).err().unwrap_or_else(|| panic!("{case} is accepted"));
            assert!(format!("{error:#}").contains(said), "{case}: {error:#}");
        }
    }

    fn memory() -> EntityType {
        let size = wasm_encoder::MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        };
        EntityType::Memory(size)
    }

    fn of(imports: &[(&str, &str, EntityType)]) -> Vec<u8> {
        let mut section = ImportSection::new();
        for (module, name, kind) in imports {
            section.import(module, name, *kind);
        }
        let mut module = Module::new();
        module.section(&section);
        module.finish()
    }
}
