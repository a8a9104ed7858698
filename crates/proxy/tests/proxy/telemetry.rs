//! The log in JSON, request ids from the widget to Mozarto, the spans that a collector gets, and that none of them holds
//! anything secret.

use crate::metrics::metrics_of;
use crate::process::{complete, ended, output, running, running_of, terminate};
use crate::world::{BOOKS, EMAIL, PIN, PIN_KEY, Play, REDEEMED, TOKEN, Upstream, answer, body, client, post_as};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use uuid::Uuid;

pub(crate) const SECRETS: [&str; 9] = [PIN, "9900-7777", "9900 7777", EMAIL, TOKEN, PIN_KEY, BOOKS, "user_123", "eyJ"];

/// A collector; the bodies that it got.
pub(crate) async fn collector() -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/v1/traces", listener.local_addr().expect("an address"));
    let got: Arc<Mutex<Vec<u8>>> = Arc::default();
    let noted = Arc::clone(&got);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let noted = Arc::clone(&noted);
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                while stream.read_buf(&mut bytes).await.expect("readable") > 0 {
                    let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
                    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
                    assert!(text.starts_with("post /v1/traces "), "{text}");
                    let length =
                        text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
                    let whole = head + 4 + length.expect("a length");
                    if bytes.len() >= whole {
                        noted.lock().expect("not poisoned").extend(bytes.drain(..whole).skip(head + 4));
                        let answer =
                            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";
                        stream.write_all(answer).await.expect("written");
                    }
                }
            });
        }
    });
    (url, got)
}

pub(crate) fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        line.to_ascii_lowercase().starts_with(&format!("{name}: ")).then(|| line[name.len() + 2..].trim())
    })
}

/// A POST of a new attempt under that request id; its key, and the id of the answer.
async fn post_with_id(endpoint: &str, id: &str) -> (String, String) {
    let key = Uuid::new_v4().to_string();
    let request = client().post(endpoint).header("content-type", "application/json").header("idempotency-key", &key);
    let response = request.header("x-request-id", id).body(body().to_string()).send().await.expect("an answer");
    let id = response.headers().get("x-request-id").and_then(|id| id.to_str().ok()).expect("an id").to_owned();
    assert!(!response.text().await.expect("a body").contains(PIN));
    (key, id)
}

