//! Mints a checkout session on your server: Rust with `jsonwebtoken`, `serde_json` and `uuid`.
//!
//! ```sh
//! export CASHIER_SESSION_KEYS=k1=$(openssl rand -hex 32)   # the same as the proxy has; the first one signs
//! export CASHIER_SESSION_ISSUER=https://shop.example CASHIER_SESSION_AUDIENCE=flexepin-cashier
//! cargo run -p flexepin-cashier-proxy --example checkout-session -- \
//!     '{"sub":"user_123","email":"anna@shop.example","amounts":["25.00","50.00"],"currency":"EUR"}'
//! ```
//!
//! Mint one per checkout, for a customer who is logged in, and give it to the page; never mint in the page.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Map, Value, json};
use std::env;
use std::error::Error;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

const SECONDS: u64 = 15 * 60;

/// A session of this customer, as your login knows it. An amount that you leave out the page may choose.
fn checkout_session(
    facts: Map<String, Value>,
    (issuer, audience): (&str, &str),
    (kid, secret): (&str, &str),
) -> Result<String, Box<dyn Error>> {
    if facts.get("sub").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err("sub must be the customer's id".into());
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let mut claims = facts;
    // A session redeems one voucher: the jti says which session it is, and nobody may guess or repeat it.
    let jti = uuid::Uuid::new_v4().to_string();
    let fixed = [("iss", json!(issuer)), ("aud", json!(audience)), ("iat", json!(now)), ("exp", json!(now + SECONDS))];
    claims.extend(fixed.into_iter().chain([("jti", json!(jti))]).map(|(name, value)| (name.to_owned(), value)));
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::HS256) };
    Ok(encode(&header, &claims, &EncodingKey::from_secret(secret.as_bytes()))?)
}

/// The first of `id=secret,…`.
fn first_key(text: &str) -> Option<(&str, &str)> {
    let (kid, secret) = text.split(',').next()?.split_once('=')?;
    (!kid.is_empty() && secret.len() >= 32).then_some((kid, secret))
}

fn main() -> Result<(), Box<dyn Error>> {
    let keys = env::var("CASHIER_SESSION_KEYS").unwrap_or_default();
    let key = first_key(&keys).ok_or("CASHIER_SESSION_KEYS must be id=secret, of 32 bytes or more")?;
    let issuer = env::var("CASHIER_SESSION_ISSUER").map_err(|_| "CASHIER_SESSION_ISSUER is missing")?;
    let audience = env::var("CASHIER_SESSION_AUDIENCE").unwrap_or_else(|_| "flexepin-cashier".to_owned());
    let facts = serde_json::from_str(&env::args().nth(1).ok_or("give the customer's facts as JSON")?)?;
    let session = checkout_session(facts, (&issuer, &audience), key)?;
    Ok(writeln!(std::io::stdout(), "{session}")?)
}
