//! Secrets from files, and their rotation: SIGHUP reads them again, and what is wrong with one changes nothing.

use crate::database::database_in;
use crate::process::{ended, output, program, running_of, terminate};
use crate::shop::{Browser, ISSUER, KEYS, SECRET, claims, signed, signed_with, with};
use crate::world::{BOOKS, EMAIL, PIN, PIN_KEY, Play, REDEEMED, TOKEN, Upstream, answer, body, client, with_pin};
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use tokio::process::{Child, Command};
use uuid::Uuid;

const NEW_SECRET: &str = "another-session-secret-canary-of-the-tests";

/// The program with sessions, and each secret in a file of `folder`.
fn by_files(upstream: &str, folder: &Path) -> Command {
    let mut command = program(&["--listen", "127.0.0.1:0", "--mozarto-url", upstream, "--session-issuer", ISSUER]);
    for (name, text) in [
        ("CASHIER_COMPANY_TOKEN", TOKEN),
        ("CASHIER_PIN_KEY", PIN_KEY),
        ("CASHIER_OUTCOMES_TOKEN", BOOKS),
        ("CASHIER_SESSION_KEYS", KEYS),
        ("CASHIER_DATABASE_URL", &database_in(folder)),
    ] {
        write(folder, name, text);
        command.env(format!("{name}_FILE"), folder.join(name));
    }
    command.env("RUST_LOG", "trace").env("CASHIER_MARK_FILE", folder.join("cashier.db.mark"));
    command
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), format!("{text}\n")).expect("written");
}

async fn hang_up(child: &Child) {
    let id = child.id().expect("it runs").to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().await.expect("a signal").success());
}

/// Whether the books are open to that token.
async fn opens_the_books(endpoint: &str, token: &str) -> bool {
    let request = client().get(endpoint.replace("/cashier/flexepin", "/outcomes")).bearer_auth(token);
    request.send().await.expect("an answer").status() == 200
}

/// Asks until it is so, or a minute has passed.
async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), asking).await.expect(what);
}

