//! The proxy over real sockets, with an upstream that each test plays.

mod attempts;
mod bad_input;
mod books;
mod crashes;
mod disk_trouble;
mod guarding;
mod handed_over;
mod limits;
mod lost_answers;
mod passing_on;
mod process;
mod program;
mod reloading;
mod sessions;
mod shop;
mod slow_clients;
mod smuggling;
mod tls;
mod world;
