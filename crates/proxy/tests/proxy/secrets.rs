//! Nothing that a process tells about itself (its log in JSON, its metrics, the spans that a collector gets) holds a
//! session, the company token, a user header or a PIN, whatever was redeemed, refused or failed with them.

use crate::database::database_in;
use crate::metrics::{asked, metrics_of};
use crate::process::{ended, program, running_of, terminate};
use crate::shop::{self, Browser, ISSUER, KEYS, SECRET, claims, key, signed, signed_with, with};
use crate::telemetry::{SECRETS, collector, holds};
use crate::world::{BOOKS, EMAIL, PIN, PIN_KEY, Play, REDEEMED, TOKEN, Upstream, answer, body, client, post, with_pin};
use axum::http::{HeaderMap, StatusCode};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// How Mozarto learns who the customer is, and the header by which.
const MODES: [(&str, &str); 2] = [("token", "x-user-token"), ("session", "x-user-authorization")];

const INVALID: &str = r#"{"isSuccess":false,"message":"Invalid voucher PIN","code":"4075"}"#;

/// What a process told about itself.
struct Told {
    log: String,
    metrics: String,
    spans: Vec<u8>,
}

/// What a proxy with sessions tells while this is done with it: it gets the endpoint.
async fn told(upstream: &str, user: &str, done: impl AsyncFnOnce(&str)) -> Told {
    let folder = tempfile::tempdir().expect("a folder");
    let (collector, got) = collector().await;
    let mut command = program(&["--listen=127.0.0.1:0", "--metrics-listen=127.0.0.1:0", "--log-format=json"]);
    command.args(["--mozarto-url", upstream, "--mozarto-user", user, "--otlp-endpoint", &collector]);
    command.args(["--session-issuer", ISSUER, "--guesses=1"]).env("RUST_LOG", "trace");
    command.env("CASHIER_COMPANY_TOKEN", TOKEN).env("CASHIER_PIN_KEY", PIN_KEY).env("CASHIER_SESSION_KEYS", KEYS);
    command.env("CASHIER_OUTCOMES_TOKEN", BOOKS).env("CASHIER_DATABASE_URL", database_in(folder.path()));
    command.env("CASHIER_MARK_FILE", folder.path().join("cashier.mark"));
    let (program, endpoint) = running_of(&mut command).await;
    done(&endpoint).await;
    let (status, metrics) = asked(&format!("{}metrics", metrics_of(&program).await)).await;
    assert_eq!(status, 200);
    terminate(&program).await;
    let log = ended(program).await;
    let spans = got.lock().expect("not poisoned").clone();
    Told { log, metrics, spans }
}

impl Told {
    /// Each of these counters has counted, so the thing has happened.
    fn counted(&self, names: &[&str]) {
        for name in names {
            let line = self.metrics.lines().find_map(|line| line.strip_prefix("cashier_")?.strip_prefix(name));
            assert!(line.is_some_and(|value| value.trim() != "0"), "{name}: {}", self.metrics);
        }
    }

    /// None of these is anywhere, nor any part of a token among them; and there is something to look at.
    fn holds_none_of(&self, tokens: &[String]) {
        for line in self.log.lines().skip(1) {
            serde_json::from_str::<Value>(line).expect(line);
        }
        assert!(self.log.contains(r#""level":"TRACE""#) && self.log.contains(r#""message":"tried""#), "{}", self.log);
        assert!(self.metrics.contains("cashier_tries_total") && holds(&self.spans, b"tried"), "{}", self.metrics);
        let parts = tokens.iter().flat_map(|token| token.split('.')).filter(|part| part.len() >= 16);
        for secret in parts.chain(tokens.iter().map(String::as_str)).chain(SECRETS).chain([SECRET]) {
            for (place, text) in
                [("log", self.log.as_bytes()), ("metrics", self.metrics.as_bytes()), ("spans", &self.spans)]
            {
                assert!(!holds(text, secret.as_bytes()), "{secret} is in the {place}");
            }
        }
    }
}

/// An answer is the browser's, and what it may hold of what was sent is nothing of the merchant's.
fn said_nothing_of(body: &str, bearer: &str) {
    for secret in bearer.split('.').filter(|part| part.len() >= 16).chain([TOKEN, PIN]) {
        assert!(!body.contains(secret), "{secret} was passed back: {body}");
    }
}

/// A session of this customer, whose claims say more of them.
fn session(subject: &str, id: &str) -> String {
    let claims = with(claims(subject, id), "email", json!(EMAIL));
    signed(&with(with(claims, "firstName", json!("Firstname-canary")), "phone", json!("+35699000000")))
}

/// The user header of each request that reached Mozarto, without the word before it.
fn user_headers(heads: &[String], name: &str) -> Vec<String> {
    let value = |head: &String| {
        let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": Bearer "));
        line.expect("a user header").trim().to_owned()
    };
    heads.iter().map(value).collect()
}

