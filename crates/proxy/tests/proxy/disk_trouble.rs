//! A database that cannot be used at the start, is locked for a while, or has no room any more.

use crate::process::{complete, database_in, program, running};
use crate::world::{
    Attempt, PIN_KEY, Play, REDEEMED, Serving, TOKEN, Upstream, answer, body, change, database, settings, sql,
};
use flexepin_cashier_proxy::{Settings, Times};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// A database that this program has made, with nothing running.
async fn made(folder: &Path) {
    let serving = Serving::start(settings("http://127.0.0.1:1", folder, Duration::from_secs(1))).await;
    serving.stop().await;
}

#[tokio::test]
async fn a_database_that_cannot_be_trusted_ends_the_start_with_its_reason_and_is_left_as_it_is() {
    for (what, says) in [
        ("garbage", "is corrupt"),
        ("damaged", "is corrupt"),
        ("cut", "is corrupt"),
        ("newer", "newer version"),
        ("another program's", "another program"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("cashier.db");
        match what {
            "garbage" => std::fs::write(&file, "no database ".repeat(1000)).expect("written"),
            "another program's" => {
                std::fs::write(&file, "").expect("written");
                change(folder.path(), "CREATE TABLE theirs (a)").await;
            }
            _ => {
                made(folder.path()).await;
                if what == "newer" {
                    change(folder.path(), "PRAGMA user_version = 99").await;
                }
                let mut bytes = std::fs::read(&file).expect("bytes");
                if what == "damaged" {
                    // Every page but the first, which has the header.
                    bytes[4096..].fill(0xAA);
                }
                if what == "cut" {
                    bytes.truncate(bytes.len() / 2);
                }
                std::fs::write(&file, bytes).expect("written");
            }
        }
        let before = std::fs::read(&file).expect("bytes");
        let output =
            complete("http://127.0.0.1:1", folder.path(), &[]).env("RUST_LOG", "warn").output().await.expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{what}: {said}");
        assert!(said.contains(says) && said.contains("cashier.db") && said.lines().count() == 1, "{what}: {said}");
        assert!(std::fs::read(&file).expect("bytes") == before, "{what}: it was changed");
    }
}

#[tokio::test]
async fn a_place_that_can_hold_no_ledger_ends_the_start_with_its_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    made(folder.path()).await;
    let file = database_in(folder.path());
    for (url, says) in [
        (format!("{file}?mode=ro"), "is read-only"),
        ("sqlite::memory:".to_owned(), "is no file"),
        ("sqlite://?mode=memory".to_owned(), "is no file"),
        ("postgres://127.0.0.1/cashier".to_owned(), "is no file"),
        (file.replace("cashier.db", "no/such/folder.db"), "cannot be made"),
    ] {
        let mut command = complete("http://127.0.0.1:1", folder.path(), &["--database-url", &url]);
        let output = command.env("RUST_LOG", "warn").output().await.expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{url}: {said}");
        assert!(said.contains(says), "{url}: {said}");
    }
}

#[tokio::test]
async fn keys_that_would_not_recognise_the_vouchers_end_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let upstream = Upstream::start(vec![Play::Cut]).await;
    let (mut child, endpoint) = running(&upstream.url, folder.path(), &[]).await;
    let (first, second) = (Attempt::new(&endpoint), Attempt::new(&endpoint));
    first.post().await;
    child.kill().await.expect("it was running");
    let other = "another-key-of-the-tests-32-bytes.";
    for (keys, says) in [
        (other.to_owned(), "another key under the id \"1\""),
        (format!("b={other}"), "lacks the key with the id \"1\""),
    ] {
        let mut command =
            program(&["--insecure-no-sessions", "--mozarto-url=http://127.0.0.1:1", "--listen=127.0.0.1:0"]);
        command.env("CASHIER_COMPANY_TOKEN", TOKEN).env("CASHIER_PIN_KEY", &keys);
        let output = command.env("CASHIER_DATABASE_URL", database_in(folder.path())).output().await.expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(says) && !said.contains(other), "{said}");
    }
    let settings = settings(&upstream.url, folder.path(), Duration::from_secs(1));
    let args = flexepin_cashier_proxy::Secrets {
        company_token: Some(TOKEN.into()),
        pin_key: Some(format!("b={other},1={PIN_KEY}")),
        outcomes_token: None,
    };
    let pin_keys = rotated(args);
    let serving = Serving::start(Settings { pin_keys, ..settings }).await;
    let second = Attempt { endpoint: serving.endpoint.clone(), ..second };
    let said = second.post().await;
    assert_eq!(said.code(), (409, "VOUCHER_IN_USE"), "a voucher is recognised by the older key");
    assert_eq!(said.body["attempt"], first.key);
    let first = Attempt { endpoint: serving.endpoint.clone(), ..first };
    assert_eq!(first.post().await.code(), (504, ""), "the same voucher under the older key");
    serving.stop().await;
}

