//! What a machine asks of the proxy: whether it lives, whether it can do its work, and its metrics. The first two are on
//! both listeners, the metrics on one of their own.

use crate::attempts::Attempts;
use crate::metrics::{CONTENT_TYPE, Now};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use uuid::Uuid;

/// How long the ledger may take: whoever asks has little patience.
const LEDGER_WITHIN: Duration = Duration::from_secs(2);

/// `/healthz` and `/readyz`.
pub(crate) fn routes(attempts: Arc<Attempts>) -> Router {
    Router::new().route("/healthz", get(healthy)).route("/readyz", get(ready)).with_state(attempts)
}

/// All of it, for the listener of the metrics.
pub(crate) fn router(attempts: Arc<Attempts>) -> Router {
    let metrics = Router::new().route("/metrics", get(metrics)).with_state(Arc::clone(&attempts));
    metrics.merge(routes(attempts))
}

/// Whether the program lives.
#[utoipa::path(get, path = "/healthz", tag = "operators", responses((status = 200, description = "It does", body = String)))]
pub(crate) async fn healthy() -> &'static str {
    "ok\n"
}

/// Whether it can do its work.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operators",
    responses(
        (status = 200, description = "It can", body = String),
        (status = 503, description = "A line for each part that is not ready", body = String),
    ),
)]
pub(crate) async fn ready(State(attempts): State<Arc<Attempts>>) -> Response {
    let mut not_ready = String::new();
    // No key is all zeros: versions of UUIDs begin at 1.
    let read = timeout(LEDGER_WITHIN, attempts.ledger.attempt(Uuid::nil())).await;
    if !matches!(read, Ok(Ok(_))) {
        not_ready += "database: cannot be read\n";
    } else if attempts.held() > 0 {
        not_ready += "database: cannot be written\n";
    }
    if let Some(left) = attempts.breaker.left() {
        // Writing to a string does not fail.
        let _ = writeln!(not_ready, "upstream: Mozarto does not answer; asked again in {} s", left.as_secs() + 1);
    }
    if attempts.ending.is_cancelled() {
        not_ready += "ending\n";
    }
    if not_ready.is_empty() {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, not_ready).into_response()
    }
}

async fn metrics(State(attempts): State<Arc<Attempts>>) -> Response {
    let mut figures = timeout(LEDGER_WITHIN, attempts.ledger.figures()).await.ok().and_then(Result::ok);
    if let Some(figures) = figures.as_mut().filter(|_| !attempts.delivers) {
        // Nothing waits to be delivered where nobody is to be told.
        (figures.undelivered, figures.oldest_undelivered_seconds) = (0, 0);
    }
    let now = Now {
        figures,
        tries_running: attempts.tries_running(),
        held_ends: attempts.held(),
        breaker_is_open: attempts.breaker.left().is_some(),
    };
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], attempts.metrics.text(now)).into_response()
}
