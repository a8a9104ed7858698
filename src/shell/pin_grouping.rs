//! How the PIN field shows what was typed: groups of four. Pure, so that the caret can be tested without a browser.

use mozarto::{VoucherPin, ascii_digits};
use zeroize::Zeroizing;

/// What the field shows after an edit.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Grouped {
    pub(super) text: Zeroizing<String>,
    /// In UTF-16 units, as the DOM counts.
    pub(super) caret: usize,
}

/// Digits become groups of four with the caret behind the same digit, and on its side of the space; a receipt's text with
/// one PIN in it becomes that PIN; anything else stays as it was typed, for its writer to put right.
pub(super) fn group(text: &str, caret: usize) -> Grouped {
    let folded = Zeroizing::new(ascii_digits(text).into_owned());
    if folded.chars().all(|c| c.is_ascii_digit() || is_loose(c)) {
        let prefix = utf16_prefix(&folded, caret);
        let before = prefix.chars().filter(char::is_ascii_digit).count();
        let text = in_fours(&folded);
        let caret = before + before.saturating_sub(1) / 4;
        let is_beyond = prefix.ends_with(is_loose) && text[caret..].starts_with(' ');
        return Grouped { text, caret: caret + usize::from(is_beyond) };
    }
    match VoucherPin::find(&folded) {
        Some(pin) => {
            let text = in_fours(pin.expose());
            Grouped { caret: text.len(), text }
        }
        None => Grouped { text: Zeroizing::new(text.to_owned()), caret },
    }
}

/// The digit that a deletion is meant for whose next character is the space between two groups: its place, in UTF-16 units.
/// In a text that is not grouped a space is its writer's own.
pub(super) fn digit_beyond_space(text: &str, caret: usize, forward: bool) -> Option<usize> {
    let (space, digit) = if forward { (caret, caret + 1) } else { (caret.checked_sub(1)?, caret.checked_sub(2)?) };
    // One byte is one unit there.
    let is_grouped = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ');
    let at = |index: usize| text.as_bytes().get(index);
    (is_grouped && *at(space)? == b' ' && at(digit)?.is_ascii_digit()).then_some(digit)
}

/// What disappears when digits are grouped: white space, hyphens, and what nobody sees. Other separators stay visible
/// until there is a whole PIN.
fn is_loose(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

fn in_fours(text: &str) -> Zeroizing<String> {
    let digits = text.chars().filter(char::is_ascii_digit);
    let mut grouped = Zeroizing::new(String::with_capacity(text.len() + text.len() / 4));
    for (index, digit) in digits.enumerate() {
        if index > 0 && index % 4 == 0 {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

fn utf16_prefix(text: &str, units: usize) -> &str {
    let mut seen = 0;
    let end = text.char_indices().find(|(_, c)| {
        seen += c.len_utf16();
        seen > units
    });
    &text[..end.map_or(text.len(), |(index, _)| index)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `|` is the caret.
    fn shown(marked: &str) -> String {
        let caret = marked.find('|').map_or(0, |at| marked[..at].encode_utf16().count());
        let Grouped { text, caret } = group(&marked.replace('|', ""), caret);
        let at = utf16_prefix(&text, caret).len();
        format!("{}|{}", &text[..at], &text[at..])
    }

    #[test]
    fn digits_are_grouped_and_the_caret_stays_behind_its_digit() {
        for (typed, expected) in [
            ("|", "|"),
            ("1|", "1|"),
            ("1234|", "1234|"),
            ("12345|", "1234 5|"),
            ("1234 56789|", "1234 5678 9|"),
            ("1234 9|5678", "1234 9|567 8"),
            ("12|4 5678", "12|45 678"),
            ("|1234 5678", "|1234 5678"),
            ("1234|5678", "1234| 5678"),
            ("1234 |678 9", "1234 |6789"),
            ("1234 | 5678", "1234 |5678"),
            ("1234 |", "1234|"),
            (" |1234", "|1234"),
            ("1234-5678-9012-3456|", "1234 5678 9012 3456|"),
            ("12345678901234567|", "1234 5678 9012 3456 7|"),
            ("１２３４５|", "1234 5|"),
            ("１２３４－５|", "1234 5|"),
            ("1234\u{2060}5\u{2069}|", "1234 5|"),
            ("١٢٣٤٥|", "1234 5|"),
        ] {
            assert_eq!(shown(typed), expected, "{typed}");
        }
    }

    #[test]
    fn a_receipt_becomes_its_pin_and_other_text_stays() {
        for (typed, expected) in [
            ("PIN: 1234-5678-9012-3456 EUR 25|", "1234 5678 9012 3456|"),
            ("1234a|", "1234a|"),
            ("abc|def", "abc|def"),
            ("🎟|1", "🎟|1"),
            ("1234567890l2345|6", "1234567890l2345|6"),
        ] {
            assert_eq!(shown(typed), expected, "{typed}");
        }
    }

    #[test]
    fn ten_thousand_digits_are_kept() {
        let text = "1".repeat(10_000);
        assert_eq!(group(&text, 10_000).text.chars().filter(char::is_ascii_digit).count(), 10_000);
    }

    #[test]
    fn a_deletion_over_a_space_takes_the_digit() {
        for (text, caret, forward, expected) in [
            ("1234 5", 5, false, Some(3)),
            ("1234 5", 4, true, Some(5)),
            ("1234 5", 6, false, None),
            ("1234 5", 2, true, None),
            (" 5", 1, false, None),
            ("ab 5", 3, false, None),
            ("1234 a", 5, false, None),
            ("a 5", 1, true, None),
            ("", 0, false, None),
            ("", 0, true, None),
        ] {
            assert_eq!(digit_beyond_space(text, caret, forward), expected, "{text} {caret} {forward}");
        }
    }
}
