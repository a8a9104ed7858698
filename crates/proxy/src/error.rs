//! What the proxy itself answers, in the shape of Mozarto's errors, so that a widget reads both alike. The one place
//! that makes it.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// How long a widget waits before it tries again what could not be sent.
const RETRY_AFTER_SECONDS: &str = "5";

/// Why the proxy did not pass an answer of Mozarto's on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The body is no Pay-In: a field is missing.
    Missing(String),
    /// The body is no Pay-In. The text names the field and never quotes a value.
    Invalid(String),
    /// Over 16 KB.
    TooLarge,
    /// Not `application/json`.
    NotJson,
    /// No such path.
    NotFound,
    /// No such method on this path.
    MethodNotAllowed,
    /// This try never left the proxy.
    NotSent,
    /// The try left, and no complete answer of Mozarto's came back. Without `errorCode`: nobody knows what became of
    /// it.
    NoAnswer(&'static str),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, message, errors) = match &self {
            Self::Missing(field) => (StatusCode::BAD_REQUEST, format!("Missing required field: {field}"), vec![]),
            Self::Invalid(error) => (StatusCode::BAD_REQUEST, "Validation failed".to_owned(), vec![error.clone()]),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The body is over 16 KB".to_owned(), vec![]),
            Self::NotJson => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send the body as application/json".to_owned(), vec![])
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found".to_owned(), vec![]),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed".to_owned(), vec![]),
            Self::NotSent => {
                (StatusCode::SERVICE_UNAVAILABLE, "Mozarto cannot be reached; nothing was sent".to_owned(), vec![])
            }
            Self::NoAnswer(why) => (StatusCode::GATEWAY_TIMEOUT, (*why).to_owned(), vec![]),
        };
        let mut body = json!({ "status": "error", "message": message, "isSuccess": false, "errors": errors });
        if self == Self::NotSent {
            body["errorCode"] = mozarto::ErrorCode::NotSent.as_str().into();
            return (status, [(header::RETRY_AFTER, RETRY_AFTER_SECONDS)], Json(body)).into_response();
        }
        (status, Json(body)).into_response()
    }
}
