//! The proxy over real sockets, with an upstream that each test plays.

mod attempts;
mod bad_input;
mod books;
mod breaker;
mod crashes;
mod disk_trouble;
mod lost_answers;
mod metrics;
mod notify;
mod passing_on;
mod pooling;
mod process;
mod program;
mod restored;
mod samples;
mod slow_clients;
mod telemetry;
mod world;
