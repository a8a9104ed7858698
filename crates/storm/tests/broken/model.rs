//! A small proxy that keeps attempts in memory and does hop 1 and hop 3 right, but for one rule that is broken on
//! purpose. Each of its lives is a runtime of its own: killed, nothing of it goes on.

use crate::ledger::{Attempt, End, Ledger, Standing, Try};
use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use cashier_storm::{Blow, Dealt, Settings, Subject};
use mozarto::{Answer, PayIn, Signal};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};

/// What is wrong with a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    Nothing,
    RetriesUpstream,
    ForgetsAfterKill,
    SendsAgainAfterFinal,
    UntouchedAfterUnknown,
    DeleteClosesSending,
    NoVoucherInUse,
    OutboxRowMissing,
    OutboxRowTwice,
    WrittenAfterSending,
    TimeoutIsSuccess,
    LostTryNeverEnds,
}

/// The model.
pub(crate) struct Model {
    url: String,
    proxy: Proxy,
    life: Mutex<Option<Runtime>>,
}

#[derive(Clone)]
struct Proxy {
    broken: Broken,
    address: SocketAddr,
    mozarto: String,
    client: reqwest::Client,
    deadline: Duration,
    answer_within: Duration,
    ledger: Arc<Mutex<Ledger>>,
}

impl Model {
    pub(crate) fn start(broken: Broken, mozarto: &str, settings: &Settings) -> Self {
        let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
        let port = (0..100).map(|_| fastrand::u16(10_000..20_000)).find(free).expect("a free port");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        // What a test asks it for before the storm may be the first client of the process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let deadline = Duration::from_secs(45).mul_f64(settings.time_scale);
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(deadline);
        let proxy = Proxy {
            broken,
            client: client.build().expect("a client"),
            deadline,
            address,
            mozarto: format!("{mozarto}/v1/api/mozarto/cashier"),
            answer_within: Duration::from_secs(25).mul_f64(settings.time_scale),
            ledger: Arc::default(),
        };
        let model = Self { url: format!("http://{address}"), proxy, life: Mutex::new(None) };
        model.begin_life().expect("it starts");
        model
    }

    fn begin_life(&self) -> anyhow::Result<()> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let entered = runtime.enter();
        // The life before may not have let go of its port yet.
        let listen = || {
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            socket.bind(self.proxy.address)?;
            socket.listen(1024)
        };
        let began = Instant::now();
        let listener = loop {
            match listen() {
                Ok(listener) => break listener,
                Err(error) if began.elapsed() > Duration::from_secs(5) => return Err(error).context("no port"),
                Err(_) => std::thread::yield_now(),
            }
        };
        let proxy = self.proxy.clone();
        proxy.recover();
        let routes = Router::new()
            .route("/cashier/flexepin", post(redeem))
            .route("/cashier/flexepin/{key}", get(status).delete(close))
            .route("/outcomes", get(outcomes))
            .with_state(proxy);
        runtime.spawn(async { axum::serve(listener, routes).await });
        drop(entered);
        *self.life.lock().expect("no panic") = Some(runtime);
        Ok(())
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        if let Some(life) = self.life.lock().expect("no panic").take() {
            life.shutdown_background();
        }
    }
}

impl Subject for Model {
    fn url(&self) -> &str {
        &self.url
    }

    fn outcomes_token(&self) -> &'static str {
        "model"
    }

    async fn suffer(&self, blow: Blow) -> anyhow::Result<Dealt> {
        let Blow::Kill { down } = blow else { return Ok(Dealt::No("NOT DEALT: a model has neither disk nor clock")) };
        if let Some(life) = self.life.lock().expect("no panic").take() {
            life.shutdown_background();
        }
        tokio::time::sleep(down).await;
        if self.proxy.broken == Broken::ForgetsAfterKill {
            self.proxy.ledger().attempts.clear();
        }
        self.begin_life()?;
        Ok(Dealt::Yes)
    }
}

