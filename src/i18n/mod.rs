//! What the customer reads: texts by key, money and numbers by the browser's `Intl`. A number is never glued to a word
//! in code: it goes into a placeholder.

mod catalogue;
mod intl;

pub(crate) use catalogue::Message;
use intl::Formats;
use mozarto::Amount;
use std::collections::HashMap;

/// The texts and formats of one widget.
#[derive(Debug)]
pub(crate) struct Texts {
    overrides: HashMap<String, String>,
    formats: Formats,
}

impl Texts {
    /// `locale` is a BCP 47 tag, or none for the page's own; `overrides` are the merchant's `messages`.
    pub(crate) fn new(locale: Option<&str>, overrides: HashMap<String, String>) -> Self {
        Self { overrides, formats: Formats::new(locale) }
    }

    /// The text with its placeholders filled.
    pub(crate) fn text(&self, message: &Message) -> String {
        let template = self.overrides.get(message.key()).map_or(message.english(), String::as_str);
        fill(template, &message.arguments())
    }

    /// An amount as the locale writes it, such as €25.00.
    pub(crate) fn money(&self, amount: Amount) -> String {
        self.formats.money(amount)
    }

    /// A whole number as the locale writes it.
    pub(crate) fn number(&self, number: usize) -> String {
        self.formats.number(number)
    }

    /// A wait of so many seconds, such as 4 seconds or 5 minutes.
    pub(crate) fn duration(&self, seconds: u64) -> String {
        self.formats.duration(seconds)
    }

    /// What the locale writes between units and decimals.
    pub(crate) fn decimal_separator(&self) -> char {
        self.formats.decimal_separator()
    }
}

/// One pass over the template, so that a filled-in value is never read as a placeholder. What is not known stays as it
/// stands.
fn fill(template: &str, arguments: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let argument = after.split_once('}').and_then(|(name, after)| {
            let (_, value) = arguments.iter().find(|(known, _)| *known == name)?;
            Some((value, after))
        });
        if let Some((value, after)) = argument {
            filled.push_str(value);
            rest = after;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

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
            assert_eq!(fill(template, &[("a", "{b}"), ("b", "2")]), filled, "{template}");
        }
    }
}
