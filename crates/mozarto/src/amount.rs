//! Money as an integer of minor units with its currency. A float exists only where JSON has a number.

use crate::Currency;
use std::fmt;

/// The largest amount in minor units. Far above any voucher, and every amount up to it is exact as a JSON number.
const MAX_MINOR: u64 = 1_000_000_000_000;

/// A positive amount of money: 1 to 10^12 minor units of a currency.
///
/// ```
/// let eur = "EUR".parse()?;
/// let amount = mozarto::Amount::parse("25", eur)?;
/// assert_eq!(amount.minor(), 2500);
/// assert_eq!(amount, mozarto::Amount::parse("25.00", eur)?);
/// assert_eq!(amount.decimal(), "25.00");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    minor: u64,
    currency: Currency,
}

impl Amount {
    /// `minor` units of `currency`, or why that is no amount to pay.
    pub fn from_minor(minor: u64, currency: Currency) -> Result<Self, AmountError> {
        match minor {
            0 => Err(AmountError::NotPositive),
            1..=MAX_MINOR => Ok(Self { minor, currency }),
            _ => Err(AmountError::TooLarge),
        }
    }

    /// Reads `25`, `25.5` or `25.00`: ASCII digits with `.`; no sign, exponent, grouping or white space.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, AmountError> {
        if text.is_empty() {
            return Err(AmountError::Empty);
        }
        let (major, fraction) = text.split_once('.').map_or((text, None), |(major, fraction)| (major, Some(fraction)));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if major.strip_prefix('-').is_some_and(is_number) {
            return Err(AmountError::NotPositive);
        }
        if !is_number(major) || !fraction.is_none_or(is_number) {
            return Err(AmountError::NotANumber);
        }
        let (decimals, fraction) = (usize::from(currency.decimals()), fraction.unwrap_or_default());
        // Zeros too: "1.000" is a thousand to many people, and not one.
        if fraction.len() > decimals {
            return Err(AmountError::TooManyDecimals { allowed: currency.decimals() });
        }
        let digits = format!("{major}{fraction:0<decimals$}");
        let minor = digits.trim_start_matches('0');
        Self::from_minor(if minor.is_empty() { 0 } else { minor.parse().unwrap_or(u64::MAX) }, currency)
    }

    /// Reads a JSON number, which must be a whole number of minor units.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the range is checked before the cast"
    )]
    pub fn from_json_number(number: f64, currency: Currency) -> Result<Self, AmountError> {
        let minor = number * currency.minor_per_major() as f64;
        if !minor.is_finite() {
            return Err(AmountError::NotANumber);
        }
        if minor < 0.5 {
            return Err(AmountError::NotPositive);
        }
        if minor > MAX_MINOR as f64 {
            return Err(AmountError::TooLarge);
        }
        // 19.99 * 100 is 1998.9999999999998: the nearest integer is meant, unless it is far off. Below 10^12 the error
        // of one multiplication is under 10^-3.
        if (minor - minor.round()).abs() > 1e-3 {
            return Err(AmountError::TooManyDecimals { allowed: currency.decimals() });
        }
        Self::from_minor(minor.round() as u64, currency)
    }

    /// The JSON number of `baseamount`, in major units.
    #[expect(clippy::cast_precision_loss, reason = "at most 10^12, exact in a double")]
    pub fn json_number(self) -> f64 {
        self.minor as f64 / self.currency.minor_per_major() as f64
    }

    /// The amount in minor units, such as cents.
    pub fn minor(self) -> u64 {
        self.minor
    }

    /// Its currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// The amount in major units with all of its currency's decimals: `25.00`, `2500`, `25.000`.
    pub fn decimal(self) -> String {
        let decimals = usize::from(self.currency.decimals());
        let digits = format!("{:0>width$}", self.minor, width = decimals + 1);
        let (major, fraction) = digits.split_at(digits.len() - decimals);
        if decimals == 0 { digits } else { format!("{major}.{fraction}") }
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

/// Why a text or number is no amount to pay. Shown to whoever wrote it, who can put it right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountError {
    /// Nothing was given.
    Empty,
    /// Not digits with an optional `.` and decimals.
    NotANumber,
    /// Zero or below.
    NotPositive,
    /// More decimals than the currency has.
    TooManyDecimals {
        /// How many the currency has.
        allowed: u8,
    },
    /// Over 10^12 minor units.
    TooLarge,
}

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is missing"),
            Self::NotANumber => f.write_str("must be a number such as 25 or 25.00"),
            Self::NotPositive => f.write_str("must be more than 0"),
            Self::TooManyDecimals { allowed } => {
                write!(f, "has too many decimals, at most {allowed} for this currency")
            }
            Self::TooLarge => f.write_str("is too large"),
        }
    }
}

