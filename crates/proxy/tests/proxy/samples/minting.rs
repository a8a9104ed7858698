//! docs/sessions: what they mint is a checkout session as docs/proxy.md has it.

use super::Language;
use crate::shop::{self, Browser, with};
use crate::world::{EMAIL, REDEEMED, Serving, Upstream, answer, with_pin};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

const SECRET: &str = "the-secret-canary-of-32-bytes-or-more==";
const ISSUER: &str = "https://shop.example";
const AUDIENCE: &str = "flexepin-cashier";

/// What a customer's session fixes.
fn facts() -> Value {
    json!({ "sub": "küşteri_123", "email": "a/b@shop.example", "amounts": ["25.00", 50], "currency": "EUR" })
}

/// Exit code, stdout and stderr of a sample.
async fn minted(language: Language, keys: &str, arguments: &[&str]) -> (bool, String, String) {
    let mut command = language.command("sessions", "checkout-session", &[]);
    command.args(arguments).env("CASHIER_SESSION_KEYS", keys).env("CASHIER_SESSION_ISSUER", ISSUER);
    let output = command.output().await.expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text").trim().to_owned();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

/// The claims of a token that holds, of the customer whose facts were given.
fn claims(token: &str, key: &DecodingKey, alg: Algorithm, kid: &str) -> Value {
    let header = decode_header(token).expect("a header");
    assert_eq!((header.alg, header.kid.as_deref()), (alg, Some(kid)));
    let mut validation = Validation::new(alg);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let claims: Value = decode(token, key, &validation).expect("a token that holds").claims;
    for (name, value) in facts().as_object().expect("facts") {
        assert_eq!(&claims[name], value, "{name}");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let [iat, exp] = ["iat", "exp"].map(|name| claims[name].as_u64().expect("a whole number"));
    assert!(now.abs_diff(iat) < 60 && exp - iat == 15 * 60, "{claims}");
    claims
}

#[tokio::test]
async fn each_sample_mints_a_session_of_its_customer_for_a_quarter_of_an_hour_and_each_time_another() {
    let here = Language::here().await;
    let keys = format!("2026-06={SECRET},old=another-secret-of-thirty-two-bytes");
    let key = DecodingKey::from_secret(SECRET.as_bytes());
    let mut ran = 0;
    for &language in &here {
        let mut ids = Vec::new();
        for _ in 0..2 {
            let (done, token, error) = minted(language, &keys, &[&facts().to_string()]).await;
            assert!(done, "{language:?}: {error}");
            let claims = claims(&token, &key, Algorithm::HS256, "2026-06");
            ids.push(claims["jti"].as_str().expect("a text").to_owned());
        }
        assert!(ids[0] != ids[1] && ids.iter().all(|id| (16..=128).contains(&id.len())), "{language:?}: {ids:?}");
        // Whoever passes on what a page sent must not let it choose how long it holds.
        let mut greedy = facts();
        for (name, value) in [("exp", json!(4_000_000_000_u64)), ("jti", json!("mine")), ("iss", json!("me"))] {
            greedy[name] = value;
        }
        let (_, token, _) = minted(language, &keys, &[&greedy.to_string()]).await;
        assert_ne!(claims(&token, &key, Algorithm::HS256, "2026-06")["jti"], "mine", "{language:?}");
        ran += 1;
    }
    assert_eq!(ran, here.len());
}

#[tokio::test]
async fn no_sample_mints_for_nobody_or_with_a_short_secret_and_none_says_the_secret() {
    for language in Language::here().await {
        let (good, short) = (format!("k1={SECRET}"), "k1=secret-canary-31-bytes-are-few.");
        let facts = facts().to_string();
        for (keys, facts) in [
            (good.as_str(), r#"{"email":"anna@shop.example"}"#),
            (&good, r#"{"sub":""}"#),
            (&good, r#"{"sub":7}"#),
            (&good, "no JSON"),
            (&short[..34], &facts),
            (SECRET, &facts),
            ("", &facts),
        ] {
            let (done, said, error) = minted(language, keys, &[facts]).await;
            assert!(!done && said.is_empty(), "{language:?} with {keys} and {facts}: {said}");
            assert!(!error.contains("canary"), "{language:?}: {error}");
        }
    }
}

/// A private key in PEM, of a curve that node knows by that name.
async fn private_key(folder: &Path, curve: &str) -> String {
    let file = folder.join(format!("{curve}.pem"));
    let made = match curve {
        "ed25519" => "generateKeyPairSync('ed25519')",
        _ => "generateKeyPairSync('ec', { namedCurve: 'P-256' })",
    };
    let script = format!(
        "const {{ privateKey }} = require('node:crypto').{made}; \
         require('node:fs').writeFileSync(process.argv[1], privateKey.export({{ type: 'pkcs8', format: 'pem' }}))"
    );
    let status = tokio::process::Command::new("node").args(["-e", &script]).arg(&file).status().await;
    assert!(status.expect("node").success());
    file.to_str().expect("a path").to_owned()
}

#[tokio::test]
async fn the_node_sample_signs_with_a_private_key_too_and_prints_its_public_half() {
    if !Language::here().await.contains(&Language::Node) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    for (curve, alg) in [("ed25519", Algorithm::EdDSA), ("p256", Algorithm::ES256)] {
        let file = private_key(folder.path(), curve).await;
        let (done, jwks, error) = minted(Language::Node, "", &["--key", &file, "--jwks"]).await;
        assert!(done, "{error}");
        let printed: Value = serde_json::from_str(&jwks).expect("JSON");
        assert!(printed["keys"][0].get("d").is_none(), "the private half stays where it is");
        assert_eq!(
            (printed["keys"][0]["alg"].as_str(), printed["keys"].as_array().map(Vec::len)),
            (Some(&*format!("{alg:?}")), Some(1))
        );
        let keys: JwkSet = serde_json::from_value(printed).expect("a JWK Set");
        let [key]: &[Jwk; 1] = keys.keys.as_slice().try_into().expect("one key");
        let kid = key.common.key_id.clone().expect("an id");
        let (done, token, error) = minted(Language::Node, "", &["--key", &file, &facts().to_string()]).await;
        assert!(done, "{error}");
        claims(&token, &DecodingKey::from_jwk(key).expect("a key"), alg, &kid);
    }
}

#[tokio::test]
async fn what_each_sample_mints_redeems_a_voucher_at_the_proxy_and_for_no_other_customer() {
    let upstream = Upstream::start(vec![answer(200, "", REDEEMED)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let serving = Serving::start(shop::settings(&upstream.url, folder.path(), &[])).await;
    let here = Language::here().await;
    for (number, &language) in here.iter().enumerate() {
        let mut command = language.command("sessions", "checkout-session", &[]);
        let facts = json!({ "sub": "user_123", "email": EMAIL, "amounts": ["25.50"], "currency": "EUR" });
        command.arg(facts.to_string()).env("CASHIER_SESSION_KEYS", shop::KEYS);
        let output = command.env("CASHIER_SESSION_ISSUER", shop::ISSUER).output().await.expect("it starts");
        let token = String::from_utf8(output.stdout).expect("text").trim().to_owned();
        let browser = Browser { endpoint: serving.endpoint.clone(), token };
        let voucher = with_pin(&format!("99007777123400{number:02}"));
        let key = || Uuid::new_v4().to_string();
        let other = with(voucher.clone(), "userId", json!("user_456"));
        assert_eq!(browser.post(&key(), &other).await.status, 400, "{language:?}");
        assert_eq!(browser.post(&key(), &voucher).await.status, 200, "{language:?}");
    }
    assert_eq!(upstream.requests().len(), here.len());
    serving.stop().await;
}
