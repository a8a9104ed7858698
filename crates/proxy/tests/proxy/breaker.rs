//! The circuit breaker, before an upstream that does not answer.

use crate::world::{Attempt, Play, REDEEMED, Upstream, answer, body, served, settings};
use flexepin_cashier_proxy::Settings;
use serde_json::Value;
use std::time::Duration;
use tokio::net::TcpListener;

/// A proxy whose breaker opens after so many failures; gives its endpoint.
async fn breaking(upstream: &str, breaker_failures: u32) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let complete = settings(upstream, folder.path(), Duration::from_secs(20));
    served(folder, Settings { breaker_failures, ..complete }).await
}

/// A body with another voucher.
fn voucher(number: usize) -> Value {
    let mut body = body();
    body["voucherPin"] = format!("{:016}", 1_111_222_233_330_000 + number).into();
    body
}

#[tokio::test]
async fn after_so_many_tries_without_an_answer_nothing_is_sent_and_the_wait_is_told() {
    let upstream = Upstream::start(vec![Play::Cut]).await;
    let endpoint = breaking(&upstream.url, 3).await;
    let first = Attempt::new(&endpoint);
    assert_eq!(first.post_body(&voucher(0)).await.status, 504);
    for number in 1..3 {
        assert_eq!(Attempt::new(&endpoint).post_body(&voucher(number)).await.status, 504);
    }
    let refused = Attempt::new(&endpoint);
    let (said, wait) = refused.post_waiting(&voucher(3)).await;
    assert_eq!(said.code(), (503, "NOT_SENT"));
    assert!(wait.as_deref().and_then(|wait| wait.parse().ok()).is_some_and(|wait| (1..=5).contains(&wait)), "{wait:?}");
    assert_eq!(refused.get().await.code(), (404, "ATTEMPT_UNKNOWN"), "not a byte of it has left");
    // What was lost before stays unknown: "not sent" would read as untouched.
    assert_eq!(first.post_body(&voucher(0)).await.status, 504);
    assert_eq!(refused.delete().await.code(), (200, "untouched"));
    assert_eq!(upstream.requests().len(), 3);
}

#[tokio::test]
async fn an_upstream_that_cannot_be_reached_opens_it_too() {
    let address = TcpListener::bind("127.0.0.1:0").await.and_then(|listener| listener.local_addr()).expect("a port");
    let endpoint = breaking(&format!("http://{address}"), 2).await;
    let attempt = Attempt::new(&endpoint);
    let says = async |text: &str| {
        let said = attempt.post().await;
        assert_eq!(said.code(), (503, "NOT_SENT"));
        assert!(said.body["message"].as_str().is_some_and(|message| message.contains(text)), "{:?}", said.body);
    };
    says("cannot be reached").await;
    says("cannot be reached").await;
    says("does not answer at the moment").await;
}

#[tokio::test]
async fn answers_between_keep_it_closed_and_what_is_final_is_answered_while_it_is_open() {
    let rejected = answer(400, "", r#"{"isSuccess":false,"message":"Mismatched amount"}"#);
    let plays = vec![answer(200, "", REDEEMED), Play::Cut, rejected, Play::Cut, Play::Cut];
    let upstream = Upstream::start(plays).await;
    let endpoint = breaking(&upstream.url, 2).await;
    let redeemed = Attempt::new(&endpoint);
    assert_eq!(redeemed.post_body(&voucher(0)).await.status, 200);
    for (number, status) in [(1, 504), (2, 400), (3, 504), (4, 504), (5, 503)] {
        assert_eq!(Attempt::new(&endpoint).post_body(&voucher(number)).await.status, status, "{number}");
    }
    let again = redeemed.post_body(&voucher(0)).await;
    assert_eq!((again.status, again.replayed), (200, true));
    assert_eq!(upstream.requests().len(), 5);
}
