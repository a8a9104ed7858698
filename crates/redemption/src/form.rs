//! What the customer typed and what is wrong with it. Validation says a meaning; the widget has the words.

use crate::attempt::Attempt;
use crate::{AmountOption, AttemptKey, Options};
use mozarto::{
    Amount, AmountError, Currency, PayIn, PinError, Rejection, RequestField, Signal, VoucherPin, ascii_digits,
};
use std::fmt;
use zeroize::Zeroizing;

/// A field that the customer fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The voucher's PIN.
    Pin,
    /// The amount.
    Amount,
    /// The email address.
    Email,
}

/// What is in the PIN field. Erased when dropped; never prints.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PinText(Zeroizing<String>);

impl PinText {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for PinText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[PIN]")
    }
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldError {
    /// The PIN cannot be read.
    Pin(PinError),
    /// The amount cannot be read.
    Amount(AmountError),
    /// None of the amounts is chosen.
    AmountNotChosen,
    /// No email address.
    EmailMissing,
    /// Not an email address.
    EmailInvalid,
    /// Flexepin knows no such voucher.
    InvalidPin,
    /// The voucher was used before. Support can look the reference up.
    AlreadyRedeemed {
        /// For support.
        reference: String,
    },
    /// The voucher has another value than this.
    MismatchedAmount(Amount),
    /// The voucher has another currency than this.
    MismatchedCurrency(Currency),
    /// The voucher was rejected for another reason.
    VoucherRejected,
    /// An open attempt has a voucher that ends so: nothing was sent.
    HeldBack {
        /// The last four digits of both.
        last_four: String,
    },
    /// An open attempt has this voucher, so the proxy sent nothing.
    InUse {
        /// Whether it is this customer's own, and shown.
        own: bool,
    },
    /// An attempt is to be finished with its own PIN, and this is another.
    OtherPin {
        /// The last four digits of the attempt's own.
        last_four: String,
    },
    /// The server did not accept what stands here.
    Refused,
    /// The merchant's own words.
    Merchant(String),
}

/// What is wrong with no field in particular.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormError {
    /// The provider rejected the request.
    ProviderRejected,
    /// The merchant's `beforeSubmit` said no; nothing was sent.
    NotStarted,
    /// What was not known before is known now: the voucher is untouched.
    Untouched,
    /// The attempt that the PIN was to be entered for is not open any more.
    Ended,
    /// What is wrong is about a voucher that was entered before, and is not in the field now.
    OfEarlier {
        /// The last four digits of its PIN.
        last_four: String,
    },
}

/// The form's content and errors.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    pub(crate) pin: PinText,
    pub(crate) amount_text: String,
    pub(crate) amount_index: Option<usize>,
    pub(crate) email: String,
    /// The open attempt that the PIN is entered for, again.
    pub(crate) finishing: Option<Finishing>,
    pub(crate) errors: Errors,
    /// Where an answer has said what is wrong: what support can find the attempt by.
    pub(crate) reference: Option<String>,
}

/// An open attempt whose PIN is entered again.
#[derive(Clone, Debug)]
pub(crate) struct Finishing {
    pub(crate) key: AttemptKey,
    pub(crate) last_four: String,
    /// `None` where it is not known here: then the form asks for it.
    pub(crate) amount: Option<Amount>,
}

/// What is wrong, at most one thing per field.
#[derive(Clone, Debug, Default)]
pub(crate) struct Errors {
    pub(crate) pin: Option<FieldError>,
    pub(crate) amount: Option<FieldError>,
    pub(crate) email: Option<FieldError>,
    pub(crate) form: Option<FormError>,
}

impl Errors {
    pub(crate) fn at(&mut self, field: Field) -> &mut Option<FieldError> {
        match field {
            Field::Pin => &mut self.pin,
            Field::Amount => &mut self.amount,
            Field::Email => &mut self.email,
        }
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.first().is_none() && self.form.is_none()
    }

    /// Where the form shows a rejection: at the field at fault, as far as the customer has it.
    pub(crate) fn of_signal(signal: &Signal, options: &Options, attempt: &Attempt) -> Self {
        let mut errors = Self::default();
        let amount = attempt.amount;
        match signal {
            Signal::Rejected(Rejection::InvalidPin) => errors.pin = Some(FieldError::InvalidPin),
            Signal::Rejected(Rejection::AlreadyRedeemed) => {
                errors.pin = Some(FieldError::AlreadyRedeemed { reference: attempt.reference() });
            }
            Signal::Rejected(Rejection::MismatchedAmount) => {
                let field = if options.asks_for(Field::Amount) { Field::Amount } else { Field::Pin };
                *errors.at(field) = Some(FieldError::MismatchedAmount(amount));
            }
            Signal::Rejected(Rejection::MismatchedCurrency) => {
                errors.pin = Some(FieldError::MismatchedCurrency(amount.currency()));
            }
            Signal::Rejected(Rejection::Other) => errors.pin = Some(FieldError::VoucherRejected),
            Signal::VoucherInUse(holder) => errors.pin = Some(FieldError::InUse { own: holder.is_some() }),
            Signal::AttemptClosed | Signal::SettledUntouched => errors.form = Some(FormError::Untouched),
            Signal::ProviderRejected => errors.form = Some(FormError::ProviderRejected),
            Signal::RequestInvalid(fields) => {
                for field in fields.iter().copied().filter_map(customers_field) {
                    if options.asks_for(field) {
                        *errors.at(field) = Some(FieldError::Refused);
                    }
                }
            }
            _ => {}
        }
        errors
    }

