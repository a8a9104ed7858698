//! What the proxy itself answers, in the shape of Mozarto's errors, so that a widget reads both alike. The one place
//! that makes it. Source: CONTRACT, "Hop 1".

use crate::ledger::StoredAnswer;
use crate::metrics::Refused;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mozarto::ErrorCode;
use serde_json::{Value, json};
use uuid::Uuid;

/// How long a widget waits before it tries again what could not be sent.
pub(crate) const WAIT_SECONDS: u64 = 5;

/// An answer of the proxy's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    /// The body is no Pay-In: a field is missing.
    Missing(String),
    /// The request is invalid. The text names the field and never quotes a value.
    Invalid(String),
    /// The body is larger than `--max-body-bytes`.
    TooLarge,
    /// Not `application/json`.
    NotJson,
    /// No such path.
    NotFound,
    /// No such method on this path.
    MethodNotAllowed,
    /// Not the merchant's own books-keeper.
    Unauthorized,
    /// This try never left the proxy. The text is for the merchant; it is worth another try in so many seconds.
    NotSent(&'static str, u64),
    /// The try left, and no complete answer of Mozarto's came back. Without `errorCode`: nobody knows what became of
    /// it.
    NoAnswer(&'static str),
    /// A try of the attempt still runs.
    Pending,
    /// What became of the attempt cannot be found out; its transaction, where it is known.
    Unconfirmed(Option<String>),
    /// Another POST of this key is being tried.
    InProgress,
    /// An open attempt has this voucher; named where it is the same customer's.
    InUse(Option<(Uuid, String)>),
    /// The attempt was closed as untouched.
    Closed,
    /// 200 to a DELETE: closed as untouched, now or before.
    Untouched,
    /// The key is known with another voucher, amount or currency.
    Mismatch,
    /// Another customer's attempt.
    Foreign,
    /// No checkout session, or none that is believed.
    SessionRequired,
    /// The checkout session has ended, or has redeemed a voucher.
    SessionExpired,
    /// Too many new attempts, or too many invalid PINs: again in so many seconds.
    TooManyTries(u64, Refused),
    /// A page of an origin that may not call.
    ForeignOrigin,
    /// Nothing was sent so far under this key.
    Unknown,
    /// Staff found out that the voucher is untouched.
    SettledUntouched,
    /// The ledger cannot be read: nothing is known, and nothing was done.
    LedgerUnreadable,
}

impl Own {
    fn status(&self) -> StatusCode {
        match self {
            Self::Untouched | Self::SettledUntouched => StatusCode::OK,
            Self::Pending | Self::Unconfirmed(_) => StatusCode::ACCEPTED,
            Self::Missing(_) | Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized | Self::SessionRequired | Self::SessionExpired => StatusCode::UNAUTHORIZED,
            Self::Foreign | Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::NotFound | Self::Unknown => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::InProgress | Self::InUse(_) => StatusCode::CONFLICT,
            Self::Closed => StatusCode::GONE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Mismatch => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyTries(..) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotSent(..) | Self::LedgerUnreadable => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoAnswer(_) => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    fn error_code(&self) -> Option<ErrorCode> {
        Some(match self {
            Self::NotSent(..) => ErrorCode::NotSent,
            Self::Unconfirmed(_) => ErrorCode::AttemptUnconfirmed,
            Self::InProgress => ErrorCode::AttemptInProgress,
            Self::InUse(_) => ErrorCode::VoucherInUse,
            Self::Closed => ErrorCode::AttemptClosed,
            Self::Mismatch => ErrorCode::AttemptMismatch,
            Self::Foreign => ErrorCode::AttemptForeign,
            Self::SessionRequired => ErrorCode::SessionRequired,
            Self::SessionExpired => ErrorCode::SessionExpired,
            Self::TooManyTries(..) => ErrorCode::TooManyTries,
            Self::Unknown => ErrorCode::AttemptUnknown,
            Self::SettledUntouched => ErrorCode::AttemptSettledUntouched,
            _ => return None,
        })
    }

    fn message(&self) -> String {
        match self {
            Self::Missing(field) => return format!("Missing required field: {field}"),
            Self::NotSent(why, _) | Self::NoAnswer(why) => why,
            Self::Invalid(_) => "Validation failed",
            Self::TooLarge => "The body is too large",
            Self::NotJson => "Send the body as application/json",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Unauthorized => "Send the token of CASHIER_OUTCOMES_TOKEN as bearer",
            Self::Unconfirmed(_) => "What became of this attempt cannot be found out; support will settle it",
            Self::InProgress => "Another request of this attempt is being tried",
            Self::InUse(_) => "An open attempt has this voucher",
            Self::Closed => "This attempt was closed; the voucher is untouched",
            Self::Mismatch => "This attempt has another voucher, amount or currency",
            Self::Foreign => "This attempt is another customer's",
            Self::SessionRequired => "Send a checkout session as bearer",
            Self::SessionExpired => "The checkout session has ended; get a new one",
            Self::TooManyTries(..) => "Too many tries; nothing was sent",
            Self::ForeignOrigin => "This page's origin may not call; the merchant allows it by --allow-origin",
            Self::Unknown => "Nothing was sent so far under this key",
            Self::SettledUntouched => "Support has found out that the voucher is untouched",
            Self::LedgerUnreadable => "The attempt cannot be looked up at the moment",
            Self::Pending | Self::Untouched => "",
        }
        .to_owned()
    }

    fn body(&self) -> Value {
        match self {
            Self::Pending => return json!({ "status": "pending" }),
            Self::Untouched => return json!({ "status": "untouched" }),
            _ => {}
        }
        let errors: &[&String] = if let Self::Invalid(error) = self { &[error] } else { &[] };
        let mut body = json!({ "status": "error", "message": self.message(), "isSuccess": false, "errors": errors });
        if let Some(code) = self.error_code() {
            body["errorCode"] = code.as_str().into();
        }
        match self {
            Self::Unconfirmed(Some(id)) => body["transactionId"] = id.as_str().into(),
            Self::InUse(Some((attempt, reference))) => {
                body["attempt"] = attempt.to_string().into();
                body["reference"] = reference.as_str().into();
            }
            _ => {}
        }
        body
    }

    /// Why a request was refused, for the metrics; what was not sent is counted where it is known why.
    fn refused(&self) -> Option<Refused> {
        match self {
            Self::TooManyTries(_, why) => Some(*why),
            Self::SessionRequired => Some(Refused::NoSession),
            Self::SessionExpired => Some(Refused::SessionExpired),
            Self::ForeignOrigin => Some(Refused::Origin),
            Self::Foreign => Some(Refused::Foreign),
            _ => None,
        }
    }

    /// The answer as the ledger keeps it, where it is a try's.
    pub(crate) fn stored(&self) -> StoredAnswer {
        let wait = match self {
            Self::NotSent(_, wait) | Self::TooManyTries(wait, _) => Some(*wait),
            Self::LedgerUnreadable => Some(WAIT_SECONDS),
            _ => None,
        };
        let retry_after = wait.map(|seconds| seconds.to_string());
        StoredAnswer { status: self.status().as_u16(), retry_after, body: Some(self.body().to_string()) }
    }
}

impl IntoResponse for Own {
    fn into_response(self) -> Response {
        let mut response = self.stored().into_response();
        if self.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(why) = self.refused() {
            response.extensions_mut().insert(why);
        }
        response
    }
}

impl IntoResponse for StoredAnswer {
    fn into_response(self) -> Response {
        // A status that is none cannot be in the ledger: it was one when it was written.
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::GATEWAY_TIMEOUT);
        let mut response = (status, self.body.unwrap_or_default()).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(wait) = self.retry_after.and_then(|wait| HeaderValue::from_str(&wait).ok()) {
            response.headers_mut().insert(header::RETRY_AFTER, wait);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mozarto::{Answer, OpenAttempt, Signal};

    #[test]
    fn a_widget_reads_each_answer_as_what_it_says() {
        let key = Uuid::from_u128(1);
        let open = OpenAttempt { attempt: key.to_string(), reference: Some("t-1".to_owned()) };
        for (own, status, signal) in [
            (Own::NotSent("no", 7), 503, Signal::NotSent),
            (Own::NoAnswer("no"), 504, Signal::NoAnswer),
            (Own::Pending, 202, Signal::TryRunning),
            (Own::Unconfirmed(Some("t-1".to_owned())), 202, Signal::AttemptUnconfirmed),
            (Own::InProgress, 409, Signal::AttemptInProgress),
            (Own::InUse(Some((key, "t-1".to_owned()))), 409, Signal::VoucherInUse(Some(open))),
            (Own::InUse(None), 409, Signal::VoucherInUse(None)),
            (Own::Closed, 410, Signal::AttemptClosed),
            (Own::Untouched, 200, Signal::AttemptClosed),
            (Own::Mismatch, 422, Signal::AttemptMismatch),
            (Own::Foreign, 403, Signal::AttemptForeign),
            (Own::SessionRequired, 401, Signal::SessionRefused),
            (Own::SessionExpired, 401, Signal::SessionRefused),
            (Own::TooManyTries(7, Refused::Address), 429, Signal::TooManyTries),
            (Own::ForeignOrigin, 403, Signal::Unauthorized),
            (Own::Unknown, 404, Signal::AttemptUnknown),
            (Own::SettledUntouched, 200, Signal::SettledUntouched),
            (Own::LedgerUnreadable, 503, Signal::NoAnswer),
        ] {
            let stored = own.stored();
            let body = stored.body.expect("a body");
            let reply = serde_json::from_str(&body).expect("the documented JSON");
            let meaning = Answer { status: stored.status, retry_after: None, reply: Some(reply) }.meaning();
            assert_eq!((stored.status, meaning.signal), (status, signal), "{body}");
            assert_eq!(stored.retry_after.is_some(), matches!(status, 429 | 503), "{body}");
        }
    }
}