#[tokio::test]
async fn a_hang_up_reads_each_secret_again_and_a_wrong_one_keeps_what_was() {
    let upstream = Upstream::start(vec![answer(200, "", REDEEMED)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (child, endpoint) = running_of(&mut by_files(&upstream.url, folder.path())).await;
    let key = || Uuid::new_v4().to_string();
    let sent_with = || upstream.requests().pop().expect("a request").0;
    let anna = Browser::of(&endpoint, &claims("user_123", "s-1"));
    assert_eq!(anna.post(&key(), &body()).await.status, 200);
    assert!(sent_with().contains(&format!("authorization: Bearer {TOKEN}\r\n")));

    let both = format!("new={NEW_SECRET},{KEYS}");
    write(folder.path(), "CASHIER_SESSION_KEYS", &both);
    write(folder.path(), "CASHIER_COMPANY_TOKEN", "new-company-token-canary");
    write(folder.path(), "CASHIER_OUTCOMES_TOKEN", "new-outcomes-token-canary");
    hang_up(&child).await;
    let renewed =
        Browser { endpoint: endpoint.clone(), token: signed_with(NEW_SECRET, "new", &claims("user_123", "s-2")) };
    until("the new key is believed", async || renewed.get(&key()).await.status == 404).await;
    assert_eq!(anna.get(&key()).await.status, 404, "and the old one still is");
    assert!(opens_the_books(&endpoint, "new-outcomes-token-canary").await);
    assert!(!opens_the_books(&endpoint, BOOKS).await);
    assert_eq!(renewed.post(&key(), &with_pin("9900777712345679")).await.status, 200);
    assert!(sent_with().contains("authorization: Bearer new-company-token-canary\r\n"));

    write(folder.path(), "CASHIER_SESSION_KEYS", &format!("new={NEW_SECRET}"));
    write(folder.path(), "CASHIER_COMPANY_TOKEN", "Bearer of-two-words");
    std::fs::remove_file(folder.path().join("CASHIER_OUTCOMES_TOKEN")).expect("removed");
    hang_up(&child).await;
    until("the old key is gone", async || anna.get(&key()).await.status == 401).await;
    assert!(opens_the_books(&endpoint, "new-outcomes-token-canary").await);
    // A session redeems once.
    let again =
        Browser { endpoint: endpoint.clone(), token: signed_with(NEW_SECRET, "new", &claims("user_123", "s-3")) };
    assert_eq!(again.post(&key(), &with_pin("9900777712345680")).await.status, 200);
    assert!(sent_with().contains("authorization: Bearer new-company-token-canary\r\n"));

    for wrong in ["", "new=short", "no keys at all"] {
        write(folder.path(), "CASHIER_SESSION_KEYS", wrong);
        hang_up(&child).await;
    }
    assert_eq!(renewed.get(&key()).await.status, 404);
    terminate(&child).await;
    let log = ended(child).await;
    for kept in ["CASHIER_COMPANY_TOKEN was not read again", "CASHIER_OUTCOMES_TOKEN was not read again"] {
        assert!(log.contains(kept), "{log}");
    }
    let canaries =
        [PIN, EMAIL, TOKEN, BOOKS, SECRET, NEW_SECRET, "outcomes-token-canary", "of-two-words", "user_123", "eyJ"];
    for secret in canaries {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn pin_keys_are_rotated_while_attempts_are_open_and_keys_that_would_forget_them_are_not_taken() {
    let upstream = Upstream::start(vec![Play::Cut, Play::Cut, answer(200, "", REDEEMED)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (child, endpoint) = running_of(&mut by_files(&upstream.url, folder.path())).await;
    let key = Uuid::new_v4().to_string();
    let anna = Browser::of(&endpoint, &claims("user_123", "s-1"));
    assert_eq!(anna.post(&key, &body()).await.status, 504, "it is open");
    let new = "2=another-pin-key-canary-of-the-tests";
    for (keys, told) in [
        (new.to_owned(), "lacks the key with the id"),
        ("1=another-pin-key-canary-of-the-tests".to_owned(), "another key under the id"),
        (format!("{new},1={PIN_KEY}"), "CASHIER_PIN_KEY was read again"),
    ] {
        write(folder.path(), "CASHIER_PIN_KEY", &keys);
        hang_up(&child).await;
        child.logged(told).await;
        let other = Browser::of(&endpoint, &claims("user_456", "s-2"));
        assert_eq!(
            other.post(&Uuid::new_v4().to_string(), &with(body(), "userId", json!("user_456"))).await.status,
            409,
            "{told}"
        );
    }
    assert_eq!(anna.post(&key, &body()).await.status, 504, "the same attempt again");
    assert_eq!(anna.post(&key, &body()).await.status, 200);
    terminate(&child).await;
    let log = ended(child).await;
    assert!(!log.contains("pin-key-canary"), "{log}");
}

#[tokio::test]
async fn why_a_session_is_not_believed_is_in_the_log_and_the_session_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let (child, endpoint) = running_of(&mut by_files("http://127.0.0.1:1", folder.path())).await;
    let mut secret_claims = claims("subject-canary", "id-canary");
    secret_claims["aud"] = "audience-canary".into();
    secret_claims["firstName"] = "first-name-canary".into();
    for token in [signed(&secret_claims), signed_with("a secret of somebody else, of 32 bytes", "shop", &secret_claims)]
    {
        let browser = Browser { endpoint: endpoint.clone(), token };
        assert_eq!(browser.get(&Uuid::new_v4().to_string()).await.status, 401);
    }
    terminate(&child).await;
    let log = ended(child).await;
    assert!(log.contains("its aud is not --session-audience") && log.contains("its signature is not"), "{log}");
    assert!(!log.contains("canary") && !log.contains("eyJ"), "{log}");
}

#[tokio::test]
async fn a_secret_that_is_given_twice_or_whose_file_is_not_there_is_named_and_nothing_starts() {
    for (name, change, says) in [
        ("CASHIER_COMPANY_TOKEN", "both", "CASHIER_COMPANY_TOKEN and CASHIER_COMPANY_TOKEN_FILE are both there"),
        ("CASHIER_SESSION_KEYS", "both", "CASHIER_SESSION_KEYS and CASHIER_SESSION_KEYS_FILE are both there"),
        ("CASHIER_DATABASE_URL", "both", "CASHIER_DATABASE_URL_FILE are both there"),
        ("CASHIER_PIN_KEY", "gone", "CASHIER_PIN_KEY_FILE cannot be read"),
        ("CASHIER_OUTCOMES_TOKEN", "gone", "CASHIER_OUTCOMES_TOKEN_FILE cannot be read"),
        ("CASHIER_DATABASE_URL", "gone", "CASHIER_DATABASE_URL_FILE cannot be read"),
        ("CASHIER_SESSION_KEYS", "gone", "CASHIER_SESSION_KEYS_FILE cannot be read"),
        ("CASHIER_COMPANY_TOKEN", "empty", "CASHIER_COMPANY_TOKEN is missing"),
        ("CASHIER_SESSION_KEYS", "empty", "CASHIER_SESSION_KEYS is missing"),
        ("CASHIER_DATABASE_URL", "empty", "CASHIER_DATABASE_URL_FILE names an empty file"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = by_files("http://127.0.0.1:1", folder.path());
        match change {
            "both" => _ = command.env(name, "canary-of-a-secret"),
            "gone" => std::fs::remove_file(folder.path().join(name)).expect("removed"),
            _ => write(folder.path(), name, ""),
        }
        let (code, line, said) = output(&mut command).await;
        assert_eq!((code, line.as_str()), (Some(2), ""), "{said}");
        assert!(said.contains(says) && said.lines().count() == 1 && !said.contains("canary"), "{said}");
    }
}
