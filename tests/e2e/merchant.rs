//! A merchant's site in the test's own process: the widget as shipped, pages that the test writes, `/cashier/` forwarded
//! to the proxy, and faults that a real site may have.
//!
//! Each test has its own, on a free port of loopback; it ends when it is dropped. A second one is another origin: pages
//! of any origin may load files of each and call its endpoint. Each page begins with the recorder (`recorder.js`). Left to
//! `bad`: endpoints that are none; to `road`: the way to the proxy; to `files`: the widget's.

pub(crate) mod bad;
mod files;
mod road;

pub(crate) use files::Serves;
pub(crate) use road::Road;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse};
use axum::routing::{any, get, post};
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_http::cors::CorsLayer;

/// A merchant's tag with a fixed amount: only the PIN is asked for.
pub(crate) const FIXED: &str =
    "endpoint=/cashier/flexepin amount=25.00 currency=EUR user-id=user_123 email=player@example.com";

/// What each page begins with; tests read what it takes down.
pub(crate) const RECORDER: &str = include_str!("merchant/recorder.js");
/// Where a page's policy reports to (`report-uri`); see [`Merchant::reports`].
pub(crate) const REPORTS: &str = "/csp-report";
/// A second place of the widget's files, below the root.
pub(crate) const CDN: &str = "/cdn/flexepin-cashier/1.0.0";

/// A running site.
pub(crate) struct Merchant {
    /// Its address, which is its origin: without a slash at the end.
    pub(crate) url: String,
    site: Arc<Site>,
    _task: JoinSet<()>,
}

/// A request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Method and address, such as `POST /cashier/flexepin`.
    pub(crate) line: String,
    /// Headers, one a line.
    pub(crate) headers: String,
    /// Its body as text.
    pub(crate) body: String,
}

struct Site {
    pages: Mutex<HashMap<String, Page>>,
    /// Where files are looked for, in this order.
    folders: Vec<PathBuf>,
    serves: watch::Sender<HashMap<String, Serves>>,
    road: watch::Sender<Road>,
    requests: Mutex<Vec<Seen>>,
}

#[derive(Clone, Default)]
struct Page {
    html: String,
    headers: HeaderMap,
}

impl Merchant {
    /// Opens a site whose front page is `page`.
    pub(crate) async fn open(page: impl Into<String>) -> Self {
        let merchant = Self::start(Vec::new()).await;
        merchant.set_page(page);
        merchant
    }

    /// Opens a site with one widget that has these attributes, such as `amount="25" currency="EUR"`.
    pub(crate) async fn with_widget(attributes: &str) -> Self {
        let merchant = Self::start(Vec::new()).await;
        merchant.set_widget(attributes);
        merchant
    }

    /// Changes the front page to one with one widget that has these attributes, for the next load.
    pub(crate) fn set_widget(&self, attributes: &str) {
        self.set_page(format!(
            "<!doctype html><html lang=en><meta charset=utf-8><title>Shop</title><link rel=icon href=data:,>\n\
             <meta name=viewport content='width=device-width'>\n\
             <script src=/flexepin-cashier.js async></script>\n<flexepin-cashier {attributes}></flexepin-cashier>\n"
        ));
    }

    /// Opens a site that is a folder, such as a bundler's output, with its `index.html` as the front page. The widget's files
    /// that are not in it are served too.
    pub(crate) async fn of_folder(folder: impl Into<PathBuf>) -> Self {
        Self::start(vec![folder.into()]).await
    }

