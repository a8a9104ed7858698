//! `/sandbox/*` and `/healthz`: what Mozarto does not have. Vouchers for tests, what became of them, and what is to go
//! wrong.
//!
//! Any page may call it, from any origin: the vouchers are worth nothing and the sandbox listens on loopback.

use crate::faults::Faults;
use crate::replies::Refused;
use crate::vouchers::Voucher;
use crate::{Sandbox, gateway, validation};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tower_http::cors::CorsLayer;
use tracing::info;

/// The back office's routes.
pub(crate) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/sandbox/vouchers", get(list).post(issue))
        .route("/sandbox/faults", post(faults))
        .route("/sandbox/reset", post(reset))
        // Before the layer: set on the whole router it would take the place of what the layer answers to OPTIONS.
        .method_not_allowed_fallback(gateway::method_not_allowed)
        .layer(CorsLayer::permissive())
        .route("/healthz", get(async || Json(json!({"status": "ok"}))))
}

async fn issue(
    State(sandbox): State<Sandbox>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let body = body.map_err(|rejection| Refused::Unreadable(rejection.status()))?;
    let amount = validation::new_voucher(&body)?;
    let pin = sandbox.ledger.issue(amount);
    let voucher = json!({"pin": pin.expose(), "value": amount.json_number(), "currency": amount.currency().code()});
    Ok((StatusCode::CREATED, Json(voucher)))
}

async fn list(State(sandbox): State<Sandbox>) -> Json<Value> {
    let shown = |voucher: &Voucher| {
        json!({
            "pin": voucher.pin.expose(),
            "value": voucher.amount.json_number(),
            "currency": voucher.amount.currency().code(),
            "state": if voucher.is_taken() { "USED" } else { "ACTIVE" },
            "transactionId": voucher.taken_by.first(),
            "transactionIds": voucher.taken_by,
            "taken": voucher.taken_by.len(),
            "tries": voucher.tries,
        })
    };
    Json(json!({"vouchers": sandbox.ledger.vouchers().iter().map(shown).collect::<Vec<_>>()}))
}

async fn faults(State(sandbox): State<Sandbox>, body: Result<Bytes, BytesRejection>) -> Result<Json<Value>, Refused> {
    let body = body.map_err(|rejection| Refused::Unreadable(rejection.status()))?;
    let plan = Faults::read(&body, fastrand::u64(..=u64::from(u32::MAX)))?;
    info!(?plan, "faults from now on");
    let told = plan.as_ref().map_or_else(|| json!({"rates": "none"}), Faults::told);
    sandbox.ledger.set_faults(plan);
    Ok(Json(told))
}

async fn reset(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.ledger.reset();
    StatusCode::NO_CONTENT
}
