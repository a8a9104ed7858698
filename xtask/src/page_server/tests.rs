//! The page server over real sockets.

use super::*;
use axum::body::to_bytes;
use axum::http::Method;

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

/// A stand-in upstream: answers with what reached it.
async fn upstream() -> String {
    let listener = listener().await;
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    let echo = |request: Request| async move {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, 1000).await.expect("readable");
        let mut names: Vec<_> = parts.headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        let headers = [("x-secret", "1"), ("connection", "x-secret"), ("attempt-key", "k")];
        (StatusCode::CREATED, headers, format!("{} {} {names:?} {body:?}", parts.method, parts.uri))
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(echo)).await });
    address
}

async fn start(pages: Pages<'_>, proxy: String) -> PageServer {
    let sandbox = "http://127.0.0.1:1".to_owned();
    PageServer::start(listener().await, &pages, Upstreams { proxy, sandbox }).expect("it starts")
}

async fn ask(url: &str, method: Method, body: &str) -> (StatusCode, HeaderMap, String) {
    let request = Request::builder().method(method).uri(url).header("x-mine", "1").header("te", "trailers");
    let request = request.body(Body::from(body.to_owned())).expect("a request");
    let (parts, body) = client().request(request).await.expect("an answer").into_parts();
    let body = to_bytes(Body::new(body), 100_000).await.expect("readable");
    (parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn a_forwarded_request_and_its_answer_pass_unchanged_but_for_their_hop() {
    let server = start(Pages::Folder(Path::new("src")), upstream().await).await;
    let (status, headers, body) = ask(&format!("{}/cashier/a/b?c=d", server.url), Method::POST, "voucher").await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(body, r#"POST /cashier/a/b?c=d ["content-length", "host", "x-mine"] b"voucher""#);
    assert_eq!(headers.get("attempt-key").map(HeaderValue::as_bytes), Some(b"k".as_slice()));
    assert!(!headers.contains_key("x-secret"));
}

#[tokio::test]
async fn an_upstream_that_is_down_is_a_502_that_names_it() {
    let server = start(Pages::Folder(Path::new("src")), upstream().await).await;
    let (status, _, body) = ask(&format!("{}/sandbox/vouchers", server.url), Method::GET, "").await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert_eq!(body, "http://127.0.0.1:1 gave no answer: is it running?\n");
}

#[tokio::test]
async fn files_are_served_fresh_and_what_is_not_there_is_a_404() {
    let server = start(Pages::Folder(Path::new("src")), upstream().await).await;
    let (status, headers, body) = ask(&format!("{}/main.rs", server.url), Method::GET, "").await;
    assert_eq!((status, headers[CACHE_CONTROL].as_bytes()), (StatusCode::OK, b"no-cache".as_slice()));
    assert!(body.contains("fn main()"));
    for path in ["/no-such-file", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "/cashier"] {
        assert_eq!(ask(&format!("{}{path}", server.url), Method::GET, "").await.0, StatusCode::NOT_FOUND, "{path}");
    }
}
