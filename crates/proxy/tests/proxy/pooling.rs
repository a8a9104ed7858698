//! Connections to Mozarto are kept, and for all that a POST is one try: an upstream that counts what arrives on each.

use crate::world::{Attempt, Play, REDEEMED, Upstream, answer, before, body, proxy};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const REJECTED: &str = r#"{"isSuccess":false,"message":"Mismatched amount"}"#;
const LIMITED: &str = r#"{"isSuccess":false,"errorCode":"PSP_RATE_LIMITED"}"#;

/// What one connection does after it has answered its first request.
#[derive(Clone, Copy)]
enum Then {
    /// It is closed while it is idle.
    Closes,
    /// It is closed when the first bytes of the next request arrive.
    ClosesUnderTheNext,
    /// It is reset when the first bytes of the next request arrive.
    ResetsUnderTheNext,
}

/// An upstream whose first connection ends so, and whose others answer for ever; what arrived on each, in bytes.
async fn ending(then: Then) -> (String, Arc<Mutex<Vec<Vec<u8>>>>, Arc<tokio::sync::Notify>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let arrived: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let (noted, closed) = (Arc::clone(&arrived), Arc::new(tokio::sync::Notify::new()));
    let tell = Arc::clone(&closed);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let number = {
                let mut noted = noted.lock().expect("not poisoned");
                noted.push(Vec::new());
                noted.len() - 1
            };
            tokio::spawn(connection(stream, number, then, Arc::clone(&noted), Arc::clone(&tell)));
        }
    });
    (url, arrived, closed)
}

async fn connection(
    mut stream: TcpStream,
    number: usize,
    then: Then,
    noted: Arc<Mutex<Vec<Vec<u8>>>>,
    closed: Arc<tokio::sync::Notify>,
) {
    let mut answered = 0;
    let mut bytes = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut bytes).await {
        let whole = {
            let mut noted = noted.lock().expect("not poisoned");
            noted[number].extend_from_slice(&bytes[..read]);
            requests_in(&noted[number])
        };
        if number == 0 && answered == 1 {
            if let Then::ResetsUnderTheNext = then {
                stream.set_zero_linger().expect("an open socket");
            }
            return;
        }
        if whole > answered {
            answered = whole;
            let body = if number == 0 { LIMITED } else { REDEEMED };
            let Play::Raw(answer) = answer(200, "", body) else { unreachable!("an answer is bytes") };
            stream.write_all(&answer).await.expect("written");
            if number == 0 && matches!(then, Then::Closes) {
                drop(stream);
                closed.notify_one();
                return;
            }
        }
    }
}

/// How many whole requests these bytes are: each ends with its JSON.
fn requests_in(bytes: &[u8]) -> usize {
    String::from_utf8_lossy(bytes).matches('}').count()
}

/// How many requests were begun on each connection.
fn begun(arrived: &Mutex<Vec<Vec<u8>>>) -> Vec<usize> {
    let arrived = arrived.lock().expect("not poisoned");
    arrived.iter().map(|bytes| String::from_utf8_lossy(bytes).matches("POST /").count()).collect()
}

#[tokio::test]
async fn several_tries_go_over_one_connection() {
    let (endpoint, upstream) = before(vec![answer(400, "", REJECTED)]).await;
    for _ in 0..5 {
        assert_eq!(Attempt::new(&endpoint).post().await.status, 400);
    }
    let seen = upstream.seen.lock().expect("not poisoned");
    assert_eq!((seen.connections, seen.requests.len()), (1, 5));
}

#[tokio::test]
async fn an_idle_connection_that_mozarto_closes_loses_nothing() {
    let (url, arrived, closed) = ending(Then::Closes).await;
    let attempt = Attempt::new(&proxy(&url, Duration::from_secs(20)).await);
    assert_eq!(attempt.post().await.code(), (200, "PSP_RATE_LIMITED"));
    closed.notified().await;
    assert_eq!(attempt.post().await.body["isSuccess"], true);
    assert_eq!(begun(&arrived), [1, 1], "each request once, on a connection that was open");
}

#[tokio::test]
async fn a_connection_that_closes_as_the_request_arrives_is_a_504_and_nothing_is_sent_a_second_time() {
    for then in [Then::ClosesUnderTheNext, Then::ResetsUnderTheNext] {
        let (url, arrived, _) = ending(then).await;
        let attempt = Attempt::new(&proxy(&url, Duration::from_secs(20)).await);
        assert_eq!(attempt.post().await.code(), (200, "PSP_RATE_LIMITED"));
        let lost = attempt.post().await;
        assert_eq!((lost.status, &lost.body["errorCode"]), (504, &Value::Null));
        assert_eq!(attempt.get().await.status, 504, "what the browser missed is told again");
        assert_eq!(begun(&arrived), [2], "nothing was sent a second time");
        // The customer's own next try is another request.
        assert_eq!(attempt.post().await.body["isSuccess"], true);
        assert_eq!(begun(&arrived), [2, 1]);
    }
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_no_answer_to_the_next_try() {
    let both = [REJECTED, REDEEMED].map(|body| answer(200, "", body)).map(|play| match play {
        Play::Raw(bytes) => bytes,
        _ => unreachable!("an answer is bytes"),
    });
    let (endpoint, upstream) = before(vec![Play::Raw(both.concat()), answer(400, "", REJECTED)]).await;
    for _ in 0..2 {
        let said = Attempt::new(&endpoint).post().await;
        assert_eq!(said.body["isSuccess"], false, "the first answer's bytes held a second");
    }
    let seen = upstream.seen.lock().expect("not poisoned");
    assert_eq!((seen.connections, seen.requests.len()), (2, 2));
}

#[tokio::test]
async fn a_try_that_was_given_up_takes_its_connection_with_it() {
    let late = Play::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{".to_vec());
    let upstream = Upstream::start(vec![late, answer(400, "", REJECTED)]).await;
    let endpoint = proxy(&upstream.url, Duration::from_millis(500)).await;
    assert_eq!(Attempt::new(&endpoint).post().await.status, 504);
    let mut other = body();
    other["voucherPin"] = "1111222233334444".into();
    assert_eq!(Attempt::new(&endpoint).post_body(&other).await.status, 400);
    assert_eq!(upstream.seen.lock().expect("not poisoned").connections, 2);
}
