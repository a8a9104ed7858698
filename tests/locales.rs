//! The catalogues of `static/locales/` as files: each has what English has, and nothing else. Left to browsers
//! (`tests/e2e/languages.rs`): whether the texts fit the screen, and the plural categories that `Intl` has.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Every language that there is a catalogue for, by the plural categories that it has for whole numbers up to 100 (CLDR 44).
const LOCALES: [(&str, &[&str]); 9] = [
    ("id ja ko ms th vi zh-Hans zh-Hant", &["other"]),
    (
        "bg bn ca da de el en en-GB es es-419 et fa fi fil fr fr-CA hi hu is it mk nb nl pt pt-BR sq sv tr ur",
        &["one", "other"],
    ),
    ("he", &["one", "two", "other"]),
    ("lv", &["zero", "one", "other"]),
    ("bs cs hr lt ro sk sr", &["one", "few", "other"]),
    ("sl", &["one", "two", "few", "other"]),
    ("pl ru uk", &["one", "few", "many", "other"]),
    ("mt ga", &["one", "two", "few", "many", "other"]),
    ("ar", &["zero", "one", "two", "few", "many", "other"]),
];

/// Written from right to left.
const RTL: [&str; 4] = ["ar", "fa", "he", "ur"];

/// What a glossary fixes.
const TERMS: [&str; 9] =
    ["voucher", "pin", "redeem", "receipt", "reference", "shop", "support", "untouched", "address"];

/// The one text with a form for each plural category.
const COUNTED: &str = "pin-length.";

/// Words that are the same in some languages as in English.
const SHARED: [&str; 7] =
    ["receipt-currency", "pin-label", "email-label", "reference", "receipt-transaction", "print", "receipt-date"];

fn catalogue(name: &str) -> Value {
    let file = format!("{}/static/locales/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn messages(name: &str) -> BTreeMap<String, String> {
    let catalogue = catalogue(name);
    let messages = catalogue["messages"].as_object().unwrap_or_else(|| panic!("{name} has texts"));
    messages.iter().map(|(key, text)| (key.clone(), text.as_str().expect("a text").to_owned())).collect()
}

fn names() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    LOCALES.into_iter().flat_map(|(names, categories)| names.split_whitespace().map(move |name| (name, categories)))
}

fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

/// What a customer may never read: markup, and characters that turn the direction or are not seen.
fn is_foreign(letter: char) -> bool {
    matches!(letter, '<' | '>' | '&' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || letter.is_control()
}

#[test]
fn there_are_53() {
    let folder = format!("{}/static/locales", env!("CARGO_MANIFEST_DIR"));
    let files: BTreeSet<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|file| file.expect("a file").file_name().to_string_lossy().replace(".json", ""))
        .collect();
    let listed: BTreeSet<String> = names().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(files, listed);
    assert_eq!(files.len(), 53);
}

#[test]
fn each_has_englishs_keys_and_placeholders_and_every_plural_form_that_its_language_needs() {
    let english = messages("en");
    for (name, categories) in names() {
        let messages = messages(name);
        let mut expected: BTreeSet<String> = english.keys().filter(|key| !key.starts_with(COUNTED)).cloned().collect();
        expected.extend(categories.iter().map(|category| format!("{COUNTED}{category}")));
        assert_eq!(messages.keys().cloned().collect::<BTreeSet<_>>(), expected, "{name}");
        for (key, text) in &messages {
            let source = english.get(key).unwrap_or(&english[&format!("{COUNTED}other")]);
            assert_eq!(placeholders(text), placeholders(source), "{name}: {key}");
            let rest =
                placeholders(text).iter().fold(text.clone(), |rest, hole| rest.replace(&format!("{{{hole}}}"), ""));
            assert!(!rest.contains(['{', '}']), "{name}: {key} has a brace that is no placeholder's");
            assert!(!rest.chars().any(|letter| letter.is_ascii_digit()), "{name}: {key}: numbers come from Intl");
            assert!(!text.contains(is_foreign), "{name}: {key}");
            assert_eq!(text.trim(), text, "{name}: {key}");
            assert!(!text.is_empty(), "{name}: {key}");
        }
    }
}

#[test]
fn none_has_english_left_in_it() {
    let english = messages("en");
    for (name, _) in names().filter(|(name, _)| !name.starts_with("en")) {
        let left: Vec<_> = messages(name)
            .into_iter()
            .filter(|(key, text)| english.get(key) == Some(text) && !SHARED.contains(&key.as_str()))
            .collect();
        assert!(left.is_empty(), "{name}: {left:?}");
        // Whole English words inside of a text.
        for (key, text) in messages(name) {
            let text = format!(" {} ", text.to_lowercase().replace(|letter: char| !letter.is_alphanumeric(), " "));
            let words = ["the", "your", "this", "and", "with", "not"];
            let found: Vec<_> = words.iter().filter(|word| text.contains(&format!(" {word} "))).collect();
            assert!(found.is_empty(), "{name}: {key} has {found:?}: {text}");
        }
    }
}

#[test]
fn each_says_its_name_its_direction_and_its_terms() {
    for (name, _) in names() {
        let catalogue = catalogue(name);
        assert_eq!(catalogue["locale"], name);
        assert_eq!(catalogue["dir"], if RTL.contains(&name) { "rtl" } else { "ltr" }, "{name}");
        for term in TERMS {
            assert!(catalogue["glossary"][term].as_str().is_some_and(|words| !words.is_empty()), "{name}: {term}");
        }
    }
}
