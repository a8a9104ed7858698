//! The program killed while a try runs, and the files that it leaves.

use crate::database::Database;
use crate::process::{Running, ended, running, terminate};
use crate::world::{Attempt, EMAIL, PIN, Play, REDEEMED, Upstream, answer};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Shorter than the program's own, and waited for by one test.
const SHORT_DEADLINE: Duration = Duration::from_secs(2);
const SHORT_DEADLINE_FLAG: &str = "--test-upstream-deadline-ms=2000";

/// SIGKILL, and waits for the end.
async fn kill(mut child: Running) {
    child.kill().await.expect("it was running");
}

/// An attempt whose program is killed while its first try runs, and when that try was sent.
async fn killed(upstream: &Upstream, folder: &Path) -> (String, Instant) {
    let (child, endpoint) = running(&upstream.url, folder, &[]).await;
    let attempt = Attempt::new(&endpoint);
    let key = attempt.key.clone();
    let browser = tokio::spawn(async move { attempt.post().await });
    upstream.arrived().await;
    let sent = Instant::now();
    kill(child).await;
    assert!(browser.await.is_err(), "no answer came");
    (key, sent)
}

#[tokio::test]
async fn after_a_crash_a_try_is_pending_until_its_deadline_and_then_unknown_whatever_the_wall_clock_says() {
    let off = ["0", "86400", "-86400"].map(|clock_off| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let upstream = Upstream::start(vec![Play::Silence, answer(200, "", REDEEMED)]).await;
        let (key, sent) = killed(&upstream, folder.path()).await;
        std::fs::write(folder.path().join("offset"), clock_off).expect("written");
        let offset = format!("--test-clock-offset-file={}", folder.path().join("offset").display());
        let (child, endpoint) = running(&upstream.url, folder.path(), &[&offset]).await;
        let attempt = Attempt { endpoint, key };
        for said in [attempt.get().await, attempt.post().await, attempt.delete().await] {
            assert_eq!(said.code(), (202, "pending"), "{clock_off}");
        }
        assert_eq!(upstream.requests().len(), 1, "nothing is sent while an answer may come");
        kill(child).await;
        let (child, endpoint) = running(&upstream.url, folder.path(), &[&offset, SHORT_DEADLINE_FLAG]).await;
        let attempt = Attempt { endpoint, ..attempt };
        assert_eq!(attempt.settled_down().await.code(), (504, ""), "{clock_off}");
        // And a little more: a sender that still lives began to count when the try was on disk.
        assert!(sent.elapsed() >= SHORT_DEADLINE + Duration::from_secs(2), "{clock_off}: {:?}", sent.elapsed());
        assert_eq!(attempt.delete().await.code(), (504, ""), "an unknown try cannot be closed");
        assert_eq!(attempt.post().await.status, 200);
        kill(child).await;
    });
    let [now, ahead, behind] = off;
    tokio::join!(now, ahead, behind);
}

#[tokio::test]
async fn what_was_answered_before_a_crash_is_still_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let upstream = Upstream::start(vec![answer(200, "", REDEEMED), Play::Cut]).await;
    let (child, endpoint) = running(&upstream.url, folder.path(), &[]).await;
    let (redeemed, closed, lost) = (Attempt::new(&endpoint), Attempt::new(&endpoint), Attempt::new(&endpoint));
    let said = [redeemed.post().await, closed.delete().await, lost.post().await];
    kill(child).await;
    let (child, endpoint) = running(&upstream.url, folder.path(), &[]).await;
    let after = |attempt: Attempt| Attempt { endpoint: endpoint.clone(), ..attempt };
    let (redeemed, closed, lost) = (after(redeemed), after(closed), after(lost));
    assert_eq!(redeemed.get().await, said[0]);
    assert!(redeemed.post().await.replayed);
    assert_eq!(closed.delete().await, said[1]);
    assert_eq!(closed.post().await.code(), (410, "ATTEMPT_CLOSED"));
    assert_eq!(lost.get().await, said[2]);
    assert_eq!(upstream.requests().len(), 2);
    kill(child).await;
}