#[tokio::test]
async fn an_id_goes_from_the_widget_through_every_line_of_the_log_to_mozarto() {
    let echo = format!(r#"{{"isSuccess":false,"message":"{PIN} {EMAIL} {TOKEN}","errors":["user_123"]}}"#);
    let upstream = Upstream::start(vec![answer(400, "", &echo), Play::Cut]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (program, endpoint) = running(&upstream.url, folder.path(), &["--log-format", "json"]).await;
    let (key, taken) = post_with_id(&endpoint, "checkout-42").await;
    assert_eq!(taken, "checkout-42");
    let (_, fresh) = post_with_id(&endpoint, PIN).await;
    assert_eq!(Uuid::try_parse(&fresh).map(|_| ()), Ok(()), "what may be a PIN is nobody's id");
    let sent: Vec<String> = upstream.requests().into_iter().map(|(head, _)| head).collect();
    assert_eq!(header(&sent[0], "x-request-id"), Some("checkout-42"));
    assert_eq!(header(&sent[1], "x-request-id"), Some(fresh.as_str()));
    assert_eq!(header(&sent[0], "traceparent"), None, "there is no collector");
    terminate(&program).await;
    let log = ended(program).await;
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let of = |message: &str| {
        let found = lines.iter().find(|line| line["message"] == message).unwrap_or_else(|| panic!("{message}: {log}"));
        let request = found["spans"].as_array().and_then(|spans| spans.first()).cloned().unwrap_or_default();
        (found.clone(), request)
    };
    for message in ["tried", "answered"] {
        let (line, request) = of(message);
        assert_eq!(request["request_id"], "checkout-42", "{line}");
        assert_eq!((&request["method"], &request["route"]), (&"POST".into(), &"/cashier/flexepin".into()), "{line}");
        assert_eq!(request["attempt"], key.as_str(), "{line}");
        assert!(line["ms"].is_u64(), "{line}");
    }
    assert_eq!(of("answered").1["status"], 400);
    let (line, request) = of("Mozarto did not answer");
    assert_eq!(request["request_id"], fresh.as_str(), "{line}");
    assert_eq!(line["spans"][1]["name"], "mozarto", "{line}");
    assert!(lines.iter().any(|line| line["level"] == "TRACE"), "the log is on");
    for secret in SECRETS {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn a_warning_says_whose_it_is_also_where_nothing_less_is_logged() {
    let upstream = Upstream::start(vec![Play::Cut]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (program, endpoint) = running_of(complete(&upstream.url, folder.path(), &[]).env("RUST_LOG", "warn")).await;
    post_with_id(&endpoint, "checkout-42").await;
    let line = program.logged("Mozarto did not answer").await;
    assert!(line.contains("request_id=\"checkout-42\""), "{line}");
    terminate(&program).await;
    assert!(!ended(program).await.contains("INFO"));
}

#[tokio::test]
async fn a_collector_gets_the_spans_of_a_request_and_its_try_and_nothing_secret() {
    let echo = format!(r#"{{"isSuccess":false,"message":"{PIN} {EMAIL}","transactionId":"{EMAIL}"}}"#);
    let upstream = Upstream::start(vec![answer(200, "", REDEEMED), answer(400, "", &echo), Play::Cut]).await;
    let (url, got) = collector().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (program, endpoint) = running(&upstream.url, folder.path(), &["--otlp-endpoint", &url]).await;
    let mut keys = Vec::new();
    for number in 0..3 {
        keys.push(post_with_id(&endpoint, &format!("checkout-{number}")).await.0);
    }
    let sent: Vec<String> = upstream.requests().into_iter().map(|(head, _)| head).collect();
    terminate(&program).await;
    let log = ended(program).await;
    let got = got.lock().expect("not poisoned").clone();
    for part in [
        "flexepin-cashier-proxy",
        "request",
        "mozarto",
        "POST",
        "/cashier/flexepin",
        "checkout-2",
        "tried",
        &keys[0],
        &keys[2],
    ] {
        assert!(holds(&got, part.as_bytes()), "{part}: {log}");
    }
    for secret in SECRETS {
        assert!(!holds(&got, secret.as_bytes()), "{secret} is in a span");
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    for head in &sent {
        let traceparent = header(head, "traceparent").expect("a traceparent");
        let parts: Vec<&str> = traceparent.split('-').collect();
        assert_eq!((parts.len(), parts[0], parts[1].len(), parts[2].len()), (4, "00", 32, 16), "{traceparent}");
        for id in &parts[1..3] {
            let bytes: Vec<u8> =
                (0..id.len()).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).expect("hex")).collect();
            assert!(holds(&got, &bytes), "the trace that Mozarto saw is exported");
        }
    }
    assert!(!holds(&got, b"/v1/traces"), "its own requests are not");
}

#[tokio::test]
async fn a_collector_that_is_down_holds_nothing_up() {
    let upstream = Upstream::start(vec![answer(200, "", REDEEMED)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let down = ["--otlp-endpoint", "http://127.0.0.1:1/v1/traces"];
    let (program, endpoint) = running(&upstream.url, folder.path(), &down).await;
    let response = post_as(&endpoint, &Uuid::new_v4().to_string(), body().to_string()).await;
    assert_eq!(response.status().as_u16(), 200);
    terminate(&program).await;
    let log = tokio::time::timeout(Duration::from_secs(30), ended(program)).await.expect("it ends");
    assert!(log.contains("spans were not exported"), "the operator is told: {log}");
}

#[tokio::test]
async fn an_alarm_of_the_log_is_counted_in_the_metrics() {
    let upstream = Upstream::start(vec![answer(200, "", REDEEMED)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (program, endpoint) = running(&upstream.url, folder.path(), &["--metrics-listen", "127.0.0.1:0"]).await;
    let metrics = metrics_of(&program).await + "metrics";
    let alarms = async || {
        let text = client().get(&metrics).send().await.expect("an answer").text().await.expect("a text");
        text.lines().find_map(|line| line.strip_prefix("cashier_alarms_total ")?.parse::<u64>().ok())
    };
    post_with_id(&endpoint, "a").await;
    assert_eq!(alarms().await, Some(0));
    // Another attempt, of another voucher, under the same transaction.
    let mut other = body();
    other["voucherPin"] = "1111222233334444".into();
    post_as(&endpoint, &Uuid::new_v4().to_string(), other.to_string()).await;
    assert_eq!(alarms().await, Some(1));
    terminate(&program).await;
    assert!(ended(program).await.contains("ALARM"));
}

#[tokio::test]
async fn an_address_of_metrics_that_is_taken_and_a_collector_that_is_no_url_are_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    for (more, code, named) in [
        (["--metrics-listen", &address], 1, "--metrics-listen"),
        (["--otlp-endpoint", "collector"], 2, "--otlp-endpoint"),
    ] {
        let output = output(&mut complete("http://127.0.0.1:1", folder.path(), &more)).await;
        assert_eq!(output.0, Some(code), "{output:?}");
        assert!(output.2.contains(named), "{output:?}");
    }
}
