//! A database that cannot be used at the start, is locked for a while, or has no room any more.

use crate::database::{Database, change, database_in};
use crate::process::{complete, output, program, running};
use crate::world::{Attempt, PIN_KEY, Play, REDEEMED, Serving, TOKEN, Upstream, answer, body, hasty, settings};
use flexepin_cashier_proxy::Settings;
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
        ("gone, with its log left", "its log"),
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
                if what.starts_with("gone") {
                    std::fs::write(folder.path().join("cashier.db-wal"), &bytes).expect("written");
                    bytes.clear();
                }
                std::fs::write(&file, bytes).expect("written");
            }
        }
        let before = std::fs::read(&file).expect("bytes");
        let mut command = complete("http://127.0.0.1:1", folder.path(), &[]);
        let (code, line, said) = output(command.env("RUST_LOG", "warn")).await;
        assert_eq!((code, line.as_str()), (Some(1), ""), "{what}: {said}");
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
        (format!("{file}?mode=ro"), "is no file"),
        ("sqlite::memory:".to_owned(), "is no file"),
        ("sqlite://?mode=memory".to_owned(), "is no file"),
        ("mysql://me:secret@127.0.0.1/cashier".to_owned(), "is no file"),
        ("postgres://127.0.0.1".to_owned(), "the database's URL is unclear"),
        ("postgres://me:secret@127.0.0.1:1/cashier".to_owned(), "see that it runs and can be reached"),
        (file.replace("cashier.db", "no/such/folder.db"), "cannot be made"),
    ] {
        let mut command = complete("http://127.0.0.1:1", folder.path(), &["--database-url", &url]);
        let (code, _, said) = output(command.env("RUST_LOG", "warn")).await;
        assert_eq!((code, said.lines().count()), (Some(1), 1), "{url}: {said}");
        assert!(said.contains(says) && !said.contains("secret"), "{url}: {said}");
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
        let (code, _, said) = output(command.env("CASHIER_DATABASE_URL", database_in(folder.path()))).await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(says) && !said.contains(other), "{said}");
    }
    let settings = settings(&upstream.url, folder.path(), Duration::from_secs(1));
    let args = flexepin_cashier_proxy::Secrets {
        company_token: Some(TOKEN.into()),
        pin_key: Some(format!("b={other},1={PIN_KEY}").into()),
        ..Default::default()
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

fn rotated(secrets: flexepin_cashier_proxy::Secrets) -> flexepin_cashier_proxy::Live<flexepin_cashier_proxy::PinKeys> {
    use clap::Parser;
    let args = ["proxy", "--insecure-no-sessions", "--mozarto-url=http://127.0.0.1:1"];
    Settings::new(flexepin_cashier_proxy::Args::parse_from(args), secrets).expect("complete settings").pin_keys
}

const PATIENT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_lock_before_sending_is_not_sent_and_harms_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let upstream = Upstream::start(vec![answer(200, "", REDEEMED)]).await;
    let settings = settings(&upstream.url, folder.path(), PATIENT);
    let serving = Serving::start(hasty(settings, PATIENT, Duration::from_millis(300))).await;
    let attempt = Attempt::new(&serving.endpoint);
    let mut beside = Database::of(folder.path()).await;
    beside.lock().await;
    assert_eq!(attempt.post().await.code(), (503, "NOT_SENT"));
    assert_eq!(attempt.get().await.code(), (404, "ATTEMPT_UNKNOWN"), "a lock of writers is none of readers");
    assert!(upstream.requests().is_empty());
    beside.run("ROLLBACK").await;
    // On a busy machine the ledger may be late once more, and that is no harm either.
    let said = attempt.until(|said| said.code() != (503, "NOT_SENT"), Attempt::post).await;
    assert_eq!((said.status, upstream.requests().len()), (200, 1));
    serving.stop().await;
}

#[tokio::test]
async fn a_lock_after_sending_loses_no_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let release = Arc::new(Notify::new());
    let held = Play::Held(Arc::clone(&release), Box::new(answer(200, "", REDEEMED)));
    let upstream = Upstream::start(vec![held]).await;
    let settings = settings(&upstream.url, folder.path(), PATIENT);
    let serving = Serving::start(hasty(settings, Duration::from_secs(2), PATIENT)).await;
    let attempt = Arc::new(Attempt::new(&serving.endpoint));
    let browser = tokio::spawn({
        let attempt = Arc::clone(&attempt);
        async move { attempt.post().await }
    });
    upstream.arrived().await;
    let mut beside = Database::of(folder.path()).await;
    beside.lock().await;
    release.notify_one();
    assert_eq!(browser.await.expect("an answer").code(), (202, "pending"));
    assert_eq!(attempt.get().await.code(), (202, "pending"));
    beside.run("ROLLBACK").await;
    assert_eq!(attempt.settled_down().await.body["data"]["result"], "0");
    serving.stop().await;
}

