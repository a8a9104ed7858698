//! The methods of a mounted cashier, for the application around it.

use crate::app::App;
use redemption::{Event, Field, PhaseName};
use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::rc::{Rc, Weak};

/// The way to one cashier from outside: make one with `use_memo` or in the component's state, and give it to
/// [`CashierProps::handle`](super::CashierProps::handle). Before `on_ready`, and when the cashier is gone, nothing
/// happens. Every method may be called inside a callback of the cashier.
#[derive(Clone, Default)]
pub struct CashierHandle(Rc<RefCell<Weak<App>>>);

/// An attempt is being sent: its outcome comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending;

impl CashierHandle {
    pub(super) fn connect(&self, app: &Rc<App>) {
        self.0.replace(Rc::downgrade(app));
    }

    fn app(&self) -> Option<Rc<App>> {
        self.0.borrow().upgrade().filter(|app| !app.is_destroyed())
    }

    /// Submits the form. Whether an attempt has begun by it.
    pub fn submit(&self) -> bool {
        self.app().is_some_and(|app| app.submit())
    }

    /// Back to an empty form. An attempt that is not known yet stays in sight.
    ///
    /// # Errors
    /// [`Sending`]: try again when there is an outcome.
    pub fn reset(&self) -> Result<(), Sending> {
        let Some(app) = self.app() else { return Ok(()) };
        if app.is_sending() {
            return Err(Sending);
        }
        app.dispatch(Event::ResetRequested);
        Ok(())
    }

    /// Moves the focus to what is on screen.
    pub fn focus(&self) {
        if let Some(app) = self.app() {
            app.focus();
        }
    }

    /// Shows the merchant's words at a field, or takes them back.
    pub fn set_field_error(&self, field: Field, message: Option<String>) {
        if let Some(app) = self.app() {
            app.dispatch(Event::FieldErrorSet(field, message));
        }
    }

    /// What the cashier is in. `None` where there is none.
    pub fn phase(&self) -> Option<PhaseName> {
        self.app().map(|app| app.phase())
    }
}

/// Equal when it is the same.
impl PartialEq for CashierHandle {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for CashierHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CashierHandle").field(&self.phase().map(PhaseName::as_str)).finish()
    }
}

impl fmt::Display for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attempt is being sent; reset when it has an outcome")
    }
}

impl Error for Sending {}
