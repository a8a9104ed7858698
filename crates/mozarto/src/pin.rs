//! The voucher's PIN: 16 digits that are money. Reads it out of whatever a customer typed or pasted, and keeps it from
//! being printed, compared in the open or left in memory.

use std::borrow::Cow;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A Flexepin voucher's PIN: 16 ASCII digits. Erased from memory when dropped; prints as `[PIN]`.
///
/// ```
/// use mozarto::{PinError, VoucherPin};
/// let pin = VoucherPin::parse("PIN: 1234-5678-9012-3456")?;
/// assert_eq!(format!("{pin:?}"), "[PIN]");
/// assert_eq!(pin.last_four(), "3456");
/// assert_eq!(VoucherPin::parse("1234").unwrap_err(), PinError::Length { digits: 4 });
/// # Ok::<(), PinError>(())
/// ```
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct VoucherPin([u8; VoucherPin::LENGTH]);

/// Why a text holds no PIN. Says how many digits there are, never which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinError {
    /// No digit and no letter.
    Empty,
    /// Digits, but not 16 of them.
    Length {
        /// How many there are.
        digits: usize,
    },
    /// Letters or symbols stand among the digits or instead of them.
    NotDigits,
}

impl VoucherPin {
    /// How many digits a PIN has.
    pub const LENGTH: usize = 16;

    /// Reads the PIN out of a receipt's text: digits of any script, alone or between other words, in groups of four or
    /// not. Where the text does not single one PIN out, all its digits must be the PIN.
    pub fn parse(text: &str) -> Result<Self, PinError> {
        if let Some(pin) = Self::find(text) {
            return Ok(pin);
        }
        let text = Zeroizing::new(ascii_digits(text).into_owned());
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let first = text.find(|c: char| c.is_ascii_digit());
        let last = text.rfind(|c: char| c.is_ascii_digit());
        let (Some(first), Some(last)) = (first, last) else {
            let nothing = text.chars().all(is_separator);
            return Err(if nothing { PinError::Empty } else { PinError::NotDigits });
        };
        if text[first..=last].chars().any(|c| !c.is_ascii_digit() && !is_separator(c)) {
            return Err(PinError::NotDigits);
        }
        Self::from_digits(text.bytes().filter(u8::is_ascii_digit)).ok_or(PinError::Length { digits })
    }

    /// The one PIN that a text singles out: a number of 16 digits, or four groups of four, with no other digits beside
    /// it on its line; none where there is no such place or more than one. A 17th digit is a slip, and never makes a
    /// PIN of the other 16.
    pub fn find(text: &str) -> Option<Self> {
        let text = Zeroizing::new(ascii_digits(text).into_owned());
        let groups = digit_groups(&text);
        let joined = |first: usize| {
            let (Some(group), Some(next)) = (groups.get(first), groups.get(first + 1)) else { return false };
            text[group.1..next.0].chars().all(|c| is_separator(c) && !matches!(c, '\n' | '\r'))
        };
        let place = |first: usize, count: usize| {
            let found = groups.get(first..first + count)?;
            let inside = (first..first + count - 1).all(joined);
            let alone = !joined(first + count - 1) && !first.checked_sub(1).is_some_and(joined);
            let length = |group: &(usize, usize)| group.1 - group.0 == Self::LENGTH / count;
            (inside && alone && found.iter().all(length)).then_some(found[0].0..found[count - 1].1)
        };
        let mut places = (0..groups.len()).filter_map(|first| place(first, 1).or_else(|| place(first, 4)));
        let (place, None) = (places.next()?, places.next()) else { return None };
        Self::from_digits(text[place].bytes().filter(u8::is_ascii_digit))
    }