/// Files of that process may not grow beyond so many bytes; `None` is no limit.
#[cfg(target_os = "linux")]
pub(crate) fn limit_files(process: u32, bytes: Option<u64>) {
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
    let (mut child, endpoint) = running(&upstream.url, folder.path(), &["--test-answer-within-ms=4500"]).await;
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
    other.until(|said| said.code() != (503, "NOT_SENT"), async |other| other.post_body(&another).await).await;
    assert_eq!(other.get().await.status, 400);
    assert_eq!(upstream.requests().len(), 2);
    child.kill().await.expect("it was running");
}

#[tokio::test]
async fn what_is_known_is_answered_while_nothing_can_be_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let used = r#"{"isSuccess":false,"message":"Voucher already redeemed"}"#;
    let limited = r#"{"isSuccess":false,"errorCode":"PSP_RATE_LIMITED"}"#;
    let plays = vec![answer(200, "", REDEEMED), Play::Cut, Play::Cut, answer(400, "", used), answer(400, "", limited)];
    let upstream = Upstream::start(plays).await;
    let settings = settings(&upstream.url, folder.path(), PATIENT);
    let serving = Serving::start(hasty(settings, PATIENT, Duration::from_secs(2))).await;
    let [redeemed, lost, unconfirmed, untaken, new] = [(); 5].map(|()| Attempt::new(&serving.endpoint));
    let with = |field: &str, value: &str| {
        let mut body = body();
        body[field] = json!(value);
        body
    };
    let voucher = |last: char| with("voucherPin", &format!("990077771234567{last}"));
    for (attempt, last) in [(&redeemed, '0'), (&lost, '1'), (&unconfirmed, '2'), (&unconfirmed, '2'), (&untaken, '3')] {
        attempt.post_body(&voucher(last)).await;
    }
    let mut beside = Database::of(folder.path()).await;
    beside.lock().await;
    let mut foreign = voucher('0');
    foreign["userId"] = json!("user_999");
    let posts = [
        (&redeemed, voucher('0'), (200, "")),
        (&redeemed, voucher('9'), (422, "ATTEMPT_MISMATCH")),
        (&redeemed, foreign, (403, "ATTEMPT_FOREIGN")),
        (&lost, voucher('1'), (504, "")),
        (&unconfirmed, voucher('2'), (202, "ATTEMPT_UNCONFIRMED")),
        (&untaken, voucher('3'), (503, "NOT_SENT")),
        (&new, voucher('4'), (503, "NOT_SENT")),
    ];
    for (attempt, body, expected) in posts {
        let said = attempt.post_body(&body).await;
        assert_eq!((said.code(), said.replayed), (expected, expected.0 == 200), "{body}");
    }
    assert_eq!(upstream.requests().len(), 5);
    beside.run("ROLLBACK").await;
    serving.stop().await;
}

#[tokio::test]
async fn staff_can_look_while_nothing_can_be_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let upstream = Upstream::start(vec![Play::Cut]).await;
    let serving = Serving::start(settings(&upstream.url, folder.path(), PATIENT)).await;
    let attempt = Attempt::new(&serving.endpoint);
    attempt.post().await;
    let mut beside = Database::of(folder.path()).await;
    beside.lock().await;
    for arguments in [vec!["attempts", "list"], vec!["attempts", "show", &attempt.key]] {
        let mut command = program(&arguments);
        let (code, said, error) = output(command.env("CASHIER_DATABASE_URL", database_in(folder.path()))).await;
        assert!(code == Some(0) && said.contains(&attempt.key), "{said}{error}");
    }
    beside.run("ROLLBACK").await;
    serving.stop().await;
}

#[tokio::test]
async fn two_proxies_whose_keys_differ_never_send_one_voucher_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let upstream = Upstream::start(vec![Play::Cut]).await;
    let old = settings(&upstream.url, folder.path(), PATIENT);
    let secrets = flexepin_cashier_proxy::Secrets {
        company_token: Some(TOKEN.into()),
        pin_key: Some(format!("2=another-key-of-the-tests-32-bytes.,1={PIN_KEY}").into()),
        ..Default::default()
    };
    let new = Settings { pin_keys: rotated(secrets), ..settings(&upstream.url, folder.path(), PATIENT) };
    let (old, new) = (Serving::start(old).await, Serving::start(new).await);
    let (before, first) = (Attempt::new(&old.endpoint), Attempt::new(&new.endpoint));
    let mut other = body();
    other["voucherPin"] = json!("9900777712345679");
    before.post_body(&other).await;
    assert_eq!(first.post().await.code(), (504, ""));
    // The old one cannot tell whether the voucher is the first one's.
    let there = |attempt: &Attempt| Attempt { endpoint: old.endpoint.clone(), key: attempt.key.clone() };
    assert_eq!(Attempt::new(&old.endpoint).post().await.code(), (503, "NOT_SENT"));
    assert_eq!(there(&first).post().await.code(), (503, "NOT_SENT"), "the same key");
    assert_eq!(upstream.requests().len(), 2);
    // What it has itself begun goes on, and the new one knows both keys.
    assert_eq!(before.post_body(&other).await.code(), (504, ""));
    assert_eq!(Attempt::new(&new.endpoint).post_body(&other).await.code(), (409, "VOUCHER_IN_USE"));
    assert_eq!(upstream.requests().len(), 3);
    old.stop().await;
    new.stop().await;
}
