//! What is taken of a crate's licences, and when that is an error.

use super::*;
use tempfile::TempDir;

const APACHE_TEXT: &str = "Apache License\n\nTERMS\n";

/// A crate with these files.
fn library(name: &str, licence: &str, files: &[(&str, &str)]) -> (TempDir, Crate) {
    let place = tempfile::tempdir().expect("a place");
    for (file, text) in files {
        fs::write(place.path().join(file), text).expect("writable");
    }
    let folder = place.path().to_owned();
    (place, Crate { name: name.to_owned(), version: "1.0.0".to_owned(), licence: licence.to_owned(), folder })
}

#[test]
fn one_text_is_taken_for_each_licence_that_holds() {
    let both = [("LICENSE-MIT", "mit\n"), ("LICENSE-APACHE", "apache\n")];
    for (case, licence, files, expected) in [
        ("alternatives", "MIT OR Apache-2.0", &both[..], &["mit\n"][..]),
        ("the old way of writing them", "Apache-2.0/MIT", &both, &["mit\n"]),
        ("one file without a name", "MIT", &[("LICENSE.md", "mit\n")], &["mit\n"]),
        ("both of two", "MIT AND Unicode-3.0", &[both[0], ("LICENSE-UNICODE", "uni\n")], &["mit\n", "uni\n"]),
        ("a choice inside", "(MIT OR Zlib) AND Apache-2.0", &both, &["mit\n", "apache\n"]),
        ("a notice", "Apache-2.0", &[both[1], ("NOTICE", "who\n")], &["apache\n", "who\n"]),
        ("no file", "MIT OR Apache-2.0", &[("README.md", "read\n")], &[APACHE_TEXT]),
        ("other ends of lines", "MIT", &[("LICENSE", "\u{feff}\r\nmit  \r\n\r\ntext")], &["mit\n\ntext\n"]),
    ] {
        let (_place, library) = library("lib", licence, files);
        assert_eq!(texts(&library, APACHE_TEXT).expect(case), expected, "{case}");
    }
}

#[test]
fn what_may_not_be_linked_or_has_no_text_is_an_error_that_names_it() {
    for (licence, files, said) in [
        ("GPL-3.0-only", &[("LICENSE", "gpl")][..], "lib 1.0.0 is licensed as GPL-3.0-only"),
        ("MIT AND GPL-3.0-only", &[("LICENSE", "gpl")], "lib 1.0.0 is licensed as MIT AND GPL-3.0-only"),
        ("MIT", &[], "lib 1.0.0 has no licence text"),
        ("MIT AND Apache-2.0", &[], "lib 1.0.0 has no licence text"),
        ("no such thing", &[("LICENSE", "x")], "lib 1.0.0 is licensed as no such thing"),
        ("MIT", &[("LICENSE-APACHE", "apache"), ("NOTICE", "who")], "licensed as MIT, and has no text of it"),
    ] {
        let (_place, library) = library("lib", licence, files);
        let error = texts(&library, APACHE_TEXT).expect_err(licence);
        assert!(format!("{error:#}").contains(said), "{licence}: {error:#}");
    }
}

#[test]
fn equal_texts_stand_once_under_all_names_in_order_and_no_path_is_told() {
    let crates = [
        library("zed", "MIT", &[("LICENSE", "the same text\n")]),
        library("abc", "MIT", &[("LICENSE", "the same text\r\n")]),
        library("own", "MIT", &[("LICENSE", "another text\n")]),
    ];
    let (places, crates): (Vec<_>, Vec<_>) = crates.into_iter().unzip();
    let file = third_party(&crates, APACHE_TEXT).expect("all have texts");
    assert_eq!(file.matches("the same text").count(), 1);
    assert!(file.contains("\nabc 1.0.0, zed 1.0.0\n"), "{file}");
    assert!(file.contains("\nown 1.0.0\n") && file.contains("\nThe Rust standard library\n"), "{file}");
    assert!(file.contains("\n\nApache License\n\nTERMS\n"), "{file}");
    assert!(file.find("another text") > file.find("the same text"), "{file}");
    for place in &places {
        assert!(!file.contains(&*place.path().to_string_lossy()));
    }
    let turned: Vec<_> = crates.into_iter().rev().collect();
    assert_eq!(third_party(&turned, APACHE_TEXT).expect("all have texts"), file);
}
