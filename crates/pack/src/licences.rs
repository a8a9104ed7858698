//! `THIRD-PARTY-LICENSES.txt`: the licence texts of everything that is linked into the wasm.
//!
//! Which crates those are is cargo's answer for the widget's target; a crate of macros or builds leaves nothing in it.
//! Of alternatives one is taken, in the order of [`ACCEPTED`], and its text is the one that lies in the crate's own
//! folder. Where none does, the crate must be offered under the Apache License, whose text names nobody. Anything else
//! is an error that names the crate.

use anyhow::{Context, Result, ensure};
use spdx::{Expression, Licensee, ParseMode};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

mod linked;

pub(crate) use linked::{Crate, linked};

/// What may be linked, in the order in which it is chosen.
const ACCEPTED: [&str; 5] = ["MIT", "Apache-2.0", "BSL-1.0", "Unicode-3.0", "Zlib"];

/// What the names of files with these texts contain.
const FILES: [(&str, &str); 5] =
    [("MIT", "MIT"), ("Apache-2.0", "APACHE"), ("BSL-1.0", "BOOST"), ("Unicode-3.0", "UNICODE"), ("Zlib", "ZLIB")];

const APACHE: &str = "Apache-2.0";

const INTRODUCTION: &str = "\
flexepin-cashier is licensed under MIT or Apache-2.0, as you choose: LICENSE-MIT, LICENSE-APACHE.

Its WebAssembly module contains the libraries below, and its scripts contain code written by wasm-bindgen, which is one
of them. Each text stands once, under the names of all that it is for. Where a library is offered under several
licences, one was taken.
";

/// Writes the file. `apache` is the text of the Apache License.
pub(crate) fn third_party(crates: &[Crate], apache: &str) -> Result<String> {
    // By text, so that equal texts stand once; then by the first name, so that the order is the names'.
    let mut by_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for text in [apache, include_str!("../package/rust-standard-library.txt")] {
        by_text.entry(plain(text)).or_default().push("The Rust standard library".to_owned());
    }
    for library in crates {
        for text in texts(library, apache)? {
            by_text.entry(text).or_default().push(format!("{} {}", library.name, library.version));
        }
    }
    let mut texts: Vec<_> = by_text
        .into_iter()
        .map(|(text, mut names)| {
            names.sort();
            (names, text)
        })
        .collect();
    texts.sort();
    let line = "-".repeat(100);
    Ok(texts.into_iter().fold(INTRODUCTION.to_owned(), |file, (names, text)| {
        file + "\n" + &line + "\n" + &names.join(", ") + "\n" + &line + "\n\n" + &text
    }))
}

/// The texts that a crate is used under.
fn texts(library: &Crate, apache: &str) -> Result<Vec<String>> {
    let Crate { name, version, licence, folder } = library;
    let files = licence_files(folder)?;
    if files.is_empty() {
        let only_apache = chosen(licence, &[APACHE]).with_context(|| {
            format!("{name} {version} has no licence text, and {licence} is not the Apache License")
        })?;
        ensure!(only_apache == [APACHE], "{name} {version} has no licence text");
        return Ok(vec![plain(apache)]);
    }
    let chosen = chosen(licence, &ACCEPTED)
        .with_context(|| format!("{name} {version} is licensed as {licence}, which is not among {ACCEPTED:?}"))?;
    let text_of = |id: &String| {
        let named = FILES.iter().find(|(known, _)| known == id).map(|(_, word)| word);
        let own = files.iter().find(|(file, _)| named.is_some_and(|word| file.contains(word)));
        // A crate with one licence names its file after none.
        let only = if let [only] = &files[..] { Some(only) } else { None };
        let text = own.or(only).map(|(_, text)| text.clone());
        text.with_context(|| format!("{name} {version} is licensed as {id}, and has no text of it"))
    };
    let notices = files.iter().filter(|(file, _)| file.starts_with("NOTICE")).map(|(_, text)| Ok(text.clone()));
    chosen.iter().map(text_of).chain(notices).collect()
}

/// The smallest choice that satisfies a licence expression, by their names.
fn chosen(expression: &str, accepted: &[&str]) -> Result<Vec<String>> {
    let expression = Expression::parse_mode(expression, ParseMode::LAX)?;
    let accepted: Vec<_> = accepted.iter().map(|id| Licensee::parse(id)).collect::<Result<_, _>>()?;
    let chosen = expression.minimized_requirements(&accepted)?;
    Ok(chosen.iter().map(ToString::to_string).collect())
}

/// Licences and notices in a crate's folder: their names in capitals, and texts.
fn licence_files(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for file in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let file = file?;
        let name = file.file_name().to_string_lossy().to_uppercase();
        let is_licence =
            ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"].iter().any(|word| name.starts_with(word));
        if is_licence && file.file_type()?.is_file() {
            let text = fs::read(file.path()).with_context(|| format!("cannot read {}", file.path().display()))?;
            files.push((name, plain(&String::from_utf8_lossy(&text))));
        }
    }
    files.sort();
    Ok(files)
}

/// A text without differences that nobody sees: ends of lines, blanks there, and blank lines around it.
fn plain(text: &str) -> String {
    let lines: Vec<_> = text.trim_start_matches('\u{feff}').lines().map(str::trim_end).collect();
    format!("{}\n", lines.join("\n").trim_matches('\n'))
}

#[cfg(test)]
mod tests;
