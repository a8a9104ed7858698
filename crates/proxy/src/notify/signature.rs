//! The signature of a delivery, by which its receiver knows that it comes from this proxy: HMAC-SHA256 over id, time
//! and body. Owns the secrets of `CASHIER_NOTIFY_SECRET` and their reading.
//!
//! Source: Standard Webhooks specification 1.0, "Signature scheme" (symmetric).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;
use std::ops::RangeInclusive;
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
/// The specification's bounds.
const BYTES: RangeInclusive<usize> = 24..=64;
/// With or without the padding: tools differ.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The secrets of `CASHIER_NOTIFY_SECRET`, newest first; never none. Prints their number alone.
#[derive(Clone)]
pub(crate) struct SigningSecrets(Vec<Zeroizing<Vec<u8>>>);

impl SigningSecrets {
    /// Reads `CASHIER_NOTIFY_SECRET`: one secret, or several separated by spaces, newest first, each `whsec_` and the
    /// base64 of 24 to 64 bytes. The error says what is wrong and quotes nothing.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let secrets: Vec<_> = text.split_ascii_whitespace().map(secret).collect::<Result<_, _>>()?;
        if secrets.is_empty() { Err(format!("is empty: {HOW}")) } else { Ok(Self(secrets)) }
    }

    /// The header `webhook-signature`: one signature by each secret, so that a receiver who has only the older one
    /// still finds its own.
    pub(crate) fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        let signatures = self.0.iter().map(|secret| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
            mac.update(format!("{id}.{timestamp}.").as_bytes());
            mac.update(body);
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

const HOW: &str =
    "write whsec_ and the base64 of 24 to 64 random bytes, such as by `echo whsec_$(openssl rand -base64 32)`";

fn secret(text: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let encoded = text.strip_prefix(PREFIX).ok_or_else(|| format!("has a secret without {PREFIX} in front: {HOW}"))?;
    let bytes =
        LENIENT.decode(encoded).map(Zeroizing::new).map_err(|_| format!("has a secret that is no base64: {HOW}"))?;
    if !BYTES.contains(&bytes.len()) {
        return Err(format!("has a secret of {} bytes: {HOW}", bytes.len()));
    }
    Ok(bytes)
}

impl fmt::Debug for SigningSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} secrets]", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published vector of the specification's own libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_signature_is_that_of_the_specification() {
        let secrets = SigningSecrets::parse(SECRET).expect("a secret");
        assert_eq!(secrets.sign(ID, 1_614_265_330, BODY), SIGNATURE);
        for (id, timestamp, body) in
            [("msg_x", 1_614_265_330, BODY), (ID, 1_614_265_331, BODY), (ID, 1_614_265_330, b"{}".as_slice())]
        {
            assert_ne!(secrets.sign(id, timestamp, body), SIGNATURE);
        }
    }

    #[test]
    fn while_secrets_are_changed_each_has_its_signature() {
        let newer = format!("{PREFIX}{}", STANDARD.encode([7; 64]));
        let secrets = SigningSecrets::parse(&format!(" {newer}  {SECRET}\n")).expect("two secrets");
        let signed = secrets.sign(ID, 1_614_265_330, BODY);
        let newer = SigningSecrets::parse(&newer).expect("a secret").sign(ID, 1_614_265_330, BODY);
        assert_eq!(signed, format!("{newer} {SIGNATURE}"));
    }

    #[test]
    fn a_secret_that_is_unclear_or_short_is_refused_without_being_quoted() {
        let of = |bytes: usize| format!("{PREFIX}{}", STANDARD.encode(vec![7; bytes]));
        for (text, says) in [
            (String::new(), "is empty"),
            (" ".to_owned(), "is empty"),
            (of(24)[PREFIX.len()..].to_owned(), "without whsec_"),
            (format!("{} BwcHBwcHBwcHBwcH", of(24)), "without whsec_"),
            (format!("{PREFIX}BwcH*wcHBwcHBwcHBwcHBwcHBwcHBwcH"), "no base64"),
            (of(23), "23 bytes"),
            (of(65), "65 bytes"),
        ] {
            let error = SigningSecrets::parse(&text).expect_err(says);
            assert!(error.contains(says) && !error.contains("BwcH"), "{error}");
        }
        for text in [of(24), of(64), of(25).trim_end_matches('=').to_owned()] {
            let secrets = SigningSecrets::parse(&text).expect("a secret");
            assert_eq!(format!("{secrets:?}"), "[1 secrets]");
        }
    }
}
