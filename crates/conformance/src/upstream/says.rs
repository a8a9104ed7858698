//! What the kit's Mozarto says to one try, and which PIN of the sandbox makes it say the same.
//!
//! Source of the bodies: Mozarto's pages "Flexepin" (2026-06-09) and "Errors" (2026-05-05).

use mozarto::Amount;
use serde_json::{Value, json};

/// One answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// Row 1.
    Redeemed,
    /// Row 1, when the check lets it.
    Held,
    /// Row 2.
    Pending,
    /// Row 4, `4075`.
    InvalidPin,
    /// Row 4, used before.
    AlreadyRedeemed,
    /// Row 5.
    Credentials,
    /// Row 11.
    PspTimeout,
    /// Row 13, with `Retry-After: 7`.
    RateLimited,
    /// Row 14.
    ServerError,
    /// Status and body as they stand.
    Text(u16, &'static str),
    /// A rejection that says the PIN, plain and in groups.
    Echo,
    /// A success of more than 256 KB.
    Huge,
    /// 307 to another place of the kit's Mozarto.
    Elsewhere,
    /// The connection closes without a byte.
    Cut,
    /// The connection closes in the middle of a success.
    CutWithin,
    /// Nothing, until the proxy leaves.
    Silence,
}

/// The words of [`Says::RateLimited`].
pub(crate) const RETRY_AFTER: &str = "7";

impl Says {
    /// Status and body, for those that have one.
    pub(crate) fn text(self, pin: &str, amount: Amount) -> (u16, String) {
        let error = |message: &str, more: Value| {
            let mut body = json!({ "status": "error", "isSuccess": false, "message": message });
            body.as_object_mut().zip(more.as_object()).into_iter().for_each(|(body, more)| body.extend(more.clone()));
            body.to_string()
        };
        let coded = |code: &str| {
            let more = json!({ "errorCode": code, "transactionId": transaction(pin), "errors": [] });
            (400, error("The kit says so", more))
        };
        match self {
            Self::Redeemed | Self::Held | Self::CutWithin => (200, redeemed(pin, amount, "")),
            Self::Huge => (200, redeemed(pin, amount, &"x".repeat(300 * 1024))),
            Self::Elsewhere => (307, redeemed(pin, amount, "")),
            Self::Pending => {
                let data = json!({ "status": "PENDING", "transactionId": transaction(pin) });
                (200, json!({ "isSuccess": true, "data": data }).to_string())
            }
            Self::InvalidPin => {
                let data = json!({ "result": "4075", "result_description": "Invalid voucher PIN" });
                (400, error("Invalid voucher PIN", json!({ "data": data })))
            }
            Self::AlreadyRedeemed => (400, error("Voucher already redeemed", json!({}))),
            Self::Credentials => coded("INVALID_PSP_CREDENTIALS"),
            Self::PspTimeout => coded("PSP_TIMEOUT"),
            Self::RateLimited => coded("PSP_RATE_LIMITED"),
            Self::ServerError => (500, error("Internal server error", json!({ "data": "Something went wrong" }))),
            Self::Text(status, body) => (status, body.to_owned()),
            Self::Echo => {
                let data = json!({ "result": "4075", "result_description": grouped(pin, "-") });
                let more = json!({ "data": data, "errors": [grouped(pin, " ")] });
                (400, error(&format!("Voucher {pin} is not known"), more))
            }
            Self::Cut | Self::Silence => (500, String::new()),
        }
    }
}

/// The id of a voucher's transaction: other letters than the PIN's digits, so that it may stand in any answer.
fn transaction(pin: &str) -> String {
    pin.bytes().rev().map(|digit| char::from(b'a' + digit % 10)).collect()
}