impl Proxy {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("nothing panics while it holds the ledger")
    }

    /// A life before has sent these, and their answers went with it: they are unknown once the deadline has passed.
    fn recover(&self) {
        for (key, attempt) in &self.ledger().attempts {
            for (nth, one) in attempt.tries.iter().enumerate().filter(|(_, one)| one.end.is_none()) {
                let (proxy, key) = (self.clone(), key.clone());
                let left = self.deadline.saturating_sub(one.sent.elapsed());
                tokio::spawn(async move {
                    tokio::time::sleep(left).await;
                    proxy.ledger().end(&key, nth, lost(), 0);
                });
            }
        }
    }

    /// One try upstream.
    async fn send(&self, pay_in: &PayIn) -> End {
        let request = self
            .client
            .post(&self.mozarto)
            .header("authorization", "Bearer sandbox-company")
            .header("x-user-authorization", "Bearer session")
            .header("content-type", "application/json")
            .body(serde_json::to_vec(pay_in).expect("a Pay-In is JSON"));
        let answered = async {
            let response = request.send().await.ok()?;
            let status = response.status().as_u16();
            let wait = response.headers().get("retry-after").and_then(|wait| Some(wait.to_str().ok()?.to_owned()));
            let body: Value = serde_json::from_slice(&response.bytes().await.ok()?).ok()?;
            let reply = serde_json::from_value(body.clone()).ok()?;
            let signal = Answer { status, retry_after: None, reply: Some(reply) }.meaning().signal;
            Some(End { status, retry_after: wait, body, signal })
        };
        answered.await.unwrap_or_else(lost)
    }

    /// One try from its sending to its end in the ledger.
    async fn run(self, key: String, nth: usize, pay_in: PayIn) {
        let mut end = self.send(&pay_in).await;
        if self.broken == Broken::RetriesUpstream && end.signal == Signal::NoAnswer {
            end = self.send(&pay_in).await;
        }
        if self.broken == Broken::TimeoutIsSuccess && end.signal == Signal::PspTimeout {
            let data = json!({
                "result": "0", "value": pay_in.amount.json_number(), "currency": pay_in.amount.currency().code(),
                "transactionId": end.body["transactionId"],
            });
            let body = json!({"isSuccess": true, "data": data});
            end = End { status: 200, retry_after: None, body, signal: Signal::Redeemed(mozarto::Receipt::default()) };
        }
        if self.broken == Broken::LostTryNeverEnds && end.signal == Signal::NoAnswer {
            return;
        }
        let rows = match self.broken {
            Broken::OutboxRowMissing if key.starts_with('0') => 0,
            Broken::OutboxRowTwice if key.starts_with('0') => 2,
            _ => 1,
        };
        let mut ledger = self.ledger();
        if self.broken == Broken::WrittenAfterSending {
            write(&mut ledger, &key, &pay_in);
        }
        ledger.end(&key, nth, end, rows);
    }

    /// What is said of an attempt that is idle or over.
    fn answer(&self, key: &str, attempt: &Attempt, replayed: bool) -> Response {
        if attempt.closed {
            return said(key, 410, &error("ATTEMPT_CLOSED"));
        }
        let last = attempt.tries.last().and_then(|one| one.end.clone());
        match (attempt.standing(), last) {
            (Standing::Unconfirmed(_) | Standing::Open(_), Some(end))
                if self.broken == Broken::UntouchedAfterUnknown =>
            {
                passed_on(key, &end, false)
            }
            (Standing::Recorded, _) => said(key, 404, &error("ATTEMPT_UNKNOWN")),
            (Standing::Sending, _) => said(key, 202, &json!({"status": "pending"})),
            (Standing::Open(end), _) => passed_on(key, &end, false),
            (Standing::Final(end), _) => passed_on(key, &end, replayed),
            (Standing::Unconfirmed(_), _) => said(key, 202, &error("ATTEMPT_UNCONFIRMED")),
        }
    }
}

