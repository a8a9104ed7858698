//! Endpoints that answer what no payment API would; any method, any origin.

use super::closed;
use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{Response, StatusCode, Uri};
use axum::response::{AppendHeaders, Html, IntoResponse};
use axum::routing::any;
use url::form_urlencoded::parse;

/// 200 with an HTML page.
pub(crate) const HTML: &str = "/bad/html";
/// 200 without a byte.
pub(crate) const EMPTY: &str = "/bad/empty";
/// The request is read, and the connection closed without an answer.
pub(crate) const CLOSED: &str = "/bad/closed";
/// 200 with 10 MB of JSON.
pub(crate) const HUGE: &str = "/bad/huge";
/// 307 to [`HTML`].
pub(crate) const REDIRECT: &str = "/bad/redirect";
/// A 200 success as documented, whose texts have markup, scripts and right-to-left overrides in them.
pub(crate) const MARKUP: &str = "/bad/markup";

/// Redirects, with the status and to the address that its query says: `?status=307&to=http%3A%2F%2F…`.
pub(crate) const AWAY: &str = "/bad/away";
/// Answers with the status and the JSON that its query says, and with `Retry-After` where it says that too:
/// `?status=429&json=%7B…&retry=90`.
pub(crate) const SAYS: &str = "/bad/says";

/// Answer of [`MARKUP`]. If any of it were executed, the page would have `window.executed`.
const MARKED_UP: &str = r#"{
  "status": "success",
  "isSuccess": true,
  "message": "<img src=x onerror='window.executed=1'>",
  "data": {
    "result": "0",
    "result_description": "<svg onload='window.executed=1'>",
    "status": "<u>USED</u>",
    "currency": "EUR",
    "value": 25.0,
    "serial": "\u202e<img src=x onerror='window.executed=1'>\u0007",
    "transactionId": "<b>\u202e1234\u202c</b><script>window.executed=1</script>",
    "merchantReference": "\u2066<script>window.executed=1</script>\u2069",
    "amount": 25.0
  }
}"#;

/// All of them, to be nested in `/bad`.
pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/html", any(async || Html("<!doctype html><h1>Welcome</h1><script>window.executed = 1</script>")))
        .route("/empty", any(async || StatusCode::OK))
        .route("/closed", any(closed))
        .route("/huge", any(async || json(format!("{{\"isSuccess\":true,\"data\":\"{}\"}}", "x".repeat(10_000_000)))))
        .route("/redirect", any(async || (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, HTML)])))
        .route("/markup", any(async || json(MARKED_UP)))
        .route("/away", any(away))
        .route("/away/{key}", any(away))
        .route("/says", any(says))
        .route("/says/{key}", any(says))
}

fn json(text: impl Into<Body>) -> Response<Body> {
    ([(CONTENT_TYPE, "application/json")], text.into()).into_response()
}

/// The status that an address names, and one more thing that it says.
fn told(address: &Uri, name: &str) -> (StatusCode, String) {
    let query = address.query().unwrap_or_default();
    let said = |name| parse(query.as_bytes()).find_map(|(key, value)| (key == name).then(|| value.into_owned()));
    let status = said("status").and_then(|status| status.parse().ok()).expect("the test says a status");
    (status, said(name).expect("the test says it"))
}

async fn away(address: Uri) -> Response<Body> {
    let (status, to) = told(&address, "to");
    (status, [(LOCATION, to)]).into_response()
}

async fn says(address: Uri) -> Response<Body> {
    let (status, text) = told(&address, "json");
    let retry = address.query().and_then(|query| query.split_once("retry=")).map(|(_, seconds)| seconds.to_owned());
    (status, AppendHeaders(retry.map(|seconds| (RETRY_AFTER, seconds))), json(text)).into_response()
}
