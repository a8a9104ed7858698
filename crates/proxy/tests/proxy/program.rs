//! The program: its settings, its one line, its end, and that nothing secret is in its log at any level.

use crate::database::database_in;
use crate::process::{complete, ended, output, program, running, terminate};
use crate::world::{BOOKS, EMAIL, PIN, PIN_KEY, Play, TOKEN, Upstream, answer, body, client, post, post_as};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use uuid::Uuid;

const KEY: &str = "0b5a9e1c-7a64-4a83-9b3e-0d5b6f1f2a3b";

#[tokio::test]
async fn a_setting_that_is_missing_is_named_and_nothing_starts() {
    const URL: &str = "--mozarto-url=http://127.0.0.1:1";
    const OPEN: &str = "--insecure-no-sessions";
    for (arguments, token, pin_key, named) in [
        (vec![OPEN], TOKEN, PIN_KEY, "--mozarto-url (or CASHIER_MOZARTO_URL)"),
        (vec![OPEN, URL], "", PIN_KEY, "CASHIER_COMPANY_TOKEN is missing"),
        (vec![OPEN, URL], TOKEN, "", "CASHIER_PIN_KEY is missing"),
        (vec![OPEN, URL], TOKEN, "short", "CASHIER_PIN_KEY is too short"),
        (vec![URL], TOKEN, PIN_KEY, "CASHIER_SESSION_KEYS is missing"),
    ] {
        let mut command = program(&arguments);
        command.env("CASHIER_COMPANY_TOKEN", token).env("CASHIER_PIN_KEY", pin_key);
        let (code, line, said) = output(&mut command).await;
        assert_eq!((code, line.as_str()), (Some(2), ""), "{said}");
        assert!(said.contains(named) && said.lines().count() == 1, "{said}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_secret_that_is_no_text_is_named_and_nothing_starts() {
    use std::os::unix::ffi::OsStrExt;
    for name in ["CASHIER_COMPANY_TOKEN", "CASHIER_PIN_KEY", "CASHIER_OUTCOMES_TOKEN"] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = complete("http://127.0.0.1:1", folder.path(), &[]);
        let (code, line, said) = output(command.env(name, std::ffi::OsStr::from_bytes(&[b'a', 0xff]))).await;
        assert_eq!((code, line.as_str()), (Some(2), ""), "{said}");
        assert!(said.contains(&format!("{name} is no UTF-8")), "{said}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_with_its_remedy() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = program(&["--listen", &address, "--mozarto-url=http://127.0.0.1:1", "--insecure-no-sessions"]);
    command.env("CASHIER_COMPANY_TOKEN", TOKEN).env("CASHIER_PIN_KEY", PIN_KEY);
    let (code, _, said) = output(command.env("CASHIER_DATABASE_URL", database_in(folder.path()))).await;
    assert!(code == Some(1) && said.contains("--listen"), "{said}");
}

#[tokio::test]
async fn no_line_of_the_log_holds_a_pin_an_email_or_a_token_at_any_level() {
    let echo = json!({ "isSuccess": false, "message": format!("{PIN} {EMAIL} {TOKEN}"), "errors": [PIN], "data": { "pin": PIN } }).to_string();
    let named = |id: &str| json!({ "isSuccess": false, "transactionId": id }).to_string();
    let upstream = Upstream::start(vec![
        answer(200, "", r#"{"isSuccess":true,"data":{"result":"0","transactionId":"t-1"}}"#),
        answer(400, "", &echo),
        answer(400, "", &named(PIN)),
        answer(400, "", &named("9900-7777 1234 5678")),
        answer(400, "", &named(EMAIL)),
        answer(400, "", &named(TOKEN)),
        answer(400, "", &named("user_123")),
        // The last three belong to one attempt, which stays open.
        Play::Cut,
        answer(200, "", &format!("<html>{PIN}</html>")),
        answer(400, "", &format!(r#"{{"isSuccess":false,"errorCode":"{PIN}","data":{{"{PIN}":{PIN}}}}}"#)),
    ])
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let (child, endpoint) = running(&upstream.url, folder.path(), &[]).await;
    for number in 0..10 {
        let key = if number < 7 { Uuid::new_v4().to_string() } else { KEY.to_owned() };
        let answer = post_as(&endpoint, &key, body().to_string()).await.text().await.expect("a body");
        assert!(!answer.contains(PIN), "{answer}");
    }
    assert_eq!(upstream.requests().len(), 10);
    for wrong in [
        body().to_string().replace("25.5", &format!("\"{PIN}\"")),
        body().to_string().replace("brandId", PIN),
        body().to_string().replace("FLEXEPIN", PIN),
        body().to_string().replace("EUR", PIN),
        body().to_string().replace("user_123", PIN),
        body().to_string().replace(&format!("\"{PIN}\""), PIN),
        format!("{{\"voucherPin\": \"{PIN}\""),
        PIN.to_owned(),
    ] {
        let answer = post(&endpoint, wrong).await.text().await.expect("a body");
        assert!(!answer.contains(PIN), "{answer}");
    }
    terminate(&child).await;
    let mut log = ended(child).await;
    let empty = tempfile::tempdir().expect("a folder");
    let (down, endpoint) = running("http://127.0.0.1:1", empty.path(), &[]).await;
    let answer = post(&endpoint, body().to_string()).await.text().await.expect("a body");
    assert!(answer.contains("NOT_SENT") && !answer.contains(PIN), "{answer}");
    terminate(&down).await;
    log += &ended(down).await;
    assert!(log.contains(KEY) && log.contains("t-1") && log.contains("TRACE"), "the log is on: {log}");
    let jwt = "eyJ";
    for secret in [PIN, "9900 7777", EMAIL, TOKEN, PIN_KEY, BOOKS, "user_123", jwt] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

/// A request's head and as much of its body as is given, on a connection of its own.
async fn half_sent(endpoint: &str, length: usize, body: &str) -> TcpStream {
    let (host, path) = endpoint.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("an address");
    let mut browser = TcpStream::connect(host).await.expect("a connection");
    let head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Idempotency-Key: {KEY}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    browser.write_all(head.as_bytes()).await.expect("written");
    browser
}

#[tokio::test]
async fn a_try_goes_on_when_its_browser_has_left_and_ending_waits_for_it() {
    let release = Arc::new(Notify::new());
    let upstream =
        Upstream::start(vec![Play::Held(Arc::clone(&release), Box::new(answer(400, "", r#"{"isSuccess":false}"#)))])
            .await;
    let folder = tempfile::tempdir().expect("a folder");
    let (child, endpoint) = running(&upstream.url, folder.path(), &[]).await;
    let body = body().to_string();
    let browser = half_sent(&endpoint, body.len(), &body).await;
    upstream.arrived().await;
    drop(browser);
    // Another answer of the same program: by then it has seen the browser leave.
    client().get(endpoint.replace("/cashier/flexepin", "/healthz")).send().await.expect("an answer");
    terminate(&child).await;
    release.notify_one();
    let log = ended(child).await;
    assert!(log.contains("rejected: other"), "the answer was waited for and read: {log}");
}

#[tokio::test]
async fn half_a_request_does_not_keep_the_program_from_ending() {
    let folder = tempfile::tempdir().expect("a folder");
    let (child, endpoint) = running("http://127.0.0.1:1", folder.path(), &[]).await;
    let _browser = half_sent(&endpoint, 100, "{").await;
    let options = client().request(reqwest::Method::OPTIONS, &endpoint).send().await.expect("an answer");
    assert_eq!(options.status().as_u16(), 405, "no origins, no preflight");
    terminate(&child).await;
    tokio::time::timeout(Duration::from_secs(20), ended(child)).await.expect("it ends");
}