    /// The first field with an error, in the order on screen.
    pub(crate) fn first(&self) -> Option<Field> {
        [(Field::Pin, &self.pin), (Field::Amount, &self.amount), (Field::Email, &self.email)]
            .into_iter()
            .find_map(|(field, error)| error.as_ref().map(|_| field))
    }
}

impl Form {
    /// What is wrong now, in place of what was before; with the reference, where an answer has said it.
    pub(crate) fn set_errors(&mut self, errors: Errors, reference: Option<String>) {
        self.reference = reference.filter(|_| !errors.is_empty());
        self.errors = errors;
    }

    /// The request that the form asks for, or what is wrong with each field.
    pub(crate) fn read(&self, options: &Options) -> Result<PayIn, Errors> {
        let (pin, amount, email) = (self.read_pin(), self.read_amount(options), self.read_email(options));
        match (pin, amount, email) {
            (Ok(voucher_pin), Ok(amount), Ok(email)) => Ok(PayIn {
                voucher_pin,
                amount,
                user_id: options.user_id.clone(),
                email: Some(email),
                brand_id: options.brand_id.clone(),
            }),
            (pin, amount, email) => {
                Err(Errors { pin: pin.err(), amount: amount.err(), email: email.err(), form: None })
            }
        }
    }

    /// What is wrong with one field, if the customer has put anything into it.
    pub(crate) fn error_after_leaving(&self, field: Field, options: &Options) -> Option<FieldError> {
        let error = match field {
            Field::Pin => self.read_pin().err(),
            Field::Amount => self.read_amount(options).err(),
            Field::Email => self.read_email(options).err(),
        };
        let untouched = [
            FieldError::Pin(PinError::Empty),
            FieldError::Amount(AmountError::Empty),
            FieldError::AmountNotChosen,
            FieldError::EmailMissing,
        ];
        error.filter(|error| !untouched.contains(error))
    }

    /// Whether every field has as much as it needs, right or wrong.
    pub(crate) fn is_complete(&self, options: &Options) -> bool {
        let pin = !matches!(self.read_pin(), Err(FieldError::Pin(PinError::Empty | PinError::Length { digits: ..16 })));
        let amount = !matches!(
            self.read_amount(options),
            Err(FieldError::Amount(AmountError::Empty) | FieldError::AmountNotChosen)
        );
        pin && amount && self.read_email(options) != Err(FieldError::EmailMissing)
    }

    /// Whether anything was typed as a PIN.
    pub(crate) fn has_pin(&self) -> bool {
        !self.pin.0.trim().is_empty()
    }

    fn read_pin(&self) -> Result<VoucherPin, FieldError> {
        let pin = VoucherPin::parse(&self.pin.0).map_err(FieldError::Pin)?;
        match &self.finishing {
            Some(finishing) if finishing.last_four != pin.last_four() => {
                Err(FieldError::OtherPin { last_four: finishing.last_four.clone() })
            }
            _ => Ok(pin),
        }
    }

    fn read_amount(&self, options: &Options) -> Result<Amount, FieldError> {
        if let Some(amount) = self.finishing.as_ref().and_then(|finishing| finishing.amount) {
            return Ok(amount);
        }
        match &options.amount {
            AmountOption::Fixed(amount) => Ok(*amount),
            AmountOption::OneOf(amounts) => {
                self.amount_index.and_then(|index| amounts.get(index)).copied().ok_or(FieldError::AmountNotChosen)
            }
            AmountOption::Typed => {
                let text = ascii_digits(self.amount_text.trim()).replace(options.decimal_separator, ".");
                Amount::parse(&text, options.currency).map_err(FieldError::Amount)
            }
        }
    }

    fn read_email(&self, options: &Options) -> Result<String, FieldError> {
        if let Some(email) = &options.email {
            return Ok(email.clone());
        }
        match self.email.trim() {
            "" => Err(FieldError::EmailMissing),
            email if is_email(email) => Ok(email.to_owned()),
            _ => Err(FieldError::EmailInvalid),
        }
    }
}

fn customers_field(field: RequestField) -> Option<Field> {
    match field {
        RequestField::Pin => Some(Field::Pin),
        RequestField::Amount => Some(Field::Amount),
        RequestField::Email => Some(Field::Email),
        RequestField::Other => None,
    }
}

/// One `@` between a name and a domain, no white space: enough to catch a slip. Whether mail arrives there, no rule can
/// tell.
fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else { return false };
    let labels = || domain.split('.');
    text.len() <= 254
        && !name.is_empty()
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        && labels().count() >= 2
        && labels().all(|label| !label.is_empty() && !label.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_address_has_a_name_and_a_domain() {
        for good in ["player@example.com", "a.b+c@mail.example.co", "ü@bücher.example"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "a", "a@", "@b.c", "a@b", "a@b.", "a@.b", "a b@c.d", "a@b@c.d", "a@b..c"] {
            assert!(!is_email(bad), "{bad}");
        }
        assert!(!is_email(&format!("{}@example.com", "x".repeat(250))));
    }
}
