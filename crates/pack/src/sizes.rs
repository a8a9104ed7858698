//! How large the files are, and how large the script may be.

use crate::manifest::SCRIPT;
use crate::precompressed::brotli;
use anyhow::{Result, ensure};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What the classic script may have, compressed by brotli: customers wait for it before anything else begins.
pub(crate) const SCRIPT_LIMIT: usize = 10 * 1024;

/// An error that says by how much a script is too large.
pub(crate) fn within_budget(script: &[u8]) -> Result<()> {
    let size = brotli(script)?.len();
    let over = size.saturating_sub(SCRIPT_LIMIT);
    ensure!(
        over == 0,
        "{SCRIPT} has {size} bytes compressed by brotli: {over} more than the {SCRIPT_LIMIT} it may have"
    );
    Ok(())
}

/// A table of all files but the compressed copies: as they are, and by gzip and brotli where such a copy lies beside.
pub(crate) fn table(files: &BTreeMap<String, Vec<u8>>) -> Result<String> {
    let width = files.keys().map(String::len).max().unwrap_or_default();
    let mut table = format!("{:width$}  {:>9}  {:>9}  {:>9}\n", "file", "bytes", "gzip", "brotli");
    let is_copy = |name: &str| matches!(name.rsplit('.').next(), Some("br" | "gz"));
    for (name, bytes) in files.iter().filter(|(name, _)| !is_copy(name)) {
        let copy =
            |ending| files.get(&format!("{name}.{ending}")).map(|copy| copy.len().to_string()).unwrap_or_default();
        let line = format!("{name:width$}  {:>9}  {:>9}  {:>9}", bytes.len(), copy("gz"), copy("br"));
        writeln!(table, "{}", line.trim_end())?;
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that no compressor makes smaller, from a linear congruential generator.
    fn noise(length: usize) -> Vec<u8> {
        let next =
            |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        std::iter::successors(Some(1_u64), next).map(|state| state.to_be_bytes()[0]).take(length).collect()
    }

    #[test]
    fn the_budget_is_of_compressed_bytes() {
        assert!(within_budget(&b"f();".repeat(SCRIPT_LIMIT)).is_ok());
        let script = noise(SCRIPT_LIMIT + 100);
        let over = brotli(&script).expect("compressed").len() - SCRIPT_LIMIT;
        let error = within_budget(&script).expect_err("it is too large").to_string();
        assert!(error.contains(&format!(": {over} more than")), "{error}");
    }

    #[test]
    fn each_file_is_a_line_with_its_three_sizes() {
        let sizes = [("a.js", 400), ("a.js.br", 40), ("a.js.gz", 50), ("README.md", 7)];
        let files = sizes.into_iter().map(|(name, size)| (name.to_owned(), vec![0; size])).collect();
        let table = table(&files).expect("a table");
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        let expected = ["file bytes gzip brotli", "README.md 7", "a.js 400 50 40"];
        assert_eq!(lines.iter().map(|line| line.join(" ")).collect::<Vec<_>>(), expected);
    }
}
