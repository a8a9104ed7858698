//! The scripted PINs: `9900`, then four digits that say what happens, then eight that are free, so that each PIN
//! is a voucher of its own. Owns the table; the ledger plays it, `README.md` shows it to people.

use mozarto::VoucherPin;

/// What every scripted PIN begins with, and no issued one.
pub(crate) const PREFIX: &str = "9900";

/// What one try does: to the voucher, and to whoever asked. A fault may change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Play {
    /// The voucher is taken by this try, whatever is answered.
    pub(crate) takes: bool,
    /// What comes back.
    pub(crate) act: Act,
}

/// What comes back for a try, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// An answer at once.
    Say(Say),
    /// An answer after [`crate::Sandbox::late_answer`].
    SayLate(Say),
    /// The connection closes without a byte.
    Cut,
    /// Nothing, until the client leaves.
    Silence,
}

/// An answer. What each looks like is in `replies.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Say {
    Redeemed,
    Pending,
    InvalidPin,
    AlreadyRedeemed,
    MismatchedAmount,
    MismatchedCurrency,
    InvalidPspCredentials,
    PspTimeout,
    PspUnavailable,
    PspRateLimited,
    UnknownPspError,
    ServerError,
    EchoedPin,
    HtmlPage,
    HalfAnAnswer,
    TooManyRequests,
    NotJson,
}

use Act::{Cut, SayLate, Silence};
use Say::{
    AlreadyRedeemed, EchoedPin, HtmlPage, InvalidPin, InvalidPspCredentials, MismatchedAmount, MismatchedCurrency,
    NotJson, Pending, PspRateLimited, PspTimeout, PspUnavailable, Redeemed, ServerError, UnknownPspError,
};

/// The redemption as it should be.
pub(crate) const REDEEM: Play = taken(Act::Say(Redeemed));

/// An answer at once that leaves the voucher as it was.
pub(crate) const fn say(answer: Say) -> Play {
    untouched(Act::Say(answer))
}

const fn untouched(act: Act) -> Play {
    Play { takes: false, act }
}

const fn taken(act: Act) -> Play {
    Play { takes: true, act }
}

/// Digits 5 to 8, and what the first, second, … try of such a PIN does; the last goes on for ever. A voucher that
/// a try has taken leaves the script: it was already redeemed.
const SCRIPT: [(&str, &[Play]); 21] = [
    ("0000", &[REDEEM]),
    ("4075", &[say(InvalidPin)]),
    ("0410", &[say(AlreadyRedeemed)]),
    ("0411", &[say(MismatchedAmount)]),
    ("0412", &[say(MismatchedCurrency)]),
    ("0403", &[say(InvalidPspCredentials)]),
    ("0408", &[say(PspTimeout), REDEEM]),
    ("1408", &[taken(Act::Say(PspTimeout))]),
    ("0429", &[say(PspRateLimited), REDEEM]),
    ("0503", &[say(PspUnavailable), say(PspUnavailable), REDEEM]),
    ("0500", &[say(ServerError), REDEEM]),
    ("1500", &[taken(Act::Say(ServerError))]),
    ("0599", &[say(UnknownPspError)]),
    ("0444", &[untouched(Cut), REDEEM]),
    ("1444", &[taken(Cut)]),
    ("0504", &[untouched(Silence)]),
    ("1504", &[taken(SayLate(Redeemed))]),
    ("0502", &[say(HtmlPage)]),
    ("0201", &[say(NotJson)]),
    ("0202", &[say(Pending)]),
    ("0777", &[say(EchoedPin)]),
];

/// What the tries of this PIN do, if it is a scripted one. Never empty.
pub(crate) fn plays(pin: &VoucherPin) -> Option<&'static [Play]> {
    let digits = pin.expose().strip_prefix(PREFIX)?;
    SCRIPT.iter().find(|(scripted, _)| digits.starts_with(scripted)).map(|(_, plays)| *plays)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_tells_every_scripted_pin_and_no_other() {
        let told: Vec<&str> = include_str!("../README.md")
            .lines()
            .filter_map(|line| line.strip_prefix("| `9900 ")?.split_once(' ').map(|(digits, _)| digits))
            .collect();
        assert_eq!(told, SCRIPT.map(|(digits, _)| digits));
    }

    #[test]
    fn only_digits_5_to_8_after_the_prefix_are_the_script() {
        for (pin, scripted) in [
            ("9900000000000000", true),
            ("9900407512345678", true),
            ("9900999900000000", false),
            ("0000990000000000", false),
            ("1234567890123456", false),
        ] {
            let pin = VoucherPin::from_wire(pin).expect("16 digits");
            assert_eq!(plays(&pin).is_some(), scripted, "…{}", pin.last_four());
        }
    }
}
