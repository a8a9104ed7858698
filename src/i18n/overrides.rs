//! Whether a text of the merchant's `messages` can be used.

use super::Message;

/// In UTF-16 units: what is longer than this is a slip, and would push the form off the screen.
const LONGEST: usize = 600;

/// What the page's script alone says, before the app is there or when it cannot be (`ENGLISH` in `static/shell.js`).
const OF_THE_SHELL: [&str; 12] = [
    "loading",
    "load-failed",
    "load-connection",
    "load-old",
    "load-newer",
    "not-set-up",
    "tell-shop",
    "stopped",
    "stopped-open",
    "earlier-open",
    "nothing-running",
    "voucher-untouched",
];

/// The plural categories of all languages.
const CATEGORIES: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

/// An error says what is wrong.
pub(super) fn check(key: &str, text: &str) -> Result<(), String> {
    let is_of_the_shell = OF_THE_SHELL.contains(&key);
    let known = placeholders(key).or(is_of_the_shell.then_some(&[])).ok_or("is the key of no text")?;
    // As the page's script counts it.
    if text.encode_utf16().count() > LONGEST {
        return Err(format!("is longer than {LONGEST} characters"));
    }
    if is_of_the_shell {
        return Ok(());
    }
    let mut named = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    match named.find(|(name, _)| !known.contains(name)) {
        Some((name, _)) => Err(format!("has no {{{name}}} to show")),
        None => Ok(()),
    }
}

/// The placeholders that a text may have. `None` where there is no such text.
fn placeholders(key: &str) -> Option<&'static [&'static str]> {
    let of = |key: &str| Message::ENGLISH.iter().find(|(known, ..)| *known == key).map(|(.., named)| *named);
    of(key).or_else(|| {
        let (base, category) = key.split_once('.')?;
        CATEGORIES.contains(&category).then(|| of(&format!("{base}.other")))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_cannot_be_used_is_refused_with_the_reason() {
        let long = "x".repeat(LONGEST + 1);
        for (key, text, reason) in [
            ("titel", "T", "is the key of no text"),
            ("title", long.as_str(), "is longer than 600 characters"),
            ("pin-used", "{refrence}", "has no {refrence} to show"),
            ("title.few", "T", "is the key of no text"),
            ("pin-length.some", "T", "is the key of no text"),
        ] {
            assert_eq!(check(key, text), Err(reason.to_owned()), "{key}");
        }
        for (key, text) in [
            ("title", "<b>{"),
            ("pin-used", "No. {reference} {reference}"),
            ("pin-used", ""),
            ("pin-length.few", "{entered}"),
            ("stopped", "It stopped {at last}."),
        ] {
            assert_eq!(check(key, text), Ok(()), "{key}");
        }
    }

    #[test]
    fn built_in_english_is_that_of_the_catalogue() {
        let catalogue: serde_json::Value =
            serde_json::from_str(include_str!("../../static/locales/en.json")).expect("JSON");
        let catalogue = catalogue["messages"].as_object().expect("texts");
        for (key, english, _) in Message::ENGLISH {
            assert_eq!(catalogue.get(*key).and_then(|text| text.as_str()), Some(*english), "{key}");
        }
        let shell = include_str!("../../static/shell.js");
        assert!(shell.contains(&format!("?.length <= {LONGEST} ")), "the page's script has the same limit");
        let (_, of_the_shell) = shell.split_once("export const ENGLISH = {\n").expect("the shell's texts");
        let (of_the_shell, _) = of_the_shell.split_once("\n};").expect("their end");
        let mut keys: BTreeSet<&str> = Message::ENGLISH.iter().map(|(key, ..)| *key).collect();
        for line in of_the_shell.lines() {
            let (key, english) = line.trim().split_once(": ").expect("a key and a text");
            let key = key.trim_matches('"');
            assert_eq!(catalogue.get(key).map(|text| format!("{text},")).as_deref(), Some(english), "{key}");
            assert!(keys.contains(key) || OF_THE_SHELL.contains(&key), "{key} is known");
            keys.insert(key);
        }
        assert!(OF_THE_SHELL.iter().all(|key| keys.contains(key)), "the shell says each");
        assert_eq!(keys, catalogue.keys().map(String::as_str).collect());
    }
}
