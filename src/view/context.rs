//! What every view has at hand: the words, and the way back to the machine.

use crate::i18n::{Message, Texts};
use redemption::{Event, Field};
use std::rc::Rc;
use yew::{AttrValue, Callback};

/// The words and the way back. Cheap to clone; equal when it is the same.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) texts: Rc<Texts>,
    pub(crate) dispatch: Callback<Event>,
    /// Hides the digits of the PIN field, or shows them.
    pub(crate) conceal_pin: Callback<bool>,
    /// Prints what is on screen.
    pub(crate) print: Callback<()>,
    /// Moves the focus to a field.
    pub(crate) focus: Callback<Field>,
}

impl Context {
    /// A text in the customer's language.
    pub(super) fn text(&self, message: &Message) -> AttrValue {
        self.texts.text(message).into()
    }

    /// A callback that says that this happened.
    pub(super) fn says(&self, event: Event) -> Callback<()> {
        self.dispatch.reform(move |()| event.clone())
    }
}

impl PartialEq for Context {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.texts, &other.texts)
            && self.dispatch == other.dispatch
            && self.conceal_pin == other.conceal_pin
            && self.print == other.print
            && self.focus == other.focus
    }
}
