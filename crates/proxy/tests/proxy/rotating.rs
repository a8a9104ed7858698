//! PIN keys that are rotated over two nodes, each a process of its own, on one ledger: who recognises which voucher, what
//! a node says that lacks a key, and that no voucher is sent twice meanwhile.

use crate::process::{Running, complete, ended, running_of, staff, terminate};
use crate::world::{Attempt, PIN_KEY, Play, REDEEMED, Said, Upstream, answer, with_pin};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::JoinSet;

const OLD: &str = PIN_KEY;
const NEW: &str = "new-pin-key-canary-of-the-proxys-tests";

/// A node with these keys, and its endpoint.
async fn node(upstream: &Upstream, folder: &Path, name: &str, keys: &str) -> (Running, String) {
    let mut command = complete(&upstream.url, folder, &["--breaker-failures=0"]);
    command.env("CASHIER_PIN_KEY", keys).env("CASHIER_MARK_FILE", folder.join(format!("{name}.mark")));
    running_of(&mut command).await
}

/// Ends it, and gives its log, in which there is no key.
async fn log_of(node: Running) -> String {
    terminate(&node).await;
    let log = ended(node).await;
    assert!(!log.contains("pin-key-canary"), "{log}");
    log
}

/// The same attempt, asked for at another node.
fn at(endpoint: &str, attempt: &Attempt) -> Attempt {
    Attempt { endpoint: endpoint.to_owned(), key: attempt.key.clone() }
}

/// The answer to a new attempt there.
async fn anew(endpoint: &str, body: &Value) -> Said {
    Attempt::new(endpoint).post_body(body).await
}

/// A voucher of its own for each number.
fn voucher(number: usize) -> Value {
    with_pin(&format!("99007777123{number:05}"))
}

/// How often a voucher has reached Mozarto.
fn sent(upstream: &Upstream, voucher: &Value) -> usize {
    let pin = voucher["voucherPin"].as_str().expect("a PIN");
    upstream.requests().iter().filter(|(_, body)| body.contains(pin)).count()
}

