//! What is on screen: dumb views over the machine's view model, one file per thing. They turn DOM events into machine
//! events and view-model meanings into words; they decide nothing. A view that listens or remembers is a component, any
//! other a function.

mod action;
mod amount;
mod button;
mod cards;
mod checked;
mod checking;
mod context;
mod copy_button;
mod email;
mod error;
mod failed;
mod in_sight;
mod listen;
mod live;
mod mark;
mod pin_tools;
mod receipt;
mod reference;
mod retry_after;
mod root;
mod summary;
mod unconfirmed;

pub(crate) use context::Context;
pub(crate) use root::{Root, RootProps};