/// `POST /cashier/flexepin`.
async fn redeem(State(proxy): State<Proxy>, headers: HeaderMap, body: Bytes) -> Response {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned();
    let Ok(pay_in) = serde_json::from_slice::<PayIn>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let begun = begin(&proxy, &key, &pay_in);
    let nth = match begun {
        Ok(nth) => nth,
        Err(answer) => return *answer,
    };
    let trying = tokio::spawn(proxy.clone().run(key.clone(), nth, pay_in));
    if tokio::time::timeout(proxy.answer_within, trying).await.is_err() {
        return said(&key, 202, &json!({"status": "pending"}));
    }
    let attempt = proxy.ledger().attempts.get(&key).cloned();
    match attempt {
        Some(attempt) => proxy.answer(&key, &attempt, false),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Writes a try down before it is sent, in one step with the questions that forbid it.
fn begin(proxy: &Proxy, key: &str, pay_in: &PayIn) -> Result<usize, Box<Response>> {
    let mut ledger = proxy.ledger();
    let refuse = |status, code| Err(Box::new(said(key, status, &error(code))));
    if ledger.closed.iter().any(|closed| closed == key) {
        return refuse(410, "ATTEMPT_CLOSED");
    }
    if let Some(attempt) = ledger.attempts.get(key) {
        if attempt.owner != pay_in.user_id {
            return refuse(403, "ATTEMPT_FOREIGN");
        }
        if attempt.pin != pay_in.voucher_pin.expose() || attempt.amount != pay_in.amount {
            return refuse(422, "ATTEMPT_MISMATCH");
        }
        match attempt.standing() {
            _ if attempt.closed => return refuse(410, "ATTEMPT_CLOSED"),
            Standing::Final(_) if proxy.broken == Broken::SendsAgainAfterFinal => {}
            Standing::Final(_) => return Err(Box::new(proxy.answer(key, attempt, true))),
            Standing::Sending => return refuse(409, "ATTEMPT_IN_PROGRESS"),
            Standing::Unconfirmed(false) => return refuse(202, "ATTEMPT_UNCONFIRMED"),
            Standing::Recorded | Standing::Open(_) | Standing::Unconfirmed(true) => {}
        }
    } else {
        let holder = ledger.holder(pay_in.voucher_pin.expose(), key);
        if let Some((holder, attempt)) = holder.filter(|_| proxy.broken != Broken::NoVoucherInUse) {
            let mut body = error("VOUCHER_IN_USE");
            if attempt.owner == pay_in.user_id {
                body["attempt"] = json!(holder);
                body["reference"] = json!(holder);
            }
            return Err(Box::new(said(key, 409, &body)));
        }
    }
    if proxy.broken == Broken::WrittenAfterSending {
        return Ok(ledger.attempts.get(key).map_or(0, |attempt| attempt.tries.len()));
    }
    Ok(write(&mut ledger, key, pay_in))
}

/// Writes down that a try is sent. Gives back its place among the attempt's tries.
fn write(ledger: &mut Ledger, key: &str, pay_in: &PayIn) -> usize {
    let attempt = ledger.attempts.entry(key.to_owned()).or_insert_with(|| Attempt {
        owner: pay_in.user_id.clone(),
        pin: pay_in.voucher_pin.expose().to_owned(),
        amount: pay_in.amount,
        tries: Vec::new(),
        closed: false,
    });
    attempt.tries.push(Try { sent: Instant::now(), end: None });
    attempt.tries.len() - 1
}

/// `GET /cashier/flexepin/{key}`.
async fn status(State(proxy): State<Proxy>, Path(key): Path<String>) -> Response {
    let ledger = proxy.ledger();
    match ledger.attempts.get(&key) {
        Some(attempt) => proxy.answer(&key, attempt, false),
        None if ledger.closed.contains(&key) => said(&key, 410, &error("ATTEMPT_CLOSED")),
        None => said(&key, 404, &error("ATTEMPT_UNKNOWN")),
    }
}

/// `DELETE /cashier/flexepin/{key}`.
async fn close(State(proxy): State<Proxy>, Path(key): Path<String>) -> Response {
    let mut ledger = proxy.ledger();
    let Some(attempt) = ledger.attempts.get_mut(&key) else {
        ledger.closed.push(key.clone());
        return said(&key, 200, &json!({"status": "untouched"}));
    };
    let sending = matches!(attempt.standing(), Standing::Sending);
    // Not one that is just leaving: that would break another rule too.
    let long = attempt.tries.last().is_some_and(|one| one.sent.elapsed() > Duration::from_millis(400));
    if attempt.is_untouched() || (sending && long && proxy.broken == Broken::DeleteClosesSending) {
        attempt.closed = true;
        return said(&key, 200, &json!({"status": "untouched"}));
    }
    let attempt = attempt.clone();
    proxy.answer(&key, &attempt, false)
}

/// `GET /outcomes?after=`.
async fn outcomes(State(proxy): State<Proxy>, RawQuery(query): RawQuery) -> axum::Json<Value> {
    let after = query.as_deref().and_then(|query| query.strip_prefix("after=")?.parse().ok()).unwrap_or(0);
    let rows: Vec<Value> = proxy.ledger().outbox.iter().skip(after).take(100).cloned().collect();
    axum::Json(json!({"outcomes": rows}))
}

fn lost() -> End {
    End { status: 504, retry_after: None, body: json!({"isSuccess": false}), signal: Signal::NoAnswer }
}

fn error(code: &str) -> Value {
    json!({"isSuccess": false, "errorCode": code})
}

fn passed_on(key: &str, end: &End, replayed: bool) -> Response {
    let mut response = said(key, end.status, &end.body);
    if let Some(wait) = end.retry_after.as_ref().and_then(|wait| wait.parse().ok()) {
        response.headers_mut().insert("retry-after", wait);
    }
    if replayed {
        response.headers_mut().insert("idempotency-replayed", "true".parse().expect("a header"));
    }
    response
}

fn said(key: &str, status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [("attempt-key", key.to_owned()), ("content-type", "application/json".into())], body.to_string())
        .into_response()
}