/// The page's success. Written by hand: the decimals and the spaces must come back as they are.
fn redeemed(pin: &str, amount: Amount, filler: &str) -> String {
    let (value, currency, id) = (amount.decimal(), amount.currency(), transaction(pin));
    let words = format!(r#""result":"0","result_description":"Voucher redeemed successfully{filler}","status":"USED""#);
    let money = format!(r#""currency":"{currency}","value":{value},"serial":"FP-9876543210","transactionId":"{id}""#);
    let data = format!(r#"{{{words},{money},"merchantReference":"","amount":{value}}}"#);
    format!(r#"{{ "status": "success","message":"Successfully", "isSuccess" : true,"data":{data}}}"#)
}

/// The PIN in groups of four.
fn grouped(pin: &str, separator: &str) -> String {
    (0..16).step_by(4).map(|at| &pin[at..at + 4]).collect::<Vec<_>>().join(separator)
}

/// The scripted PIN of the sandbox that plays these answers, without its last eight digits.
pub(crate) fn sandbox_prefix(script: &[Says]) -> Option<&'static str> {
    use Says::{
        AlreadyRedeemed, Credentials, Cut, Echo, InvalidPin, Pending, PspTimeout, RateLimited, Redeemed, ServerError,
        Text,
    };
    Some(match script {
        [Redeemed] => "99000000",
        [InvalidPin] => "99004075",
        [AlreadyRedeemed] => "99000410",
        [Credentials] => "99000403",
        [PspTimeout] | [PspTimeout, Redeemed] => "99000408",
        [PspTimeout, AlreadyRedeemed] => "99001408",
        [RateLimited] | [RateLimited, Redeemed] => "99000429",
        [ServerError] | [ServerError, Redeemed] => "99000500",
        [ServerError, AlreadyRedeemed] => "99001500",
        [Cut] | [Cut, Redeemed] => "99000444",
        [Cut, AlreadyRedeemed] => "99001444",
        [Pending] => "99000202",
        [Echo] => "99000777",
        [Text(502, HTML)] => "99000502",
        [Text(200, "OK")] => "99000201",
        _ => return None,
    })
}

/// What a gateway in front of Mozarto may answer.
pub(crate) const HTML: &str = "<!doctype html><title>502</title><h1>Bad gateway</h1>";

#[cfg(test)]
mod tests {
    use super::*;
    use mozarto::{Answer, VoucherPin, redact_pin};
    use std::borrow::Cow;

    const PIN: &str = "7700123456789012";

    fn meaning(says: Says) -> String {
        let (status, body) = says.text(PIN, Amount::parse("25", "EUR".parse().expect("a code")).expect("an amount"));
        Answer { status, retry_after: None, reply: serde_json::from_str(&body).ok() }.meaning().signal.to_string()
    }

    #[test]
    fn each_answer_means_what_its_name_says() {
        for (says, means) in [
            (Says::Redeemed, "redeemed"),
            (Says::Held, "redeemed"),
            (Says::Huge, "redeemed"),
            (Says::Elsewhere, "no-answer"),
            (Says::Pending, "pending"),
            (Says::InvalidPin, "rejected: invalid-pin"),
            (Says::AlreadyRedeemed, "rejected: already-redeemed"),
            (Says::Credentials, "invalid-psp-credentials"),
            (Says::PspTimeout, "psp-timeout"),
            (Says::RateLimited, "rate-limited"),
            (Says::ServerError, "server-error"),
            (Says::Echo, "rejected: invalid-pin"),
            (Says::Text(502, HTML), "no-answer"),
        ] {
            assert_eq!(meaning(says), means, "{says:?}");
        }
    }

    #[test]
    fn only_the_echo_says_the_pin() {
        let pin = VoucherPin::from_wire(PIN).expect("16 digits");
        let amount = Amount::parse("25", "EUR".parse().expect("a code")).expect("an amount");
        for (says, holds) in [(Says::Echo, true), (Says::Redeemed, false), (Says::Credentials, false)] {
            let (_, body) = says.text(PIN, amount);
            assert_eq!(matches!(redact_pin(&body, &pin), Cow::Owned(_)), holds, "{says:?}");
        }
    }
}