#[tokio::test]
async fn a_graceful_end_writes_the_answer_of_the_try_that_runs() {
    let release = Arc::new(Notify::new());
    let held = Play::Held(Arc::clone(&release), Box::new(answer(200, "", REDEEMED)));
    let upstream = Upstream::start(vec![held]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (child, endpoint) = running(&upstream.url, folder.path(), &["--test-answer-within-ms=3000"]).await;
    let attempt = Attempt::new(&endpoint);
    assert_eq!(attempt.post().await.code(), (202, "pending"));
    terminate(&child).await;
    release.notify_one();
    ended(child).await;
    let (child, endpoint) = running(&upstream.url, folder.path(), &[]).await;
    let attempt = Attempt { endpoint, ..attempt };
    assert_eq!(attempt.get().await.body["data"]["result"], "0");
    kill(child).await;
}

#[tokio::test]
async fn no_file_of_the_ledger_holds_a_pin_or_an_email() {
    let echo = json!({ "isSuccess": false, "message": format!("no {PIN} of {EMAIL}"), "errors": ["9900-7777 1234 5678", EMAIL.to_uppercase()], "transactionId": PIN });
    let upstream = Upstream::start(vec![
        answer(429, &format!("Retry-After: {PIN}\r\n"), &echo.to_string()),
        answer(200, "", &format!("<html>{PIN} {EMAIL}</html>")),
        Play::Cut,
        answer(
            400,
            "",
            &json!({ "isSuccess": false, "errorCode": PIN, "data": { PIN: 9_900_777_712_345_678_u64 } }).to_string(),
        ),
        Play::Silence,
    ])
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let (child, endpoint) = running(&upstream.url, folder.path(), &["--test-answer-within-ms=6000"]).await;
    let attempt = Attempt::new(&endpoint);
    for _ in 0..4 {
        attempt.post().await;
    }
    // Killed with a try on its way: the log of SQLite is not folded in.
    let browser = tokio::spawn(async move { attempt.post().await });
    let fifth = async {
        while upstream.requests().len() < 5 {
            upstream.arrived().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), fifth).await.expect("it is sent");
    kill(child).await;
    assert!(browser.await.is_err(), "no answer came");
    let mut files = 0;
    for file in std::fs::read_dir(folder.path()).expect("a folder") {
        let file = file.expect("a file").path();
        let bytes = std::fs::read(&file).expect("bytes");
        let digits: Vec<u8> = bytes.iter().copied().filter(|byte| !matches!(byte, b' ' | b'-')).collect();
        for secret in [PIN, EMAIL, &EMAIL.to_uppercase(), "9900777712"] {
            assert!(!holds(&bytes, secret) && !holds(&digits, secret), "{secret} is in {}", file.display());
        }
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().expect("a file").permissions());
            assert_eq!(mode & 0o777, 0o600, "{}", file.display());
        }
        files += usize::from(holds(&bytes, "user_123"));
    }
    assert!(files > 0, "the attempt is there");
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn what_cannot_be_written_keeps_the_program_from_ending_until_a_second_signal() {
    for second_signal in [true, false] {
        let release = Arc::new(Notify::new());
        let held = Play::Held(Arc::clone(&release), Box::new(answer(200, "", REDEEMED)));
        let upstream = Upstream::start(vec![held]).await;
        let folder = tempfile::tempdir().expect("a folder");
        let (mut child, endpoint) = running(&upstream.url, folder.path(), &["--test-answer-within-ms=3000"]).await;
        let attempt = Attempt::new(&endpoint);
        let key = attempt.key.clone();
        let browser = tokio::spawn(async move { attempt.post().await });
        upstream.arrived().await;
        let mut beside = Database::of(folder.path()).await;
        beside.lock().await;
        release.notify_one();
        child.logged("tried").await;
        terminate(&child).await;
        child.logged("told to end").await;
        if second_signal {
            terminate(&child).await;
            let alarm = child.logged("ALARM").await;
            assert!(alarm.contains(&key) && alarm.contains("redeemed") && alarm.contains("t-1"), "{alarm}");
        } else {
            beside.run("ROLLBACK").await;
        }
        let ended = tokio::time::timeout(Duration::from_secs(30), child.wait()).await.expect("it ends");
        assert_eq!(ended.expect("it ends").code(), Some(i32::from(second_signal)), "{}", child.log());
        browser.abort();
        if !second_signal {
            let (child, endpoint) = running(&upstream.url, folder.path(), &[]).await;
            assert_eq!(Attempt { endpoint, key }.get().await.body["data"]["transactionId"], "t-1");
            kill(child).await;
        }
    }
}
