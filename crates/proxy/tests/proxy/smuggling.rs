//! Heads and bodies that two servers in a row may read as different requests: 400, or the connection is closed, and
//! never a second request.

use crate::world::{REDEEMED, Serving, Upstream, answer, body, settings};
use flexepin_cashier_proxy::{Settings, Times};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A whole request of its own, hidden in another.
fn hidden() -> String {
    let body = body().to_string();
    let length = body.len();
    format!(
        "POST /cashier/flexepin HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
         Idempotency-Key: 0b5a9e1c-7a64-4a83-9b3e-0d5b6f1f2a3b\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// All that a connection says until the proxy closes it.
async fn said(endpoint: &str, sent: &str) -> String {
    let (host, _) = endpoint.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("an address");
    let mut connection = TcpStream::connect(host).await.expect("a connection");
    let _ = connection.write_all(sent.as_bytes()).await;
    let mut said = Vec::new();
    let reading = connection.read_to_end(&mut said);
    let _ = tokio::time::timeout(Duration::from_secs(30), reading).await.expect("it is closed");
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn a_request_with_two_ends_is_never_two_requests() {
    let upstream = Upstream::start(vec![answer(200, "", REDEEMED)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let usual = settings(&upstream.url, folder.path(), Duration::from_secs(20));
    // What stays open is closed by that; a body that never comes is answered after it.
    let short = Some(Duration::from_secs(2));
    let times = Times { head_within: short, body_within: short, ..usual.times };
    let serving = Serving::start(Settings { times, ..usual }).await;
    let hidden = hidden();
    let whole = hidden.len();
    let get = "GET /cashier/flexepin/0b5a9e1c-7a64-4a83-9b3e-0d5b6f1f2a3c HTTP/1.1\r\nHost: a\r\n";
    let post = "POST /cashier/flexepin HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nIdempotency-Key: 0b5a9e1c-7a64-4a83-9b3e-0d5b6f1f2a3c\r\n";
    let chunked = format!("{post}Transfer-Encoding: chunked\r\n\r\n");
    let refused = [
        (
            "a length, then chunks",
            format!("{post}Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}", whole + 5),
        ),
        (
            "chunks, then a length",
            format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{hidden}"),
        ),
        ("two lengths", format!("{post}Content-Length: 0\r\nContent-Length: {whole}\r\n\r\n{hidden}")),
        ("one length twice", format!("{get}Content-Length: 0\r\nContent-Length: 0\r\n\r\n{hidden}")),
        ("two lengths in one", format!("{get}Content-Length: 0, 0\r\n\r\n{hidden}")),
        ("a length with a sign", format!("{get}Content-Length: +0\r\n\r\n{hidden}")),
        ("a length in hexadecimal", format!("{get}Content-Length: 0x0\r\n\r\n{hidden}")),
        ("a length below 0", format!("{get}Content-Length: -1\r\n\r\n{hidden}")),
        ("an unknown encoding", format!("{get}Transfer-Encoding: xchunked\r\n\r\n{hidden}")),
        ("chunks that are not last", format!("{get}Transfer-Encoding: chunked, identity\r\n\r\n{hidden}")),
        (
            "chunks of HTTP/1.0",
            format!("{}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}", get.replace("1.1", "1.0")),
        ),
        ("a space before the colon", format!("{get}Content-Length : 0\r\n\r\n{hidden}")),
        ("a folded line", format!("{get}X: a\r\n Content-Length: 0\r\n\r\n{hidden}")),
        ("a folded length", format!("{get}Content-Length:\r\n 0\r\n\r\n{hidden}")),
        ("a bare LF in the head", format!("{get}X: a\nContent-Length: 0\r\n\r\n{hidden}")),
        ("a bare LF at its end", format!("{get}X: a\r\n\n{hidden}")),
        ("bare LFs alone", format!("{}\n{hidden}", get.replace("\r\n", "\n"))),
        ("a bare CR", format!("{get}X: a\rContent-Length: 0\r\n\r\n{hidden}")),
        ("a NUL", format!("{get}X: a\0b\r\n\r\n{hidden}")),
        ("a first line with a space before", format!(" {get}\r\n{hidden}")),
        ("no version", format!("GET /\r\n\r\n{hidden}")),
    ];
    for (what, sent) in &refused {
        let said = said(&serving.endpoint, sent).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 400 "), "{what}: {said}");
        assert!(said.matches("HTTP/1.1 ").count() <= 1, "{what}: {said}");
    }
    // Well-formed, or wrong within the chunks: one answer at most, and the connection ends with it.
    for (what, sent) in [
        ("chunks", format!("{chunked}2\r\n{{}}\r\n0\r\n\r\n{hidden}")),
        ("an extension", format!("{chunked}2;a=b\r\n{{}}\r\n0\r\n\r\n{hidden}")),
        ("an extension with a bare LF", format!("{chunked}2;a\n{{}}\r\n0\r\n\r\n{hidden}")),
        ("a size with a bare LF", format!("{chunked}0\n\n{hidden}")),
        ("a size with a sign", format!("{chunked}+0\r\n\r\n{hidden}")),
        ("a size with 0x", format!("{chunked}0x0\r\n\r\n{hidden}")),
        ("a size that is too large", format!("{chunked}ffffffffffffffffff\r\n{hidden}")),
        ("a size with a space", format!("{chunked}0 \r\n\r\n{hidden}")),
        ("a chunk without its end", format!("{chunked}2\r\n{{}}0\r\n\r\n{hidden}")),
        ("a trailer", format!("{chunked}0\r\nContent-Length: {whole}\r\n\r\n{hidden}")),
        ("a trailer with a bare LF", format!("{chunked}0\r\nX: a\n\n{hidden}")),
        ("a GET with a body of chunks", format!("{get}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}")),
    ] {
        let said = said(&serving.endpoint, &sent).await;
        assert!(said.matches("HTTP/1.1 ").count() <= 1, "{what}: {said}");
        assert!(!said.contains("200 OK"), "{what}: {said}");
    }
    assert!(upstream.requests().is_empty(), "nothing that was hidden was sent");
    // The same request in the open is one.
    let open = said(&serving.endpoint, &hidden).await;
    assert!(open.starts_with("HTTP/1.1 200 ") && upstream.requests().len() == 1, "{open}");
    serving.stop().await;
}
