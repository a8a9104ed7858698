//! A proxy on a port of its own, an upstream that answers as the test says and notes what reached it, and a browser's
//! request.

use crate::database::database_in;
use clap::Parser;
use flexepin_cashier_proxy::{Args, Proxy, Secrets, Settings, Times, serve};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

pub(crate) const PIN: &str = "9900777712345678";
pub(crate) const TOKEN: &str = "company-token-canary";
pub(crate) const EMAIL: &str = "canary@player.example";
pub(crate) const PIN_KEY: &str = "pin-key-canary-of-the-proxys-tests";
pub(crate) const BOOKS: &str = "outcomes-token-canary";
pub(crate) const SHOP: &str = "https://shop.example";

/// A voucher that is redeemed.
pub(crate) const REDEEMED: &str =
    r#"{"isSuccess":true,"data":{"result":"0","value":25.5,"currency":"EUR","transactionId":"t-1"}}"#;

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
    /// That, when the test says so.
    Held(Arc<Notify>, Box<Play>),
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
        let mut play = &plays[number.min(plays.len()) - 1];
        if let Play::Held(release, then) = play {
            release.notified().await;
            play = then;
        }
        match play {
            Play::Raw(bytes) => stream.write_all(bytes).await.expect("written"),
            Play::Cut => return,
            Play::CutWithin(begun) => return stream.write_all(begun.as_bytes()).await.expect("written"),
            Play::Held(..) => panic!("held twice"),
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

/// Complete settings of a proxy in front of `upstream`, with its database in `folder`.
pub(crate) fn settings(upstream: &str, folder: &Path, deadline: Duration) -> Settings {
    let (database, mark) = (database_in(folder), folder.join("cashier.db.mark").display().to_string());
    let args = [
        "proxy",
        "--insecure-no-sessions",
        "--limit-address=0",
        "--limit-customer=0",
        "--mozarto-url",
        upstream,
        "--allow-origin",
        SHOP,
        "--listen",
        "127.0.0.1:0",
        "--database-url",
        &database,
        "--mark-file",
        &mark,
    ];
    let secrets = Secrets {
        company_token: Some(TOKEN.into()),
        pin_key: Some(PIN_KEY.into()),
        outcomes_token: Some(BOOKS.into()),
        ..Secrets::default()
    };
    let settings = Settings::new(Args::parse_from(args), secrets).expect("complete settings");
    Settings { times: Times { upstream_deadline: deadline, ..settings.times }, ..settings }
}

/// The same settings, but a POST is answered within `answer_within` though its try still runs, and the ledger may take
/// `ledger_within` to begin a try.
pub(crate) fn hasty(settings: Settings, answer_within: Duration, ledger_within: Duration) -> Settings {
    Settings { times: Times { answer_within, ledger_within, ..settings.times }, ..settings }
}

/// A proxy that serves until it is stopped.
pub(crate) struct Serving {
    pub(crate) endpoint: String,
    /// Where its metrics are, with a slash at the end; empty where they are nowhere.
    pub(crate) metrics: String,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Serving {
    pub(crate) async fn start(settings: Settings) -> Self {
        let listener = TcpListener::bind(settings.listen).await.expect("a port");
        let endpoint = format!("http://{}/cashier/flexepin", listener.local_addr().expect("an address"));
        let proxy = Proxy::open(settings).await.expect("it opens");
        let metrics = proxy.metrics_address().map(|address| format!("http://{address}/")).unwrap_or_default();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(async move {
            let ended = serve(listener, proxy, async {
                let _ = stopped.await;
            });
            assert_eq!(ended.await, Ok(()));
        });
        Self { endpoint, metrics, stop, served }
    }

    /// Ends it gracefully.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        self.served.await.expect("it ends");
    }
}

/// A proxy in front of `upstream`, for as long as the test runs; gives its endpoint.
pub(crate) async fn proxy(upstream: &str, deadline: Duration) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(upstream, folder.path(), deadline);
    served(folder, settings).await
}

/// A proxy for as long as the test runs; gives its endpoint.
pub(crate) async fn served(folder: TempDir, settings: Settings) -> String {
    let serving = Serving::start(settings).await;
    let endpoint = serving.endpoint.clone();
    tokio::spawn(async move {
        let _kept = (folder, serving);
        std::future::pending::<()>().await;
    });
    endpoint
}

