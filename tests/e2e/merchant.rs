//! A merchant's site in the test's own process: the widget as shipped, a page that the test writes, `/cashier/`
//! forwarded to the proxy, and faults that a real site may have.
//!
//! Each test has its own, on a free port of loopback; it ends when it is dropped.

use crate::given;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, LOCATION};
use axum::http::{Method, Response, StatusCode, Uri};
use axum::response::{Html, IntoResponse};
use axum::routing::{any, get};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_http::cors::CorsLayer;
use tower_http::services::ServeDir;

/// How the site serves the widget's wasm.
#[derive(Clone, Copy)]
pub(crate) enum Wasm {
    /// At once.
    AsBuilt,
    /// After a while.
    Delayed(Duration),
    /// 404.
    Missing,
}

/// The road between the shop's pages and the proxy.
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

/// Endpoints that answer no payment API would give; any method, any origin.
pub(crate) mod bad {
    /// 200 with an HTML page.
    pub(crate) const HTML: &str = "/bad/html";
    /// 200 without a byte.
    pub(crate) const EMPTY: &str = "/bad/empty";
    /// The request is read, and the connection closed without an answer.
    pub(crate) const CLOSED: &str = "/bad/closed";
    /// 200 with 10 MB of JSON.
    pub(crate) const HUGE: &str = "/bad/huge";
    /// 307 to [`HTML`].
    pub(crate) const REDIRECT: &str = "/bad/redirect";
    /// A 200 success as documented, whose texts have markup, scripts and right-to-left overrides in them.
    pub(crate) const MARKUP: &str = "/bad/markup";
}

/// Answer of [`bad::MARKUP`]. If any of it were executed, the page would have `window.executed`.
const MARKUP: &str = r#"{
  "status": "success",
  "isSuccess": true,
  "message": "<img src=x onerror='window.executed=1'>",
  "data": {
    "result": "0",
    "result_description": "<svg onload='window.executed=1'>",
    "status": "<u>USED</u>",
    "currency": "EUR",
    "value": 25.0,
    "serial": "\u202e<img src=x onerror='window.executed=1'>\u0007",
    "transactionId": "<b>\u202e1234\u202c</b><script>window.executed=1</script>",
    "merchantReference": "\u2066<script>window.executed=1</script>\u2069",
    "amount": 25.0
  }
}"#;

/// A running site.
pub(crate) struct Merchant {
    /// Its address, without a slash at the end.
    pub(crate) url: String,
    site: Arc<Site>,
    _task: JoinSet<()>,
}

struct Site {
    page: Mutex<String>,
    wasm: Mutex<Wasm>,
    road: watch::Sender<Road>,
    /// The keys of the POSTs that came in on the road, in order.
    posts: Mutex<Vec<String>>,
}

impl Merchant {
    /// Opens a site whose front page is `page`.
    pub(crate) async fn open(page: impl Into<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let site = Arc::new(Site {
            page: Mutex::new(page.into()),
            wasm: Mutex::new(Wasm::AsBuilt),
            road: watch::Sender::new(Road::Open),
            posts: Mutex::default(),
        });
        let app = app(&site);
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, app).await.expect("the site is up") });
        Self { url, site, _task: task }
    }

    /// Opens a site with one widget that has these attributes, such as `amount="25" currency="EUR"`.
    pub(crate) async fn with_widget(attributes: &str) -> Self {
        Self::open(format!(
            "<!doctype html><html lang=en><meta charset=utf-8><title>Shop</title><link rel=icon href=data:,>\n\
             <meta name=viewport content='width=device-width'>\n\
             <script src=/flexepin-cashier.js async></script>\n<flexepin-cashier {attributes}></flexepin-cashier>\n"
        ))
        .await
    }

    /// Changes the front page, for the next load.
    pub(crate) fn set_page(&self, page: impl Into<String>) {
        *self.site.page.lock().unwrap_or_else(PoisonError::into_inner) = page.into();
    }

    /// Changes the road to the proxy, from the next request or answer on.
    pub(crate) fn set_road(&self, road: Road) {
        self.site.road.send_replace(road);
    }

    /// The keys of the POSTs that came in, in order.
    pub(crate) fn posts(&self) -> Vec<String> {
        copy_of(&self.site.posts)
    }

    /// Changes how the wasm is served, for the next request.
    pub(crate) fn set_wasm(&self, wasm: Wasm) {
        *self.site.wasm.lock().unwrap_or_else(PoisonError::into_inner) = wasm;
    }
}

fn app(site: &Arc<Site>) -> Router {
    let bad = Router::new()
        .route(bad::HTML, any(async || Html("<!doctype html><h1>Welcome</h1><script>window.executed = 1</script>")))
        .route(bad::EMPTY, any(async || StatusCode::OK))
        .route(bad::CLOSED, any(closed))
        .route(bad::HUGE, any(async || json(format!("{{\"isSuccess\":true,\"data\":\"{}\"}}", "x".repeat(10_000_000)))))
        .route(bad::REDIRECT, any(async || (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, bad::HTML)])))
        .route(bad::MARKUP, any(async || json(MARKUP)))
        .layer(CorsLayer::very_permissive());
    Router::new()
        .route("/", get(async |State(site): State<Arc<Site>>| Html(copy_of(&site.page))))
        .route("/flexepin-cashier.wasm", get(wasm))
        .route("/cashier/{*path}", any(forward))
        .with_state(site.clone())
        .merge(bad)
        .fallback_service(ServeDir::new(given("E2E_DIST")))
}

async fn wasm(State(site): State<Arc<Site>>, request: Request) -> impl IntoResponse {
    let wasm = copy_of(&site.wasm);
    match wasm {
        Wasm::AsBuilt => {}
        Wasm::Delayed(time) => tokio::time::sleep(time).await,
        Wasm::Missing => return StatusCode::NOT_FOUND.into_response(),
    }
    ServeDir::new(given("E2E_DIST")).try_call(request).await.expect("dist/ is readable").into_response()
}

/// Ends the connection's task without a word: a panic that no hook reports.
async fn closed() -> Response<Body> {
    std::panic::resume_unwind(Box::new("closed"));
}

async fn forward(State(site): State<Arc<Site>>, mut request: Request) -> Response<Body> {
    let is_post = request.method() == Method::POST;
    if is_post {
        let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default();
        site.posts.lock().unwrap_or_else(PoisonError::into_inner).push(key.to_owned());
    }
    let road = *site.road.borrow();
    if road == Road::Closed {
        return closed().await;
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = format!("{}{path}", given("E2E_PROXY")).parse::<Uri>().expect("the proxy has an address");
    request.headers_mut().remove(HOST);
    let answer = match Client::builder(TokioExecutor::new()).build_http().request(request).await {
        Ok(response) => response.map(Body::new),
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

fn json(text: impl Into<Body>) -> Response<Body> {
    ([(CONTENT_TYPE, "application/json")], text.into()).into_response()
}

fn copy_of<T: Clone>(value: &Mutex<T>) -> T {
    value.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
