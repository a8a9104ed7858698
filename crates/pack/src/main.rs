//! The command `cashier-pack`; what it does is in the library.
#![expect(clippy::print_stdout, reason = "a command line speaks on stdout")]

use anyhow::Result;
use clap::Parser;

fn main() -> Result<()> {
    println!("{}", cashier_pack::pack(&cashier_pack::Options::parse())?);
    Ok(())
}
