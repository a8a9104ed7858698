//! What is wrong with a field, or with the whole: meanings into words, and the words at their place.

use crate::i18n::{Message, Texts};
use mozarto::{Amount, AmountError, PinError, VoucherPin};
use redemption::{AmountView, Field, FieldError, FormError, FormView};
use yew::{Html, html};

/// The words under a field. The place is there before the error is, so that the field can name it as its description.
pub(super) fn field_error(id: &'static str, error: Option<String>) -> Html {
    html! { <p part="error" id={id} class="error">{ error.unwrap_or_default() }</p> }
}

/// What is wrong, in words.
pub(super) fn words(error: &FieldError, field: Field, form: &FormView, texts: &Texts) -> String {
    let money = |amount: &Amount| texts.money(*amount);
    let message = match error {
        FieldError::Pin(PinError::Empty) => Message::PinEmpty,
        FieldError::Pin(PinError::Length { digits }) => {
            let (length, entered) = (texts.number(VoucherPin::LENGTH), texts.number(*digits));
            let one = Message::PinLengthOne { length: length.clone(), entered: entered.clone() };
            return texts.counted(&one, &Message::PinLength { length, entered }, *digits);
        }
        FieldError::Pin(PinError::NotDigits) => Message::PinNotDigits,
        FieldError::Amount(AmountError::Empty) => Message::AmountEmpty,
        FieldError::Amount(AmountError::NotANumber) => Message::AmountNotNumber { example: example(form, texts) },
        FieldError::Amount(AmountError::NotPositive) => Message::AmountNotPositive,
        FieldError::Amount(AmountError::TooManyDecimals { .. }) => {
            Message::AmountDecimals { example: example(form, texts) }
        }
        FieldError::Amount(AmountError::TooLarge) => Message::AmountTooLarge,
        FieldError::AmountNotChosen => Message::AmountNotChosen,
        FieldError::EmailMissing => Message::EmailMissing,
        FieldError::EmailInvalid => Message::EmailInvalid,
        FieldError::InvalidPin => Message::PinInvalid,
        FieldError::AlreadyRedeemed { reference } => Message::PinUsed { reference: reference.clone() },
        FieldError::MismatchedAmount(amount) if field == Field::Amount => {
            Message::AmountMismatched { amount: money(amount) }
        }
        FieldError::MismatchedAmount(amount) => Message::PinAmount { amount: money(amount) },
        FieldError::MismatchedCurrency(currency) => Message::PinCurrency { currency: currency.code().to_owned() },
        FieldError::VoucherRejected => Message::PinRejected,
        FieldError::HeldBack { last_four } => Message::PinHeldBack { digits: last_four.clone() },
        FieldError::InUse { own: true } => Message::PinInUse,
        FieldError::InUse { own: false } => Message::PinInUseElsewhere,
        FieldError::OtherPin { last_four } => Message::PinOther { digits: last_four.clone() },
        FieldError::Refused => Message::Refused,
        FieldError::Merchant(words) => return words.clone(),
    };
    texts.text(&message)
}

/// What is wrong with each field, in words, in the order on screen.
pub(super) fn all(form: &FormView, texts: &Texts) -> Vec<(Field, String)> {
    let amount = match &form.amount {
        AmountView::Fixed(_) => None,
        AmountView::Choice { error, .. } | AmountView::Typed { error, .. } => error.as_ref(),
    };
    let email = form.email.as_ref().and_then(|email| email.error.as_ref());
    [(Field::Pin, form.pin_error.as_ref()), (Field::Amount, amount), (Field::Email, email)]
        .into_iter()
        .filter_map(|(field, error)| Some((field, words(error?, field, form, texts))))
        .collect()
}

/// What is wrong with no field in particular, in words.
pub(super) fn form_words(error: &FormError, texts: &Texts) -> String {
    texts.text(&match error {
        FormError::ProviderRejected => Message::ProviderRejected,
        FormError::NotStarted => Message::NotStarted,
        FormError::Untouched => Message::Untouched,
        FormError::Ended => Message::Ended,
        FormError::OfEarlier { last_four } => Message::OfEarlier { digits: last_four.clone() },
    })
}

/// 25 of the form's currency, as the customer may type it.
fn example(form: &FormView, texts: &Texts) -> String {
    let AmountView::Typed { currency, .. } = form.amount else { return String::new() };
    let amount = Amount::from_minor(25 * currency.minor_per_major(), currency);
    amount.map(|amount| texts.plain(amount)).unwrap_or_default()
}
