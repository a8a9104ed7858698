//! What the operator's documents name must be there: the tests behind each protection of `docs/threat-model.md`, and the
//! metrics and alerts of `docs/operations/` in `docs/operations.md`. All are read as text, in the one form that they are
//! written in: what is not found there is an empty set, and that fails.
//!
//! Left to others: whether a test shows what its line says (its reader), whether an alert fires (`promtool test rules`).

use std::collections::BTreeSet;
use std::fs;

type Words = BTreeSet<String>;

const THREATS: &str = "docs/threat-model.md";
const OPERATIONS: &str = "docs/operations.md";
const ALERTS: &str = "docs/operations/alerts.yml";
const DASHBOARD: &str = "docs/operations/dashboard.json";

fn read(file: &str) -> String {
    fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR")))
        .unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The texts in code type.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The cells of each row of the tables whose head is that, row by row.
fn rows<'a>(text: &'a str, head: &str) -> Vec<Vec<&'a str>> {
    let mut rows = Vec::new();
    let mut lines = text.lines();
    while lines.any(|line| line == head) {
        let body = lines.by_ref().skip(1).take_while(|line| line.starts_with('|'));
        rows.extend(body.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()));
    }
    rows
}

/// Whether that file declares that test: the name, and right above it an attribute that makes a test of it.
fn is_test(file: &str, name: &str) -> bool {
    let text = read(file);
    let Some((before, _)) = text.split_once(&format!("fn {name}(")) else { return false };
    // The first piece is the name's own line, and is empty where that begins with `fn`.
    let mut attributes = before.rsplit('\n').skip(1).map(str::trim).take_while(|line| line.starts_with("#["));
    attributes.any(|line| line == "#[test]" || line.starts_with("#[tokio::test"))
}

/// The names of our metrics in a text, without what Prometheus adds to a histogram's.
fn metrics(text: &str) -> Words {
    let is_name = |it: char| it.is_ascii_lowercase() || it == '_';
    let names = text.split(|it| !is_name(it)).filter(|word| word.starts_with("cashier_"));
    let plain = |name: &str| {
        ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
    };
    names.map(plain).collect()
}

#[test]
fn every_protection_names_a_test_that_is_there() {
    let text = read(THREATS);
    let rows = rows(&text, "| attack | what stops it | test |");
    assert!(rows.len() > 50, "{THREATS} has {} rows", rows.len());
    for row in &rows {
        let [attack, _, tests] = row[..] else { panic!("{THREATS}: not three cells: {row:?}") };
        let named: Vec<_> = code(tests).filter_map(|test| test.split_once("::")).collect();
        assert!(!named.is_empty(), "{THREATS}: \"{attack}\" names no test");
        for (file, name) in named {
            assert!(is_test(file, name), "{THREATS}: \"{attack}\": {file} has no test {name}");
        }
    }
}

#[test]
fn every_metric_that_is_watched_is_explained_and_every_explained_one_is_watched() {
    let text = read(OPERATIONS);
    let rows = rows(&text, "| metric | what it counts | normal |");
    let explained: Words = rows.iter().flat_map(|row| metrics(row[0])).collect();
    let watched: Words = [ALERTS, DASHBOARD].iter().flat_map(|file| metrics(&read(file))).collect();
    assert!(explained.len() > 10, "{OPERATIONS} explains {explained:?}");
    assert_eq!(explained, watched, "explained in {OPERATIONS}, and watched by {ALERTS} or {DASHBOARD}");
}

#[test]
fn every_alert_has_its_line_for_whoever_is_woken() {
    let alerts = read(ALERTS);
    let declared: Vec<_> = alerts.split("- alert: ").skip(1).collect();
    let severity = |alert: &str| {
        let severity = alert.split_once("severity: ").and_then(|(_, rest)| rest.split_once('}'));
        severity.map_or_else(String::new, |(word, _)| word.to_owned())
    };
    let declared: BTreeSet<_> = declared
        .iter()
        .map(|alert| (alert.lines().next().unwrap_or_default().trim().to_owned(), severity(alert)))
        .collect();
    let text = read(OPERATIONS);
    let mut told = BTreeSet::new();
    for row in rows(&text, "| alert | | means | do first |") {
        let (names, words): (Vec<_>, Vec<_>) = (row[0].split(", ").collect(), row[1].split(", ").collect());
        // One word for all names of the line, or one for each.
        told.extend(
            names
                .iter()
                .enumerate()
                .map(|(at, name)| ((*name).to_owned(), (*words.get(at).unwrap_or(&words[0])).to_owned())),
        );
    }
    assert!(declared.len() > 20, "{ALERTS} has {declared:?}");
    assert_eq!(declared, told, "in {ALERTS}, and in {OPERATIONS}");
}
