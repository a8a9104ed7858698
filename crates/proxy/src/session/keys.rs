//! The keys of `CASHIER_SESSION_KEYS`, with which the merchant's server signs checkout sessions. Each has an id and one
//! algorithm: what a token says of itself chooses the key, never the algorithm.

use crate::pin_key::named;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::fmt;

const SHORTEST_SECRET_BYTES: usize = 32;
const LONGEST_ID: usize = 128;
/// Of a coordinate of P-256, and of a public key of Ed25519.
const PUBLIC_BYTES: usize = 32;

/// The keys under which sessions are accepted. Prints their ids alone.
pub struct SessionKeys(Vec<SessionKey>);

/// One key and its one algorithm.
pub(crate) struct SessionKey {
    id: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
}

impl SessionKeys {
    /// Reads `id=secret,id=secret`, or a JWK Set. The error says what is wrong and quotes nothing.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let keys = if text.starts_with('{') { of_jwk_set(text)? } else { of_secrets(text)? };
        for (place, key) in keys.iter().enumerate() {
            if keys[..place].iter().any(|other| other.id == key.id) {
                return Err("has one id twice".to_owned());
            }
        }
        if keys.is_empty() {
            return Err("has no key".to_owned());
        }
        Ok(Self(keys))
    }

    /// The key of that id.
    pub(crate) fn of(&self, id: &str) -> Option<&SessionKey> {
        self.0.iter().find(|key| key.id == id)
    }
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

fn of_secrets(text: &str) -> Result<Vec<SessionKey>, String> {
    let one = |part| {
        let (id, secret): (&str, &str) =
            named(part).ok_or("has a key without an id: write id=secret,id=secret, or a JWK Set")?;
        Ok(SessionKey { id: id.to_owned(), algorithm: Algorithm::HS256, key: of_secret(secret.as_bytes())? })
    };
    text.split(',').map(one).collect()
}

fn of_secret(secret: &[u8]) -> Result<DecodingKey, String> {
    if secret.len() < SHORTEST_SECRET_BYTES {
        return Err(format!(
            "is too short: a secret has at least {SHORTEST_SECRET_BYTES} bytes; `openssl rand -hex 32` makes one"
        ));
    }
    Ok(DecodingKey::from_secret(secret))
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

/// As far as it is needed. A reading of our own: others drop what they do not know, and so a private part unseen.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    #[serde(rename = "use")]
    used_for: Option<String>,
    x: Option<String>,
    y: Option<String>,
    k: Option<String>,
    d: Option<IgnoredAny>,
}

