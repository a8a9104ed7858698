//! docs/receivers: they record what is to be credited once, and believe nobody else.

use super::Language;
use crate::notify;
use crate::world::{Attempt, REDEEMED, Serving, Upstream, answer, client, settings};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Child;
use uuid::Uuid;

const SECRET: [u8; 32] = [7; 32];
const OLDER: [u8; 24] = [8; 24];

/// A sample that listens; it ends with the test.
struct Receiver {
    _program: Child,
    folder: TempDir,
    url: String,
}

/// A request to it, signed as the specification says.
struct Telling {
    id: String,
    timestamp: String,
    signature: Option<String>,
    body: String,
}

impl Receiver {
    /// Started with all secrets.
    async fn start(language: Language) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").await.and_then(|listener| listener.local_addr());
        let (port, folder) = (port.expect("a port").port(), tempfile::tempdir().expect("a folder"));
        let address = format!("127.0.0.1:{port}");
        let mut command = language.command("receivers", "receiver", &["-S", &address]);
        let secrets = [&SECRET[..], &OLDER].map(|secret| format!("whsec_{}", BASE64_STANDARD.encode(secret)));
        let secrets = [secrets.join(" "), notify::SECRET.to_owned()];
        command.env("PORT", port.to_string()).env("CASHIER_NOTIFY_SECRET", secrets.join(" "));
        command
            .env("CREDITS", credits_in(&folder))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        std::fs::create_dir(credits_in(&folder)).expect("a folder");
        let program = command.spawn().expect("it starts");
        let listens = async {
            while TcpStream::connect(&address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), listens).await.expect("it listens");
        Self { _program: program, folder, url: format!("http://{address}/flexepin") }
    }

    /// What it answers.
    async fn told(&self, telling: &Telling) -> u16 {
        let mut request = client().post(&self.url).header("content-type", "application/json");
        request = request.header("webhook-id", &telling.id).header("webhook-timestamp", &telling.timestamp);
        if let Some(signature) = &telling.signature {
            request = request.header("webhook-signature", signature);
        }
        request.body(telling.body.clone()).send().await.expect("an answer").status().as_u16()
    }

    /// What is to be done, by attempt.
    fn recorded(&self) -> BTreeMap<String, Value> {
        let files = std::fs::read_dir(credits_in(&self.folder)).expect("a folder");
        files
            .map(|file| {
                let path = file.expect("a file").path();
                let text = std::fs::read_to_string(&path).expect("text");
                let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
                let attempt = name.strip_suffix(".json").expect("no draft stays").to_owned();
                (attempt, serde_json::from_str(&text).expect("JSON"))
            })
            .collect()
    }
}

fn credits_in(folder: &TempDir) -> std::path::PathBuf {
    Path::join(folder.path(), "credits")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs()
}

