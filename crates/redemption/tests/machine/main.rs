//! The machine, from outside.

mod customer_ways;
mod every_pair;
mod support;
mod truth;