/// Sessions of one customer each, and what is wrong with some of them.
struct Tokens {
    first: String,
    second: String,
    third: String,
    foreign: String,
    guesser: String,
    ended: String,
    forged: String,
    elsewhere: String,
}

impl Tokens {
    fn new() -> Self {
        Self {
            first: session("user_123", "s-1"),
            second: session("user_123", "s-2"),
            third: session("user_123", "s-3"),
            foreign: session("user_1235", "s-4"),
            guesser: session("user_1234", "s-5"),
            ended: signed(&shop::ended("user_123", "s-6", 100)),
            forged: signed_with("a secret of somebody else, of 32 bytes", "shop", &claims("user_123", "s-7")),
            elsewhere: signed(&with(claims("user_123", "s-8"), "aud", json!("another"))),
        }
    }

    fn all(&self) -> Vec<String> {
        let Self { first, second, third, foreign, guesser, ended, forged, elsewhere } = self;
        [first, second, third, foreign, guesser, ended, forged, elsewhere].map(Clone::clone).to_vec()
    }

    /// Posts and asks with each of them.
    async fn used(&self, endpoint: &str) {
        let of = |user: &str, pin: &str| with(with_pin(pin), "userId", json!(user));
        let (redeemed, lost) = (key(), key());
        for (what, token, key, body, expected) in [
            ("redeemed", &*self.first, redeemed.clone(), body(), 200),
            ("its session is spent", &self.first, key(), with_pin("9900777712345679"), 401),
            ("an echo", &self.second, key(), with_pin("9900777712345671"), 400),
            ("cut", &self.third, lost.clone(), with_pin("9900777712345672"), 504),
            ("no JSON", &self.third, lost, with_pin("9900777712345672"), 504),
            ("another customer", &self.foreign, redeemed.clone(), of("user_1235", PIN), 403),
            ("ended", &self.ended, key(), body(), 401),
            ("forged", &self.forged, redeemed.clone(), body(), 401),
            ("for another shop", &self.elsewhere, redeemed.clone(), body(), 401),
            ("the company token", TOKEN, redeemed.clone(), body(), 401),
            ("a PIN as session", PIN, redeemed, body(), 401),
            ("an invalid PIN", &self.guesser, key(), of("user_1234", "9900777712345670"), 400),
            ("a guess too many", &self.guesser, key(), of("user_1234", "9900777712345670"), 429),
        ] {
            let browser = Browser { endpoint: endpoint.to_owned(), token: token.to_owned() };
            let said = browser.post(&key, &body).await;
            assert_eq!(said.status, expected, "{what}: {}", said.body);
            assert!(!said.body.to_string().contains(TOKEN), "{what}: {}", said.body);
        }
        // In places where neither belongs.
        let first = &self.first;
        for path in [format!("{endpoint}/{PIN}"), format!("{endpoint}/{first}?session={first}&pin={PIN}")] {
            let request = client().get(path).bearer_auth(first).header("cookie", format!("session={first}"));
            assert_eq!(request.send().await.expect("an answer").status().as_u16(), 400);
        }
        assert_eq!(post(endpoint, body().to_string().replace("FLEXEPIN", first)).await.status().as_u16(), 401);
        let books = endpoint.replace("/cashier/flexepin", "/outcomes");
        for (token, expected) in [(BOOKS, 200), (TOKEN, 401), (first, 401)] {
            let status = client().get(&books).bearer_auth(token).send().await.expect("an answer").status();
            assert_eq!(status.as_u16(), expected);
        }
    }
}

