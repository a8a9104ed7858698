//! The interface as an `OpenAPI` 3.1 document, for whoever tests or calls the proxy by machine: `docs/openapi.json`, and
//! `GET /openapi.json`. It is made of what stands at the handlers and of the shapes here; a test compares the file with
//! it, and a fuzzer the proxy with the file.
//!
//! The shapes are for the document alone. What is read and written is `mozarto`'s; Mozarto's own answers are passed on
//! unchanged, so the shape of an answer says what may be there and forbids nothing more.

use crate::{health, outcomes, routes};
use axum::Json;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

/// The whole document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "flexepin-cashier-proxy",
        description = "Redeems prepaid Flexepin vouchers through Mozarto, each at most once. What each answer says about the money is in \
                       crates/proxy/README.md of the repository.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    paths(routes::pay, routes::status, routes::close, outcomes::outcomes, health::healthy, health::ready),
    components(schemas(PayIn, Answer, Closing, Outcomes, Outcome)),
    modifiers(&Security),
    tags(
        (name = "cashier", description = "For the widget"),
        (name = "books", description = "For the merchant's own server"),
        (name = "operators", description = "For machines that look after the proxy"),
    ),
)]
struct Document;

/// The bearers that requests have.
struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        for (name, what) in [
            (
                "session",
                "The checkout session that the merchant's server has signed; none where the proxy runs with --insecure-no-sessions",
            ),
            ("outcomes", "The token of CASHIER_OUTCOMES_TOKEN"),
        ] {
            let mut bearer = Http::new(HttpAuthScheme::Bearer);
            bearer.description = Some(what.to_owned());
            components.add_security_scheme(name, SecurityScheme::Http(bearer));
        }
    }
}

/// Mozarto's Pay-In, as the widget posts it. What the session fixes may be left out, and must not be contradicted.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "a shape of the document")]
pub(crate) struct PayIn {
    psp_type: PspType,
    #[schema(rename = "type")]
    kind: Kind,
    /// The voucher's 16 digits.
    #[schema(pattern = "^[0-9]{16}$")]
    voucher_pin: String,
    /// In major units of the currency, with no more decimals than it has.
    #[schema(exclusive_minimum = 0, maximum = 1_000_000)]
    baseamount: f64,
    /// ISO 4217.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
    /// The same as `currency`.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency_code: String,
    #[schema(min_length = 1, max_length = 128)]
    user_id: Option<String>,
    #[schema(format = "email", max_length = 254)]
    email: Option<String>,
    #[schema(max_length = 128)]
    brand_id: Option<String>,
}

/// Always this.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape of the document")]
enum PspType {
    #[schema(rename = "FLEXEPIN")]
    Flexepin,
}

/// Always this.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape of the document")]
enum Kind {
    #[schema(rename = "PAYIN")]
    PayIn,
}

/// An answer about an attempt: Mozarto's own, unchanged, or the proxy's in the same shape.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "a shape of the document")]
pub(crate) struct Answer {
    is_success: Option<bool>,
    /// `error`; or `pending` and `untouched`, which are whole answers of the proxy's.
    status: Option<String>,
    message: Option<String>,
    /// What is wrong, field by field. Quotes no value.
    errors: Option<Vec<serde_json::Value>>,
    /// Says more than the HTTP status.
    error_code: Option<String>,
    transaction_id: Option<String>,
    data: Option<serde_json::Value>,
    /// With `VOUCHER_IN_USE`: the key of the customer's own attempt that has the voucher, and what support finds it by.
    attempt: Option<String>,
    reference: Option<String>,
}

/// What a DELETE says: `{"status":"untouched"}`, or what is known of an attempt that cannot be closed.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "a shape of the document")]
pub(crate) struct Closing {
    status: Option<String>,
    is_success: Option<bool>,
    data: Option<serde_json::Value>,
}

/// Lines of the merchant's books, in order.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape of the document")]
pub(crate) struct Outcomes {
    outcomes: Vec<Outcome>,
}

/// One redemption. Credit `value` and `currency` of `redeemed`, once per attempt.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, clippy::struct_field_names, reason = "a shape of the document")]
struct Outcome {
    sequence: i64,
    #[schema(format = "uuid")]
    attempt: String,
    transaction_id: Option<String>,
    user_id: Option<String>,
    currency: Option<String>,
    /// In major units, as Mozarto's answer has it. Null: look it up.
    value: Option<f64>,
    /// `redeemed`, or `duplicate`: the transaction is another attempt's, too, and nothing is to be credited.
    outcome: String,
    /// RFC 3339.
    #[schema(format = "date-time")]
    at: String,
}

/// The document.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// `GET /openapi.json`.
pub(crate) async fn served() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_document_is_what_the_code_says() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        let now = document().to_pretty_json().expect("JSON") + "\n";
        if std::env::var_os("CASHIER_WRITE_OPENAPI").is_some() {
            std::fs::write(file, &now).expect("written");
        }
        let committed = std::fs::read_to_string(file).unwrap_or_default();
        assert_eq!(
            committed, now,
            "write it anew: CASHIER_WRITE_OPENAPI=1 cargo test -p flexepin-cashier-proxy openapi"
        );
    }
}
