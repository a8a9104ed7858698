//! The merchant's own server, as far as sessions go: it signs them; and a browser that sends them.

use crate::database::database_in;
use crate::world::{PIN_KEY, Play, Said, TOKEN, Upstream, client, read, served};
use clap::Parser;
use flexepin_cashier_proxy::{Args, Secrets, Settings};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

pub(crate) const SECRET: &str = "session-secret-canary-of-the-proxys-tests";
pub(crate) const KEYS: &str = "shop=session-secret-canary-of-the-proxys-tests";
pub(crate) const ISSUER: &str = "https://shop.example/login";

/// Settings of a proxy that checks sessions, its database in `folder`.
pub(crate) fn settings(upstream: &str, folder: &Path, more: &[&str]) -> Settings {
    let (database, mark) = (database_in(folder), folder.join("cashier.db.mark").display().to_string());
    let args = ["proxy", "--mozarto-url", upstream, "--listen=127.0.0.1:0", "--session-issuer", ISSUER];
    let places = ["--database-url", &database, "--mark-file", &mark];
    let secrets = Secrets {
        company_token: Some(TOKEN.into()),
        pin_key: Some(PIN_KEY.into()),
        session_keys: Some(KEYS.into()),
        ..Secrets::default()
    };
    Settings::new(Args::parse_from(args.iter().chain(&places).chain(more)), secrets).expect("complete settings")
}

/// A proxy that checks sessions, in front of an upstream that plays this.
pub(crate) async fn before(plays: Vec<Play>, more: &[&str]) -> (String, Upstream) {
    let upstream = Upstream::start(plays).await;
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(&upstream.url, folder.path(), more);
    (served(folder, settings).await, upstream)
}

/// The key of a new attempt.
pub(crate) fn key() -> String {
    Uuid::new_v4().to_string()
}

pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_secs()).expect("a time")
}

/// A session's claims: of this customer, from now for a quarter of an hour.
pub(crate) fn claims(subject: &str, id: &str) -> Value {
    json!({ "iss": ISSUER, "aud": "flexepin-cashier", "sub": subject, "jti": id, "iat": now(), "exp": now() + 900 })
}

/// The same for one that ended so many seconds ago.
pub(crate) fn ended(subject: &str, id: &str, ago: i64) -> Value {
    with(with(claims(subject, id), "iat", json!(now() - ago - 900)), "exp", json!(now() - ago))
}

/// A JSON object with another field.
pub(crate) fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

/// Without that field.
pub(crate) fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().expect("an object").remove(name);
    object
}

pub(crate) fn signed_with(secret: &str, id: &str, claims: &Value) -> String {
    let header = Header { kid: Some(id.to_owned()), ..Header::new(Algorithm::HS256) };
    encode(&header, claims, &EncodingKey::from_secret(secret.as_bytes())).expect("a token")
}

pub(crate) fn signed(claims: &Value) -> String {
    signed_with(SECRET, "shop", claims)
}

/// A browser with a session.
pub(crate) struct Browser {
    pub(crate) endpoint: String,
    pub(crate) token: String,
}

impl Browser {
    pub(crate) fn of(endpoint: &str, claims: &Value) -> Self {
        Self { endpoint: endpoint.to_owned(), token: signed(claims) }
    }

    pub(crate) async fn post(&self, key: &str, body: &Value) -> Said {
        let request = client().post(&self.endpoint).header("idempotency-key", key);
        self.said(key, request.header("content-type", "application/json").body(body.to_string())).await
    }

    pub(crate) async fn get(&self, key: &str) -> Said {
        self.said(key, client().get(format!("{}/{key}", self.endpoint))).await
    }

    pub(crate) async fn delete(&self, key: &str) -> Said {
        self.said(key, client().delete(format!("{}/{key}", self.endpoint))).await
    }

    async fn said(&self, key: &str, request: reqwest::RequestBuilder) -> Said {
        let request = if self.token.is_empty() { request } else { request.bearer_auth(&self.token) };
        let response = request.send().await.expect("an answer");
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        assert_eq!(header("attempt-key").as_deref(), Some(key), "on every answer");
        assert_eq!(header("www-authenticate").is_some(), response.status() == 401, "on every 401");
        let replayed = header("idempotency-replayed").is_some();
        let (status, body) = read(response).await;
        Said { status, body, replayed }
    }
}

/// The claims of the user header that reached Mozarto, signature unchecked.
pub(crate) fn user_claims(head: &str) -> Option<Value> {
    let token = head.lines().find_map(|line| line.strip_prefix("x-user-token: Bearer "))?;
    let token = jsonwebtoken::dangerous::insecure_decode::<Value>(token).expect("a decodable token");
    Some(token.claims)
}