fn rotated(secrets: flexepin_cashier_proxy::Secrets) -> flexepin_cashier_proxy::PinKeys {
    use clap::Parser;
    let args = ["proxy", "--insecure-no-sessions", "--mozarto-url=http://127.0.0.1:1"];
    Settings::new(flexepin_cashier_proxy::Args::parse_from(args), secrets).expect("complete settings").pin_keys
}

/// A proxy that answers a POST within 900 ms, and so waits at most 300 ms for its ledger.
async fn hasty(upstream: &Upstream, folder: &Path) -> Serving {
    let complete = settings(&upstream.url, folder, Duration::from_secs(20));
    let times = Times { answer_within: Duration::from_millis(900), ..complete.times };
    Serving::start(Settings { times, ..complete }).await
}

#[tokio::test]
async fn a_lock_before_sending_is_not_sent_and_harms_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let upstream = Upstream::start(vec![answer(200, "", REDEEMED)]).await;
    let serving = hasty(&upstream, folder.path()).await;
    let attempt = Attempt::new(&serving.endpoint);
    let mut beside = database(folder.path()).await;
    sql(&mut beside, "BEGIN EXCLUSIVE").await;
    assert_eq!(attempt.post().await.code(), (503, "NOT_SENT"));
    assert_eq!(attempt.get().await.code(), (404, "ATTEMPT_UNKNOWN"), "a lock of writers is none of readers");
    assert!(upstream.requests().is_empty());
    sql(&mut beside, "ROLLBACK").await;
    assert_eq!(attempt.post().await.status, 200);
    assert_eq!(upstream.requests().len(), 1);
    serving.stop().await;
}

#[tokio::test]
async fn a_lock_after_sending_loses_no_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let release = Arc::new(Notify::new());
    let held = Play::Held(Arc::clone(&release), Box::new(answer(200, "", REDEEMED)));
    let upstream = Upstream::start(vec![held]).await;
    let serving = hasty(&upstream, folder.path()).await;
    let attempt = Arc::new(Attempt::new(&serving.endpoint));
    let browser = tokio::spawn({
        let attempt = Arc::clone(&attempt);
        async move { attempt.post().await }
    });
    upstream.arrived().await;
    let mut beside = database(folder.path()).await;
    sql(&mut beside, "BEGIN EXCLUSIVE").await;
    release.notify_one();
    assert_eq!(browser.await.expect("an answer").code(), (202, "pending"));
    assert_eq!(attempt.get().await.code(), (202, "pending"));
    sql(&mut beside, "ROLLBACK").await;
    assert_eq!(attempt.settled_down().await.body["data"]["result"], "0");
    serving.stop().await;
}

/// Files of that process may not grow beyond so many bytes; `None` is no limit.
#[cfg(target_os = "linux")]
fn limit_files(process: u32, bytes: Option<u64>) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let process = i32::try_from(process).ok().and_then(Pid::from_raw).expect("a process");
    prlimit(Some(process), Resource::Fsize, Rlimit { current: bytes, maximum: None }).expect("the limit is set");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_cannot_be_written_after_sending_is_held_and_written_later_and_nothing_new_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let release = Arc::new(Notify::new());
    let held = Play::Held(Arc::clone(&release), Box::new(answer(200, "", REDEEMED)));
    let upstream =
        Upstream::start(vec![held, answer(400, "", r#"{"isSuccess":false,"data":{"result":"4075"}}"#)]).await;
    let (mut child, endpoint) = running(&upstream.url, folder.path(), &["--test-answer-within-ms=1500"]).await;
    let (attempt, other) = (Arc::new(Attempt::new(&endpoint)), Attempt::new(&endpoint));
    let browser = tokio::spawn({
        let attempt = Arc::clone(&attempt);
        async move { attempt.post().await }
    });
    upstream.arrived().await;
    let process = child.id().expect("it runs");
    limit_files(process, Some(0));
    release.notify_one();
    assert_eq!(browser.await.expect("an answer").code(), (202, "pending"));
    assert_eq!(attempt.get().await.code(), (202, "pending"));
    let mut another = body();
    another["voucherPin"] = json!("9900777712345679");
    assert_eq!(other.post_body(&another).await.code(), (503, "NOT_SENT"));
    assert_eq!(upstream.requests().len(), 1);
    limit_files(process, None);
    assert_eq!(attempt.settled_down().await.body["data"]["result"], "0");
    // The held one is written; the next is sent again as soon as that is known.
    while other.post_body(&another).await.code() == (503, "NOT_SENT") {}
    assert_eq!(other.get().await.status, 400);
    assert_eq!(upstream.requests().len(), 2);
    child.kill().await.expect("it was running");
}