    /// Reads the wire's form, `^[0-9]{16}$`, and nothing else.
    pub fn from_wire(text: &str) -> Option<Self> {
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| Self::from_digits(text.bytes())).flatten()
    }

    /// The 16 digits in the clear. The one way to them: for the body of a POST, the customer's own field, and a keyed
    /// hash.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The last four digits, which may be shown and stored to tell vouchers apart.
    pub fn last_four(&self) -> &str {
        &self.expose()[Self::LENGTH - 4..]
    }

    fn from_digits(mut digits: impl Iterator<Item = u8>) -> Option<Self> {
        let mut pin = Self([b'0'; Self::LENGTH]);
        for place in &mut pin.0 {
            *place = digits.next()?;
        }
        digits.next().is_none().then_some(pin)
    }
}

impl fmt::Debug for VoucherPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[PIN]")
    }
}

/// Every run of ASCII digits, as byte ranges.
fn digit_groups(text: &str) -> Vec<(usize, usize)> {
    let mut groups: Vec<(usize, usize)> = Vec::new();
    for (at, _) in text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        match groups.last_mut() {
            Some(group) if group.1 == at => group.1 = at + 1,
            _ => groups.push((at, at + 1)),
        }
    }
    groups
}

/// What people and printers put between the digits of a code, and what keyboards add without being seen.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '.' | '_' | '/' | '·' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

/// The text with decimal digits of other scripts (full-width, Arabic-Indic, Devanagari and others) as ASCII digits.
pub fn ascii_digits(text: &str) -> Cow<'_, str> {
    /// Zero of each script whose digits keyboards and receipts produce; nine more follow each.
    const ZEROS: [u32; 17] = [
        0x660, 0x6F0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0, 0xF20, 0x1040,
        0x17E0, 0xFF10,
    ];
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let fold = |c: char| {
        let value = ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(*zero).filter(|value| *value < 10));
        value.and_then(|value| char::from_digit(value, 10)).unwrap_or(c)
    };
    Cow::Owned(text.chars().map(fold).collect())
}

