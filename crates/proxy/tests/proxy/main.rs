//! The proxy over real sockets, with an upstream that each test plays.

mod bad_input;
mod lost_answers;
mod passing_on;
mod program;
mod world;
