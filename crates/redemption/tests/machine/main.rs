//! The machine, from outside.

mod answers;
mod any_order;
mod asking;
mod every_pair;
mod model;
mod open_attempts;
mod retrying;
mod submitting;
mod support;