/// The text with every occurrence of this PIN, with or without separators, as `[PIN]`.
///
/// Works on text: in JSON apply it to each string, where escapes are already read.
pub fn redact_pin<'t>(text: &'t str, pin: &VoucherPin) -> Cow<'t, str> {
    let folded = Zeroizing::new(ascii_digits(text).into_owned());
    let chars: Vec<char> = folded.chars().collect();
    let ends = |from: usize| {
        let mut digits = pin.expose().chars().peekable();
        for (at, c) in chars.iter().enumerate().skip(from) {
            if digits.next_if_eq(c).is_none() && (at == from || !is_separator(*c)) {
                return None;
            }
            if digits.peek().is_none() {
                return Some(at + 1);
            }
        }
        None
    };
    let mut redacted = String::new();
    let (mut at, mut found) = (0, false);
    let original: Vec<char> = text.chars().collect();
    while at < chars.len() {
        if let Some(end) = ends(at) {
            redacted.push_str("[PIN]");
            (at, found) = (end, true);
        } else {
            redacted.push(original[at]);
            at += 1;
        }
    }
    if found { Cow::Owned(redacted) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PIN: &str = "1234567890123456";

    #[test]
    fn a_pin_is_read_out_of_any_receipt_text() {
        for text in [
            PIN,
            "1234 5678 9012 3456",
            " 1234-5678-9012-3456 ",
            "1234\u{a0}5678\u{a0}9012\u{a0}3456",
            "1234 567890 12 3456",
            "PIN: 1234-5678-9012-3456",
            "Your PIN 1234567890123456 expires 2027-01-31",
            "FLEXEPIN EUR 25.00\nPIN 1234 5678 9012 3456\nSerial 9876543210\n21/11/2026 10:32",
            "１２３４５６７８９０１２３４５６",
            "١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦",
            "۱۲۳۴ ۵۶۷۸ ۹۰۱۲ ۳۴۵۶",
            "\u{202d}1234567890123456\u{202c}",
            "1234–5678–9012–3456",
            "🎟 1234567890123456",
        ] {
            let pin = VoucherPin::parse(text);
            assert_eq!(pin.as_ref().map(VoucherPin::expose), Ok(PIN), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_pin_says_why() {
        for (text, error) in [
            ("", PinError::Empty),
            (" \u{200b} - ", PinError::Empty),
            ("123456789012345", PinError::Length { digits: 15 }),
            ("12345678901234567", PinError::Length { digits: 17 }),
            ("1234 5678 9012 3456 7", PinError::Length { digits: 17 }),
            ("0 1234 5678 9012 3456", PinError::Length { digits: 17 }),
            ("PIN 1234567890123456 7", PinError::Length { digits: 17 }),
            ("PIN: 1234-5678-9012-3456 25.00 EUR", PinError::Length { digits: 20 }),
            ("2026 1234 5678 9012 3456", PinError::Length { digits: 20 }),
            ("abcd", PinError::NotDigits),
            ("🎟", PinError::NotDigits),
            ("1234567890l23456", PinError::NotDigits),
            ("1234567890123456 or 6543210987654321", PinError::NotDigits),
        ] {
            assert_eq!(VoucherPin::parse(text).map(|_| ()), Err(error), "{text:?}");
        }
    }

    #[test]
    fn the_wire_has_sixteen_ascii_digits_and_nothing_else() {
        assert!(VoucherPin::from_wire(PIN).is_some());
        for text in [
            "",
            "123456789012345",
            "12345678901234567",
            "1234 5678 9012 3456",
            "123456789012345a",
            "１２３４５６７８９０１２３４５６",
            "-234567890123456",
        ] {
            assert!(VoucherPin::from_wire(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn a_pin_never_prints() {
        let pin = VoucherPin::from_wire(PIN).expect("16 digits");
        assert_eq!(format!("{pin:?} {:?}", Some(&pin)), "[PIN] Some([PIN])");
    }

    #[test]
    fn an_echoed_pin_is_redacted_with_or_without_separators() {
        let pin = VoucherPin::from_wire(PIN).expect("16 digits");
        for (text, redacted) in [
            ("voucher 1234567890123456 used", "voucher [PIN] used"),
            ("1234-5678-9012-3456", "[PIN]"),
            ("1234 5678\u{a0}9012 3456, 1234567890123456", "[PIN], [PIN]"),
            ("１２３４５６７８９０１２３４５６", "[PIN]"),
            ("001234567890123456", "00[PIN]"),
            ("12341234567890123456", "1234[PIN]"),
            ("1234567890123457", "1234567890123457"),
            ("", ""),
        ] {
            assert_eq!(redact_pin(text, &pin), redacted, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_found_is_a_pin(text in any::<String>()) {
            if let Ok(pin) = VoucherPin::parse(&text) {
                prop_assert!(VoucherPin::from_wire(pin.expose()).is_some());
            }
        }

        #[test]
        fn more_digits_on_the_line_are_never_cut_off(more in "[0-9]{1,20}", separator in "[ -]?", before: bool) {
            let text = if before { format!("{more}{separator}{PIN}") } else { format!("{PIN}{separator}{more}") };
            prop_assert!(VoucherPin::parse(&text).is_err());
            let grouped = text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ");
            prop_assert!(VoucherPin::parse(&grouped).is_err());
        }

        #[test]
        fn separators_anywhere_do_not_matter(at in prop::collection::vec(0..16_usize, 0..6), separator in prop::sample::select(vec![" ", "-", "\u{a0}", " - ", "\n"])) {
            let text: String = PIN.char_indices().map(|(i, c)| if i > 0 && at.contains(&i) { format!("{separator}{c}") } else { c.to_string() }).collect();
            let pin = VoucherPin::parse(&text);
            prop_assert_eq!(pin.as_ref().map(VoucherPin::expose), Ok(PIN));
        }

        #[test]
        fn a_redacted_text_holds_no_pin(text in "[0-9 -]{0,40}", before in "[a-z0-9 ]{0,8}") {
            let pin = VoucherPin::from_wire(PIN).expect("16 digits");
            let redacted = redact_pin(&format!("{before}{PIN}{text}"), &pin).into_owned();
            prop_assert!(!redacted.contains(PIN));
        }
    }
}
