//! A small assembled folder packed as a whole.

use super::*;
use crate::release::Texts;
use std::fs;

fn texts() -> Texts {
    let files = [("flexepin-cashier.d.ts", "export {};\n"), ("CHANGELOG.md", "# Changelog\n")];
    Texts { files: files.into_iter().map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).collect() }
}

#[test]
fn the_same_input_gives_the_same_bytes_at_two_places() {
    let files = made::assembled();
    let packed_at = |names: &mut dyn Iterator<Item = &String>, below: &str| {
        let place = tempfile::tempdir().expect("a place");
        let (from, out) = (place.path().join(below).join("assembled"), place.path().join(below).join("dist"));
        fs::create_dir_all(&from).expect("writable");
        for name in names {
            fs::write(from.join(name), &files[name]).expect("writable");
        }
        let said = packed(&from, &out, texts(), false).expect("it is packed");
        (folder::read(&out).expect("readable"), said)
    };
    let (here, there) = (packed_at(&mut files.keys(), "a"), packed_at(&mut files.keys().rev(), "a/longer/path"));
    assert_eq!(here.1, there.1);
    assert_eq!(here.0.keys().collect::<Vec<_>>(), there.0.keys().collect::<Vec<_>>());
    for (name, bytes) in &here.0 {
        assert!(*bytes == there.0[name], "{name} differs");
    }
    assert!(here.0.contains_key("flexepin-cashier.wasm.br") && here.0.contains_key("sri.json.gz"));
}

#[test]
fn the_report_ends_with_the_tag_to_paste() {
    let place = tempfile::tempdir().expect("a place");
    let (from, out) = (place.path().join("assembled"), place.path().join("dist"));
    folder::replace(&from, &made::assembled()).expect("writable");
    for (uncompressed, lines) in [(true, 1), (false, 12)] {
        let said = packed(&from, &out, texts(), uncompressed).expect("it is packed");
        assert_eq!(said.lines().count(), lines, "{said}");
        let hash = integrity::sha384(&fs::read(out.join("flexepin-cashier.js")).expect("it is there"));
        let tag = format!("<script src=\"flexepin-cashier.js\" integrity=\"{hash}\" crossorigin async></script>");
        assert_eq!(said.lines().last(), Some(tag.as_str()));
    }
}

#[test]
fn a_folder_stays_as_it_is_when_anything_is_wrong() {
    let place = tempfile::tempdir().expect("a place");
    let (from, out) = (place.path().join("assembled"), place.path().join("dist"));
    folder::replace(&from, &made::assembled()).expect("writable");
    packed(&from, &out, texts(), true).expect("it is packed");
    let before = folder::read(&out).expect("readable");
    fs::remove_file(from.join("flexepin-cashier.mjs")).expect("removable");
    assert!(packed(&from, &out, texts(), true).is_err());
    assert_eq!(folder::read(&out).expect("readable"), before);
}
