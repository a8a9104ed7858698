#![doc = include_str!("../README.md")]

mod browser;
mod kit;
mod observed;
mod report;
mod rules;
mod run;
mod setup;
mod upstream;

pub use report::{Checked, Report, Verdict};
pub use rules::{RULES, Rule};
pub use run::check;
pub use setup::{Behind, Customer, Setup, SetupError, Times};
pub use upstream::Upstream;
