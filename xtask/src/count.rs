//! How many tests are declared in the sources, and how many ran: a browser test that was skipped must not look like
//! one that passed.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;

/// What libtest and wasm-bindgen-test say in their "test result" lines, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ran {
    /// Tests that passed.
    pub(crate) passed: usize,
    /// Tests that failed.
    pub(crate) failed: usize,
}

impl Ran {
    /// Both runs as one.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }

    /// Sums up all result lines of a test run's output.
    pub(crate) fn read(output: &str) -> Self {
        let mut ran = Self::default();
        for line in output.lines().filter(|line| line.starts_with("test result: ")) {
            ran.passed += number_before(line, " passed;");
            ran.failed += number_before(line, " failed;");
        }
        ran
    }
}

fn number_before(line: &str, word: &str) -> usize {
    let before = line.split_once(word).map_or("", |(before, _)| before);
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Counts the test attributes in all `.rs` files below `folder`: lines that begin with one of `attributes`, such as
/// `#[test]`.
pub(crate) fn declared(folder: &Path, attributes: &[&str]) -> Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            count += declared(&path, attributes)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            count += text.lines().filter(|line| is_declaration(line.trim_start(), attributes)).count();
        }
    }
    Ok(count)
}

fn is_declaration(line: &str, attributes: &[&str]) -> bool {
    attributes.iter().any(|attribute| line.starts_with(attribute))
}

/// An error unless as many tests passed as are declared.
pub(crate) fn all_ran(name: &str, declared: usize, passed: usize) -> Result<()> {
    ensure!(declared > 0, "{name}: no test is declared");
    ensure!(passed == declared, "{name}: {declared} declared, {passed} passed: no test may be skipped");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_are_summed_up() {
        let output = "running 2 tests\ntest a ... ok\n\n\
            test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: FAILED. 10 passed; 3 failed; 1 ignored; 0 filtered out; finished in 1.30s\n";
        assert_eq!(Ran::read(output), Ran { passed: 12, failed: 3 });
        assert_eq!(Ran::read("no tests to run!\n"), Ran::default());
        assert_eq!(Ran::read("test result: something new"), Ran::default());
    }

    #[test]
    fn only_attributes_count_as_declared_tests() {
        let (web, e2e) =
            (["#[wasm_bindgen_test]", "#[wasm_bindgen_test("], ["#[test]", "#[tokio::test]", "#[tokio::test("]);
        for (line, in_web, in_e2e) in [
            ("#[wasm_bindgen_test]", true, false),
            ("#[wasm_bindgen_test(async)]", true, false),
            ("wasm_bindgen_test_configure!(run_in_browser);", false, false),
            ("// #[wasm_bindgen_test]", false, false),
            ("#[tokio::test]", false, true),
            ("#[tokio::test(flavor = \"multi_thread\")]", false, true),
            ("#[test]", false, true),
            ("#[cfg(test)]", false, false),
        ] {
            assert_eq!((is_declaration(line, &web), is_declaration(line, &e2e)), (in_web, in_e2e), "{line}");
        }
        assert_eq!(declared(Path::new("src"), &["#[no_such_attribute]"]).expect("readable"), 0);
    }

    #[test]
    fn fewer_or_none_is_a_failure() {
        assert_eq!(
            all_ran("web", 12, 0).expect_err("fewer").to_string(),
            "web: 12 declared, 0 passed: no test may be skipped"
        );
        assert!(all_ran("web", 0, 0).is_err());
        assert!(all_ran("web", 12, 12).is_ok());
    }
}
