//! The proxy's paths: which request goes where, and what each must pass first.

use crate::attempts::Attempts;
use crate::guard::address::Peer;
use crate::guard::{Caller, Guard, headers, origin};
use crate::live::Live;
use crate::own::Own;
use crate::settings::Times;
use crate::{health, openapi, outcomes, pay_in, requests};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, FromRequest, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use secrecy::SecretString;
use std::sync::Arc;
use tokio::time::{Instant, timeout};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tracing::info;
use uuid::Uuid;

const ATTEMPT_KEY: HeaderName = HeaderName::from_static("attempt-key");

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) attempts: Arc<Attempts>,
    pub(crate) times: Times,
    pub(crate) guard: Arc<Guard>,
    pub(crate) outcomes_token: Option<Live<SecretString>>,
}

pub(crate) fn router(shared: Shared) -> Router {
    let guard = Arc::clone(&shared.guard);
    let body_limit = match guard.limits.body_bytes {
        0 => DefaultBodyLimit::disable(),
        bytes => DefaultBodyLimit::max(bytes),
    };
    let (metrics, healths) = (Arc::clone(&shared.attempts.metrics), health::routes(Arc::clone(&shared.attempts)));
    // HEAD is no question of a widget's, and GET's answer to it would be one without its proof.
    let attempt = get(status).delete(close).head(no_such_method).fallback(no_such_method);
    let routes = Router::new()
        .route("/cashier/flexepin", post(pay))
        .route("/cashier/flexepin/{key}", attempt)
        .route("/outcomes", get(outcomes::outcomes))
        .route("/openapi.json", get(openapi::served))
        .fallback(|| async { Own::NotFound })
        .method_not_allowed_fallback(|| async { Own::MethodNotAllowed })
        .layer(body_limit)
        .layer(from_fn_with_state(Arc::clone(&guard), origin::check))
        .with_state(shared)
        .merge(healths);
    // Without origins OPTIONS is a method like any other.
    let allow_origins = guard.allow_origins.clone();
    let routes = if allow_origins.is_empty() { routes } else { routes.layer(cors(allow_origins)) };
    routes.layer(from_fn_with_state(guard, headers::put)).layer(from_fn_with_state(metrics, requests::noted))
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

/// Redeems a voucher, at most once per key.
///
/// The same key again is the same attempt: its answer, or its next try.
#[utoipa::path(
    post,
    path = "/cashier/flexepin",
    tag = "cashier",
    params(("idempotency-key" = String, Header, format = "uuid", description = "The attempt's key: a UUID, bare or in quotes")),
    request_body = openapi::PayIn,
    security(("session" = [])),
    responses(
        (status = 200, description = "Redeemed, rejected, or settled: see `isSuccess`", body = openapi::Answer, headers(("attempt-key" = String, description = "The key: these attempts are kept"))),
        (status = 202, description = "`pending`: a try still runs; `ATTEMPT_UNCONFIRMED`: support will settle it", body = openapi::Answer),
        (status = 400, description = "Mozarto rejected the voucher, or the request is invalid: `errors` names the field", body = openapi::Answer),
        (status = 401, description = "`SESSION_REQUIRED`, `SESSION_EXPIRED`, or Mozarto's own about the company token", body = openapi::Answer),
        (status = 403, description = "`ATTEMPT_FOREIGN`, a page of another origin, or Mozarto's own", body = openapi::Answer),
        (status = 409, description = "`ATTEMPT_IN_PROGRESS`, `VOUCHER_IN_USE`", body = openapi::Answer),
        (status = 410, description = "`ATTEMPT_CLOSED`: the voucher is untouched", body = openapi::Answer),
        (status = 413, description = "The body is too large", body = openapi::Answer),
        (status = 415, description = "The body is not said to be JSON", body = openapi::Answer),
        (status = 422, description = "`ATTEMPT_MISMATCH`", body = openapi::Answer),
        (status = 429, description = "`TOO_MANY_TRIES` with `Retry-After`, or Mozarto's own: not sent, or not processed", body = openapi::Answer),
        (status = 500, description = "Mozarto's own; what became of the voucher is not known", body = openapi::Answer),
        (status = 503, description = "`NOT_SENT` with `Retry-After`; without `errorCode` Mozarto's own, or the ledger cannot be read", body = openapi::Answer),
        (status = 504, description = "No complete answer came: what became of the voucher is not known", body = openapi::Answer),
    ),
)]
pub(crate) async fn pay(State(shared): State<Shared>, Extension(peer): Extension<Peer>, request: Request) -> Response {
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
    let caller = match shared.guard.caller(request.headers(), peer) {
        Ok(caller) => caller,
        Err(own) => return kept(key, refused(own)),
    };
    let body = Bytes::from_request(request, &());
    let body = match shared.times.body_within {
        Some(within) => timeout(within, body).await,
        None => Ok(body.await),
    };
    // Never 408: browsers repeat a POST by themselves on it.
    let body = match body {
        Ok(Ok(body)) => body,
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return kept(key, refused(Own::TooLarge));
        }
        // It stalled or was cut. Nobody knows what it would have said, but the key may say more than "not sent".
        _ => {
            info!(attempt = %key, "the body did not come whole");
            return kept(key, shared.attempts.cut_short(key, &caller).await);
        }
    };
    let most_guesses = shared.guard.limits.guesses;
    let posting = match pay_in::read(key, &body, caller.session.as_ref(), caller.bearer.clone(), most_guesses) {
        Ok(posting) => posting,
        // The key may be what is wrong: it must not come back in a header.
        Err(Own::Invalid(why)) if why.starts_with("Idempotency-Key") => return refused(Own::Invalid(why)),
        Err(own) => return kept(key, refused(own)),
    };
    let ledger = shared.attempts.ledger.as_ref();
    match shared.guard.may_post(ledger, key, &caller, &posting.customer.user_id).await {
        Ok(()) => kept(key, shared.attempts.post(key, posting, since).await),
        Err(own) => kept(key, refused(own)),
    }
}

