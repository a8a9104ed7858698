//! What operators read: the metrics, and whether the proxy is ready.

#[cfg(target_os = "linux")]
use crate::disk_trouble::limit_files;
use crate::process::{Running, ended, running, terminate};
use crate::shop::{self, Browser, claims, signed};
use crate::world::{
    Attempt, BOOKS, EMAIL, PIN, PIN_KEY, Play, REDEEMED, Serving, TOKEN, Upstream, answer, body, client, settings,
};
use flexepin_cashier_proxy::Settings;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

const INVALID: &str = r#"{"isSuccess":false,"message":"Invalid voucher PIN","code":"4075"}"#;

/// A proxy with metrics on a port of their own, whose breaker opens after two failures.
async fn watched(upstream: &Upstream, folder: &Path) -> Serving {
    let complete = settings(&upstream.url, folder, Duration::from_secs(20));
    let metrics_listen = Some("127.0.0.1:0".parse().expect("an address"));
    Serving::start(Settings { metrics_listen, breaker_failures: 2, ..complete }).await
}

/// Where a program's metrics are, with a slash at the end.
pub(crate) async fn metrics_of(program: &Running) -> String {
    let line = program.logged("metrics are at ").await;
    let (_, url) = line.split_once("metrics are at ").expect("an address");
    // In JSON the line goes on after it.
    url.split("metrics").next().unwrap_or_default().to_owned()
}

pub(crate) async fn asked(url: &str) -> (u16, String) {
    let response = client().get(url).send().await.expect("an answer");
    (response.status().as_u16(), response.text().await.expect("a text"))
}

async fn read(serving: &Serving, path: &str) -> (u16, String) {
    asked(&format!("{}{path}", serving.metrics)).await
}

