//! Made by hand for tests: a small wasm, glue to it, and an assembled folder.

use std::collections::BTreeMap;
use wasm_encoder::{
    CodeSection, CustomSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    Module, TypeSection,
};

/// A wasm that imports functions from one module, exports one, and has a custom section.
pub(crate) fn wasm(module: &str, imported: &[&str]) -> Vec<u8> {
    let (mut types, mut imports, mut functions) = (TypeSection::new(), ImportSection::new(), FunctionSection::new());
    types.ty().function([], []);
    for name in imported {
        imports.import(module, name, EntityType::Function(0));
    }
    functions.function(0);
    let mut exports = ExportSection::new();
    exports.export("mount", ExportKind::Func, u32::try_from(imported.len()).expect("few"));
    let (mut code, mut body) = (CodeSection::new(), Function::new([]));
    body.instructions().end();
    code.function(&body);
    let mut wasm = Module::new();
    wasm.section(&types).section(&imports).section(&functions).section(&exports).section(&code);
    wasm.section(&CustomSection { name: "producers".into(), data: b"\0"[..].into() });
    wasm.finish()
}

/// Glue as wasm-bindgen writes it around imports.
pub(crate) fn glue(module: &str, keys: &[&str]) -> String {
    let line = |key: &&str| format!("            {key}: function() {{ return {{ b: 1 }}; }},\n");
    let keys = keys.iter().map(line).collect::<Vec<_>>().concat();
    format!(
        "let wasm_bindgen = (function(exports) {{\n    function __wbg_get_imports() {{\n        const import0 = {{\n\
         \x20           __proto__: null,\n{keys}        }};\n        return {{\n            __proto__: null,\n            \
         \"{module}\": import0,\n        }};\n    }}\n    exports.imports = __wbg_get_imports;\n    return exports;\n\
         }})({{ __proto__: null }});\n"
    )
}

/// An assembled release folder: wasm, style, classic script and module.
pub(crate) fn assembled() -> BTreeMap<String, Vec<u8>> {
    let (module, names) = ("./flexepin_cashier_bg.js", ["__wbg_log_0123456789abcdef", "__wbindgen_throw"]);
    let wasm = wasm(module, &names);
    let style = b":host { display: block }\n".to_vec();
    let (hash, style_hash) = (crate::integrity::sha384(&wasm), crate::integrity::sha384(&style));
    let glue = glue(module, &names);
    let script = format!(
        "(() => {{\n  \"use strict\";\n  const HASH = \"{hash}\";\n  const STYLE = \"{style_hash}\";\n{glue}\n  \
         customElements.define(\"flexepin-cashier\", class extends HTMLElement {{\n    \
         glue = [HASH, STYLE, wasm_bindgen];\n  }});\n}})();\n"
    );
    let esm = format!(
        "const HASH = \"{hash}\";\nconst WASM = new URL(\"flexepin-cashier.wasm\", import.meta.url);\n{glue}\n\
         const mount = () => [HASH, WASM, wasm_bindgen];\nconst version = \"0.1.0\";\nexport {{ mount, version }};\n"
    );
    let files = [
        ("flexepin-cashier.css", style),
        ("flexepin-cashier.js", script.into_bytes()),
        ("flexepin-cashier.mjs", esm.into_bytes()),
        ("flexepin-cashier.wasm", wasm),
    ];
    files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}
