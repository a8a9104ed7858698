//! The sandbox over real sockets: as a library on a listener of the test's own, and as the program.

mod back_office;
mod faults;
mod gateway;
mod ledger;
mod program;
mod scripted;
mod world;
