//! What a screen needs, with every rule already decided. It says meanings; the widget has the words. It never holds the
//! PIN.

use crate::{AttemptKey, FieldError, FormError, Next, Outcome};
use mozarto::{Amount, Currency};

/// The whole widget at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The form. On screen in every phase up to an outcome; locked where nothing may be changed.
    pub form: FormView,
    /// What else is on screen.
    pub screen: Screen,
    /// The open attempts besides the one in hand, the oldest first.
    pub cards: Vec<CardView>,
}

/// An open attempt above the form.
#[derive(Clone, Debug, PartialEq)]
pub struct CardView {
    /// Which.
    pub attempt: AttemptKey,
    /// Which voucher.
    pub summary: Summary,
    /// The proxy named it: its amount is not known here.
    pub named: bool,
    /// What support can find it by.
    pub reference: String,
    /// What is known of it.
    pub state: CardState,
    /// It can be finished with the same PIN.
    pub may_finish: bool,
    /// The customer may put it away.
    pub may_dismiss: bool,
}

/// What is known of an open attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum CardState {
    /// It is being asked about.
    Checking,
    /// Not known yet.
    Open(Next),
    /// It has ended meanwhile: redeemed, or untouched.
    Ended(Outcome),
}

/// The phases' names, as the embedder reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the README's table says each")]
pub enum PhaseName {
    Editing,
    Confirming,
    Preparing,
    Redeeming,
    Waiting,
    Checking,
    Redeemed,
    Unconfirmed,
    Failed,
}

impl PhaseName {
    /// The word in the interface.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Editing => "editing",
            Self::Confirming => "confirming",
            Self::Preparing => "preparing",
            Self::Redeeming => "redeeming",
            Self::Waiting => "waiting",
            Self::Checking => "checking",
            Self::Redeemed => "redeemed",
            Self::Unconfirmed => "unconfirmed",
            Self::Failed => "failed",
        }
    }
}

/// The form.
#[derive(Clone, Debug, PartialEq)]
pub struct FormView {
    /// Nothing may be changed now.
    pub locked: bool,
    /// The PIN of an open attempt is entered again: its last four digits.
    pub finishing: Option<String>,
    /// What is wrong with the PIN.
    pub pin_error: Option<FieldError>,
    /// The amount.
    pub amount: AmountView,
    /// The email field, where the customer is asked for it.
    pub email: Option<EmailView>,
    /// What is wrong with no field in particular.
    pub error: Option<FormError>,
    /// Where an answer has said what is wrong: what support can find the attempt by.
    pub reference: Option<String>,
}

/// The amount's part of the form.
#[derive(Clone, Debug, PartialEq)]
pub enum AmountView {
    /// The merchant fixed it.
    Fixed(Amount),
    /// The customer chooses.
    Choice {
        /// What there is to choose.
        amounts: Vec<Amount>,
        /// Which is chosen.
        chosen: Option<usize>,
        /// What is wrong.
        error: Option<FieldError>,
    },
    /// The customer types.
    Typed {
        /// What is typed.
        text: String,
        /// In which currency.
        currency: Currency,
        /// What is wrong.
        error: Option<FieldError>,
    },
}

/// The email field.
#[derive(Clone, Debug, PartialEq)]
pub struct EmailView {
    /// What is typed.
    pub text: String,
    /// What is wrong.
    pub error: Option<FieldError>,
}

/// Which voucher, in a form that may be shown: what for, and its last four digits.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The amount.
    pub amount: Amount,
    /// The PIN's last four digits.
    pub last_four: String,
}

/// What is on screen besides or instead of the form.
#[derive(Clone, Debug, PartialEq)]
pub enum Screen {
    /// The form's own submit button.
    Form,
    /// "It cannot be undone": confirm or go back.
    Confirm(Summary),
    /// Work in progress.
    Progress {
        /// Which voucher.
        summary: Summary,
        /// This try has not left yet, so it can be cancelled.
        cancellable: bool,
        /// A try before has left.
        again: bool,
        /// It takes longer than usual.
        slow: bool,
    },
    /// The same attempt is tried again soon.
    Waiting {
        /// Which voucher.
        summary: Summary,
        /// In how many seconds.
        seconds: u64,
        /// Whether a try before may have taken the voucher.
        in_doubt: bool,
    },
    /// The proxy is asked what became of the attempt.
    Checking {
        /// Which voucher.
        summary: Summary,
        /// What support can find it by.
        reference: String,
    },
    /// The receipt.
    Redeemed {
        /// Its kind is `Redeemed`.
        outcome: Outcome,
        /// When the attempt began, in milliseconds since 1970.
        began_at_ms: u64,
    },
    /// Not known yet.
    Unconfirmed {
        /// Which voucher.
        summary: Summary,
        /// Code, next and reference.
        outcome: Outcome,
        /// The same attempt may be tried again at once.
        may_retry: bool,
        /// It may be tried again once the PIN is entered again.
        may_finish: bool,
        /// It is being asked about.
        checking: bool,
        /// The PIN that was entered again is another voucher's.
        other_pin: bool,
        /// The server wants to be left alone for so many seconds.
        retry_in_s: Option<u64>,
    },
    /// The voucher is untouched, and the form cannot put it right.
    Failed {
        /// Which voucher.
        summary: Summary,
        /// Code, next and reference.
        outcome: Outcome,
        /// Trying the same attempt again makes sense.
        may_retry: bool,
        /// The server wants to be left alone for so many seconds.
        retry_in_s: Option<u64>,
    },
}
