#![doc = include_str!("../README.md")]

mod balancer;
mod books;
mod crowd;
mod customer;
mod database;
mod journal;
mod line;
mod merchant;
mod nodes;
mod page;
mod process;
mod program;
mod report;
mod settings;
mod storm;
mod subject;
mod upstream;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use books::Rule;
pub use database::Postgres;
pub use nodes::Nodes;
pub use program::Program;
pub use report::Report;
pub use settings::{Habits, Settings};
pub use storm::run;
pub use subject::{Blow, Dealt, Subject};
pub use upstream::Upstream;

/// What the mutex guards, also where another task panicked: that ends the storm by itself.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
