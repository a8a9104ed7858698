//! The imports' names in a script: keys of the objects that wasm-bindgen's `__wbg_get_imports` makes.
//!
//! The script is parsed, and a name is replaced only where it is such a key. What is not found exactly there, or is
//! named anywhere else too, is an error: a wasm and a script that disagree must not ship.

use crate::imports::{MODULE, Shortened};
use crate::minify::{Kind, parsed};
use anyhow::{Result, ensure};
use oxc::allocator::Allocator;
use oxc::ast::ast::{Function, ObjectProperty};
use oxc::ast_visit::{Visit, walk};
use oxc::span::{GetSpan, Span};
use oxc::syntax::scope::ScopeFlags;

const MAKER: &str = "__wbg_get_imports";

/// `script` with the imports' new names.
pub(crate) fn renamed(script: &str, kind: Kind, imports: &Shortened) -> Result<String> {
    let allocator = Allocator::default();
    let mut keys = Keys::default();
    keys.visit_program(&parsed(&allocator, script, kind)?);
    ensure!(keys.makers == 1, "there are {} functions {MAKER}, and must be one", keys.makers);

    let names = imports.names.iter().map(|(old, new)| (old.as_str(), new.as_str()));
    let mut places = Vec::new();
    for (old, new) in names.chain([(imports.module.as_str(), MODULE)]) {
        let found: Vec<_> = keys.found.iter().filter(|(key, _)| key == old).map(|(_, place)| *place).collect();
        ensure!(found.len() == 1, "`{old}` is {} times a key in {MAKER}, and must be once", found.len());
        places.extend(found.into_iter().map(|place| (place, new)));
    }
    // From the end, so that the places before stay true.
    places.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    let mut renamed = script.to_owned();
    for (place, new) in places {
        renamed.replace_range(place.start as usize..place.end as usize, new);
    }
    for old in imports.names.keys() {
        ensure!(!names_it(&renamed, old), "the script names `{old}` outside the keys of {MAKER} too");
    }
    Ok(renamed)
}

/// Whether `text` has the name as a word of its own.
fn names_it(text: &str, name: &str) -> bool {
    let part_of_word = |letter: Option<char>| letter.is_some_and(|l| l.is_alphanumeric() || l == '_' || l == '$');
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
        !part_of_word(before) && !part_of_word(after)
    })
}

/// The property keys inside the function that makes the imports.
#[derive(Default)]
struct Keys {
    makers: usize,
    inside: bool,
    found: Vec<(String, Span)>,
}

impl<'a> Visit<'a> for Keys {
    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        let is_maker = function.name().is_some_and(|name| name == MAKER);
        self.makers += usize::from(is_maker);
        let outside = self.inside;
        self.inside |= is_maker;
        walk::walk_function(self, function, flags);
        self.inside = outside;
    }

    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        if self.inside && !property.shorthand && !property.computed {
            let name = property.key.static_name();
            self.found.extend(name.map(|name| (name.into_owned(), property.key.span())));
        }
        walk::walk_object_property(self, property);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::shortened;
    use crate::made::{glue, wasm};

    fn imports() -> Shortened {
        shortened(&wasm("./x_bg.js", &["__wbg_log_01", "__wbindgen_throw"])).expect("it is shortened")
    }

    #[test]
    fn names_change_where_they_are_keys() {
        for quoted in [false, true] {
            let quote = |name: &str| if quoted { format!("\"{name}\"") } else { name.to_owned() };
            let script = glue("./x_bg.js", &[&quote("__wbg_log_01"), &quote("__wbindgen_throw")]);
            let expected = glue("./x_bg.js", &["a", "b"]).replace("\"./x_bg.js\"", "a");
            for kind in [Kind::Script, Kind::Module] {
                assert_eq!(renamed(&script, kind, &imports()).expect("it is renamed"), expected);
            }
        }
    }

    #[test]
    fn what_is_not_exactly_where_it_must_be_is_an_error_that_names_it() {
        let right = glue("./x_bg.js", &["__wbg_log_01", "__wbindgen_throw"]);
        for (case, script, said) in [
            ("a name is missing", glue("./x_bg.js", &["__wbg_log_01"]), "`__wbindgen_throw` is 0 times"),
            ("another hash", right.replace("log_01", "log_02"), "`__wbg_log_01` is 0 times"),
            ("another module", right.replace("x_bg", "y_bg"), "`./x_bg.js` is 0 times"),
            ("a key twice", right.replacen("b: 1", "__wbg_log_01: 1", 1), "`__wbg_log_01` is 2 times"),
            (
                "named elsewhere",
                right.clone() + "\nconst g = wasm.__wbindgen_throw;",
                "names `__wbindgen_throw` outside",
            ),
            (
                "named in a text",
                right.clone() + "\nconst g = \"__wbindgen_throw\";",
                "names `__wbindgen_throw` outside",
            ),
            ("no maker", right.replace(MAKER, "get_imports"), "0 functions"),
            ("two makers", right.repeat(2), "2 functions"),
            ("no script", right.clone() + "}", "cannot be parsed"),
        ] {
            let error = renamed(&script, Kind::Script, &imports()).expect_err(case);
            assert!(format!("{error:#}").contains(said), "{case}: {error:#}");
        }
    }

    #[test]
    fn a_longer_name_is_another_name() {
        assert!(names_it("wasm.f()", "f"));
        for other in ["wasm.ff()", "_f", "f$", "f1"] {
            assert!(!names_it(other, "f"), "{other}");
        }
    }
}