fn signature(secret: &[u8], id: &str, timestamp: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

impl Telling {
    /// Of an outcome with that word and value.
    fn of(attempt: &str, outcome: &str, value: &Value) -> Self {
        let data = json!({
            "sequence": 1, "attempt": attempt, "transactionId": "t-1", "userId": "anna", "currency": "EUR", "value": value,
            "outcome": outcome, "at": "2026-06-09T12:00:00.123Z",
        });
        let event = json!({ "type": format!("flexepin.{outcome}"), "timestamp": data["at"], "data": data });
        Self::signed(&SECRET, format!("outcome-{attempt}"), now(), event.to_string())
    }

    fn signed(secret: &[u8], id: String, timestamp: u64, body: String) -> Self {
        let timestamp = timestamp.to_string();
        let signature = Some(signature(secret, &id, &timestamp, &body));
        Self { id, timestamp, signature, body }
    }

    /// The same, by that secret and of that time.
    fn again(&self, secret: &[u8], timestamp: u64) -> Self {
        Self::signed(secret, self.id.clone(), timestamp, self.body.clone())
    }
}

#[tokio::test]
async fn each_receiver_records_an_outcome_once_and_says_what_is_to_be_done() {
    let here = Language::here().await;
    let mut ran = 0;
    for &language in &here {
        let receiver = Receiver::start(language).await;
        let [credited, whole, doubled, unread] = [(); 4].map(|()| Uuid::new_v4().to_string());
        for (attempt, outcome, value) in [
            (&credited, "redeemed", json!(25.5)),
            (&whole, "redeemed", json!(50)),
            (&doubled, "duplicate", json!(25.5)),
            (&unread, "redeemed", Value::Null),
            // Again, and again otherwise: the first stands.
            (&credited, "redeemed", json!(25.5)),
            (&credited, "redeemed", json!(99)),
        ] {
            let status = receiver.told(&Telling::of(attempt, outcome, &value)).await;
            assert_eq!(status, 204, "{language:?}: {outcome} {value}");
        }
        let recorded = receiver.recorded();
        assert_eq!(recorded.len(), 4, "{language:?}: {recorded:?}");
        for (attempt, action, value) in [
            (&credited, "credit", json!(25.5)),
            (&whole, "credit", json!(50)),
            (&doubled, "nothing", json!(25.5)),
            (&unread, "ask", Value::Null),
        ] {
            let line = &recorded[attempt];
            assert_eq!((&line["action"], &line["value"]), (&json!(action), &value), "{language:?}: {line}");
            assert_eq!((&line["userId"], &line["currency"]), (&json!("anna"), &json!("EUR")), "{language:?}: {line}");
        }
        ran += 1;
    }
    assert_eq!(ran, here.len());
}

#[tokio::test]
async fn each_receiver_believes_either_secret_and_nobody_without_one() {
    for language in Language::here().await {
        let receiver = Receiver::start(language).await;
        let good = || Telling::of(&Uuid::new_v4().to_string(), "redeemed", &json!(25.5));
        let changed = |change: fn(&mut Telling)| {
            let mut telling = good();
            change(&mut telling);
            telling
        };
        let wrong = [
            ("no signature", changed(|telling| telling.signature = None)),
            ("an empty one", changed(|telling| telling.signature = Some(String::new()))),
            (
                "another scheme",
                changed(|telling| telling.signature = telling.signature.take().map(|it| it.replace("v1,", "v2,"))),
            ),
            (
                "half of it",
                changed(|telling| telling.signature = telling.signature.take().map(|it| it[..20].to_owned())),
            ),
            ("another secret", good().again(&[9; 32], now())),
            ("six minutes ago", good().again(&SECRET, now() - 360)),
            ("in six minutes", good().again(&SECRET, now() + 360)),
            ("another time", changed(|telling| telling.timestamp = (now() + 1).to_string())),
            ("no time", changed(|telling| telling.timestamp = "now".to_owned())),
            ("another id", changed(|telling| telling.id.push('0'))),
            ("another body", changed(|telling| telling.body = telling.body.replace("25.5", "95.5"))),
        ];
        for (what, telling) in wrong {
            assert_eq!(receiver.told(&telling).await, 401, "{language:?}: {what}");
        }
        let read = client().get(&receiver.url).send().await.expect("an answer");
        assert_eq!(read.status().as_u16(), 405, "{language:?}");
        let long = Telling::signed(&SECRET, "outcome-1".to_owned(), now(), " ".repeat(70_000));
        assert_eq!(receiver.told(&long).await, 413, "{language:?}");
        let elsewhere = Telling::of("../../../../../../../../../../tmp/a", "redeemed", &json!(25.5));
        assert_eq!(receiver.told(&elsewhere).await, 400, "{language:?}: an attempt is a UUID");
        assert_eq!(receiver.recorded().len(), 0, "{language:?}");
        let mut both = good();
        let other = signature(&[9; 32], &both.id, &both.timestamp, &both.body);
        both.signature = both.signature.map(|right| format!("{other} {right}"));
        for telling in [good().again(&OLDER, now()), good().again(&SECRET, now() - 240), both] {
            assert_eq!(receiver.told(&telling).await, 204, "{language:?}");
        }
        assert_eq!(receiver.recorded().len(), 3, "{language:?}");
    }
}

#[tokio::test]
async fn no_receiver_says_yes_before_it_has_written_it_down() {
    for language in Language::here().await {
        let receiver = Receiver::start(language).await;
        let telling = Telling::of(&Uuid::new_v4().to_string(), "redeemed", &json!(25.5));
        let (credits, away) = (credits_in(&receiver.folder), receiver.folder.path().join("away"));
        std::fs::rename(&credits, &away).expect("renamed");
        assert_eq!(receiver.told(&telling).await, 500, "{language:?}");
        std::fs::rename(&away, &credits).expect("renamed");
        assert_eq!(receiver.told(&telling).await, 204, "{language:?}");
        assert_eq!(receiver.recorded().len(), 1, "{language:?}");
    }
}

#[tokio::test]
async fn what_the_proxy_sends_is_credited_by_each_receiver() {
    let here = Language::here().await;
    let mut ran = 0;
    for &language in &here {
        let (receiver, folder) = (Receiver::start(language).await, tempfile::tempdir().expect("a folder"));
        let upstream = Upstream::start(vec![answer(200, "", REDEEMED)]).await;
        let settings = settings(&upstream.url, folder.path(), Duration::from_secs(20));
        let to = notify::receiver(&receiver.url);
        let serving = Serving::start(flexepin_cashier_proxy::Settings { receiver: to, ..settings }).await;
        let attempt = Attempt::new(&serving.endpoint);
        attempt.post().await;
        let credits = credits_in(&receiver.folder).join(format!("{}.json", attempt.key));
        notify::until(async || credits.exists()).await;
        serving.stop().await;
        let line = &receiver.recorded()[&attempt.key];
        let found = ["action", "userId", "value", "currency", "transactionId"].map(|name| line[name].clone());
        let expected = [json!("credit"), json!("user_123"), json!(25.5), json!("EUR"), json!("t-1")];
        assert_eq!(found, expected, "{language:?}: {line}");
        ran += 1;
    }
    assert_eq!(ran, here.len());
}