#[tokio::test]
async fn a_node_with_the_old_key_alone_sends_nothing_that_it_cannot_tell_from_what_is_open_under_the_new_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let release = Arc::new(Notify::new());
    let held = |play| Play::Held(Arc::clone(&release), Box::new(play));
    let plays = vec![Play::Cut, Play::Cut, held(answer(200, "", REDEEMED)), answer(400, "", r#"{"isSuccess":false}"#)];
    let upstream = Upstream::start(plays).await;
    let (old, a) = node(&upstream, folder.path(), "a", OLD).await;
    let first = Attempt::new(&a);
    assert_eq!(first.post_body(&voucher(1)).await.code(), (504, ""), "open, under the old key");

    let (new, b) = node(&upstream, folder.path(), "b", &format!("2={NEW},1={OLD}")).await;
    let mut foreign = voucher(1);
    foreign["userId"] = json!("user_456");
    for endpoint in [&a, &b] {
        let said = anew(endpoint, &voucher(1)).await;
        assert_eq!((said.code(), &said.body["attempt"]), ((409, "VOUCHER_IN_USE"), &json!(first.key)));
        let said = anew(endpoint, &foreign).await;
        assert_eq!((said.code(), &said.body["attempt"]), ((409, "VOUCHER_IN_USE"), &Value::Null));
        assert_eq!(at(endpoint, &first).get().await.code(), (504, ""));
        assert_eq!(at(endpoint, &first).post_body(&voucher(2)).await.code(), (422, "ATTEMPT_MISMATCH"));
    }
    assert_eq!(sent(&upstream, &voucher(1)), 1);

    let second = Attempt::new(&b);
    assert_eq!(second.post_body(&voucher(2)).await.code(), (504, ""), "open, under the new key");
    for (attempt, number) in [(Attempt::new(&a), 2), (Attempt::new(&a), 3), (at(&a, &second), 2), (at(&a, &second), 3)]
    {
        let (said, wait) = attempt.post_waiting(&voucher(number)).await;
        assert_eq!((said.code(), wait.as_deref()), ((503, "NOT_SENT"), Some("5")), "voucher {number}");
        let message = said.body["message"].as_str().expect("a text");
        assert!(message.contains("told apart") && !message.contains("CASHIER_PIN_KEY"), "{message}");
    }
    old.logged("attempts are open under a key that CASHIER_PIN_KEY lacks").await;
    assert_eq!(at(&a, &second).get().await.code(), (504, ""), "asking needs no key");
    assert_eq!(at(&a, &second).delete().await.code(), (504, ""), "and closing neither");
    assert_eq!(anew(&b, &voucher(2)).await.code(), (409, "VOUCHER_IN_USE"));
    assert_eq!(sent(&upstream, &voucher(2)), 1);

    // What is under its own key goes on at the old node, and while it does no other has the voucher.
    let retried = at(&a, &first);
    let retrying = tokio::spawn(async move { retried.post_body(&voucher(1)).await });
    while upstream.requests().len() < 3 {
        upstream.arrived().await;
    }
    assert_eq!(anew(&b, &voucher(1)).await.code(), (409, "VOUCHER_IN_USE"));
    assert_eq!(at(&b, &first).post_body(&voucher(1)).await.code(), (202, "pending"));
    release.notify_one();
    assert_eq!(retrying.await.expect("an answer").status, 200);
    for endpoint in [&a, &b] {
        let said = at(endpoint, &first).post_body(&voucher(1)).await;
        assert_eq!((said.status, said.replayed), (200, true), "known at both");
    }
    assert_eq!(sent(&upstream, &voucher(1)), 2, "two tries of one attempt");

    // Nothing is open under the new key any more: the old node may send again.
    let settle = ["settle", &second.key, "untouched", "--by=Ann", "--reason=asked Flexepin"];
    let (settled, said) = staff(folder.path(), &settle).await;
    assert!(settled, "{said}");
    assert_eq!(anew(&a, &voucher(3)).await.status, 400);
    assert_eq!((sent(&upstream, &voucher(2)), sent(&upstream, &voucher(3))), (1, 1));
    log_of(new).await;
    assert!(log_of(old).await.contains("id=\"2\""), "it says which key is to be put back");
}

#[tokio::test]
async fn one_voucher_at_two_nodes_at_once_whose_keys_differ_is_sent_once() {
    const VOUCHERS: usize = 12;
    const POSTS: usize = 6;
    // First a rotation in one round, and then the two rounds of docs/operations.md, each while it is half done.
    for (one, other) in [
        (OLD.to_owned(), format!("2={NEW},1={OLD}")),
        (OLD.to_owned(), format!("1={OLD},2={NEW}")),
        (format!("1={OLD},2={NEW}"), format!("2={NEW},1={OLD}")),
    ] {
        let lacks = one == OLD && other.starts_with('2');
        let folder = tempfile::tempdir().expect("a folder");
        let upstream = Upstream::start(vec![Play::Cut]).await;
        let (one, a) = node(&upstream, folder.path(), "a", &one).await;
        let (other, b) = node(&upstream, folder.path(), "b", &other).await;
        for number in 0..VOUCHERS {
            let mut posting = JoinSet::new();
            for endpoint in [&a, &b].into_iter().cycle().take(POSTS) {
                let attempt = Attempt::new(endpoint);
                posting.spawn(async move { attempt.post_body(&voucher(number)).await });
            }
            let all = posting.join_all().await;
            let count = |code| all.iter().filter(|said| said.code() == code).count();
            assert_eq!(count((504, "")), 1, "{all:?}");
            assert_eq!(sent(&upstream, &voucher(number)), 1, "{all:?}");
            let not_sent = count((503, "NOT_SENT"));
            assert_eq!(count((409, "VOUCHER_IN_USE")) + not_sent, POSTS - 1, "{all:?}");
            assert!(lacks || not_sent == 0, "nobody is refused while the keys are exchanged as documented: {all:?}");
        }
        log_of(one).await;
        log_of(other).await;
    }
}