/// What is known about an attempt.
#[utoipa::path(
    get,
    path = "/cashier/flexepin/{key}",
    tag = "cashier",
    params(("key" = String, Path, format = "uuid", description = "The attempt's key")),
    security(("session" = [])),
    responses(
        (status = 200, description = "Redeemed, rejected, or settled", body = openapi::Answer, headers(("attempt-key" = String, description = "The key: these attempts are kept"))),
        (status = 202, description = "`pending`: a try still runs; `ATTEMPT_UNCONFIRMED`: support will settle it", body = openapi::Answer),
        (status = 400, description = "Mozarto's rejection, or the key is no UUID", body = openapi::Answer),
        (status = 401, description = "`SESSION_REQUIRED`, `SESSION_EXPIRED`, or Mozarto's own about the company token", body = openapi::Answer),
        (status = 403, description = "`ATTEMPT_FOREIGN`, a page of another origin, or Mozarto's own", body = openapi::Answer),
        (status = 404, description = "`ATTEMPT_UNKNOWN`: nothing was sent so far under this key", body = openapi::Answer),
        (status = 410, description = "`ATTEMPT_CLOSED`", body = openapi::Answer),
        (status = 429, description = "`TOO_MANY_TRIES` with `Retry-After`, or Mozarto's own: not sent, or not processed", body = openapi::Answer),
        (status = 500, description = "Mozarto's own; what became of the voucher is not known", body = openapi::Answer),
        (status = 503, description = "`NOT_SENT` with `Retry-After`; without `errorCode` Mozarto's own, or the ledger cannot be read", body = openapi::Answer),
        (status = 504, description = "No complete answer came: what became of the voucher is not known", body = openapi::Answer),
    ),
)]
pub(crate) async fn status(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Response {
    match asked(&shared, peer, &key, &headers) {
        Ok((key, caller)) => kept(key, shared.attempts.status(key, &caller).await),
        Err(refused) => refused,
    }
}

/// Closes an attempt of which nothing has been taken.
#[utoipa::path(
    delete,
    path = "/cashier/flexepin/{key}",
    tag = "cashier",
    params(("key" = String, Path, format = "uuid", description = "The attempt's key")),
    security(("session" = [])),
    responses(
        (status = 200, description = "`untouched`: closed, on disk; or an answer that stands", body = openapi::Answer, headers(("attempt-key" = String, description = "The key: these attempts are kept"))),
        (status = 202, description = "`pending`: a try still runs; `ATTEMPT_UNCONFIRMED`: support will settle it", body = openapi::Answer),
        (status = 400, description = "Mozarto's rejection, or the key is no UUID", body = openapi::Answer),
        (status = 401, description = "`SESSION_REQUIRED`, `SESSION_EXPIRED`, or Mozarto's own about the company token", body = openapi::Answer),
        (status = 403, description = "`ATTEMPT_FOREIGN`, a page of another origin, or Mozarto's own", body = openapi::Answer),
        (status = 429, description = "`TOO_MANY_TRIES` with `Retry-After`, or Mozarto's own: not sent, or not processed", body = openapi::Answer),
        (status = 500, description = "Mozarto's own; what became of the voucher is not known", body = openapi::Answer),
        (status = 503, description = "`NOT_SENT` with `Retry-After`; without `errorCode` Mozarto's own, or the ledger cannot be read", body = openapi::Answer),
        (status = 504, description = "No complete answer came: what became of the voucher is not known", body = openapi::Answer),
    ),
)]
pub(crate) async fn close(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Response {
    let (key, caller) = match asked(&shared, peer, &key, &headers) {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    let ledger = shared.attempts.ledger.as_ref();
    kept(
        key,
        match shared.guard.may_close(ledger, key, &caller).await {
            Ok(()) => shared.attempts.close(key, caller.subject()).await,
            Err(own) => own.into_response(),
        },
    )
}

/// Which attempt is asked about, and by whom; or the answer to whoever may not ask.
#[expect(clippy::result_large_err, reason = "both are answers of one request, on their way out")]
fn asked(shared: &Shared, peer: Peer, key: &str, headers: &HeaderMap) -> Result<(Uuid, Caller), Response> {
    let key = pay_in::attempt_key(key).map_err(IntoResponse::into_response)?;
    let caller = shared.guard.caller(headers, peer).map_err(|own| kept(key, own.into_response()))?;
    Ok((key, caller))
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
