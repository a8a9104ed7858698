//! Each way in which a token may be no session.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

const SECRET: &str = "a-secret-of-the-tests-of-32-bytes-or-more";
const ISSUER: &str = "https://shop.example";

/// A key pair of P-256 and one of Ed25519, in PKCS #8; made for these tests.
const EC_PRIVATE: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjAX8ifuJyOgOOoNepYHl3q/oz6yLl7X0T80SJv3SZoGhRANCAARsVnN0i4sH103o+8BUy/WtwbHT8TCpdLbFm+XeNTsapkww9vBPif8G4q4lTDSr534OaZMn/mrHzi+gi3AzJPed";
const EC_PUBLIC: [&str; 2] =
    ["bFZzdIuLB9dN6PvAVMv1rcGx0_EwqXS2xZvl3jU7GqY", "TDD28E-J_wbiriVMNKvnfg5pkyf-asfOL6CLcDMk950"];
const ED_PRIVATE: &str = "MC4CAQAwBQYDK2VwBCIEIJNgJpsJ/dDbZB9A51QiSMMbkSaYHDOGfd6dCl1DYfWV";
const ED_PUBLIC: &str = "Zq3TX51RZRPlBrL5mUg7wKDvaSeCWzAiXuZ-oQrUcoM";

fn sessions() -> Sessions {
    let set = json!({ "keys": [
        { "kty": "oct", "kid": "hs", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(SECRET) },
        { "kty": "EC", "crv": "P-256", "kid": "es", "alg": "ES256", "x": EC_PUBLIC[0], "y": EC_PUBLIC[1] },
        { "kty": "OKP", "crv": "Ed25519", "kid": "ed", "alg": "EdDSA", "x": ED_PUBLIC },
    ] });
    Sessions {
        keys: Live::new(SessionKeys::parse(&set.to_string()).expect("keys")),
        issuer: ISSUER.to_owned(),
        audience: "flexepin-cashier".to_owned(),
        clock: Arc::new(Clock::new(None)),
    }
}

fn now() -> i64 {
    i64::try_from(Clock::new(None).wall_seconds()).expect("a time")
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": "flexepin-cashier", "sub": "user_123", "iat": now(), "exp": now() + 900, "jti": "s-1" })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().expect("an object").remove(name);
    claims
}

fn header(algorithm: Algorithm, id: Option<&str>) -> Header {
    Header { kid: id.map(str::to_owned), ..Header::new(algorithm) }
}

fn signed(claims: &Value) -> String {
    encode(&header(Algorithm::HS256, Some("hs")), claims, &EncodingKey::from_secret(SECRET.as_bytes()))
        .expect("a token")
}

/// A token of these bytes, with a right signature of the shared secret.
fn raw(header: &[u8], payload: &[u8]) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).expect("signed");
    format!("{message}.{signature}")
}

fn verified(token: &str) -> Result<Session, Refused> {
    sessions().of(&SecretString::from(token))
}

fn refused(token: &str) -> Refused {
    verified(token).err().expect("it is refused")
}

/// How much of `time` is left to us, or why nothing is.
fn life(claims: &Value) -> Result<bool, Refused> {
    verified(&signed(claims)).map(|session| session.is_live)
}

#[test]
fn a_token_of_each_kind_of_key_is_a_session_that_fixes_what_it_names() {
    let der = |text: &str| STANDARD.decode(text).expect("base64");
    for (algorithm, id, key) in [
        (Algorithm::HS256, "hs", EncodingKey::from_secret(SECRET.as_bytes())),
        (Algorithm::ES256, "es", EncodingKey::from_ec_der(&der(EC_PRIVATE))),
        (Algorithm::EdDSA, "ed", EncodingKey::from_ed_der(&der(ED_PRIVATE))),
    ] {
        let mut claims = claims();
        claims["aud"] = json!(["another", "flexepin-cashier"]);
        claims["email"] = json!("a@b.example");
        claims["amounts"] = json!(["10.00", 25.5]);
        claims["currency"] = json!("EUR");
        claims["firstName"] = json!("Anna");
        claims["unknown"] = json!({ "a": [1] });
        let token = encode(&header(algorithm, Some(id)), &claims, &key).expect("a token");
        let session = verified(&token).unwrap_or_else(|refused| panic!("{id}: {refused:?}"));
        assert_eq!((session.id.as_str(), session.subject.as_str()), ("https://shop.example s-1", "user_123"));
        assert!(session.is_live);
        assert_eq!(session.fixed.email.as_deref(), Some("a@b.example"));
        assert_eq!(session.fixed.first_name.as_deref(), Some("Anna"));
        let euro: Currency = "EUR".parse().expect("a currency");
        assert_eq!(session.fixed.currency, Some(euro));
        let amounts = session.fixed.amounts.expect("amounts");
        let minor = amounts.iter().map(|amount| amount.in_currency(euro).expect("an amount").minor());
        assert_eq!(minor.collect::<Vec<_>>(), [1000, 2550]);
        assert!(session.fixed.amount.is_none() && session.fixed.brand_id.is_none());
    }
}

