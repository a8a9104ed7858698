//! The server of the playground's pages: files of this repository, and `/cashier/` and `/sandbox/` forwarded to proxy
//! and sandbox, so that the page and the merchant's endpoint have one origin, as in a shop.
//!
//! Started by `demo` and `test`, on loopback only; ends when it is dropped.

use crate::services::Services;
use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::any;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use std::path::Path;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower_http::services::{ServeDir, ServeFile};
use tower_http::set_header::SetResponseHeaderLayer;

/// Which pages are served.
pub(crate) enum Pages<'a> {
    /// `index.html` and `playground/` of the repository, with the widget's files from a folder.
    Playground { widget: &'a Path },
    /// A folder that has all of it, such as Trunk's output.
    Folder(&'a Path),
}

/// Where the forwarded paths go.
#[derive(Clone)]
pub(crate) struct Upstreams {
    /// Address of the proxy, which has `/cashier/`.
    pub(crate) proxy: String,
    /// Address of the sandbox, which has `/sandbox/`.
    pub(crate) sandbox: String,
}

impl Upstreams {
    /// The addresses of running services.
    pub(crate) fn of(services: &Services) -> Self {
        Self { proxy: services.proxy.url.clone(), sandbox: services.sandbox.url.clone() }
    }
}

/// A server that runs until it is dropped.
pub(crate) struct PageServer {
    /// Its address.
    pub(crate) url: String,
    _task: JoinSet<()>,
}

impl PageServer {
    /// Serves `pages` on `listener`.
    pub(crate) fn start(listener: TcpListener, pages: &Pages<'_>, upstreams: Upstreams) -> Result<Self> {
        let url = format!("http://{}", listener.local_addr().context("the page server has no address")?);
        let app = app(pages, upstreams);
        let mut task = JoinSet::new();
        task.spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                eprintln!("the page server ended: {error}");
            }
        });
        Ok(Self { url, _task: task })
    }
}

fn app(pages: &Pages<'_>, upstreams: Upstreams) -> Router {
    let files = match pages {
        Pages::Playground { widget } => Router::new()
            .route_service("/", ServeFile::new("index.html"))
            .nest_service("/playground", ServeDir::new("playground"))
            .fallback_service(ServeDir::new(widget)),
        Pages::Folder(folder) => Router::new().fallback_service(ServeDir::new(folder)),
    };
    // What was built a moment ago is what must be seen.
    let fresh = SetResponseHeaderLayer::overriding(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let forwards = |upstream: String| any(forward).with_state(Upstream { address: upstream, client: client() });
    files
        .layer(fresh)
        .route("/cashier/{*path}", forwards(upstreams.proxy))
        .route("/sandbox/{*path}", forwards(upstreams.sandbox))
}

#[derive(Clone)]
struct Upstream {
    address: String,
    client: Client<HttpConnector, Body>,
}

/// Without idle connections: a request is sent once, on a connection that is alive.
fn client() -> Client<HttpConnector, Body> {
    Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http()
}

async fn forward(State(upstream): State<Upstream>, mut request: Request) -> Response<Body> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let Ok(uri) = format!("{}{path}", upstream.address).parse::<Uri>() else {
        return (StatusCode::BAD_REQUEST, "this address cannot be forwarded\n").into_response();
    };
    *request.uri_mut() = uri;
    drop_hop_by_hop(request.headers_mut());
    request.headers_mut().remove(HOST);
    let Ok(mut response) = upstream.client.request(request).await else {
        let message = format!("{} gave no answer: is it running?\n", upstream.address);
        return (StatusCode::BAD_GATEWAY, message).into_response();
    };
    drop_hop_by_hop(response.headers_mut());
    response.map(Body::new)
}

/// Headers that are about one connection (RFC 9110, section 7.6.1), with those that `Connection` names.
fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"] {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests;
