//! The machine, from outside.

mod answers;
mod any_order;
mod asking;
mod doubt;
mod every_pair;
mod model;
mod open_attempts;
mod other_tabs;
mod retrying;
mod submitting;
mod support;