#[test]
fn a_session_lives_until_its_end_with_a_minute_of_skew_and_may_ask_for_a_day_more() {
    let ended = |ago: i64| {
        let mut claims = claims();
        (claims["iat"], claims["exp"]) = (json!(now() - ago - 900), json!(now() - ago));
        claims
    };
    assert_eq!(life(&claims()), Ok(true));
    assert_eq!(life(&ended(50)), Ok(true));
    assert_eq!(life(&ended(70)), Ok(false));
    assert_eq!(life(&ended(DAY_SECONDS - 10)), Ok(false));
    assert_eq!(life(&ended(DAY_SECONDS + 10)), Err(Refused::Expired));
}

#[test]
fn a_session_that_begins_later_or_lasts_too_long_is_refused() {
    let times = |iat: Value, exp: Value, nbf: Value| {
        let mut claims = claims();
        (claims["iat"], claims["exp"], claims["nbf"]) = (iat, exp, nbf);
        claims
    };
    let now = now();
    assert_eq!(life(&times(json!(now + 50), json!(now + 900), Value::Null)), Ok(true));
    assert_eq!(life(&times(json!(now), json!(now + DAY_SECONDS), json!(now))), Ok(true));
    for (iat, exp, nbf) in [
        (json!(now + 70), json!(now + 900), Value::Null),
        (json!(now), json!(now + 900), json!(now + 70)),
        (json!(now), json!(now + DAY_SECONDS + 1), Value::Null),
        (json!(now), json!(now), Value::Null),
        (json!(now), json!(now - 1), Value::Null),
        (json!(-1), json!(now + 900), Value::Null),
        (json!(now), json!(1e300), Value::Null),
        (json!(now.to_string()), json!(now + 900), Value::Null),
        (json!(now), json!(now + 900), json!("soon")),
        (json!(now), json!(now + 900), json!(-1)),
    ] {
        let claims = times(iat, exp, nbf);
        assert!(matches!(life(&claims), Err(Refused::Broken(_))), "{claims}");
    }
}

#[test]
fn claims_that_are_missing_wrong_or_another_partys_are_refused() {
    for name in ["iss", "aud", "sub", "iat", "exp", "jti"] {
        assert!(matches!(life(&without(name)), Err(Refused::Broken(_))), "without {name}");
        assert!(matches!(life(&with(name, Value::Null)), Err(Refused::Broken(_))), "{name} is null");
    }
    for (name, value) in [
        ("iss", json!("https://other.example")),
        ("iss", json!(["https://shop.example"])),
        ("aud", json!("other")),
        ("aud", json!([])),
        ("aud", json!(["flexepin-cashier-2"])),
        ("sub", json!("")),
        ("sub", json!("x".repeat(129))),
        ("sub", json!("a\u{0}b")),
        ("sub", json!(7)),
        ("jti", json!("")),
        ("jti", json!("x".repeat(129))),
        ("jti", json!("a\nb")),
        ("email", json!("no address")),
        ("currency", json!("EUX")),
        ("amount", json!("ten")),
        ("amount", json!(0)),
        ("amount", json!(1e300)),
        ("amounts", json!(["10", "-5"])),
        ("amounts", json!("10")),
        ("brandId", json!("x".repeat(129))),
        ("firstName", json!("a\u{7}b")),
        ("countryCode", json!(49)),
    ] {
        assert!(matches!(life(&with(name, value.clone())), Err(Refused::Broken(_))), "{name}: {value}");
    }
    let mut yen = with("amount", json!("10.50"));
    assert_eq!(life(&yen), Ok(true));
    yen["currency"] = json!("JPY");
    assert!(matches!(life(&yen), Err(Refused::Broken(_))), "no yen has decimals");
}

#[test]
fn the_key_says_which_algorithm_and_the_token_does_not() {
    let secret = EncodingKey::from_secret(SECRET.as_bytes());
    let token = |header: &Header, key: &EncodingKey| encode(header, &claims(), key).expect("a token");
    let [x, y] = EC_PUBLIC.map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64"));
    let point = [vec![4], x, y].concat();
    let set_text = sessions_public_text();
    let ed = URL_SAFE_NO_PAD.decode(ED_PUBLIC).expect("base64");
    for (what, token, why) in [
        // Who knows the public key must not sign with it as a secret.
        ("a point as secret", token(&header(Algorithm::HS256, Some("es")), &EncodingKey::from_secret(&point)), "alg"),
        (
            "the JWK as secret",
            token(&header(Algorithm::HS256, Some("es")), &EncodingKey::from_secret(set_text.as_bytes())),
            "alg",
        ),
        (
            "an Ed25519 key as secret",
            token(&header(Algorithm::HS256, Some("ed")), &EncodingKey::from_secret(&ed)),
            "alg",
        ),
        ("HS512 with the secret", token(&header(Algorithm::HS512, Some("hs")), &secret), "alg"),
        (
            "another secret",
            token(&header(Algorithm::HS256, Some("hs")), &EncodingKey::from_secret(b"another")),
            "signature",
        ),
        ("no secret", token(&header(Algorithm::HS256, Some("hs")), &EncodingKey::from_secret(b"")), "signature"),
        ("an unknown kid", token(&header(Algorithm::HS256, Some("old")), &secret), "kid"),
        ("no kid", token(&header(Algorithm::HS256, None), &secret), "kid"),
        ("a kid of SQL", token(&header(Algorithm::HS256, Some("' OR 1=1 --")), &secret), "kid"),
        (
            "a critical field",
            token(&Header { crit: Some(vec!["b64".into()]), ..header(Algorithm::HS256, Some("hs")) }, &secret),
            "critical",
        ),
    ] {
        let Refused::Broken(said) = refused(&token) else { panic!("{what}") };
        assert!(said.contains(why), "{what}: {said}");
    }
}

