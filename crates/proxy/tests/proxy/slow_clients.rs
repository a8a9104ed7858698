//! Clients that send their request byte by byte, or never to its end.

use crate::world::{Attempt, Play, REDEEMED, Serving, Upstream, answer, settings};
use flexepin_cashier_proxy::{Settings, Times};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a connection says until it is closed, when no more than this was sent.
async fn answered(endpoint: &str, sent: &str) -> String {
    let (host, _) = endpoint.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("an address");
    let mut connection = TcpStream::connect(host).await.expect("a connection");
    connection.write_all(sent.as_bytes()).await.expect("written");
    let mut said = Vec::new();
    // A reset is an end, too.
    let _ = connection.read_to_end(&mut said).await;
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn a_request_that_does_not_come_in_time_ends_its_connection_and_is_never_408() {
    let folder = tempfile::tempdir().expect("a folder");
    let upstream = Upstream::start(vec![answer(200, "", REDEEMED)]).await;
    let complete = settings(&upstream.url, folder.path(), Duration::from_secs(20));
    let short = Duration::from_millis(300);
    let times = Times { head_within: Some(short), body_within: Some(short), ..complete.times };
    let serving = Serving::start(Settings { times, ..complete }).await;
    let key = "0b5a9e1c-7a64-4a83-9b3e-0d5b6f1f2a3b";
    let head = format!(
        "POST /cashier/flexepin HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\nContent-Length: 100\r\n"
    );
    for (what, sent, says) in [
        ("nothing", String::new(), ""),
        ("half a line", "POST /cash".to_owned(), ""),
        ("half a head", head.clone(), ""),
        ("no body", format!("{head}\r\n"), "HTTP/1.1 503 "),
        ("half a body", format!("{head}\r\n{{\"voucherPin\""), "HTTP/1.1 503 "),
    ] {
        let said = answered(&serving.endpoint, &sent).await;
        assert!(said.starts_with(says) && said.is_empty() == says.is_empty(), "{what}: {said}");
        assert!(!said.starts_with("HTTP/1.1 408"), "{what}: {said}");
        assert_eq!(said.contains("NOT_SENT"), !says.is_empty(), "{what}: {said}");
    }
    serving.stop().await;
    let serving = Serving::start(settings(&upstream.url, folder.path(), Duration::from_secs(20))).await;
    let attempt = Attempt { endpoint: serving.endpoint.clone(), key: key.to_owned() };
    assert_eq!(attempt.get().await.code(), (404, "ATTEMPT_UNKNOWN"), "nothing was recorded");
    serving.stop().await;
}

#[tokio::test]
async fn a_body_that_stalls_under_a_known_key_is_answered_with_what_is_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let upstream = Upstream::start(vec![answer(200, "", REDEEMED), Play::Cut]).await;
    let complete = settings(&upstream.url, folder.path(), Duration::from_secs(20));
    let times = Times { body_within: Some(Duration::from_millis(500)), ..complete.times };
    let serving = Serving::start(Settings { times, ..complete }).await;
    for (status, says) in [(200, "\"transactionId\":\"t-1\""), (504, "\"isSuccess\":false")] {
        let attempt = Attempt::new(&serving.endpoint);
        assert_eq!(attempt.post().await.status, status);
        let key = &attempt.key;
        let half = format!(
            "POST /cashier/flexepin HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\nContent-Length: 100\r\n\r\n{{"
        );
        let said = answered(&serving.endpoint, &half).await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")) && said.contains(says), "{said}");
        assert!(said.contains(&format!("attempt-key: {key}")), "{said}");
    }
    assert_eq!(upstream.requests().len(), 2, "nothing was sent for half a body");
    serving.stop().await;
}
