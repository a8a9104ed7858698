#![doc = include_str!("../README.md")]

mod attempt;
mod effect;
mod event;
mod form;
mod machine;
mod options;
mod outcome;
mod view;

pub use attempt::{Attempt, AttemptKey};
pub use effect::{BeforeSubmit, Effect, Focus, Notice, Request, Timer, TimerKind};
pub use event::{Event, Permission};
pub use form::{Field, FieldError, FormError, PinText};
pub use machine::Machine;
pub use options::{AmountOption, Options, Secret};
pub use outcome::{Code, Discrepancy, Next, Outcome, OutcomeKind, Redemption};
pub use view::{AmountView, EmailView, FormView, PhaseName, Screen, Summary, View};
