//! Each scripted PIN over a real socket, told as the proxy understands it, and what the ledger says afterwards.

use crate::world::{Got, World, got, request};
use mozarto_sandbox::Sandbox;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// What a try means, and whether the voucher is taken after it.
type Try = (&'static str, bool);

const REDEEMS: Try = ("redeemed", true);
const AGAIN: Try = ("rejected: already-redeemed", true);

#[tokio::test]
async fn each_scripted_pin_plays_its_script() {
    let world = World::start_with(Sandbox { late_answer: Duration::from_millis(50), ..Sandbox::default() }).await;
    let script: [(&str, &[Try]); 20] = [
        ("0000", &[REDEEMS, AGAIN]),
        ("4075", &[("rejected: invalid-pin", false), ("rejected: invalid-pin", false)]),
        ("0410", &[("rejected: already-redeemed", false), ("rejected: already-redeemed", false)]),
        ("0411", &[("rejected: mismatched-amount", false), ("rejected: mismatched-amount", false)]),
        ("0412", &[("rejected: mismatched-currency", false), ("rejected: mismatched-currency", false)]),
        ("0403", &[("invalid-psp-credentials", false), ("invalid-psp-credentials", false)]),
        ("0408", &[("psp-timeout", false), REDEEMS, AGAIN]),
        ("1408", &[("psp-timeout", true), AGAIN]),
        ("0429", &[("rate-limited", false), REDEEMS, AGAIN]),
        ("0503", &[("psp-unavailable", false), ("psp-unavailable", false), REDEEMS, AGAIN]),
        ("0500", &[("server-error", false), REDEEMS, AGAIN]),
        ("1500", &[("server-error", true), AGAIN]),
        ("0599", &[("unknown-error", false), ("unknown-error", false)]),
        ("0444", &[("no-answer", false), REDEEMS, AGAIN]),
        ("1444", &[("no-answer", true), AGAIN]),
        ("1504", &[REDEEMS, AGAIN]),
        ("0502", &[("no-answer", false), ("no-answer", false)]),
        ("0201", &[("no-answer", false), ("no-answer", false)]),
        ("0202", &[("pending", false), ("pending", false)]),
        ("0777", &[("rejected: other", false), ("rejected: other", false)]),
    ];
    for (digits, tries) in script {
        let pin = format!("9900{digits}00000000");
        assert_eq!(world.voucher(&pin).await, Value::Null, "{digits} is not listed before it is tried");
        for (nth, (signal, taken)) in tries.iter().enumerate() {
            let which = format!("{digits}, try {}", nth + 1);
            assert_eq!(world.meaning(&pin).await.signal.to_string(), *signal, "{which}");
            let voucher = world.voucher(&pin).await;
            assert_eq!(voucher["state"], if *taken { "USED" } else { "ACTIVE" }, "{which}");
            assert_eq!(voucher["transactionId"].is_string(), *taken, "{which}");
            assert_eq!(voucher["tries"], nth + 1, "{which}");
        }
    }
}

#[tokio::test]
async fn the_last_eight_digits_make_another_voucher() {
    let world = World::start().await;
    for pin in ["9900040800000000", "9900040812345670"] {
        assert_eq!(world.meaning(pin).await.signal.to_string(), "psp-timeout", "first try");
    }
    assert_eq!(world.meaning("9900999900000000").await.signal.to_string(), "rejected: invalid-pin", "no such script");
    assert_eq!(world.voucher("9900999900000000").await, Value::Null);
}

#[tokio::test]
async fn statuses_and_headers_are_as_documented() {
    let world = World::start().await;
    for (digits, status, content_type) in [
        ("0000", 200, "application/json"),
        ("4075", 400, "application/json"),
        ("0403", 400, "application/json"),
        ("0408", 400, "application/json"),
        ("0503", 400, "application/json"),
        ("0429", 400, "application/json"),
        ("0500", 500, "application/json"),
        ("0599", 500, "application/json"),
        ("0502", 502, "text/html; charset=utf-8"),
        ("0201", 200, "text/html; charset=utf-8"),
        ("0202", 200, "application/json"),
        ("0777", 400, "application/json"),
    ] {
        let got = world.try_pin(&format!("9900{digits}00000001")).await;
        assert_eq!((got.status.as_u16(), got.content_type.as_str()), (status, content_type), "{digits}");
        assert_eq!(got.retry_after.as_deref(), (digits == "0429").then_some("2"), "{digits}");
    }
    assert_eq!(world.try_pin("9900020100000002").await.text, "OK");
}

#[tokio::test]
async fn answers_have_the_fields_of_the_pages_examples() {
    let world = World::start().await;
    let example = |text: &str| serde_json::from_str::<Value>(text).expect("a fixture")["body"].clone();
    macro_rules! fixture {
        ($name:literal) => {
            example(include_str!(concat!("../../../../tests/fixtures/mozarto/replies/", $name, ".json")))
        };
    }
    for (digits, example) in [
        ("0000", fixture!("redeemed")),
        ("4075", fixture!("invalid-voucher-pin")),
        ("0411", fixture!("mismatched-amount")),
        ("0403", fixture!("invalid-psp-credentials")),
        ("0599", fixture!("unknown-psp-error")),
        ("0500", fixture!("internal-error")),
    ] {
        let mut answer = world.try_pin(&format!("9900{digits}00000000")).await.json();
        // Of each redemption its own: the form is checked, then the example's put in its place.
        for (path, digits) in [("/transactionId", 24), ("/data/transactionId", 24), ("/data/serial", 13)] {
            if let (Some(value), Some(example)) = (answer.pointer_mut(path), example.pointer(path)) {
                assert_eq!(value.as_str().map(str::len), Some(digits), "{path}");
                *value = example.clone();
            }
        }
        assert_eq!(answer, example, "{digits}");
    }
}

#[tokio::test]
async fn the_echo_says_the_pin_in_three_forms_everywhere() {
    let world = World::start().await;
    let answer = world.try_pin("9900077712345678").await.json();
    for echo in ["9900077712345678", "9900-0777-1234-5678", "9900 0777 1234 5678"] {
        for field in ["message", "errors", "data"] {
            assert!(answer[field].to_string().contains(echo), "{field} {echo}");
        }
    }
}

#[tokio::test]
async fn a_scripted_voucher_redeems_for_whatever_is_asked() {
    let world = World::start().await;
    let mut body = request("9900000000000003");
    body["baseamount"] = json!(1250);
    body["currency"] = json!("JPY");
    body["currencyCode"] = json!("JPY");
    let answer = got(world.pay_in(&body)).await.expect("an answer").json();
    let data = &answer["data"];
    assert_eq!((&data["value"], &data["currency"]), (&json!(1250.0), &json!("JPY")));
    let voucher = world.voucher("9900000000000003").await;
    assert_eq!((&voucher["value"], &voucher["currency"]), (&json!(1250.0), &json!("JPY")));
    assert_eq!(voucher["transactionId"], data["transactionId"]);
}

#[tokio::test]
async fn a_cut_connection_carries_no_byte() {
    let world = World::start().await;
    for (digits, state) in [("0444", "ACTIVE"), ("1444", "USED")] {
        let pin = format!("9900{digits}00000000");
        let (address, pin_sent) = (world.address, pin.clone());
        let read = tokio::task::spawn_blocking(move || {
            let body = request(&pin_sent).to_string();
            let mut stream = TcpStream::connect(address).expect("a connection");
            stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a valid time-out");
            // An answered request first: what is cut is a connection in use.
            write!(stream, "GET /healthz HTTP/1.1\r\nhost: sandbox\r\n\r\n").expect("sent");
            let mut answer = Vec::new();
            while !answer.ends_with(b"}") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("the health answer");
                answer.push(byte[0]);
            }
            write!(
                stream,
                "POST /v1/api/mozarto/cashier HTTP/1.1\r\nhost: sandbox\r\nauthorization: Bearer sandbox-company\r\n\
                 x-user-authorization: Bearer s\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .expect("sent");
            let mut rest = Vec::new();
            // A reset is an end too; a time-out is not.
            let ended = match stream.read_to_end(&mut rest) {
                Ok(_) => true,
                Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
            };
            (ended, rest)
        });
        assert_eq!(read.await.expect("no panic"), (true, Vec::new()), "{digits}");
        assert_eq!(world.voucher(&pin).await["state"], state, "{digits}");
    }
}

#[tokio::test]
async fn silence_lasts_until_the_client_leaves() {
    let world = World::start().await;
    let waited = got(world.pay_in(&request("9900050400000000")).timeout(Duration::from_millis(300))).await;
    assert!(waited.err().expect("no answer").is_timeout());
    let voucher = world.voucher("9900050400000000").await;
    assert_eq!((&voucher["state"], &voucher["tries"]), (&json!("ACTIVE"), &json!(1)));
}

#[tokio::test]
async fn the_late_answer_comes_after_its_delay() {
    let late_answer = Duration::from_millis(200);
    let world = World::start_with(Sandbox { late_answer, ..Sandbox::default() }).await;
    let asked = Instant::now();
    let answer: Got = world.try_pin("9900150400000000").await;
    assert!(asked.elapsed() >= late_answer);
    let voucher = world.voucher("9900150400000000").await;
    assert_eq!(answer.json()["data"]["transactionId"], voucher["transactionId"]);
}

#[tokio::test]
async fn the_late_voucher_is_taken_before_its_answer() {
    let world = World::start_with(Sandbox { late_answer: Duration::from_hours(1), ..Sandbox::default() }).await;
    let pin = "9900150400000000";
    let waiting = tokio::spawn(got(world.pay_in(&request(pin))));
    while world.voucher(pin).await["state"] != "USED" {
        assert!(!waiting.is_finished(), "no answer yet");
    }
    assert_eq!(world.meaning(pin).await.signal.to_string(), "rejected: already-redeemed");
    waiting.abort();
}
