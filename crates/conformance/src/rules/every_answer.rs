//! What holds of every answer of a run. Asked when all others are done.

use crate::browser::Got;
use crate::kit::{Found, Kit, ensure};
use crate::observed::Asked;
use crate::upstream::Received;
use jsonwebtoken::dangerous::insecure_decode;
use mozarto::ErrorCode;
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeSet;

/// Said of what no proxy reads: a body that is too long, a method that is not there.
const UNREAD: [u16; 2] = [405, 413];

pub(super) async fn attempt_key(kit: &Kit) -> Found {
    for (asked, got) in kit.observed().answers() {
        let Some(attempt) = asked.attempt.as_deref().filter(|_| !UNREAD.contains(&got.status)) else { continue };
        let found = got.header("attempt-key");
        ensure!(
            found == Some(attempt),
            "{} was answered {} with Attempt-Key {}",
            asked.method,
            got.brief(),
            shown(found)
        );
    }
    Ok("it was there each time")
}

fn shown(key: Option<&str>) -> &'static str {
    match key {
        None => "missing",
        Some(key) if key.bytes().any(|byte| byte.is_ascii_uppercase()) => "in capitals",
        Some(_) => "of another form or attempt",
    }
}

pub(super) async fn no_store(kit: &Kit) -> Found {
    // A preflight is the browser's own affair, with its own time to keep.
    let answers = kit.observed().answers().into_iter().filter(|(asked, _)| asked.method != Method::OPTIONS);
    for (asked, got) in answers {
        let found = got.header("cache-control").unwrap_or_default().to_ascii_lowercase();
        ensure!(found.contains("no-store"), "{} was answered {} without it", asked.method, got.brief());
    }
    Ok("it was there each time")
}

pub(super) async fn codes(kit: &Kit) -> Found {
    let answers: Vec<(Asked, Got)> = kit.observed().answers();
    for (asked, got) in &answers {
        let Some(code) = got.code() else { continue };
        let known = !matches!(code, ErrorCode::Other(_));
        ensure!(known, "{} was answered with an errorCode of no table", asked.method);
        let Some(status) = status_of(&code) else { continue };
        ensure!(got.status == status, "{code} came with {}, and not with {status}", got.status);
    }
    Ok("known words, each with its status")
}

/// The status of a word of the proxy's. Mozarto's have whatever Mozarto gives them.
fn status_of(code: &ErrorCode) -> Option<u16> {
    Some(match code {
        ErrorCode::NotSent => 503,
        ErrorCode::AttemptUnconfirmed => 202,
        ErrorCode::AttemptInProgress | ErrorCode::VoucherInUse => 409,
        ErrorCode::AttemptClosed => 410,
        ErrorCode::AttemptMismatch => 422,
        ErrorCode::SessionRequired | ErrorCode::SessionExpired => 401,
        ErrorCode::AttemptForeign => 403,
        ErrorCode::TooManyTries => 429,
        ErrorCode::AttemptUnknown => 404,
        _ => return None,
    })
}

pub(super) async fn token_leak(kit: &Kit) -> Found {
    let requests = kit.upstream()?.received();
    let tokens: BTreeSet<&str> = requests.iter().filter_map(|request| request.bearer("authorization")).collect();
    ensure!(!tokens.is_empty(), "no company token was sent");
    for (asked, got) in kit.observed().answers() {
        let leaked = tokens.iter().any(|token| said(&got, token));
        ensure!(!leaked, "the answer to a {} holds the company token", asked.method);
    }
    Ok("no header and no body has it")
}

fn said(got: &Got, text: &str) -> bool {
    String::from_utf8_lossy(&got.body).contains(text)
        || got.headers.values().any(|value| String::from_utf8_lossy(value.as_bytes()).contains(text))
}

pub(super) async fn pin_in_headers(kit: &Kit) -> Found {
    let requests = kit.upstream()?.received();
    let pins: BTreeSet<String> = requests.iter().filter_map(pin_of).collect();
    let holds = |text: &str| {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        pins.iter().any(|pin| digits.contains(pin.as_str()))
    };
    for request in &requests {
        ensure!(!holds(&request.path), "a PIN is in the URL of a request to Mozarto");
        for (name, value) in &request.headers {
            let claims = value.strip_prefix("Bearer ").and_then(|token| insecure_decode::<Value>(token).ok());
            let inside = claims.is_some_and(|token| holds(&token.claims.to_string()));
            ensure!(!holds(value) && !inside, "a PIN is in {name} of a request to Mozarto");
        }
    }
    for (asked, got) in kit.observed().answers() {
        for (name, value) in &got.headers {
            let text = String::from_utf8_lossy(value.as_bytes());
            ensure!(!holds(&text), "a PIN is in {name} of the answer to a {}", asked.method);
        }
    }
    Ok("neither in the answers nor in the requests to Mozarto")
}

fn pin_of(request: &Received) -> Option<String> {
    let body: Value = serde_json::from_str(&request.body).ok()?;
    let pin = body.get("voucherPin")?.as_str()?;
    (pin.len() == 16).then(|| pin.to_owned())
}
