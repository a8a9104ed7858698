#![doc = include_str!("../README.md")]

mod amount;
mod currency;
mod error_code;
mod meaning;
mod pay_in;
mod pin;
mod reply;

pub use amount::{Amount, AmountError};
pub use currency::{Currency, UnknownCurrency};
pub use error_code::ErrorCode;
pub use meaning::{Answer, Meaning, Money, OpenAttempt, Receipt, Rejection, RequestField, Signal};
pub use pay_in::PayIn;
pub use pin::{PinError, VoucherPin, ascii_digits, redact_pin};
pub use reply::{Data, Reply, VoucherData};
