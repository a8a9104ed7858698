//! The proxy over real sockets, with an upstream that each test plays.

mod attempts;
mod bad_input;
mod books;
mod breaker;
mod crashes;
mod disk_trouble;
mod guarding;
mod handed_over;
mod limits;
mod lost_answers;
mod metrics;
mod notify;
mod passing_on;
mod pooling;
mod process;
mod program;
mod reloading;
mod restored;
mod samples;
mod sessions;
mod shop;
mod slow_clients;
mod smuggling;
mod telemetry;
mod tls;
mod world;
