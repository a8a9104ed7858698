//! The proxy's paths: which request goes where, and the headers that every answer has.

use crate::attempts::Attempts;
use crate::own::Own;
use crate::settings::Times;
use crate::{health, outcomes, pay_in, requests};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::sync::Arc;
use tokio::time::{Instant, timeout};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tracing::info;
use uuid::Uuid;

/// The longest request body. A Pay-In has under 1 KB.
const MAX_BODY_BYTES: usize = 16 * 1024;
const ATTEMPT_KEY: HeaderName = HeaderName::from_static("attempt-key");

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) attempts: Arc<Attempts>,
    pub(crate) times: Times,
    pub(crate) outcomes_token: Option<Arc<crate::settings::Token>>,
}

pub(crate) fn router(shared: Shared, allow_origins: Vec<HeaderValue>) -> Router {
    let always = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
    };
    // HEAD is no question of a widget's, and GET's answer to it would be one without its proof.
    let (metrics, healths) = (Arc::clone(&shared.attempts.metrics), health::routes(Arc::clone(&shared.attempts)));
    let attempt = get(status).delete(close).head(no_such_method).fallback(no_such_method);
    let routes = Router::new()
        .route("/cashier/flexepin", post(pay))
        .route("/cashier/flexepin/{key}", attempt)
        .route("/outcomes", get(outcomes::outcomes))
        .fallback(|| async { Own::NotFound })
        .method_not_allowed_fallback(|| async { Own::MethodNotAllowed })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(shared)
        .merge(healths);
    // Without origins OPTIONS is a method like any other.
    let routes = if allow_origins.is_empty() { routes } else { routes.layer(cors(allow_origins)) };
    routes
        .layer(always(header::CACHE_CONTROL, "no-store"))
        .layer(always(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(from_fn_with_state(metrics, requests::noted))
}

/// What pages of other origins may send and read.
fn cors(allow_origins: Vec<HeaderValue>) -> CorsLayer {
    let name = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(allow_origins))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT_LANGUAGE, name("idempotency-key")])
        .expose_headers([ATTEMPT_KEY, header::RETRY_AFTER, name("idempotency-replayed")])
}

/// POST of an attempt.
async fn pay(State(shared): State<Shared>, request: Request) -> Response {
    let since = Instant::now();
    let refused = |refused: Own| {
        info!(?refused, "request refused");
        refused.into_response()
    };
    let key = match pay_in::key_in(request.headers()) {
        Ok(key) => key,
        Err(own) => return refused(own),
    };
    if !pay_in::is_json(request.headers()) {
        return kept(key, refused(Own::NotJson));
    }
    let body = timeout(shared.times.body_within, Bytes::from_request(request, &())).await;
    // Never 408: browsers repeat a POST by themselves on it.
    let body = match body {
        Ok(Ok(body)) => body,
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return kept(key, refused(Own::TooLarge));
        }
        // It stalled or was cut. Nobody knows what it would have said, but the key may say more than "not sent".
        _ => {
            info!(attempt = %key, "the body did not come whole");
            return kept(key, shared.attempts.cut_short(key).await);
        }
    };
    match pay_in::read(key, &body) {
        Ok(pay_in) => kept(key, shared.attempts.post(key, pay_in, since).await),
        // The key may be what is wrong: it must not come back in a header.
        Err(Own::Invalid(why)) if why.starts_with("Idempotency-Key") => refused(Own::Invalid(why)),
        Err(own) => kept(key, refused(own)),
    }
}

async fn status(State(shared): State<Shared>, Path(key): Path<String>) -> Response {
    match pay_in::attempt_key(&key) {
        Ok(key) => kept(key, shared.attempts.status(key).await),
        Err(own) => own.into_response(),
    }
}

async fn close(State(shared): State<Shared>, Path(key): Path<String>) -> Response {
    match pay_in::attempt_key(&key) {
        Ok(key) => kept(key, shared.attempts.close(key).await),
        Err(own) => own.into_response(),
    }
}

async fn no_such_method(Path(key): Path<String>) -> Response {
    let refused = ([(header::ALLOW, "GET,DELETE")], Own::MethodNotAllowed).into_response();
    match pay_in::attempt_key(&key) {
        Ok(key) => kept(key, refused),
        Err(_) => refused,
    }
}

/// An answer with the header by which a proxy promises that it keeps attempts.
fn kept(key: Uuid, mut response: Response) -> Response {
    // The text of a UUID is a header's value always.
    if let Ok(key) = HeaderValue::from_str(&key.to_string()) {
        response.headers_mut().insert(ATTEMPT_KEY, key);
    }
    response
}
