#![doc = include_str!("../README.md")]

mod folder;
mod glue;
mod imports;
mod integrity;
mod licences;
#[cfg(test)]
mod made;
mod manifest;
mod minify;
mod precompressed;
mod release;
mod sizes;

use anyhow::Result;
use std::path::Path;

/// The version of the widget: all crates of the repository have the same.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What to make, and of what.
#[derive(clap::Parser)]
#[command(name = "cashier-pack", version, about)]
pub struct Options {
    /// The assembled folder: script, module, style sheet and wasm
    #[arg(long)]
    pub from: std::path::PathBuf,
    /// The folder to write; what it held is gone afterwards
    #[arg(long)]
    pub out: std::path::PathBuf,
    /// The repository, for typings, texts and licences
    #[arg(long, default_value = ".")]
    pub repository: std::path::PathBuf,
    /// Leave out the compressed copies (for tests)
    #[arg(long)]
    pub uncompressed: bool,
}

/// Packs, and returns the table of sizes with the tag to paste. The folder is untouched when anything is wrong; a
/// script that is too large is wrong.
pub fn pack(options: &Options) -> Result<String> {
    let texts = release::Texts::of(&options.repository)?;
    packed(&options.from, &options.out, texts, options.uncompressed)
}

fn packed(from: &Path, out: &Path, texts: release::Texts, uncompressed: bool) -> Result<String> {
    let files = release::release(folder::read(from)?, texts, VERSION)?;
    let script = &files[manifest::SCRIPT];
    sizes::within_budget(script)?;
    if uncompressed {
        folder::replace(out, &files)?;
        return Ok(release::tag(script));
    }
    let all = release::with_compressed(&files)?;
    folder::replace(out, &all)?;
    Ok(format!("{}\n{}", sizes::table(&all)?, release::tag(script)))
}

#[cfg(test)]
mod tests;
