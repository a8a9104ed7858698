//! `POST /v1/api/mozarto/cashier`: one request, asked in a gateway's order: company token, user header, the
//! merchant's set-up, the body, and only then the voucher. Starts with the request and ends with its answer or its cut;
//! a voucher's processing ends by itself, also when the client has left.
//!
//! Source: page "Flexepin", "Pay-In"; page "Errors". Logs which try did what, never what the request said.

use crate::faults::Fault;
use crate::line::Line;
use crate::replies::{self, Refused};
use crate::script::{Act, Play, Say};
use crate::vouchers::Tried;
use crate::{Sandbox, validation};
use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jsonwebtoken::dangerous::insecure_decode;
use mozarto::{Amount, VoucherPin};
use serde_json::{Map, Value};
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// One Pay-In.
pub(crate) async fn cashier(
    State(sandbox): State<Sandbox>,
    line: Option<Extension<ConnectInfo<Line>>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let asked = match admit(&headers).and_then(|()| read(&headers, body)) {
        Ok(asked) => asked,
        Err(refused) => {
            info!(?refused, "request refused before any voucher");
            return refused.into_response();
        }
    };
    let Some(pin) = asked.pin else {
        info!(act = ?Act::Say(Say::InvalidPin), "not 16 digits");
        return replies::invalid_pin();
    };
    // In a task of its own: what has begun goes on though whoever asked has left.
    let processing = tokio::spawn(process(sandbox.clone(), pin.clone(), asked.amount, asked.brand_id));
    let Ok(tried) = processing.await else { return cut(line.map(|Extension(ConnectInfo(line))| line)) };
    match tried.play.act {
        Act::Say(say) => replies::answer(say, &tried, &pin),
        Act::SayLate(say) => {
            tokio::time::sleep(sandbox.late_answer).await;
            replies::answer(say, &tried, &pin)
        }
        Act::Silence => std::future::pending().await,
        Act::Cut => cut(line.map(|Extension(ConnectInfo(line))| line)),
    }
}

/// A try in its two steps: checks the voucher, and some time later takes it. Another try that is checked in between may
/// take it too: keeping two tries apart is the business of whoever sends them.
async fn process(sandbox: Sandbox, pin: VoucherPin, amount: Amount, brand_id: Option<String>) -> Tried {
    let arrived = Instant::now();
    let mut tried = sandbox.ledger.check(&pin, amount, brand_id.clone(), true);
    tokio::time::sleep(tried.befallen.map_or(Duration::ZERO, |befallen| befallen.delay)).await;
    if tried.play.takes {
        tokio::time::sleep(sandbox.gap).await;
        // Held up for too long: whoever asked has given up.
        if tried.latest.is_some_and(|latest| arrived.elapsed() >= latest) {
            tried.play = Play { takes: false, act: Act::Cut };
        } else {
            sandbox.ledger.take(&pin, &tried.transaction_id);
        }
    }
    let fault = tried.befallen.map(|befallen| befallen.fault);
    info!(act = ?tried.play.act, takes = tried.play.takes, transaction = tried.transaction_id, ?fault, "voucher tried");
    if fault == Some(Fault::Twice) {
        // Whatever comes of it, nobody hears it.
        let again = sandbox.ledger.check(&pin, amount, brand_id, false);
        if again.play.takes {
            tokio::time::sleep(sandbox.gap).await;
            sandbox.ledger.take(&pin, &again.transaction_id);
        }
    }
    tried
}

/// Any path that is nobody's.
pub(crate) async fn not_found() -> Response {
    replies::error(StatusCode::NOT_FOUND, "Not found", &[])
}

/// Any method that a path does not have.
pub(crate) async fn method_not_allowed() -> Response {
    replies::error(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", &[])
}

/// The company token, the user header and the merchant's set-up.
fn admit(headers: &HeaderMap) -> Result<(), Refused> {
    let company = bearer(headers, "authorization").ok_or(Refused::Unauthorized)?;
    match company {
        "sandbox-company" | "sandbox-no-rule" | "sandbox-no-psp" => {}
        "sandbox-expired" => return Err(Refused::Expired),
        _ => return Err(Refused::Unauthorized),
    }
    match (bearer(headers, "x-user-token"), bearer(headers, "x-user-authorization")) {
        // Whose signature it has to bear is told by no page; that it can be read is.
        (Some(token), _) if insecure_decode::<Map<String, Value>>(token).is_err() => return Err(Refused::UserToken),
        (None, None) => return Err(Refused::Unauthorized),
        _ => {}
    }
    match company {
        "sandbox-no-rule" => Err(Refused::NoRule),
        "sandbox-no-psp" => Err(Refused::NotConfigured),
        _ => Ok(()),
    }
}

fn bearer<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()?.strip_prefix("Bearer ").filter(|token| !token.is_empty())
}

fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<validation::PayIn, Refused> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().unwrap_or_default().trim() != "application/json" {
        return Err(Refused::Invalid(vec!["Content-Type must be application/json".to_owned()]));
    }
    validation::pay_in(&body.map_err(|rejection| Refused::Unreadable(rejection.status()))?)
}

fn cut(line: Option<Line>) -> Response {
    let Some(line) = line else {
        warn!("this server cannot cut a connection: start the sandbox with `mozarto_sandbox::serve`");
        return replies::error(StatusCode::INTERNAL_SERVER_ERROR, "Cannot cut: use mozarto_sandbox::serve", &[]);
    };
    line.cut();
    // hyper must try to send something to find that it cannot.
    Response::default()
}