fn of_jwk_set(text: &str) -> Result<Vec<SessionKey>, String> {
    // The parser's own words may quote a secret.
    let set: JwkSet = serde_json::from_str(text).map_err(|_| r#"is no JWK Set: write {"keys":[…]}"#.to_owned())?;
    set.keys.iter().map(of_jwk).collect()
}

fn of_jwk(jwk: &Jwk) -> Result<SessionKey, String> {
    let id = jwk.kid.clone().filter(|id| (1..=LONGEST_ID).contains(&id.len())).ok_or("has a key without a kid")?;
    let refused = |why: &str| Err(format!("has a key {id:?} that {why}"));
    if jwk.d.is_some() {
        return refused("is private (it has a d): give the public half, and keep the other on your own server");
    }
    if jwk.used_for.as_deref().is_some_and(|used_for| used_for != "sig") {
        return refused("is not for signatures");
    }
    let kind = (jwk.kty.as_str(), jwk.crv.as_deref(), jwk.alg.as_deref());
    let (algorithm, key) = match kind {
        ("oct", None, Some("HS256")) => {
            let Some(secret) = jwk.k.as_deref().and_then(bytes) else { return refused("has no k in base64url") };
            (Algorithm::HS256, of_secret(&secret)?)
        }
        ("EC", Some("P-256"), Some("ES256")) => {
            let (Some(x), Some(y)) = (public(jwk.x.as_deref()), public(jwk.y.as_deref())) else {
                return refused("has no x and y of 32 bytes in base64url");
            };
            (Algorithm::ES256, DecodingKey::from_ec_der(&[&[4], x.as_slice(), &y].concat()))
        }
        ("OKP", Some("Ed25519"), Some("EdDSA")) => {
            let Some(x) = public(jwk.x.as_deref()) else { return refused("has no x of 32 bytes in base64url") };
            (Algorithm::EdDSA, DecodingKey::from_ed_der(&x))
        }
        _ => {
            return refused(
                "is none of: oct with alg HS256, EC P-256 with alg ES256, OKP Ed25519 with alg EdDSA (the alg must be there)",
            );
        }
    };
    // A point that is not on the curve is found out here, not by the first customer.
    if crypto::verify("AA", b"", &key, algorithm).is_err() {
        return refused("is no key of its curve");
    }
    Ok(SessionKey { id, algorithm, key })
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}

fn public(text: Option<&str>) -> Option<Vec<u8>> {
    text.and_then(bytes).filter(|bytes| bytes.len() == PUBLIC_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn set(keys: &Value) -> String {
        json!({ "keys": keys }).to_string()
    }

    fn ec() -> Value {
        // RFC 7517, appendix A.1.
        json!({ "kty": "EC", "crv": "P-256", "kid": "ec", "alg": "ES256",
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" })
    }

    fn ed() -> Value {
        // RFC 8037, appendix A.2.
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "ed", "alg": "EdDSA",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
    }

    fn with(mut key: Value, name: &str, value: Value) -> Value {
        key[name] = value;
        key
    }

    #[test]
    fn secrets_and_public_keys_are_read_with_their_ids_and_algorithms() {
        let oct = json!({ "kty": "oct", "kid": "oct", "alg": "HS256", "use": "sig",
            "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow" });
        for (text, ids) in [
            (format!("a={SECRET}"), vec![("a", Algorithm::HS256)]),
            (format!(" b={SECRET}=,a={SECRET}\n"), vec![("b", Algorithm::HS256), ("a", Algorithm::HS256)]),
            (
                set(&json!([ec(), ed(), oct])),
                vec![("ec", Algorithm::ES256), ("ed", Algorithm::EdDSA), ("oct", Algorithm::HS256)],
            ),
        ] {
            let keys = SessionKeys::parse(&text).expect("keys");
            let read: Vec<(&str, Algorithm)> = keys.0.iter().map(|key| (key.id.as_str(), key.algorithm)).collect();
            assert_eq!(read, ids);
            let printed = format!("{keys:?}");
            assert!(!printed.contains("cdef") && printed.contains(ids[0].0), "{printed}");
        }
    }

    #[test]
    fn keys_that_are_short_private_or_unclear_are_refused_without_being_quoted() {
        for (text, says) in [
            (String::new(), "without an id"),
            (SECRET.to_owned(), "without an id"),
            (format!("a={SECRET},{SECRET}"), "without an id"),
            (format!("a={}", &SECRET[1..]), "too short"),
            (format!("a={SECRET},a={SECRET}"), "twice"),
            ("{}".to_owned(), "no JWK Set"),
            (set(&json!([])), "has no key"),
            (set(&json!([ec(), ec()])), "twice"),
            (set(&json!([with(ec(), "kid", Value::Null)])), "without a kid"),
            (set(&json!([with(ec(), "d", json!("870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"))])), "public half"),
            (set(&json!([with(ed(), "d", json!(""))])), "public half"),
            (set(&json!([with(ec(), "alg", json!("HS256"))])), "is none of"),
            (set(&json!([with(ec(), "alg", Value::Null)])), "is none of"),
            (set(&json!([with(ec(), "crv", json!("P-384"))])), "is none of"),
            (set(&json!([with(ec(), "x", ec()["y"].clone())])), "no key of its curve"),
            (set(&json!([with(ec(), "x", json!("AAAA"))])), "32 bytes"),
            (set(&json!([with(ed(), "x", json!("!"))])), "32 bytes"),
            (set(&json!([with(ed(), "use", json!("enc"))])), "not for signatures"),
            (set(&json!([{ "kty": "RSA", "kid": "r", "alg": "RS256", "n": "AQAB", "e": "AQAB" }])), "is none of"),
            (set(&json!([{ "kty": "oct", "kid": "o", "alg": "HS256", "k": "c2hvcnQ" }])), "too short"),
            (set(&json!([{ "kty": "oct", "kid": "o", "alg": "HS256" }])), "has no k"),
            (format!(r#"{{"keys":[{{"kty":"oct","kid":"a","kid":"b","alg":"HS256","k":"{SECRET}"}}]}}"#), "no JWK Set"),
        ] {
            let error = SessionKeys::parse(&text).expect_err(says);
            assert!(error.contains(says), "{says}: {error}");
            assert!(!error.contains("cdef") && !error.contains("870MB"), "{error}");
        }
    }
}