/// A proxy in front of an upstream that plays this, with a deadline that no test waits for.
pub(crate) async fn before(plays: Vec<Play>) -> (String, Upstream) {
    let upstream = Upstream::start(plays).await;
    (proxy(&upstream.url, Duration::from_secs(20)).await, upstream)
}

/// A browser without idle connections: they would belong to the runtime of the test that opened them.
pub(crate) fn client() -> reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    let client = CLIENT.get_or_init(|| {
        // Fails when another test was first, and then it is there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        builder.pool_max_idle_per_host(0).build().expect("a client")
    });
    client.clone()
}

/// The body that a widget sends.
pub(crate) fn body() -> Value {
    json!({
        "pspType": "FLEXEPIN", "type": "PAYIN", "voucherPin": PIN, "baseamount": 25.5, "currency": "EUR", "currencyCode": "EUR",
        "userId": "user_123", "email": EMAIL, "brandId": "brand-1",
    })
}

/// The same with another voucher.
pub(crate) fn with_pin(pin: &str) -> Value {
    let mut body = body();
    body["voucherPin"] = pin.into();
    body
}

/// A POST of an attempt of its own.
pub(crate) async fn post(endpoint: &str, body: impl Into<reqwest::Body>) -> reqwest::Response {
    post_as(endpoint, &Uuid::new_v4().to_string(), body).await
}

/// A POST of the attempt with that key.
pub(crate) async fn post_as(endpoint: &str, key: &str, body: impl Into<reqwest::Body>) -> reqwest::Response {
    let request = client().post(endpoint).header("content-type", "application/json").header("idempotency-key", key);
    request.body(body).send().await.expect("an answer")
}

/// A request to the attempt with that key.
pub(crate) async fn ask(method: &str, endpoint: &str, key: &str) -> reqwest::Response {
    let method = method.parse().expect("a method");
    client().request(method, format!("{endpoint}/{key}")).send().await.expect("an answer")
}

/// One attempt, as its customer sees it.
pub(crate) struct Attempt {
    pub(crate) endpoint: String,
    pub(crate) key: String,
}

/// An answer, as far as the contract speaks of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) replayed: bool,
}

impl Said {
    /// Status and `errorCode`, or `status` where there is none.
    pub(crate) fn code(&self) -> (u16, &str) {
        let word = |name: &str| self.body[name].as_str();
        (self.status, word("errorCode").or(word("status").filter(|word| *word != "error")).unwrap_or_default())
    }
}

impl Attempt {
    pub(crate) fn new(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), key: Uuid::new_v4().to_string() }
    }

    pub(crate) async fn post(&self) -> Said {
        self.post_body(&body()).await
    }

    pub(crate) async fn post_body(&self, body: &Value) -> Said {
        self.said(post_as(&self.endpoint, &self.key, body.to_string()).await).await
    }

    /// The answer, and the `Retry-After` that came with it.
    pub(crate) async fn post_waiting(&self, body: &Value) -> (Said, Option<String>) {
        let response = post_as(&self.endpoint, &self.key, body.to_string()).await;
        let wait = response.headers().get("retry-after").and_then(|wait| wait.to_str().ok()).map(str::to_owned);
        (self.said(response).await, wait)
    }

    pub(crate) async fn get(&self) -> Said {
        self.said(ask("GET", &self.endpoint, &self.key).await).await
    }

    pub(crate) async fn delete(&self) -> Said {
        self.said(ask("DELETE", &self.endpoint, &self.key).await).await
    }

    /// Asks until the answer is no longer "pending".
    pub(crate) async fn settled_down(&self) -> Said {
        self.until(|said| said.code() != (202, "pending"), Self::get).await
    }

    /// Asks, or posts, again and again until the answer is the one; a minute at most.
    pub(crate) async fn until(&self, is_it: impl Fn(&Said) -> bool, asked: impl AsyncFn(&Self) -> Said) -> Said {
        let asking = async {
            loop {
                let said = asked(self).await;
                if is_it(&said) {
                    return said;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), asking).await.expect("the answer changes")
    }

    async fn said(&self, response: reqwest::Response) -> Said {
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        assert_eq!(header("attempt-key").as_deref(), Some(self.key.as_str()), "on every answer");
        assert_eq!(header("cache-control").as_deref(), Some("no-store"), "on every answer");
        let replayed = header("idempotency-replayed").is_some_and(|value| value == "true");
        let (status, body) = read(response).await;
        Said { status, body, replayed }
    }
}

/// Status and JSON of an answer.
pub(crate) async fn read(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("JSON: {text}")))
}
