//! What becomes of a try whose answer is lost, and that a try is one try.

use crate::world::{Play, Upstream, answer, before, body, post, proxy, read};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpListener;

/// Bytes that are no UTF-8, in a field that nobody reads.
fn not_utf8() -> Play {
    let Play::Raw(mut bytes) = answer(400, "", r#"{"isSuccess":false,"x":"?"}"#) else {
        unreachable!("an answer is bytes")
    };
    let mark = bytes.len() - 3;
    bytes[mark] = 0xff;
    Play::Raw(bytes)
}

#[tokio::test]
async fn an_incomplete_answer_is_a_504_without_a_code() {
    let huge = format!(r#"{{"isSuccess":true,"message":"{}"}}"#, "x".repeat(300 * 1024));
    let redirect = answer(302, "Location: http://127.0.0.1:1/\r\n", r#"{"isSuccess":true,"data":{"result":"0"}}"#);
    for (what, play) in [
        ("cut", Play::Cut),
        ("cut within", Play::CutWithin("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"isSuc")),
        ("over 256 KB", answer(200, "", &huge)),
        ("HTML", answer(502, "", "<html>bad gateway</html>")),
        ("no object", answer(200, "", "[]")),
        ("empty", answer(200, "", "")),
        ("redirect", redirect),
        (
            "redirect with a code",
            answer(307, "Location: /\r\n", r#"{"isSuccess":false,"errorCode":"PSP_RATE_LIMITED"}"#),
        ),
        ("two truths", answer(200, "", r#"{"isSuccess":false,"isSuccess":true,"data":{"result":"0"}}"#)),
        ("a code that only the proxy may say", answer(503, "", r#"{"isSuccess":false,"errorCode":"NOT_SENT"}"#)),
        ("not to be searched for the PIN", not_utf8()),
        (
            "nested too deep to be searched",
            answer(200, "", &format!(r#"{{"isSuccess":false,"x":{}{}}}"#, "[".repeat(200), "]".repeat(200))),
        ),
        ("no HTTP", Play::Raw(b"hello\r\n\r\n".to_vec())),
    ] {
        let (endpoint, upstream) = before(vec![play]).await;
        let (status, body) = read(post(&endpoint, body().to_string()).await).await;
        assert_eq!((status, &body["isSuccess"], &body["errorCode"]), (504, &json!(false), &Value::Null), "{what}");
        assert_eq!(upstream.requests().len(), 1, "{what}");
    }
}

#[tokio::test]
async fn a_deadline_ends_the_waiting_before_and_within_an_answer() {
    let within = Play::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"isSuccess\":true".to_vec());
    for play in [Play::Silence, within] {
        let upstream = Upstream::start(vec![play]).await;
        let endpoint = proxy(&upstream.url, Duration::from_millis(300)).await;
        let (status, body) = read(post(&endpoint, body().to_string()).await).await;
        assert_eq!((status, &body["errorCode"]), (504, &Value::Null));
    }
}

#[tokio::test]
async fn what_never_left_is_said_to_be_not_sent() {
    // A port that nobody listens on any more.
    let address = TcpListener::bind("127.0.0.1:0").await.and_then(|listener| listener.local_addr()).expect("a port");
    let endpoint = proxy(&format!("http://{address}"), Duration::from_secs(20)).await;
    let response = post(&endpoint, body().to_string()).await;
    assert!(response.headers().contains_key("retry-after"));
    let (status, body) = read(response).await;
    assert_eq!((status, &body["errorCode"]), (503, &json!("NOT_SENT")));
}