/// The public key as anybody may read it.
fn sessions_public_text() -> String {
    json!({ "kty": "EC", "crv": "P-256", "x": EC_PUBLIC[0], "y": EC_PUBLIC[1] }).to_string()
}

#[test]
fn what_is_no_signed_token_is_refused() {
    let whole = signed(&claims());
    let parts: Vec<&str> = whole.split('.').collect();
    let none = |alg: &str| {
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": alg, "typ": "JWT", "kid": "hs" }).to_string());
        format!("{header}.{}.", parts[1])
    };
    let head = json!({ "alg": "HS256", "kid": "hs" }).to_string();
    let text = claims().to_string();
    let mut broken = text.clone().into_bytes();
    let at = text.find("user_123").expect("the subject");
    broken[at] = 0xff;
    assert!(verified(&raw(head.as_bytes(), text.as_bytes())).is_ok(), "else the next cases show nothing");
    for (what, token) in [
        ("nothing", String::new()),
        ("a word", "token".to_owned()),
        ("alg none", none("none")),
        ("alg None", none("None")),
        ("alg none with a signature", format!("{}{}", none("none"), parts[2])),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("four parts", format!("{whole}.{}", parts[2])),
        ("five parts", format!("{whole}..")),
        ("broken base64", format!("{}.!{}.{}", parts[0], parts[1], parts[2])),
        ("padded base64", format!("{}=.{}.{}", parts[0], parts[1], parts[2])),
        (
            "another's claims",
            format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(with("sub", json!("b")).to_string()), parts[2]),
        ),
        ("broken UTF-8", raw(head.as_bytes(), &broken)),
        ("a subject twice", raw(head.as_bytes(), text.replacen('{', r#"{"sub":"other","#, 1).as_bytes())),
        ("an end twice", raw(head.as_bytes(), text.replacen('{', r#"{"exp":9999999999,"#, 1).as_bytes())),
        ("a kid twice", raw(br#"{"alg":"HS256","kid":"hs","kid":"hs"}"#, text.as_bytes())),
        ("an alg twice", raw(br#"{"alg":"none","alg":"HS256","kid":"hs"}"#, text.as_bytes())),
        ("an array", raw(head.as_bytes(), b"[]")),
        ("claims and more", raw(head.as_bytes(), format!("{text}{{}}").as_bytes())),
        ("a lone surrogate", raw(head.as_bytes(), text.replace("user_123", "\\ud800").as_bytes())),
        ("a huge token", signed(&with("more", json!("x".repeat(8 * 1024))))),
    ] {
        assert!(matches!(refused(&token), Refused::Broken(_)), "{what}");
    }
}

#[test]
fn a_rotated_key_is_believed_from_then_on_and_the_one_that_went_is_not() {
    let sessions = sessions();
    let token = SecretString::from(signed(&claims()));
    assert!(sessions.of(&token).is_ok());
    sessions.keys.replace(SessionKeys::parse(&format!("new={SECRET}")).expect("keys"));
    assert!(sessions.of(&token).is_err());
    sessions.keys.replace(SessionKeys::parse(&format!("new={SECRET},hs={SECRET}")).expect("keys"));
    assert!(sessions.of(&token).is_ok());
}

#[test]
fn a_bearer_is_there_once() {
    let headers = |values: &[&[u8]]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, axum::http::HeaderValue::from_bytes(value).expect("a value"));
        }
        headers
    };
    for (values, expected) in [
        (&[][..], Err(Refused::None)),
        (&[b"Bearer abc" as &[u8]], Ok("abc")),
        (&[b"bearer  abc "], Ok("abc")),
        (&[b"Basic abc"], Err(Refused::None)),
        (&[b"Bearer"], Err(Refused::None)),
        (&[b"Bearer "], Err(Refused::None)),
        (&[b"Bearer abc", b"Bearer abc"], Err(Refused::Twice)),
        (&[b"Basic abc", b"Bearer abc"], Err(Refused::Twice)),
    ] {
        let read = bearer(&headers(values)).map(|token| token.expose_secret().to_owned());
        assert_eq!(read, expected.map(str::to_owned));
    }
    assert!(matches!(bearer(&headers(&[b"Bearer \xff"])), Err(Refused::Broken(_))));
}