/// The value of one line of the metrics.
pub(crate) async fn metric(serving: &Serving, name: &str) -> Option<f64> {
    let (status, text) = read(serving, "metrics").await;
    assert_eq!(status, 200);
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

/// Reads until status and text are the ones; a minute at most.
async fn until(url: &str, is_it: impl Fn((u16, &str)) -> bool) {
    let reading = async {
        loop {
            let (status, text) = asked(url).await;
            if is_it((status, &text)) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), reading).await.expect("it changes");
}

fn voucher(last: char) -> Value {
    let mut body = body();
    body["voucherPin"] = format!("{}{last}", &PIN[..15]).into();
    body
}

#[tokio::test]
async fn what_happened_is_counted_and_holds_nothing_of_a_customer() {
    let upstream = Upstream::start(vec![
        answer(200, "", REDEEMED),
        answer(400, "", INVALID),
        Play::Cut,
        answer(200, "", REDEEMED),
    ])
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let serving = watched(&upstream, folder.path()).await;
    for (last, status) in [('0', 200), ('1', 400), ('2', 504)] {
        let attempt = Attempt::new(&serving.endpoint);
        assert_eq!(attempt.post_body(&voucher(last)).await.status, status);
        assert_eq!(attempt.get().await.status, status);
    }
    client().request("BREW".parse().expect("a method"), &serving.endpoint).send().await.expect("an answer");
    for (name, value) in [
        ("cashier_tries_total{meaning=\"redeemed\"}", 1.0),
        ("cashier_tries_total{meaning=\"rejected: invalid-pin\"}", 1.0),
        ("cashier_tries_total{meaning=\"no-answer\"}", 1.0),
        ("cashier_requests_seconds_count{method=\"POST\",status=\"200\"}", 1.0),
        ("cashier_requests_seconds_count{method=\"GET\",status=\"504\"}", 1.0),
        ("cashier_requests_seconds_count{method=\"other\",status=\"405\"}", 1.0),
        ("cashier_upstream_seconds_count", 3.0),
        ("cashier_ledger_seconds_count{operation=\"begin\"}", 3.0),
        ("cashier_ledger_seconds_count{operation=\"end\"}", 3.0),
        ("cashier_ledger_seconds_count{operation=\"attempt\"}", 3.0),
        ("cashier_tries_running", 0.0),
        ("cashier_held_ends", 0.0),
        ("cashier_breaker_open", 0.0),
        ("cashier_alarms_total", 0.0),
    ] {
        assert_eq!(metric(&serving, name).await, Some(value), "{name}");
    }
    let (_, text) = read(&serving, "metrics").await;
    for secret in [&PIN[..12], EMAIL, TOKEN, PIN_KEY, BOOKS, "user_123", "t-1", "BREW"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
    serving.stop().await;
}

#[tokio::test]
async fn browsers_cannot_read_the_metrics() {
    let upstream = Upstream::start(vec![Play::Cut]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let serving = watched(&upstream, folder.path()).await;
    let root = serving.endpoint.replace("/cashier/flexepin", "");
    assert_eq!(asked(&format!("{root}/metrics")).await.0, 404);
    for listener in [format!("{root}/"), serving.metrics.clone()] {
        assert_eq!(asked(&format!("{listener}healthz")).await, (200, "ok\n".to_owned()));
        assert_eq!(asked(&format!("{listener}readyz")).await, (200, "ready\n".to_owned()));
    }
    serving.stop().await;
}

#[tokio::test]
async fn a_mozarto_that_does_not_answer_is_seen_and_so_is_what_is_not_sent() {
    let upstream = Upstream::start(vec![Play::Cut]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let serving = watched(&upstream, folder.path()).await;
    for (last, status) in [('0', 504), ('1', 504), ('2', 503)] {
        assert_eq!(Attempt::new(&serving.endpoint).post_body(&voucher(last)).await.status, status);
    }
    assert_eq!(metric(&serving, "cashier_breaker_open").await, Some(1.0));
    assert_eq!(metric(&serving, "cashier_refused_total{reason=\"breaker\"}").await, Some(1.0));
    let (status, said) = read(&serving, "readyz").await;
    assert!(status == 503 && said.starts_with("upstream: ") && said.lines().count() == 1, "{said}");
    assert_eq!(read(&serving, "healthz").await.0, 200, "it lives all the same");
    serving.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_disk_that_is_full_is_said_by_readyz_while_an_end_is_held() {
    let release = Arc::new(Notify::new());
    let held = Play::Held(Arc::clone(&release), Box::new(answer(200, "", REDEEMED)));
    let upstream = Upstream::start(vec![held]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (program, endpoint) = running(&upstream.url, folder.path(), &["--metrics-listen", "127.0.0.1:0"]).await;
    let metrics = metrics_of(&program).await;
    let attempt = Attempt::new(&endpoint);
    let browser = tokio::spawn(async move { attempt.post().await });
    upstream.arrived().await;
    let (_, text) = asked(&format!("{metrics}metrics")).await;
    assert!(text.contains("cashier_tries_running 1\n"), "{text}");
    let process = program.id().expect("it runs");
    limit_files(process, Some(0));
    release.notify_one();
    until(&format!("{metrics}readyz"), |said| said == (503, "database: cannot be written\n")).await;
    until(&format!("{metrics}metrics"), |said| said.1.contains("cashier_held_ends 1\n")).await;
    limit_files(process, None);
    assert_eq!(browser.await.expect("an answer").status, 200);
    until(&format!("{metrics}readyz"), |said| said == (200, "ready\n")).await;
    terminate(&program).await;
    ended(program).await;
}

#[tokio::test]
async fn metrics_are_there_until_the_last_try_has_ended() {
    let release = Arc::new(Notify::new());
    let held = Play::Held(Arc::clone(&release), Box::new(answer(200, "", REDEEMED)));
    let upstream = Upstream::start(vec![held]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let serving = watched(&upstream, folder.path()).await;
    let attempt = Attempt::new(&serving.endpoint);
    let browser = tokio::spawn(async move { attempt.post().await });
    upstream.arrived().await;
    let metrics = serving.metrics.clone();
    let stopped = tokio::spawn(serving.stop());
    until(&format!("{metrics}readyz"), |said| said == (503, "ending\n")).await;
    release.notify_one();
    assert_eq!(browser.await.expect("an answer").status, 200);
    stopped.await.expect("it ends");
}

#[tokio::test]
async fn each_reason_for_which_a_request_is_refused_is_counted_once() {
    let upstream = Upstream::start(vec![answer(400, "", INVALID)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let complete = shop::settings(&upstream.url, folder.path(), &["--guesses=1", "--limit-session=2"]);
    let metrics_listen = Some("127.0.0.1:0".parse().expect("an address"));
    let serving = Serving::start(Settings { metrics_listen, ..complete }).await;
    let key = || Uuid::new_v4().to_string();
    let posts = async |token: String| {
        let browser = Browser { endpoint: serving.endpoint.clone(), token };
        browser.post(&key(), &body()).await.status
    };
    let of = |id: &str| signed(&claims("user_123", id));
    assert_eq!(posts(String::new()).await, 401);
    assert_eq!(posts(signed(&shop::ended("user_123", "s-0", 100))).await, 401);
    assert_eq!(posts(of("s-1")).await, 400, "an invalid PIN");
    assert_eq!(posts(of("s-2")).await, 429, "a guess too many");
    assert_eq!(posts(of("s-2")).await, 429, "once more");
    assert_eq!(posts(of("s-2")).await, 429, "and now the session has asked too often");
    let foreign = client().post(&serving.endpoint).header("origin", "https://evil.example").send().await;
    assert_eq!(foreign.expect("an answer").status(), 403);
    for (reason, times) in
        [("no_session", 1.0), ("session_expired", 1.0), ("guesses", 2.0), ("session", 1.0), ("origin", 1.0)]
    {
        let name = format!("cashier_refused_total{{reason=\"{reason}\"}}");
        assert_eq!(metric(&serving, &name).await, Some(times), "{reason}");
    }
    serving.stop().await;
}