impl std::error::Error for AmountError {}

#[cfg(test)]
mod tests {
    use super::*;
    use AmountError::{Empty, NotANumber, NotPositive, TooLarge, TooManyDecimals};
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        code.parse().expect("a currency of the table")
    }

    #[test]
    fn decimal_text_becomes_minor_units() {
        for (text, code, expected) in [
            ("25", "EUR", Ok(2500)),
            ("25.00", "EUR", Ok(2500)),
            ("25.5", "EUR", Ok(2550)),
            ("0.01", "EUR", Ok(1)),
            ("007", "EUR", Ok(700)),
            ("25.000", "EUR", Err(TooManyDecimals { allowed: 2 })),
            ("2500", "JPY", Ok(2500)),
            ("25.125", "KWD", Ok(25_125)),
            ("10000000000", "EUR", Ok(1_000_000_000_000)),
            ("", "EUR", Err(Empty)),
            ("0", "EUR", Err(NotPositive)),
            ("0.00", "EUR", Err(NotPositive)),
            ("-5", "EUR", Err(NotPositive)),
            ("25.001", "EUR", Err(TooManyDecimals { allowed: 2 })),
            ("2500.5", "JPY", Err(TooManyDecimals { allowed: 0 })),
            ("10000000000.01", "EUR", Err(TooLarge)),
            ("99999999999999999999", "EUR", Err(TooLarge)),
            ("1e9", "EUR", Err(NotANumber)),
            ("25,00", "EUR", Err(NotANumber)),
            ("25.", "EUR", Err(NotANumber)),
            (".5", "EUR", Err(NotANumber)),
            ("+5", "EUR", Err(NotANumber)),
            (" 5", "EUR", Err(NotANumber)),
            ("٢٥", "EUR", Err(NotANumber)),
            ("-", "EUR", Err(NotANumber)),
        ] {
            assert_eq!(Amount::parse(text, currency(code)).map(Amount::minor), expected, "{text:?} {code}");
        }
    }

    #[test]
    fn json_numbers_become_minor_units() {
        for (number, code, expected) in [
            (25.0, "EUR", Ok(2500)),
            (19.99, "EUR", Ok(1999)),
            (25.001, "EUR", Err(TooManyDecimals { allowed: 2 })),
            (0.0, "EUR", Err(NotPositive)),
            (-5.0, "EUR", Err(NotPositive)),
            (1e300, "EUR", Err(TooLarge)),
            (f64::NAN, "EUR", Err(NotANumber)),
            (f64::INFINITY, "EUR", Err(NotANumber)),
        ] {
            assert_eq!(
                Amount::from_json_number(number, currency(code)).map(Amount::minor),
                expected,
                "{number} {code}"
            );
        }
    }

    proptest! {
        #[test]
        fn an_amount_survives_its_text_and_its_json_number(minor in 1..=MAX_MINOR, code in prop::sample::select(vec!["JPY", "EUR", "KWD"])) {
            let amount = Amount::from_minor(minor, currency(code)).expect("in range");
            prop_assert_eq!(Amount::parse(&amount.decimal(), amount.currency()), Ok(amount));
            prop_assert_eq!(Amount::from_json_number(amount.json_number(), amount.currency()), Ok(amount));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = Amount::parse(&text, currency("EUR"));
        }
    }
}
