//! The headers that every answer has, whoever asked and whatever it says: an answer is data for one script, never a
//! page, and stays in no cache.

use super::Guard;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

const ALWAYS: [(HeaderName, HeaderValue); 4] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const ONE_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Puts them on the answer.
pub(crate) async fn put(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    // Where two servers in a row could disagree about the end of a body there must be no request after it.
    let is_last = request.headers().contains_key(header::TRANSFER_ENCODING);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.extend(ALWAYS);
    // Set where, and only where, CORS lets this page read the answer.
    let is_read_by_others = headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    let policy = if is_read_by_others { "cross-origin" } else { "same-origin" };
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static(policy));
    if guard.serves_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, ONE_YEAR);
    }
    if is_last {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
