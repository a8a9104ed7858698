#![doc = include_str!("../README.md")]

mod attempt;
mod effect;
mod event;
mod form;
mod judge;
mod machine;
mod options;
mod outcome;
mod record;
mod view;

pub use attempt::AttemptKey;
pub use effect::{BeforeSubmit, Effect, Focus, Method, Notice, Reason, Request, StatusAsk, Timer, TimerKind};
pub use event::{Event, Keeping, Permission};
pub use form::{Field, FieldError, FormError, PinText};
pub use machine::{Machine, Open};
pub use options::{AmountOption, Options, Secret};
pub use outcome::{Code, Discrepancy, Next, Outcome, OutcomeKind, Redemption};
pub use record::{Record, Stage};
pub use view::{AmountView, CardState, CardView, EmailView, FormView, PhaseName, Screen, Summary, View};
