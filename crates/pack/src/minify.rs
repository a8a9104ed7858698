//! Scripts without what only people read.
//!
//! The minifier may use no syntax that the oldest supported browsers lack; it translates nothing, so what the sources
//! use stays. Property names stay as they are. The style sheet is not minified: it would save 360 compressed bytes of a
//! file that loads beside the wasm, and the scripts already hold its hash and its text.

use anyhow::{Context, Result, ensure};
use oxc::allocator::Allocator;
use oxc::ast::ast::Program;
use oxc::codegen::{Codegen, CodegenOptions};
use oxc::minifier::{CompressOptions, MangleOptions, Minifier, MinifierOptions};
use oxc::parser::Parser;
use oxc::span::SourceType;
use oxc_compat::EngineTargets;

/// The oldest browsers that the widget supports.
const BROWSERS: &str = "chrome111,firefox115,safari16.4";

/// How a browser reads a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// By a `<script>` without `type`.
    Script,
    /// By `import`.
    Module,
}

/// `text` minified, under a line that names version and licence.
pub(crate) fn minified(text: &str, kind: Kind, version: &str) -> Result<String> {
    let allocator = Allocator::default();
    let mut program = parsed(&allocator, text, kind)?;
    let target = EngineTargets::from_target(BROWSERS).map_err(anyhow::Error::msg).context("a browser is not known")?;
    let options = MinifierOptions {
        mangle: Some(MangleOptions::default()),
        mangle_properties: None,
        compress: Some(CompressOptions { target, ..CompressOptions::smallest() }),
    };
    let names = Minifier::new(options).minify(&allocator, &mut program);
    let printer = Codegen::new().with_options(CodegenOptions::minify());
    let printer = printer.with_scoping(names.scoping).with_private_member_mappings(names.class_private_mappings);
    let code = printer.build(&program).code;
    parsed(&Allocator::default(), &code, kind).context("the minifier's output is no script")?;
    Ok(format!("/*! flexepin-cashier {version} | MIT OR Apache-2.0 */\n{code}\n"))
}

/// `module` with a file's address as bundlers look for it, to take the file along: `new URL("file", import.meta.url)`, the
/// name in plain quotes. The minifier writes backquotes, which not all of them read.
pub(crate) fn with_asset(module: &str, file: &str) -> Result<String> {
    let written = |quote: char| format!("new URL({quote}{file}{quote},import.meta.url)");
    let [backquoted, single, double] = ['`', '\'', '"'].map(written);
    let module = module.replace(&backquoted, &double).replace(&single, &double);
    let times = module.matches(&double).count();
    ensure!(times == 1, "the module has `{double}` {times} times, and must have it once: bundlers look for it");
    Ok(module)
}

/// A script parsed. An error that shows where it is none.
pub(crate) fn parsed<'a>(allocator: &'a Allocator, text: &'a str, kind: Kind) -> Result<Program<'a>> {
    let source_type = match kind {
        Kind::Script => SourceType::script(),
        Kind::Module => SourceType::mjs(),
    };
    let parsed = Parser::new(allocator, text, source_type).parse();
    let first = parsed.diagnostics.iter().next().map(ToString::to_string).unwrap_or_default();
    ensure!(!parsed.panicked && parsed.diagnostics.is_empty(), "the script cannot be parsed: {first}");
    Ok(parsed.program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, kind: Kind) -> String {
        minified(text, kind, "1.2.3").expect("it is minified")
    }

    #[test]
    fn a_script_is_shorter_and_begins_with_its_licence() {
        let script = of(
            "(() => {\n  \"use strict\";\n  // why\n  const long_name = f();\n  g(long_name, long_name);\n})();",
            Kind::Script,
        );
        let lines: Vec<_> = script.lines().collect();
        assert_eq!(lines[0], "/*! flexepin-cashier 1.2.3 | MIT OR Apache-2.0 */");
        assert_eq!(lines.len(), 2, "{script}");
        assert!(lines[1].contains("\"use strict\""), "{script}");
        assert!(!script.contains("long_name") && !script.contains("why"), "{script}");
    }

    #[test]
    fn what_others_call_keeps_its_name() {
        let source = "class Long { #secret = 1; method() { return this.#secret; } get phase() { return f(); } }\n\
                      window.FlexepinCashier = { mount(target) { return new Long(target); }, version: \"1\" };";
        let script = of(source, Kind::Script);
        for kept in ["method()", "get phase()", "FlexepinCashier", "mount(", "version:"] {
            assert!(script.contains(kept), "{kept}: {script}");
        }
        let module = of("const mount = () => f(1);\nconst version = g();\nexport { mount, version };", Kind::Module);
        assert!(module.contains("as mount") && module.contains("as version"), "{module}");
    }

    #[test]
    fn syntax_that_the_oldest_browsers_know_stays() {
        let source = "class A { static #b = f(); static { g(A.#b?.c ?? 1); } } window.d ??= new A();";
        let script = of(source, Kind::Script);
        for kept in ["static{", "?.c??1", "d??="] {
            assert!(script.contains(kept), "{kept}: {script}");
        }
    }

    #[test]
    fn the_wasm_is_where_bundlers_find_it() {
        for source in ["\"a.wasm\", import", "'a.wasm',import", "`a.wasm`,  import"] {
            let module = of(&format!("export const wasm = new URL({source}.meta.url);"), Kind::Module);
            let module = with_asset(&module, "a.wasm").expect(source);
            assert!(module.contains("=new URL(\"a.wasm\",import.meta.url)"), "{module}");
        }
        let twice = "new URL(\"a.wasm\",import.meta.url)".repeat(2);
        for lost in
            ["", "new URL(f,import.meta.url)", "new URL(\"b.wasm\",import.meta.url)", "new URL(\"a.wasm\",b)", &twice]
        {
            assert!(with_asset(lost, "a.wasm").is_err(), "{lost}");
        }
    }

    #[test]
    fn what_is_no_script_is_an_error() {
        for (text, kind) in
            [("f(", Kind::Script), ("import.meta.url", Kind::Script), ("export { nothing", Kind::Module)]
        {
            let error = minified(text, kind, "1.2.3").expect_err(text).to_string();
            assert!(error.contains("cannot be parsed: "), "{error}");
        }
    }
}
