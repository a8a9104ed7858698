//! A proxy on a port of its own, an upstream that answers as the test says and notes what reached it, and a browser's
//! request.

use clap::Parser;
use flexepin_cashier_proxy::{Args, Mozarto, Settings, serve};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

pub(crate) const PIN: &str = "9900777712345678";
pub(crate) const TOKEN: &str = "company-token-canary";
pub(crate) const EMAIL: &str = "canary@player.example";
pub(crate) const SHOP: &str = "https://shop.example";

/// What the upstream does with a request.
#[derive(Clone)]
pub(crate) enum Play {
    /// These bytes, on a connection that stays open.
    Raw(Vec<u8>),
    /// Reads the request and closes without a byte.
    Cut,
    /// Begins an answer and closes within it.
    CutWithin(&'static str),
    /// Reads the request and never answers.
    Silence,
    /// A 400 with this body, when the test says so.
    Held(Arc<Notify>, &'static str),
}

/// An answer with status and body, as bytes.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Play {
    let length = body.len();
    Play::Raw(
        format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        )
        .into_bytes(),
    )
}

/// An upstream and what reached it: head and body of each request, and how many connections there were.
pub(crate) struct Upstream {
    pub(crate) url: String,
    pub(crate) seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) connections: usize,
    pub(crate) requests: Vec<(String, String)>,
    pub(crate) arrived: Arc<Notify>,
}

impl Upstream {
    /// Answers the first request by the first play, and so on; the last goes on for ever.
    pub(crate) async fn start(plays: Vec<Play>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let noted = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                noted.lock().expect("not poisoned").connections += 1;
                tokio::spawn(converse(stream, plays.clone(), Arc::clone(&noted)));
            }
        });
        Self { url, seen }
    }

    /// Done when a request has arrived that no call before has waited for.
    pub(crate) async fn arrived(&self) {
        let arrived = Arc::clone(&self.seen.lock().expect("not poisoned").arrived);
        arrived.notified().await;
    }

    pub(crate) fn requests(&self) -> Vec<(String, String)> {
        self.seen.lock().expect("not poisoned").requests.clone()
    }
}

async fn converse(mut stream: TcpStream, plays: Vec<Play>, seen: Arc<Mutex<Seen>>) {
    while let Some(request) = read_request(&mut stream).await {
        let number = {
            let mut seen = seen.lock().expect("not poisoned");
            seen.requests.push(request);
            seen.arrived.notify_one();
            seen.requests.len()
        };
        match &plays[number.min(plays.len()) - 1] {
            Play::Raw(bytes) => stream.write_all(bytes).await.expect("written"),
            Play::Cut => return,
            Play::CutWithin(begun) => return stream.write_all(begun.as_bytes()).await.expect("written"),
            Play::Held(release, body) => {
                release.notified().await;
                let text = format!("HTTP/1.1 400 X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                stream.write_all(text.as_bytes()).await.expect("written");
            }
            Play::Silence => std::future::pending().await,
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some((head.to_owned(), body.to_owned()));
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// A proxy in front of `upstream`; gives its endpoint.
pub(crate) async fn proxy(upstream: &str, deadline: Duration) -> String {
    let args = [
        "proxy",
        "--insecure-no-sessions",
        "--mozarto-url",
        upstream,
        "--allow-origin",
        SHOP,
        "--listen",
        "127.0.0.1:0",
    ];
    let settings = Settings::new(Args::parse_from(args), Some(TOKEN.into())).expect("complete settings");
    let mozarto = Mozarto::new(settings.mozarto_url, settings.company_token, deadline).expect("it starts");
    let listener = TcpListener::bind(settings.listen).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(serve(listener, mozarto, settings.allow_origins, std::future::pending()));
    format!("http://{address}/cashier/flexepin")
}

/// A proxy in front of an upstream that plays this, with a deadline that no test waits for.
pub(crate) async fn before(plays: Vec<Play>) -> (String, Upstream) {
    let upstream = Upstream::start(plays).await;
    (proxy(&upstream.url, Duration::from_secs(20)).await, upstream)
}

pub(crate) fn client() -> reqwest::Client {
    // Fails when another test was first, and then it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}

/// The body that a widget sends.
pub(crate) fn body() -> Value {
    json!({
        "pspType": "FLEXEPIN", "type": "PAYIN", "voucherPin": PIN, "baseamount": 25.5, "currency": "EUR", "currencyCode": "EUR",
        "userId": "user_123", "email": EMAIL, "brandId": "brand-1",
    })
}

pub(crate) async fn post(endpoint: &str, body: impl Into<reqwest::Body>) -> reqwest::Response {
    client().post(endpoint).header("content-type", "application/json").body(body).send().await.expect("an answer")
}

/// Status and JSON of an answer.
pub(crate) async fn read(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("JSON: {text}")))
}
