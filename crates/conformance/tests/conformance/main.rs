//! The kit against proxies that are right, and against proxies that break one rule each.

mod flaws;
mod model;
mod our_proxy;
mod pass_through;
mod program;
mod samples;
mod sandbox;
mod world;
