//! The road between the shop's pages and the proxy, and what may happen on it.

use super::{Site, closed};
use crate::given;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{Method, Response, StatusCode, Uri};
use axum::response::IntoResponse;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::sync::Arc;

/// What the road is like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Road {
    /// Requests and answers arrive.
    Open,
    /// No request reaches the proxy; the connection closes.
    Closed,
    /// Requests reach the proxy; their answers are lost with the connection.
    LosesAnswers,
    /// Requests reach the proxy; answers to POSTs are held until the road is open.
    HoldsAnswers,
    /// The next POST reaches the proxy and its answer is lost with the connection; then the road is open.
    CutsOneAnswer,
}

/// Passes a request on to the proxy. To the proxy it comes from no page: the site itself says which origins may call it.
pub(super) async fn forward(State(site): State<Arc<Site>>, mut request: Request) -> Response<Body> {
    let is_post = request.method() == Method::POST;
    let road = *site.road.borrow();
    if road == Road::Closed {
        return closed().await;
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = format!("{}{path}", given("E2E_PROXY")).parse::<Uri>().expect("the proxy has an address");
    request.headers_mut().remove(HOST);
    request.headers_mut().remove(ORIGIN);
    let answer = match Client::builder(TokioExecutor::new()).build_http().request(request).await {
        Ok(response) => without_cors(response.map(Body::new)),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    };
    match road {
        Road::LosesAnswers => closed().await,
        Road::CutsOneAnswer if is_post => {
            site.road.send_replace(Road::Open);
            closed().await
        }
        Road::HoldsAnswers if is_post => {
            let mut opened = site.road.subscribe();
            // The site goes before the road: then there is nobody to answer.
            let _ = opened.wait_for(|road| *road != Road::HoldsAnswers).await;
            answer
        }
        _ => answer,
    }
}

/// The proxy has origins of its own, and says so to whoever asks: said twice it would mean nothing.
fn without_cors(mut answer: Response<Body>) -> Response<Body> {
    let said: Vec<_> =
        answer.headers().keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
    for name in said {
        answer.headers_mut().remove(name);
    }
    answer
}
