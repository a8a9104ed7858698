//! Is told by the proxy what to credit: Rust with `axum`, `hmac`, `sha2` and `base64`.
//!
//! ```sh
//! CASHIER_NOTIFY_SECRET=whsec_… CREDITS=/var/lib/shop/credits PORT=8090 \
//!     cargo run -p flexepin-cashier-proxy --example receiver
//! ```
//!
//! Give the proxy the same secret, and `--notify-url https://…` of this server behind your TLS. Make `record` write to
//! your own database. Whatever is not answered 2xx comes again, for ever, so nothing is answered before it is stored.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Router, routing};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

const TOLERANCE_S: u64 = 5 * 60;

struct Receiver {
    /// Several while you change it: whichever signed is fine.
    secrets: Vec<Vec<u8>>,
    credits: PathBuf,
}

impl Receiver {
    /// Whether the proxy sent it, and lately (Standard Webhooks). `body` is the bytes as they came: parse them after.
    fn is_signed(&self, headers: &HeaderMap, body: &[u8]) -> Option<bool> {
        let header = |name| headers.get(name)?.to_str().ok();
        let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        if now.abs_diff(timestamp.parse().ok()?) > TOLERANCE_S {
            return Some(false);
        }
        let given = header("webhook-signature")?.split(' ').filter_map(|one| one.strip_prefix("v1,"));
        let given: Vec<Vec<u8>> = given.filter_map(|one| BASE64_STANDARD.decode(one).ok()).collect();
        Some(self.secrets.iter().any(|secret| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
            mac.update(format!("{id}.{timestamp}.").as_bytes());
            mac.update(body);
            // In constant time.
            given.iter().any(|one| mac.clone().verify_slice(one).is_ok())
        }))
    }
}

/// What to do about a line of the books. Its value is in major units of its currency, and may not be known.
fn action_for(event: &Value) -> &'static str {
    let line = &event["data"];
    let is_known = line["value"].is_number() && line["currency"].is_string() && line["userId"].is_string();
    match event["type"].as_str() {
        // Its transaction was told under another attempt.
        Some("flexepin.duplicate") => "nothing",
        Some("flexepin.redeemed") if is_known => "credit",
        // For a person: look it up, then credit.
        _ => "ask",
    }
}

/// Your database: INSERT a row whose unique key is the attempt, and the customer's credit, in one transaction; a row
/// that is there already changes nothing. Here: a file per attempt, which comes into being whole, and once.
fn record(credits: &Path, attempt: Uuid, row: &Value) -> io::Result<()> {
    let file = credits.join(format!("{attempt}.json"));
    let draft = credits.join(format!("{attempt}.{}", Uuid::new_v4()));
    let mut opened = OpenOptions::new().write(true).create_new(true).open(&draft)?;
    let made = (|| {
        opened.write_all(row.to_string().as_bytes())?;
        opened.sync_all()?;
        match fs::hard_link(&draft, &file) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
    })();
    fs::remove_file(&draft)?;
    made
}

async fn told(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if receiver.is_signed(&headers, &body) != Some(true) {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(event) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST };
    let attempt = event["data"]["attempt"].as_str().and_then(|text| text.parse().ok());
    let Some(attempt) = attempt else { return StatusCode::BAD_REQUEST };
    let mut row = event["data"].clone();
    row["action"] = json!(action_for(&event));
    // A disk is waited for, and so is a database.
    match tokio::task::spawn_blocking(move || record(&receiver.credits, attempt, &row)).await {
        Ok(Ok(())) => StatusCode::NO_CONTENT,
        // It comes again.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let setting = |name: &str| std::env::var(name).map_err(|_| format!("{name} is missing"));
    let secret = |text: &str| BASE64_STANDARD.decode(text.strip_prefix("whsec_")?).ok().filter(|it| it.len() >= 24);
    let secrets: Option<Vec<_>> = setting("CASHIER_NOTIFY_SECRET")?.split_whitespace().map(secret).collect();
    let secrets = secrets.filter(|it| !it.is_empty()).ok_or("CASHIER_NOTIFY_SECRET must be whsec_ and base64")?;
    let receiver = Arc::new(Receiver { secrets, credits: setting("CREDITS")?.into() });
    let app = Router::new().fallback_service(routing::post(told).with_state(receiver));
    let app = app.layer(DefaultBodyLimit::max(64 * 1024));
    let port = setting("PORT").unwrap_or_else(|_| "8090".to_owned()).parse()?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    writeln!(io::stdout(), "rust.rs listens on http://{}", listener.local_addr()?)?;
    Ok(axum::serve(listener, app).await?)
}
