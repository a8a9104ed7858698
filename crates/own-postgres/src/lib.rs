//! A PostgreSQL server of one's own, for tests and storms: a data folder of its own, a free port on 127.0.0.1, no Unix
//! socket, no password on loopback, and the durability that it has by default (each commit synced to the disk).
//!
//! [`Programs::find`] finds what is installed; [`Server::start`] makes the data folder and starts the server, as a user that
//! is not root. It ends when the [`Server`] is dropped, and also when its owner is killed: a shell between the two reads a
//! pipe that closes then. All calls block, for up to seconds.

mod programs;
mod server;
mod user;

pub use programs::Programs;
pub use server::{End, Server};
