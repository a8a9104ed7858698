//! What is noted of each request: an id that goes from the widget to Mozarto, a span in which every line of the log
//! about it stands, one line when it is answered, and how long that took. No word of it is of the body.

use crate::metrics::{Metrics, Refused};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, Span, debug, error_span, info};
use uuid::Uuid;

/// Request and answer, and the request to Mozarto, have it.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST_ID: usize = 64;
const PIN_DIGITS: usize = 16;

tokio::task_local! {
    static OF_THIS_REQUEST: HeaderValue;
}

/// The middleware around all routes.
pub(crate) async fn noted(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let since = Instant::now();
    let id = given(request.headers()).unwrap_or_else(fresh);
    let method = request.method().clone();
    // The pattern, not the path: that holds a key.
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    // Of the highest level: a line of any level says whose it is.
    let span = error_span!(
        "request",
        otel.kind = "server",
        %method,
        route,
        request_id = id.to_str().unwrap_or_default(),
        attempt = Empty,
        status = Empty,
    );
    let answer = async {
        let response = next.run(request).await;
        let status = response.status().as_u16();
        Span::current().record("status", status);
        let ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        // Whoever looks after the proxy asks every few seconds.
        if matches!(route.as_str(), "/healthz" | "/readyz") {
            debug!(ms, "answered");
        } else {
            info!(ms, "answered");
        }
        response
    };
    let mut response = OF_THIS_REQUEST.scope(id.clone(), answer).instrument(span).await;
    metrics.answered(&method, response.status(), since.elapsed());
    if let Some(why) = response.extensions().get::<Refused>() {
        metrics.refused(*why);
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The id of the request that this task works for.
pub(crate) fn request_id() -> Option<HeaderValue> {
    OF_THIS_REQUEST.try_with(Clone::clone).ok()
}

/// Notes which attempt the request is about. Only for a key that is known not to hold a PIN, or to be asked for.
pub(crate) fn about(key: Uuid) {
    Span::current().record("attempt", tracing::field::display(key));
}

/// The same work for a task of its own: it stays this request's.
pub(crate) fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let id = request_id().unwrap_or_else(fresh);
    OF_THIS_REQUEST.scope(id, work).in_current_span()
}

/// The client's own, if it is one that may be logged: short, plain, and without room for a PIN.
fn given(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(REQUEST_ID)?;
    let text = id.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    ((1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(is_plain) && !may_hold_a_pin(text)).then(|| id.clone())
}

/// As many digits in a row as a PIN has, separated or not.
fn may_hold_a_pin(text: &str) -> bool {
    let mut run = 0;
    text.bytes().any(|byte| {
        run = match byte {
            b'0'..=b'9' => run + 1,
            b'.' | b'_' | b'-' => run,
            _ => 0,
        };
        run >= PIN_DIGITS
    })
}

fn fresh() -> HeaderValue {
    // The text of a UUID is a header's value always.
    HeaderValue::from_str(&Uuid::new_v4().to_string()).unwrap_or(HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_the_clients_is_taken_over_if_it_may_be_logged() {
        for (id, taken) in [
            ("checkout-42", true),
            ("0b5a9e1c-7a64-4a83-9b3e-0d5b6f1f2a3b", true),
            ("a", true),
            ("", false),
            ("two words", false),
            ("a@b.example", false),
            ("line\tbreak", false),
            ("9900777712345678", false),
            ("pin-9900-7777-1234-5678", false),
            ("9900.7777_1234-5678", false),
            ("99007777x12345678", true),
        ] {
            let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_str(id).expect("a value"))]);
            assert_eq!(given(&headers).is_some(), taken, "{id}");
        }
        let long = |length: usize| {
            let value = HeaderValue::from_str(&"x".repeat(length)).expect("a value");
            given(&HeaderMap::from_iter([(REQUEST_ID, value)])).is_some()
        };
        assert!(long(64) && !long(65));
        assert_eq!(given(&HeaderMap::new()), None);
    }
}