    async fn start(mut folders: Vec<PathBuf>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        folders.push(PathBuf::from(crate::given("E2E_DIST")));
        let site = Arc::new(Site {
            pages: Mutex::default(),
            folders,
            serves: watch::Sender::default(),
            road: watch::Sender::new(Road::Open),
            requests: Mutex::default(),
        });
        let app = app(&site);
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, app).await.expect("the site is up") });
        Self { url, site, _task: task }
    }

    /// Changes the front page, for the next load.
    pub(crate) fn set_page(&self, page: impl Into<String>) {
        self.add_page("/", page, &[]);
    }

    /// Adds or changes a page at a path of one segment or none (`/` or `/frame`), with response headers such as
    /// `("content-security-policy", "…")`. Where the policy forbids scripts of this origin the page must bring the recorder by
    /// a `<script src=…/recorder.js>` of its own that is allowed; then none is put in.
    pub(crate) fn add_page(&self, path: &str, html: impl Into<String>, headers: &[(&str, &str)]) {
        let header = |&(name, value): &(&str, &str)| {
            (
                name.parse::<HeaderName>().expect("a header's name"),
                value.parse::<HeaderValue>().expect("a header's value"),
            )
        };
        let page = Page { html: html.into(), headers: headers.iter().map(header).collect() };
        locked(&self.site.pages).insert(path.to_owned(), page);
    }

    /// Changes the road to the proxy, from the next request or answer on.
    pub(crate) fn set_road(&self, road: Road) {
        self.site.road.send_replace(road);
    }

    /// Changes how a file is served, such as `flexepin-cashier.wasm`, at both of its places; who waits for it gets it so too.
    pub(crate) fn set_file(&self, name: &str, serves: Serves) {
        self.site.serves.send_modify(|files| {
            files.insert(name.to_owned(), serves);
        });
    }

    /// [`Self::set_file`] of the wasm.
    pub(crate) fn set_wasm(&self, serves: Serves) {
        self.set_file("flexepin-cashier.wasm", serves);
    }

    /// Every request that came in, in order.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        locked(&self.site.requests).clone()
    }

    /// The keys of the POSTs to the endpoint that came in, in order.
    pub(crate) fn posts(&self) -> Vec<String> {
        let posts = self.requests().into_iter().filter(|seen| seen.line.starts_with("POST /cashier/"));
        posts.map(|seen| seen.header("idempotency-key").unwrap_or_default().to_owned()).collect()
    }

    /// What browsers reported of the policies of pages that name [`REPORTS`].
    pub(crate) fn reports(&self) -> Vec<Value> {
        let reports = self.requests().into_iter().filter(|seen| seen.line == format!("POST {REPORTS}"));
        reports.map(|seen| serde_json::from_str(&seen.body).unwrap_or(Value::String(seen.body))).collect()
    }
}

impl Seen {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

fn app(site: &Arc<Site>) -> Router {
    let exposed = ["attempt-key", "idempotency-replayed"].map(HeaderName::from_static);
    let cors =
        CorsLayer::very_permissive().expose_headers(exposed.into_iter().chain([RETRY_AFTER]).collect::<Vec<_>>());
    let files = Router::new().fallback(files::file).with_state(site.clone());
    Router::new()
        .route("/", get(page))
        .route("/{page}", get(page))
        .route("/recorder.js", get(async || ([(CONTENT_TYPE, "text/javascript")], RECORDER)))
        .route(REPORTS, post(async || StatusCode::NO_CONTENT))
        .route("/cashier/{*path}", any(road::forward))
        .nest("/bad", bad::router())
        .nest_service(CDN, files.clone())
        .fallback_service(files)
        // From the outside in: CORS answers preflights itself, so these are not among the requests.
        .layer(from_fn_with_state(site.clone(), take_down))
        .layer(cors)
        .with_state(site.clone())
}

/// A page that the test wrote, else a file.
async fn page(State(site): State<Arc<Site>>, path: Option<Path<String>>, request: Request) -> Response<Body> {
    let path = path.map_or("/".to_owned(), |Path(name)| format!("/{name}"));
    let page = locked(&site.pages).get(&path).cloned();
    match page {
        Some(page) => (page.headers, Html(with_recorder(&page.html))).into_response(),
        None => files::file(State(site), request).await,
    }
}

/// The page with the recorder before everything else, unless it has it already.
fn with_recorder(html: &str) -> String {
    const TAG: &str = "<script src=/recorder.js></script>";
    const DOCTYPE: &str = "<!doctype html>";
    if html.contains("/recorder.js") {
        return html.to_owned();
    }
    match html.get(..DOCTYPE.len()).filter(|start| start.eq_ignore_ascii_case(DOCTYPE)) {
        Some(doctype) => format!("{doctype}{TAG}{}", &html[DOCTYPE.len()..]),
        None => format!("{TAG}{html}"),
    }
}

/// Takes a request down, and passes it on.
async fn take_down(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 1 << 20).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let header =
        |(name, value): (&HeaderName, &HeaderValue)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()));
    locked(&site.requests).push(Seen {
        line: format!("{} {}", head.method, head.uri),
        headers: head.headers.iter().map(header).collect::<Vec<_>>().join("\n"),
        body: String::from_utf8_lossy(&body).into_owned(),
    });
    next.run(Request::from_parts(head, Body::from(body))).await
}

/// Ends the connection's task without a word: a panic that no hook reports.
async fn closed() -> Response<Body> {
    std::panic::resume_unwind(Box::new("closed"));
}

fn locked<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
