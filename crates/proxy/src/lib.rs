#![doc = include_str!("../README.md")]

mod error;
mod pay_in;
mod reply;
mod settings;
mod upstream;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::routing::{get, post};
use error::Refused;
pub use settings::{Args, Settings, SettingsError};
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tracing::info;
pub use upstream::{Mozarto, StartError, UPSTREAM_DEADLINE};

/// The longest request body. A Pay-In has under 1 KB.
const MAX_BODY_BYTES: usize = 16 * 1024;
/// How long answers may take to reach their browsers when the last try has ended and the proxy is to end.
const GRACE: Duration = Duration::from_secs(1);

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Proxy {
    mozarto: Arc<Mozarto>,
    /// The tries that run. They go on though their browsers have left, and shutting down waits for them.
    tries: TaskTracker,
}

/// Serves the proxy until `shutdown` is done and every running try has ended.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    mozarto: Mozarto,
    allow_origins: Vec<HeaderValue>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let tries = TaskTracker::new();
    let proxy = Proxy { mozarto: Arc::new(mozarto), tries: tries.clone() };
    let (ending, ended) = oneshot::channel::<()>();
    let server = axum::serve(listener, router(proxy, allow_origins)).with_graceful_shutdown(async {
        shutdown.await;
        drop(ending);
    });
    tokio::select! {
        result = server.into_future() => result?,
        // A browser that keeps half a request to itself would hold a graceful end for ever.
        () = async {
            let _ = ended.await;
            tries.close();
            info!(tries = tries.len(), "told to end; running tries are waited for");
            tries.wait().await;
            tokio::time::sleep(GRACE).await;
        } => {}
    }
    tries.close();
    tries.wait().await;
    Ok(())
}

fn router(proxy: Proxy, allow_origins: Vec<HeaderValue>) -> Router {
    let always = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
    };
    let routes = Router::new()
        .route("/cashier/flexepin", post(pay_in::pay_in))
        .route("/healthz", get(|| async { "ok\n" }))
        .fallback(|| async { Refused::NotFound })
        .method_not_allowed_fallback(|| async { Refused::MethodNotAllowed })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(proxy);
    // Without origins OPTIONS is a method like any other.
    let routes = if allow_origins.is_empty() { routes } else { routes.layer(cors(allow_origins)) };
    routes.layer(always(header::CACHE_CONTROL, "no-store")).layer(always(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
}

/// What pages of other origins may send and read. GET and DELETE are for the status of an attempt, which is still to
/// come; a page that was told so once need not ask again.
fn cors(allow_origins: Vec<HeaderValue>) -> CorsLayer {
    let name = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(allow_origins))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT_LANGUAGE, name("idempotency-key")])
        .expose_headers([name("attempt-key"), header::RETRY_AFTER, name("idempotency-replayed")])
}
