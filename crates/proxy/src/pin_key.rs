//! How a voucher is recognised without its PIN: HMAC-SHA256 under the keys of `CASHIER_PIN_KEY`. Owns those keys and
//! their reading; a plain hash would not do, because 16 digits can be tried out.

use hmac::{Hmac, Mac};
use mozarto::VoucherPin;
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

const SHORTEST_KEY_BYTES: usize = 32;
const LONGEST_ID: usize = 16;
/// The id of a key that was given without one.
const ONLY_ID: &str = "1";
/// What a key is recognised by, so that another key under an id in use is noticed. No PIN: it has letters.
const MARK: &[u8] = b"flexepin-cashier pin key";

/// The keys of `CASHIER_PIN_KEY`, newest first. Prints their ids alone.
#[derive(Clone)]
pub struct PinKeys(Vec<(String, Zeroizing<String>)>);

/// A voucher's hash, and the id of the key under which it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyedHash {
    pub(crate) key_id: String,
    pub(crate) hash: Vec<u8>,
}

impl PinKeys {
    /// Reads `CASHIER_PIN_KEY`: one key of at least 32 bytes, or `id=key,id=key`, newest first, each key at least 32
    /// bytes. The error says what is wrong and quotes nothing.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let parts: Vec<Option<(&str, &str)>> = text.split(',').map(named).collect();
        let keys: Vec<(&str, &str)> = match parts.first() {
            Some(Some(_)) => {
                parts.into_iter().collect::<Option<_>>().ok_or("has a key without an id: write id=key,id=key")?
            }
            _ => vec![(ONLY_ID, text)],
        };
        for (place, (id, key)) in keys.iter().enumerate() {
            if keys[..place].iter().any(|(other, _)| other == id) {
                return Err("has one id twice".to_owned());
            }
            if key.len() < SHORTEST_KEY_BYTES {
                return Err(format!(
                    "is too short: a key has at least {SHORTEST_KEY_BYTES} bytes; `openssl rand -hex 32` makes one"
                ));
            }
        }
        Ok(Self(keys.into_iter().map(|(id, key)| (id.to_owned(), Zeroizing::new(key.to_owned()))).collect()))
    }

    /// The voucher's hash under each key, newest first.
    pub(crate) fn hashes(&self, pin: &VoucherPin) -> Vec<KeyedHash> {
        self.of(pin.expose().as_bytes())
    }

    /// What each key is recognised by.
    pub(crate) fn marks(&self) -> Vec<KeyedHash> {
        self.of(MARK)
    }

    fn of(&self, what: &[u8]) -> Vec<KeyedHash> {
        let hash = |key: &str| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
            mac.update(what);
            mac.finalize().into_bytes().to_vec()
        };
        self.0.iter().map(|(id, key)| KeyedHash { key_id: id.clone(), hash: hash(key) }).collect()
    }
}

/// `id=key`, where the id is at most 16 letters, digits, `-` and `_`. A key in base64 ends with `=` and has no such id.
pub(crate) fn named(part: &str) -> Option<(&str, &str)> {
    let (id, key) = part.split_once('=')?;
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    ((1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(is_id)).then_some((id, key))
}

impl fmt::Debug for PinKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(id, _)| id)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn ids(text: &str) -> Result<Vec<String>, String> {
        PinKeys::parse(text).map(|keys| keys.marks().into_iter().map(|mark| mark.key_id).collect())
    }

    #[test]
    fn one_key_has_the_id_1_and_several_have_their_own_newest_first() {
        for (text, expected) in [
            (KEY.to_owned(), vec!["1"]),
            (format!(" {KEY}\n"), vec!["1"]),
            ("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".to_owned(), vec!["1"]),
            (format!("{KEY},{KEY}"), vec!["1"]),
            (format!("b={KEY},a={KEY}"), vec!["b", "a"]),
            (format!("2026-06={KEY}="), vec!["2026-06"]),
        ] {
            assert_eq!(ids(&text), Ok(expected.into_iter().map(str::to_owned).collect()), "{text}");
        }
    }

    #[test]
    fn a_key_that_is_short_or_unclear_is_refused_without_being_quoted() {
        for (text, says) in [
            (String::new(), "too short"),
            (KEY[1..].to_owned(), "too short"),
            (format!("a={}", &KEY[1..]), "too short"),
            (format!("a={KEY},b=short"), "too short"),
            (format!("a={KEY},{KEY}"), "without an id"),
            (format!("a={KEY},a={KEY}"), "twice"),
        ] {
            let error = ids(&text).expect_err(says);
            assert!(error.contains(says) && !error.contains("cdef"), "{error}");
        }
    }

    #[test]
    fn a_hash_depends_on_key_and_pin_and_a_key_never_prints() {
        let keys = PinKeys::parse(&format!("b={KEY}!,a={KEY}")).expect("two keys");
        let pin = |text: &str| VoucherPin::from_wire(text).expect("16 digits");
        let hashes = keys.hashes(&pin("9900777712345678"));
        assert_eq!(hashes, keys.hashes(&pin("9900777712345678")));
        assert_ne!(hashes[0].hash, hashes[1].hash);
        assert_ne!(hashes, keys.hashes(&pin("9900777712345679")));
        assert_eq!(format!("{keys:?}"), r#"["b", "a"]"#);
    }

    #[test]
    fn the_hash_is_hmac_sha256() {
        // RFC 4231, test case 2, with its short key.
        let keys = PinKeys(vec![("1".to_owned(), Zeroizing::new("Jefe".to_owned()))]);
        let hash = &keys.of(b"what do ya want for nothing?")[0].hash;
        let hex = hash.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
