//! What the customer reads: texts by key, money, numbers and times by the browser's `Intl`. A number is never glued to a
//! word in code: it goes into a placeholder.
//!
//! English is built in (`catalogue`); another language's texts come with the options, fetched by the page's script
//! (`static/language.js`). A text that is missing there is said in English, and the console says so.

mod catalogue;
mod intl;
mod overrides;

pub(crate) use catalogue::Message;
use intl::Formats;
use mozarto::Amount;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use web_sys::console;

/// A language, as the page's script gives it.
#[derive(Debug)]
pub(crate) struct Language {
    /// BCP 47, for `Intl`.
    pub(crate) tag: String,
    /// Whether it is written from right to left.
    pub(crate) rtl: bool,
    /// Its texts by key; none where it is English.
    pub(crate) messages: HashMap<String, String>,
}

impl Language {
    /// What is built in.
    pub(crate) fn english() -> Self {
        Self { tag: "en".to_owned(), rtl: false, messages: HashMap::new() }
    }
}

/// The texts and formats of one widget.
#[derive(Debug)]
pub(crate) struct Texts {
    language: Language,
    overrides: HashMap<String, String>,
    formats: Formats,
}

impl Texts {
    /// `overrides` are the merchant's `messages`: those that cannot be used are named on the console, and left out.
    pub(crate) fn new(language: Language, mut overrides: HashMap<String, String>) -> Self {
        overrides.retain(|key, text| match overrides::check(key, text) {
            Ok(()) => true,
            Err(reason) => {
                warn(&format!("messages: \"{key}\" {reason}"));
                false
            }
        });
        if !language.messages.is_empty() {
            // Not every language has a form of its own for one.
            let asked = Message::ENGLISH
                .iter()
                .map(|(key, ..)| *key)
                .filter(|key| key.split_once('.').is_none_or(|(_, category)| category == "other"));
            for key in asked.filter(|key| !language.messages.contains_key(*key)) {
                warn(&format!("the texts of {} lack \"{key}\", which is said in English", language.tag));
            }
        }
        let formats = Formats::new(&language.tag);
        Self { language, overrides, formats }
    }

    /// The text with its placeholders filled.
    pub(crate) fn text(&self, message: &Message) -> String {
        fill(self.template(message.key(), message.english()), &message.arguments(), self.language.rtl)
    }

    /// The text in the form that goes with a count: `other` where the language has none for that form.
    pub(crate) fn counted(&self, one: &Message, other: &Message, count: usize) -> String {
        let category = self.formats.plural(u32::try_from(count).unwrap_or(u32::MAX));
        let key = other.key().replace("other", &category);
        let has = |key: &str| self.overrides.contains_key(key) || self.language.messages.contains_key(key);
        let english = if category == "one" { one } else { other }.english();
        let template = self.template(if has(&key) { &key } else { other.key() }, english);
        fill(template, &other.arguments(), self.language.rtl)
    }

    fn template<'a>(&'a self, key: &str, english: &'static str) -> &'a str {
        self.overrides.get(key).or_else(|| self.language.messages.get(key)).map_or(english, String::as_str)
    }

    /// An amount as the locale writes it, such as €25.00.
    pub(crate) fn money(&self, amount: Amount) -> String {
        self.formats.money(amount)
    }

    /// An amount without its currency, as the customer may type it.
    pub(crate) fn plain(&self, amount: Amount) -> String {
        self.formats.plain(amount)
    }

    /// A whole number as the locale writes it.
    pub(crate) fn number(&self, number: usize) -> String {
        self.formats.number(number)
    }

    /// So many seconds from now, such as "in 4 seconds".
    pub(crate) fn moment_in(&self, seconds: u64) -> String {
        self.formats.moment_in(u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    /// The time of day of a moment, in milliseconds since 1970.
    pub(crate) fn time(&self, ms: u64) -> String {
        self.formats.time(ms)
    }

    /// The day and the time of a moment, in milliseconds since 1970.
    pub(crate) fn date(&self, ms: u64) -> String {
        self.formats.date(ms)
    }

    /// What the locale writes between units and decimals.
    pub(crate) fn decimal_separator(&self) -> char {
        self.formats.decimal_separator()
    }
}

/// Once: a page may set its options again at each of its own repaints.
fn warn(text: &str) {
    thread_local! {
        static TOLD: RefCell<HashSet<String>> = RefCell::default();
    }
    if TOLD.with_borrow_mut(|told| told.insert(text.to_owned())) {
        console::warn_1(&format!("flexepin-cashier: {text}.").into());
    }
}

/// One pass over the template, so that a filled-in value is never read as a placeholder. What is not known stays as it
/// stands. Between words that run from right to left a value runs from left to right, all but times, which have words.
fn fill(template: &str, arguments: &[(&str, &str)], rtl: bool) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let argument = after.split_once('}').and_then(|(name, after)| {
            let (_, value) = arguments.iter().find(|(known, _)| *known == name)?;
            Some((name, value, after))
        });
        if let Some((name, value, after)) = argument {
            if rtl {
                let direction = if matches!(name, "when" | "time") { AS_ITS_WORDS } else { LEFT_TO_RIGHT };
                filled.extend([direction, value, END_OF_ISOLATE]);
            } else {
                filled.push_str(value);
            }
            rest = after;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

/// Unicode's isolates: from here on left to right, or as the first letter runs; up to the end.
const LEFT_TO_RIGHT: &str = "\u{2066}";
const AS_ITS_WORDS: &str = "\u{2068}";
const END_OF_ISOLATE: &str = "\u{2069}";

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn placeholders_are_filled_once_and_unknown_ones_stay() {
        for (template, filled) in [
            ("{a} and {b}", "{b} and 2"),
            ("{a}{a}", "{b}{b}"),
            ("{c} {", "{c} {"),
            ("{a", "{a"),
            ("", ""),
            ("}{b}", "}2"),
        ] {
            assert_eq!(fill(template, &[("a", "{b}"), ("b", "2")], false), filled, "{template}");
        }
    }

    #[test]
    fn values_run_from_left_to_right_between_words_that_do_not() {
        let filled = fill("\u{5d0} {digits} {when}", &[("digits", "1234"), ("when", "\u{5d1}")], true);
        assert_eq!(filled, "\u{5d0} \u{2066}1234\u{2069} \u{2068}\u{5d1}\u{2069}");
    }
}
