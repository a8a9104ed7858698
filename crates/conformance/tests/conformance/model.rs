//! A small proxy in memory that does hop 1 right, but for one rule at most. Not a proxy for money: it forgets
//! everything when it ends.

mod asking;
mod attempts;
mod flaw;
mod reading;
mod trying;

use attempts::{Book, Kept};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, serve};
pub(crate) use flaw::Flaw;
use reading::Refused;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tower_http::cors::{AllowOrigin, CorsLayer};

pub(crate) const TOKEN: &str = "company-token-canary";
pub(crate) const ORIGIN: &str = "https://shop.example";
/// How many new attempts bob may make; alice may make any number.
const LIMIT: usize = 8;

/// How the model is made.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) mozarto: String,
    pub(crate) company_token: &'static str,
    pub(crate) flaw: Option<Flaw>,
    pub(crate) keeps_attempts: bool,
    /// With sessions `Authorization: Bearer alice` is alice; without, the body says who it is.
    pub(crate) sessions: bool,
    /// A page in front that answers every GET, as single-page apps have.
    pub(crate) page: bool,
    pub(crate) answer_within: Duration,
    pub(crate) deadline: Duration,
}

pub(crate) struct Model {
    pub(crate) made: Made,
    pub(crate) book: Mutex<Book>,
    client: reqwest::Client,
}

/// Starts a model; gives its endpoint.
pub(crate) async fn start(made: Made) -> String {
    let follows = made.flaw == Some(Flaw::FollowsRedirects);
    let policy = if follows { reqwest::redirect::Policy::limited(3) } else { reqwest::redirect::Policy::none() };
    let client = reqwest::Client::builder().no_proxy().redirect(policy).pool_max_idle_per_host(0);
    let client = client.retry(reqwest::retry::never()).build().expect("a client");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let routes = router(Arc::new(Model { made, book: Mutex::default(), client }));
    tokio::spawn(async move { serve(listener, routes).await });
    format!("http://{address}/cashier/flexepin")
}

fn router(model: Arc<Model>) -> Router {
    let has = |flaw| model.made.flaw == Some(flaw);
    let mut cashier = post(pay_in);
    if has(Flaw::PutIsPost) {
        cashier = cashier.put(pay_in);
    }
    let code = if has(Flaw::UnknownCode) { Some("METHOD_NOT_ALLOWED") } else { None };
    let refused = own(405, code, "Method not allowed").body;
    let cashier = cashier.fallback(|| async { (StatusCode::METHOD_NOT_ALLOWED, refused) });
    let mut routes = Router::new().route("/cashier/flexepin", cashier);
    if model.made.keeps_attempts {
        routes = routes.route("/cashier/flexepin/{key}", get(status).delete(close));
    } else if model.made.page {
        routes = routes.fallback(|| async { ([(header::CONTENT_TYPE, "text/html")], "<!doctype html>") });
    } else {
        routes = routes.fallback(|| async { StatusCode::METHOD_NOT_ALLOWED });
    }
    let limit = if has(Flaw::NoBodyLimit) { 8 << 20 } else { 16 << 10 };
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list([HeaderValue::from_static(ORIGIN)]))
        .allow_credentials(true)
        .allow_methods(if has(Flaw::PreflightLacksDelete) {
            vec![Method::GET, Method::POST]
        } else {
            vec![Method::GET, Method::POST, Method::DELETE]
        })
        .allow_headers(if has(Flaw::PreflightLacksTheKey) {
            vec![header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT_LANGUAGE]
        } else {
            vec![header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT_LANGUAGE, name("idempotency-key")]
        });
    let exposed = [name("attempt-key"), header::RETRY_AFTER, name("idempotency-replayed")];
    let cors = if has(Flaw::ExposesNothing) { cors } else { cors.expose_headers(exposed) };
    let no_store = tower_http::set_header::SetResponseHeaderLayer::overriding(
        header::CACHE_CONTROL,
        HeaderValue::from_static(if has(Flaw::MayBeStored) { "private" } else { "no-store" }),
    );
    routes.layer(DefaultBodyLimit::max(limit)).layer(cors).layer(no_store).with_state(model)
}

fn name(text: &'static str) -> HeaderName {
    HeaderName::from_static(text)
}

/// What the model says itself, in Mozarto's shape.
pub(crate) fn own(status: u16, code: Option<&str>, message: &str) -> Kept {
    let mut body = json!({ "status": "error", "isSuccess": false, "message": message, "errors": [] });
    if let Some(code) = code {
        body["errorCode"] = code.into();
    }
    Kept::new(status, body.to_string())
}

impl Model {
    pub(crate) fn has(&self, flaw: Flaw) -> bool {
        self.made.flaw == Some(flaw)
    }

    /// The last thing that happens to every answer.
    fn dressed(&self, method: &Method, kept: Kept, key: Option<&str>, pin: Option<&str>) -> Response {
        let mut status = kept.status;
        let body = kept.body;
        let code = serde_json::from_str::<Value>(&body).ok().and_then(|body| Some(body.get("errorCode")?.to_string()));
        if self.has(Flaw::WrongStatus) && code.as_deref() == Some("\"VOUCHER_IN_USE\"") {
            status = 400;
        }
        let status = StatusCode::from_u16(status).expect("a status");
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut set = |name: HeaderName, text: &str| headers.insert(name, text.parse().expect("a header"));
        if let Some(wait) = kept.retry_after {
            set(header::RETRY_AFTER, &wait);
        }
        if kept.replayed && !self.has(Flaw::ReplaysUnmarked) {
            set(name("idempotency-replayed"), "true");
        }
        if self.has(Flaw::TellsTheCompanyToken) {
            set(name("x-debug"), &format!("sent with {}", self.made.company_token));
        }
        if let Some(pin) = pin.filter(|_| self.has(Flaw::PinInAnAnswersHeader)) {
            set(name("x-voucher"), pin);
        }
        let missing = self.has(Flaw::KeyHeaderMissingOnGet) && method == Method::GET;
        if let Some(key) = key.filter(|_| self.made.keeps_attempts && !missing) {
            set(
                name("attempt-key"),
                &if self.has(Flaw::KeyHeaderInCapitals) { key.to_uppercase() } else { key.to_lowercase() },
            );
        }
        response
    }
}

async fn pay_in(State(model): State<Arc<Model>>, headers: HeaderMap, body: Bytes) -> Response {
    let key = reading::key(&model, &headers);
    let known = key.as_ref().ok().cloned();
    let (kept, pin) = match reading::order(&model, &headers, &body, key) {
        Err(Refused(kept)) => (kept, None),
        Ok(order) => {
            let pin = order.pin.clone();
            (model.clone().posted(order).await, Some(pin))
        }
    };
    model.dressed(&Method::POST, kept, known.as_deref(), pin.as_deref())
}

async fn status(
    State(model): State<Arc<Model>>,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if model.has(Flaw::QueryIsAnotherPath) && query.is_some() {
        return model.dressed(&Method::GET, own(404, None, "no such page"), Some(&key), None);
    }
    let kept = match reading::asker(&model, &headers) {
        Ok(asker) => model.got(&key, asker.as_deref()),
        Err(Refused(kept)) => kept,
    };
    model.dressed(&Method::GET, kept, Some(&key), None)
}

async fn close(State(model): State<Arc<Model>>, Path(key): Path<String>, headers: HeaderMap) -> Response {
    let kept = match reading::asker(&model, &headers) {
        Ok(asker) => model.closed(&key, asker.as_deref()),
        Err(Refused(kept)) => kept,
    };
    model.dressed(&Method::DELETE, kept, Some(&key), None)
}
