//! What the sandbox says, in the shapes of pages "Flexepin" (2026-06-09) and "Errors" (2026-05-05). A message
//! that no page has is in the manner of those that they have. Nothing here decides; the ledger and the gateway
//! do.

use crate::script::Say;
use crate::vouchers::Tried;
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use mozarto::VoucherPin;
use serde_json::{Value, json};

/// Why a request did not get as far as a voucher. Holds nothing that the request said.
#[derive(Debug)]
pub(crate) enum Refused {
    /// No company token, or none that is known; or no user header.
    Unauthorized,
    /// The company token's password has expired.
    Expired,
    /// The user token cannot be decoded; Mozarto hangs on it until its own gateway gives up.
    UserToken,
    /// The merchant has no orchestration rule.
    NoRule,
    /// The merchant has no configuration of the provider.
    NotConfigured,
    /// A field that must be there is not.
    Missing(&'static str),
    /// What each field should have been.
    Invalid(Vec<String>),
    /// The body was too long or broke off.
    Unreadable(StatusCode),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Unauthorized => error(StatusCode::UNAUTHORIZED, "Unauthorized", &[]),
            Self::Expired => error(StatusCode::FORBIDDEN, "Password expired", &[]),
            Self::UserToken => error(StatusCode::GATEWAY_TIMEOUT, "Gateway timeout", &[]),
            Self::NoRule => error(StatusCode::BAD_REQUEST, "Rules action is not matched", &[]),
            Self::NotConfigured => {
                let data = json!("PSP Configuration not found. Please check you psp Configuration");
                rejected(StatusCode::BAD_REQUEST, "Something went wrong", Some(data))
            }
            Self::Missing(field) => error(StatusCode::BAD_REQUEST, &format!("Missing required field: {field}"), &[]),
            Self::Invalid(errors) => error(StatusCode::BAD_REQUEST, "Validation failed", &errors),
            Self::Unreadable(status) => error(status, "Request body could not be read", &[]),
        }
    }
}

/// Page "Errors", "Error response format".
pub(crate) fn error(status: StatusCode, message: &str, errors: &[String]) -> Response {
    let body = json!({"status": "error", "message": message, "isSuccess": false, "errors": errors});
    (status, Json(body)).into_response()
}

/// Page "Flexepin", "Voucher-level rejection", for a PIN that Flexepin does not know.
pub(crate) fn invalid_pin() -> Response {
    let words = "Invalid voucher PIN";
    rejected(StatusCode::BAD_REQUEST, words, Some(json!({"result": "4075", "result_description": words})))
}

/// The answer to a try.
pub(crate) fn answer(say: Say, tried: &Tried, pin: &VoucherPin) -> Response {
    let bad = StatusCode::BAD_REQUEST;
    match say {
        Say::Redeemed => redeemed(tried),
        Say::Pending => succeeded(&json!({"status": "PENDING", "transactionId": tried.transaction_id})),
        Say::InvalidPin => invalid_pin(),
        Say::AlreadyRedeemed => already_redeemed(pin),
        Say::MismatchedAmount => rejected(bad, "Mismatched amount", None),
        Say::MismatchedCurrency => rejected(bad, "Mismatched currency", None),
        Say::InvalidPspCredentials => {
            let words = "Payment could not be processed due to invalid PSP credentials.";
            coded(bad, "INVALID_PSP_CREDENTIALS", words, tried)
        }
        Say::PspTimeout => {
            coded(bad, "PSP_TIMEOUT", "Payment could not be processed: the PSP did not answer in time.", tried)
        }
        Say::PspUnavailable => {
            coded(bad, "PSP_UNAVAILABLE", "Payment could not be processed: the PSP is not available.", tried)
        }
        Say::PspRateLimited => {
            let words = "Payment could not be processed: too many requests.";
            ([(header::RETRY_AFTER, "2")], coded(bad, "PSP_RATE_LIMITED", words, tried)).into_response()
        }
        Say::UnknownPspError => {
            let words = "An unexpected error occurred. Contact support if it continues.";
            coded(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN_PSP_ERROR", words, tried)
        }
        Say::ServerError => {
            let data = json!("Something went wrong");
            rejected(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error", Some(data))
        }
        Say::EchoedPin => echoed(pin),
        Say::HtmlPage => {
            let page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";
            (StatusCode::BAD_GATEWAY, Html(page)).into_response()
        }
        Say::HalfAnAnswer => {
            ([(header::CONTENT_TYPE, "application/json")], r#"{"status":"success","message":"Succ"#).into_response()
        }
        Say::TooManyRequests => {
            let refused = error(StatusCode::TOO_MANY_REQUESTS, "Too many requests", &[]);
            ([(header::RETRY_AFTER, "2")], refused).into_response()
        }
        Say::NotJson => Html("OK").into_response(),
    }
}

/// Page "Flexepin", "200 - Success".
fn redeemed(tried: &Tried) -> Response {
    let value = tried.amount.json_number();
    succeeded(&json!({
        "result": "0",
        "result_description": "Voucher redeemed successfully",
        "status": "USED",
        "currency": tried.amount.currency().code(),
        "value": value,
        "serial": tried.serial,
        "transactionId": tried.transaction_id,
        "merchantReference": "",
        "amount": value,
    }))
}

fn succeeded(data: &Value) -> Response {
    let body = json!({"status": "success", "message": "Successfully", "isSuccess": true, "data": data});
    Json(body).into_response()
}

fn rejected(status: StatusCode, message: &str, data: Option<Value>) -> Response {
    let mut body = json!({"status": "error", "message": message, "isSuccess": false});
    if let Some(data) = data {
        body["data"] = data;
    }
    (status, Json(body)).into_response()
}

/// Page "Flexepin", "Normalized transport error".
fn coded(status: StatusCode, code: &str, message: &str, tried: &Tried) -> Response {
    let body = json!({
        "status": "error",
        "isSuccess": false,
        "errorCode": code,
        "message": message,
        "transactionId": tried.transaction_id,
        "errors": [],
    });
    (status, Json(body)).into_response()
}

/// No page has the words, so there are five, by the PIN's last digit. The fifth does not say what it is.
fn already_redeemed(pin: &VoucherPin) -> Response {
    let (ok, bad) = (StatusCode::OK, StatusCode::BAD_REQUEST);
    let flexepin = |words: &str| json!({"result": "4076", "result_description": words});
    match (pin.expose().as_bytes()[15] - b'0') % 5 {
        0 => rejected(bad, "Voucher already redeemed", None),
        1 => rejected(bad, "Voucher has already been used", Some(flexepin("Voucher has already been used"))),
        2 => rejected(ok, "Voucher rejected", Some(flexepin("Voucher was previously redeemed"))),
        3 => {
            let data = json!({"result": "4076", "result_description": "Voucher is not active", "status": "USED"});
            rejected(bad, "Voucher rejected", Some(data))
        }
        _ => rejected(bad, "Voucher cannot be processed", None),
    }
}

/// A rejection that says the PIN wherever it can: plain, with hyphens and with spaces.
fn echoed(pin: &VoucherPin) -> Response {
    let digits = pin.expose();
    let grouped = |by: &str| [&digits[..4], &digits[4..8], &digits[8..12], &digits[12..]].join(by);
    let echoes = [digits.to_owned(), grouped("-"), grouped(" ")];
    let words = format!("Voucher {} cannot be processed", echoes.join(", "));
    let body = json!({
        "status": "error",
        "message": words,
        "isSuccess": false,
        "errors": echoes,
        "data": {"result": "4999", "result_description": words, "voucherPin": digits},
    });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
