//! Hashes by which a browser knows that a file is the one that was released: SHA-384, as in an `integrity` attribute.

use anyhow::{Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha384};
use std::collections::BTreeMap;

/// `sha384-…` of these bytes.
pub(crate) fn sha384(bytes: &[u8]) -> String {
    format!("sha384-{}", STANDARD.encode(Sha384::digest(bytes)))
}

/// `script` with the hash of `after` in place of that of `before`, which it must have exactly once.
pub(crate) fn replaced(script: &str, before: &[u8], after: &[u8]) -> Result<String> {
    let old = sha384(before);
    let times = script.matches(&old).count();
    ensure!(times == 1, "the wasm's hash {old} is in the script {times} times, and must be once");
    Ok(script.replace(&old, &sha384(after)))
}

#[derive(serde::Serialize)]
struct List<'a> {
    version: &'a str,
    files: BTreeMap<&'a str, String>,
}

/// `sri.json`: the hash of each file that a browser may load.
pub(crate) fn list<'a>(version: &str, files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<Vec<u8>> {
    let hashes: BTreeMap<_, _> = files.map(|(name, bytes)| (name, sha384(bytes))).collect();
    crate::manifest::json(&List { version, files: hashes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_standard() {
        // FIPS 180-2, appendix D.1: SHA-384 of "abc" is cb00753f45a35e8b…; here in base64.
        let abc = "sha384-ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn";
        assert_eq!(sha384(b"abc"), abc);
    }

    #[test]
    fn the_new_hash_stands_in_place_of_the_old_one() {
        let (old, new) = (sha384(b"old"), sha384(b"new"));
        let script = format!("const a = \"{old}\";");
        assert_eq!(replaced(&script, b"old", b"new").expect("it is there"), format!("const a = \"{new}\";"));
        for (script, said) in [(String::new(), "0 times"), (script.repeat(2), "2 times")] {
            let error = replaced(&script, b"old", b"new").expect_err(said).to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn the_list_is_in_order_of_names() {
        let files: [(&str, &[u8]); 2] = [("b.wasm", b"b"), ("a.js", b"a")];
        let list = String::from_utf8(list("1.2.3", files.into_iter()).expect("it is JSON")).expect("text");
        let (a, b) = (sha384(b"a"), sha384(b"b"));
        let expected = format!(
            "{{\n  \"version\": \"1.2.3\",\n  \"files\": {{\n    \"a.js\": \"{a}\",\n    \"b.wasm\": \"{b}\"\n  }}\n}}\n"
        );
        assert_eq!(list, expected);
    }
}
