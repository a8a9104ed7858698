//! Clients that send their request byte by byte, or never to its end.

use crate::world::{Attempt, REDEEMED, Serving, Upstream, answer, settings};
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
    let short = Duration::from_millis(200);
    let times = Times { head_within: short, body_within: short, ..complete.times };
    let serving = Serving::start(Settings { times, ..complete }).await;
    let key = "0b5a9e1c-7a64-4a83-9b3e-0d5b6f1f2a3b";
    let head = format!(
        "POST /cashier/flexepin HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\nContent-Length: 100\r\n"
    );
    for (what, sent, says) in [
        ("nothing", String::new(), ""),
        ("half a line", "POST /cash".to_owned(), ""),
        ("half a head", head.clone(), ""),
        ("no body", format!("{head}\r\n"), "HTTP/1.1 400 "),
        ("half a body", format!("{head}\r\n{{\"voucherPin\""), "HTTP/1.1 400 "),
    ] {
        let said = answered(&serving.endpoint, &sent).await;
        assert!(said.starts_with(says) && said.is_empty() == says.is_empty(), "{what}: {said}");
        assert!(!said.contains("408"), "{what}: {said}");
    }
    let attempt = Attempt { endpoint: serving.endpoint.clone(), key: key.to_owned() };
    assert_eq!(attempt.get().await.code(), (404, "ATTEMPT_UNKNOWN"), "nothing was recorded");
    assert_eq!(attempt.post().await.status, 200, "others are served");
    serving.stop().await;
}