#[tokio::test]
async fn what_was_redeemed_refused_and_lost_leaves_no_secret_in_log_metrics_and_spans() {
    for (user, name) in MODES {
        let tokens = Tokens::new();
        let (second, third) = (&tokens.second, &tokens.third);
        let echo = format!(
            r#"{{"isSuccess":false,"errorCode":"{second}","message":"{PIN} {EMAIL} {TOKEN} {second}","transactionId":"{second}"}}"#
        );
        let upstream = Upstream::start(vec![
            answer(200, "", REDEEMED),
            answer(400, "", &echo),
            Play::Cut,
            answer(200, "", &format!("<html>{PIN} {TOKEN} {third}</html>")),
            answer(400, "", INVALID),
        ])
        .await;
        let told = told(&upstream.url, user, async |endpoint| tokens.used(endpoint).await).await;
        let heads: Vec<String> = upstream.requests().into_iter().map(|(head, _)| head).collect();
        assert_eq!(heads.len(), 5);
        assert!(heads.iter().all(|head| head.contains(&format!("authorization: Bearer {TOKEN}\r\n"))), "it was used");
        let sent = user_headers(&heads, name);
        assert!(user == "token" || sent[..2] == [tokens.first.clone(), second.clone()], "the bearer is passed on");
        told.counted(&[
            r#"tries_total{meaning="redeemed"}"#,
            r#"tries_total{meaning="no-answer"}"#,
            r#"tries_total{meaning="rejected: invalid-pin"}"#,
            r#"refused_total{reason="no_session"}"#,
            r#"refused_total{reason="session_expired"}"#,
            r#"refused_total{reason="foreign"}"#,
            r#"refused_total{reason="guesses"}"#,
        ]);
        told.holds_none_of(&[sent, tokens.all()].concat());
    }
}

/// A Mozarto that says back all that it was sent, wherever an answer has room for it; and the user headers it got.
async fn echoing(name: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&heads);
    let echo = Router::new().fallback(move |headers: HeaderMap, body: String| {
        let token = headers[name].to_str().expect("a token").trim_start_matches("Bearer ").to_owned();
        noted.lock().expect("not poisoned").push(token.clone());
        let all = format!("{headers:?} {body}");
        let echoed = json!({ "isSuccess": false, "message": all, "errors": [all, token], "errorCode": token, "transactionId": token.split('.').nth(1), "data": { &token: all } });
        std::future::ready((StatusCode::BAD_REQUEST, Json(echoed)))
    });
    tokio::spawn(async move { axum::serve(listener, echo).await });
    (url, heads)
}

#[tokio::test]
async fn a_mozarto_that_echoes_every_header_or_is_not_there_leaves_no_secret_in_log_metrics_and_spans() {
    for (user, name) in MODES {
        let tokens = ["s-1", "s-2"].map(|id| session("user_123", id));
        let (url, got) = echoing(name).await;
        for (upstream, expected, meaning) in
            [(url.as_str(), 400, "unknown-error"), ("http://127.0.0.1:1", 503, "not-sent")]
        {
            let told = told(upstream, user, async |endpoint| {
                for (number, token) in tokens.iter().enumerate() {
                    let browser = Browser { endpoint: endpoint.to_owned(), token: token.clone() };
                    let said = browser.post(&key(), &with_pin(&format!("990077771234567{number}"))).await;
                    assert_eq!(said.status, expected, "{}", said.body);
                    said_nothing_of(&said.body.to_string(), token);
                }
            })
            .await;
            told.counted(&[&format!(r#"tries_total{{meaning="{meaning}"}}"#)]);
            let sent = got.lock().expect("not poisoned").clone();
            assert_eq!(sent.len(), 2);
            told.holds_none_of(&[sent, tokens.to_vec()].concat());
        }
    }
}
