//! Deliveries over real sockets: to a receiver that the test plays, of a ledger in memory.

mod books;
mod merchant;

use super::*;
use crate::ledger::RedeemedAs;
use crate::metrics::Alarms;
use books::Books;
use merchant::{Merchant, Play};
use std::future::Future;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Nothing is waited for so long; a test that would need it fails.
const NEVER: Duration = Duration::from_hours(1);
const PATIENT: Times = Times { answer_within: NEVER, look_each: NEVER };

fn courier(url: &str, times: Times) -> Courier {
    let receiver = Receiver::new(url, &SECRET.into()).expect("a receiver");
    let metrics = Arc::new(Metrics::new(&Alarms::default()));
    Courier::hasty(receiver, Arc::new(Clock::new(None)), metrics, times).expect("a client")
}

/// Starts delivering to `url` what the books have.
fn start(url: &str, books: &Arc<Books>, times: Times) -> (Delivering, Arc<Notify>) {
    let written = Arc::default();
    let delivering = Delivering::start(Some(courier(url, times)), Arc::clone(books) as _, Arc::clone(&written));
    (delivering, written)
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), what).await.expect("soon enough")
}

#[tokio::test]
async fn an_outcome_is_posted_signed_and_once() {
    let merchant = Merchant::start(vec![Play::Status(204)]).await;
    let books = Arc::new(Books::of(&[("anna", "redeemed")]));
    let before = Clock::new(None).wall_seconds();
    let (delivering, _) = start(&format!("{}/told?of=flexepin", merchant.url), &books, PATIENT);
    soon(books.until(|books| books.undelivered() == 0)).await;
    delivering.end(NEVER).await;
    let [request] = <[_; 1]>::try_from(merchant.requests()).expect("one request");
    assert!(request.head.starts_with("POST /told?of=flexepin HTTP/1.1\r\n"), "{}", request.head);
    assert_eq!(request.header("content-type"), "application/json");
    let attempt = books.attempt(1);
    assert_eq!(request.header("webhook-id"), format!("outcome-{attempt}"));
    let timestamp: u64 = request.header("webhook-timestamp").parse().expect("seconds");
    assert!((before..=before + 30).contains(&timestamp), "{timestamp}");
    let signature = SigningSecrets::parse(SECRET).expect("a secret").sign(
        &format!("outcome-{attempt}"),
        timestamp,
        request.body.as_bytes(),
    );
    assert_eq!(request.header("webhook-signature"), signature);
    let body: serde_json::Value = serde_json::from_str(&request.body).expect("JSON");
    let expected = json!({
        "type": "flexepin.redeemed",
        "timestamp": "2026-06-09T12:00:00.123Z",
        "data": {
            "sequence": 1, "attempt": attempt, "transactionId": "t-1", "userId": "anna", "currency": "EUR",
            "value": 25.5, "outcome": "redeemed", "at": "2026-06-09T12:00:00.123Z",
        },
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_duplicate_is_told_as_one() {
    let merchant = Merchant::start(vec![Play::Status(200)]).await;
    let books = Arc::new(Books::of(&[("anna", "duplicate")]));
    let (delivering, _) = start(&merchant.url, &books, PATIENT);
    soon(books.until(|books| books.undelivered() == 0)).await;
    delivering.end(NEVER).await;
    assert!(merchant.requests()[0].body.contains(r#""type":"flexepin.duplicate""#));
}

#[tokio::test]
async fn whatever_is_no_2xx_is_not_delivered_and_comes_again_later_and_later() {
    let elsewhere = Merchant::start(vec![Play::Status(200)]).await;
    let plays = [
        Play::Status(500),
        Play::Status(400),
        Play::Status(410),
        Play::Redirect(elsewhere.url.clone()),
        Play::Cut,
        Play::Silence,
        Play::Status(429),
        Play::Status(202),
    ];
    let merchant = Merchant::start(plays.to_vec()).await;
    // Due again at once, whatever pause it is given; the pauses are noted.
    let books = Arc::new(Books::impatient(&[("anna", "redeemed")]));
    let times = Times { answer_within: Duration::from_millis(500), ..PATIENT };
    let (delivering, _) = start(&merchant.url, &books, times);
    soon(books.until(|books| books.undelivered() == 0)).await;
    delivering.end(NEVER).await;
    let pauses = books.pauses();
    assert_eq!(pauses.len(), plays.len() - 1, "{pauses:?}");
    for (pause, seconds) in pauses.iter().zip([5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0]) {
        assert!((0.8 * seconds..=1.2 * seconds).contains(&pause.as_secs_f64()), "{pauses:?}");
    }
    assert_eq!(merchant.requests().len(), plays.len());
    assert_eq!(elsewhere.requests().len(), 0, "no redirect is followed");
    let ids: Vec<_> = merchant.requests().iter().map(|request| request.header("webhook-id")).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "one id for all of them: {ids:?}");
}

#[tokio::test]
async fn nobody_who_listens_is_a_failure_too() {
    let books = Arc::new(Books::of(&[("anna", "redeemed")]));
    let (delivering, _) = start("http://127.0.0.1:1", &books, PATIENT);
    soon(books.until(|books| books.pauses().len() == 1)).await;
    delivering.end(NEVER).await;
    assert_eq!(books.undelivered(), 1);
}

#[test]
fn a_pause_is_an_hour_at_most() {
    for failures in [10, 16, 31, u32::MAX] {
        let pause = pause(failures);
        assert!((LONGEST_PAUSE * 8 / 10..=LONGEST_PAUSE * 12 / 10).contains(&pause), "{failures}: {pause:?}");
    }
    assert!((1..100).any(|_| pause(3) != pause(3)), "they are spread");
}

#[tokio::test]
async fn a_customers_outcomes_come_in_order_though_the_first_fails() {
    let merchant = Merchant::start(vec![Play::Status(500), Play::Status(200)]).await;
    let outcomes = [("anna", "redeemed"), ("anna", "redeemed"), ("anna", "duplicate")];
    let books = Arc::new(Books::impatient(&outcomes));
    let (delivering, _) = start(&merchant.url, &books, PATIENT);
    soon(books.until(|books| books.undelivered() == 0)).await;
    delivering.end(NEVER).await;
    let ids: Vec<_> = merchant.requests().iter().map(|request| request.header("webhook-id")).collect();
    let expected = [1, 1, 2, 3].map(|sequence| format!("outcome-{}", books.attempt(sequence)));
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn eight_are_under_way_at_once_and_no_more() {
    let merchant = Merchant::start(vec![Play::Held]).await;
    let customers: Vec<_> = (0..20).map(|number| format!("customer-{number}")).collect();
    let outcomes: Vec<_> = customers.iter().map(|customer| (customer.as_str(), "redeemed")).collect();
    let books = Arc::new(Books::of(&outcomes));
    // It looks for more all the time, and finds no room.
    let times = Times { look_each: Duration::from_millis(1), ..PATIENT };
    let (delivering, _) = start(&merchant.url, &books, times);
    soon(merchant.until(|requests| requests.len() == 8)).await;
    assert_eq!(books.claimed(), 8);
    merchant.release();
    soon(books.until(|books| books.undelivered() == 0)).await;
    delivering.end(NEVER).await;
    assert_eq!(merchant.requests().len(), 20);
}

#[tokio::test]
async fn an_outcome_is_delivered_when_it_is_poked_and_without_that_a_little_later() {
    for look_each in [NEVER, Duration::from_millis(20)] {
        let merchant = Merchant::start(vec![Play::Status(200)]).await;
        let books = Arc::new(Books::of(&[]));
        let (delivering, written) = start(&merchant.url, &books, Times { look_each, ..PATIENT });
        soon(books.until(|books| books.looks() > 0)).await;
        books.add("anna", "redeemed");
        if look_each == NEVER {
            written.notify_one();
        }
        soon(books.until(|books| books.undelivered() == 0)).await;
        delivering.end(NEVER).await;
    }
}

#[tokio::test]
async fn a_ledger_that_cannot_be_read_for_a_while_delays_and_loses_nothing() {
    let merchant = Merchant::start(vec![Play::Status(200)]).await;
    let books = Arc::new(Books::of(&[("anna", "redeemed"), ("ben", "redeemed")]));
    books.fail(true);
    let times = Times { look_each: Duration::from_millis(20), ..PATIENT };
    let (delivering, _) = start(&merchant.url, &books, times);
    soon(books.until(|books| books.looks() > 1)).await;
    assert_eq!(merchant.requests().len(), 0);
    books.fail(false);
    soon(books.until(|books| books.undelivered() == 0)).await;
    delivering.end(NEVER).await;
}

#[tokio::test]
async fn the_end_waits_for_what_is_under_way_but_not_for_ever() {
    let merchant = Merchant::start(vec![Play::Held]).await;
    let books = Arc::new(Books::of(&[("anna", "redeemed"), ("anna", "redeemed")]));
    let (delivering, _) = start(&merchant.url, &books, PATIENT);
    soon(merchant.until(|requests| requests.len() == 1)).await;
    let ending = tokio::spawn(delivering.end(NEVER));
    merchant.release();
    soon(ending).await.expect("it ends");
    assert_eq!(books.undelivered(), 1, "the first was told and noted, and the second was not begun");
    let silent = Merchant::start(vec![Play::Silence]).await;
    let (delivering, _) = start(&silent.url, &books, PATIENT);
    soon(silent.until(|requests| requests.len() == 1)).await;
    let broken = delivering.broken();
    soon(delivering.end(Duration::from_millis(50))).await;
    assert_eq!(books.undelivered(), 1);
    // Its task is dropped at its next step.
    assert!(timeout(Duration::from_millis(100), broken).await.is_err(), "which is no defect");
}

#[tokio::test]
async fn a_defect_is_noticed() {
    let books = Arc::new(Books::of(&[]));
    books.panic();
    let (delivering, _) = start("http://127.0.0.1:1", &books, PATIENT);
    soon(delivering.broken()).await;
    let nobody = Delivering::start(None, books, Arc::default());
    assert!(timeout(Duration::ZERO, nobody.broken()).await.is_err());
}

#[test]
fn the_documents_example_is_what_is_sent() {
    let document = include_str!("../../../../docs/proxy.md");
    let example =
        document.split_once("```http\n").and_then(|(_, rest)| rest.split_once("\n```")).expect("an example").0;
    let (head, body) = example.split_once("\n\n").expect("head and body");
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).expect(name);
    let timestamp = header("webhook-timestamp").parse().expect("seconds");
    let secrets = SigningSecrets::parse(SECRET).expect("a secret");
    assert!(document.contains(SECRET));
    assert_eq!(header("webhook-signature"), secrets.sign(header("webhook-id"), timestamp, body.as_bytes()));
    let entry = Entry {
        sequence: 1,
        attempt: header("webhook-id").strip_prefix("outcome-").expect("an attempt").to_owned(),
        transaction_id: Some("t-1".to_owned()),
        user_id: Some("user_123".to_owned()),
        redeemed: RedeemedAs { value: Some("25.5".to_owned()), currency: Some("EUR".to_owned()) },
        outcome: "redeemed".to_owned(),
        at: 1_781_006_400_123,
    };
    assert_eq!(serde_json::from_str::<Value>(body).expect("JSON"), event(&entry));
}

#[tokio::test]
async fn a_redemption_is_delivered_at_once_and_not_at_the_next_look() {
    let redeemed = r#"{"isSuccess":true,"data":{"result":"0","value":25.5,"currency":"EUR","transactionId":"t-1"}}"#;
    let (mozarto, merchant) =
        (Merchant::start(vec![Play::Json(redeemed)]).await, Merchant::start(vec![Play::Status(204)]).await);
    let folder = tempfile::tempdir().expect("a folder");
    let database = format!("--database-url=sqlite://{}", folder.path().join("cashier.db").display());
    let args = ["proxy", "--insecure-no-sessions", "--mozarto-url", &mozarto.url, &database];
    let secrets = crate::Secrets {
        company_token: Some("token".into()),
        pin_key: Some("a key of the tests, long enough.".into()),
        ..crate::Secrets::default()
    };
    let settings = crate::Settings::new(clap::Parser::parse_from(args), secrets).expect("complete settings");
    let mut proxy = crate::Proxy::open(settings).await.expect("it opens");
    proxy.courier = Some(courier(&merchant.url, PATIENT));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}/cashier/flexepin", listener.local_addr().expect("an address"));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(crate::serve(listener, proxy, async { drop(stopped.await) }));
    let body = json!({
        "pspType": "FLEXEPIN", "type": "PAYIN", "voucherPin": "9900777712345678", "baseamount": 25.5, "currency": "EUR",
        "currencyCode": "EUR", "userId": "anna", "email": "anna@shop.example",
    });
    let client = courier(&merchant.url, PATIENT).client;
    let post = client.post(endpoint).header("content-type", "application/json").body(body.to_string());
    let answer = post.header("idempotency-key", uuid::Uuid::new_v4().to_string()).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    soon(merchant.until(|requests| requests.len() == 1)).await;
    // Its answer is on its way; the end waits for it.
    drop((stop, client));
    assert_eq!(soon(served).await.expect("no panic"), Ok(()));
    assert!(merchant.requests()[0].body.contains("t-1"));
}
