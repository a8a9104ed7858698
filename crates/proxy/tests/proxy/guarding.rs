//! What every answer has, which pages may call, and what is refused whatever it asks for.

use crate::shop::{Browser, claims, with};
use crate::world::{
    Attempt, PIN, REDEEMED, SHOP, Serving, Upstream, answer, ask, before, body, client, post, post_as, read, settings,
};
use flexepin_cashier_proxy::{Limits, Settings};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

const SQL: &str = "'; DROP TABLE attempts; --";

fn host_of(endpoint: &str) -> &str {
    endpoint.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("an address").0
}

#[tokio::test]
async fn every_answer_has_the_headers_of_data_that_is_nobodys_page() {
    let (endpoint, _upstream) = before(vec![answer(200, "", REDEEMED)]).await;
    let root = endpoint.replace("/cashier/flexepin", "");
    let attempt = format!("{endpoint}/{}", Uuid::new_v4());
    for (method, url, origin) in [
        ("GET", format!("{root}/healthz"), None),
        ("GET", format!("{root}/nothing"), None),
        ("GET", format!("{root}/outcomes"), None),
        ("PUT", attempt.clone(), None),
        ("GET", attempt.clone(), None),
        ("GET", attempt.clone(), Some(SHOP)),
        ("GET", attempt.clone(), Some("https://evil.example")),
        ("OPTIONS", attempt, Some(SHOP)),
        ("POST", endpoint.clone(), None),
        ("POST", endpoint.clone(), Some(SHOP)),
    ] {
        let request = client().request(method.parse().expect("a method"), &url);
        let request = if let Some(origin) = origin { request.header("origin", origin) } else { request };
        let answer = request.send().await.expect("an answer");
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", if origin == Some(SHOP) { "cross-origin" } else { "same-origin" }),
            ("strict-transport-security", ""),
        ] {
            assert_eq!(header(name), value, "{name} of {method} {url} from {origin:?}");
        }
    }
}

#[tokio::test]
async fn a_page_of_a_foreign_origin_asks_in_vain() {
    let (endpoint, upstream) = before(vec![answer(200, "", REDEEMED)]).await;
    let key = Uuid::new_v4().to_string();
    let own = format!("http://{}", host_of(&endpoint));
    let request = |method: Method, url: &str, origin: &str| {
        let request = client().request(method, url).header("origin", origin).header("idempotency-key", &key);
        request.header("content-type", "application/json").body(body().to_string())
    };
    let attempt = format!("{endpoint}/{key}");
    for origin in ["https://evil.example", "null", "http://127.0.0.1", "https://shop.example.evil.example", SQL] {
        for (method, url) in [(Method::POST, &endpoint), (Method::GET, &attempt), (Method::DELETE, &attempt)] {
            let (status, refused) = read(request(method, url, origin).send().await.expect("an answer")).await;
            let message = refused["message"].as_str().unwrap_or_default();
            assert!(status == 403 && refused.get("errorCode").is_none(), "{origin}: {refused}");
            assert!(message.contains("--allow-origin") && refused["isSuccess"] == false, "{refused}");
        }
    }
    assert!(upstream.requests().is_empty());
    assert_eq!(ask("GET", &endpoint, &key).await.status(), 404, "nothing was recorded or closed");
    for origin in [SHOP, own.as_str()] {
        assert_eq!(request(Method::GET, &attempt, origin).send().await.expect("an answer").status(), 404, "{origin}");
    }
    let behind_a_proxy =
        request(Method::POST, &endpoint, "https://www.shop.example").header("sec-fetch-site", "same-origin");
    assert_eq!(behind_a_proxy.send().await.expect("an answer").status(), 200, "the browser says it is the same");
}

#[tokio::test]
async fn sql_in_any_field_is_text_or_refused_and_the_ledger_stays_whole() {
    let upstream = Upstream::start(vec![answer(200, "", r#"{"isSuccess":false}"#)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let settings = crate::shop::settings(&upstream.url, folder.path(), &["--limit-address=0", "--limit-customer=0"]);
    let serving = Serving::start(settings).await;
    for claim in ["sub", "jti", "brandId", "firstName", "lastName", "phone", "countryCode"] {
        let browser = Browser::of(&serving.endpoint, &with(claims("user_123", claim), claim, json!(SQL)));
        let mut sent = body();
        if claim == "sub" || claim == "brandId" {
            sent[if claim == "sub" { "userId" } else { claim }] = json!(SQL);
        }
        let key = Uuid::new_v4().to_string();
        assert_eq!(browser.post(&key, &sent).await.status, 200, "{claim}");
        assert_eq!(browser.get(&key).await.status, 200, "{claim}");
    }
    let arrived = upstream.requests().len();
    for field in ["pspType", "type", "voucherPin", "baseamount", "currency", "currencyCode", "email"] {
        let browser = Browser::of(&serving.endpoint, &claims("user_123", "s-9"));
        let said = browser.post(&Uuid::new_v4().to_string(), &with(body(), field, json!(SQL))).await;
        assert_eq!(said.status, 400, "{field}");
        assert!(!said.body.to_string().contains("DROP"), "no value is quoted: {}", said.body);
    }
    for path in ["' OR 1=1 --", "%27%20OR%201=1"] {
        let url = format!("{}/{path}", serving.endpoint);
        assert_eq!(client().get(url).send().await.expect("an answer").status(), 400, "no key");
    }
    let anna = Browser::of(&serving.endpoint, &claims("user_123", "s-9"));
    let response = client().post(&serving.endpoint).bearer_auth(&anna.token).header("idempotency-key", SQL);
    let response = response.header("content-type", "application/json").body(body().to_string());
    assert_eq!(response.send().await.expect("an answer").status(), 400);
    assert_eq!(upstream.requests().len(), arrived);
    serving.stop().await;
}

#[tokio::test]
async fn nul_and_broken_utf_8_are_refused_in_bodies_and_headers() {
    let (endpoint, upstream) = before(vec![answer(200, "", REDEEMED)]).await;
    let text = body().to_string();
    let replaced = |by: &[u8]| {
        let at = text.find("user_123").expect("the customer");
        [&text.as_bytes()[..at], by, &text.as_bytes()[at + 8..]].concat()
    };
    let twice = text.replacen('{', r#"{"userId":"other","#, 1).into_bytes();
    for (what, sent) in [
        ("NUL", replaced(b"\0")),
        ("NUL, escaped", replaced(b"\\u0000")),
        ("broken UTF-8", replaced(b"\xff")),
        ("overlong UTF-8", replaced(b"\xc0\xaf")),
        ("a surrogate", replaced(b"\xed\xa0\x80")),
        ("a lone surrogate, escaped", replaced(b"\\ud800")),
        ("UTF-16", [b"\xff\xfe".as_slice(), text.as_bytes()].concat()),
        ("a field twice", twice),
    ] {
        let (status, refused) = read(post(&endpoint, sent).await).await;
        assert_eq!((status, &refused["message"]), (400, &json!("Validation failed")), "{what}: {refused}");
    }
    for (what, value, status) in [
        ("broken UTF-8 in the key", b"\xff\xfe".as_slice(), Some(400)),
        ("a NUL in the key", b"0b5a9e1c-7a64-4a83-9b3e-0d5b6f1f2a3b\0", None),
    ] {
        let length = text.len();
        let head = format!(
            "POST /cashier/flexepin HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
        );
        let sent =
            [head.as_bytes(), b"Idempotency-Key: ", value, b"\r\nConnection: close\r\n\r\n", text.as_bytes()].concat();
        let said = exchange(&endpoint, &sent).await;
        assert!(said.is_empty() || said.starts_with(&format!("HTTP/1.1 {} ", status.unwrap_or(400))), "{what}: {said}");
    }
    assert!(upstream.requests().is_empty());
}

/// All that a connection says until it ends.
async fn exchange(endpoint: &str, sent: &[u8]) -> String {
    let mut connection = TcpStream::connect(host_of(endpoint)).await.expect("a connection");
    // A server that has seen enough may close before all is written, and a reset is an end, too.
    let _ = connection.write_all(sent).await;
    let mut said = Vec::new();
    let _ = connection.read_to_end(&mut said).await;
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn floods_of_heads_and_bodies_are_cut_off() {
    let (endpoint, upstream) = before(vec![answer(200, "", REDEEMED)]).await;
    let head = "GET /healthz HTTP/1.1\r\nHost: a\r\n";
    for (what, sent) in [
        ("a header of 64 KB", format!("{head}X: {}\r\n\r\n", "a".repeat(64 * 1024))),
        ("64 KB of headers", format!("{head}{}\r\n", format!("X: {}\r\n", "a".repeat(1000)).repeat(64))),
        ("1000 headers", format!("{head}{}\r\n", "X: a\r\n".repeat(1000))),
        ("a path of 64 KB", format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(64 * 1024))),
    ] {
        let said = exchange(&endpoint, sent.as_bytes()).await;
        let is_refused = ["431", "414", "400"].iter().any(|status| said.starts_with(&format!("HTTP/1.1 {status} ")));
        assert!(said.is_empty() || is_refused, "{what}: {said}");
    }
    let post = "POST /cashier/flexepin HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nIdempotency-Key: 0b5a9e1c-7a64-4a83-9b3e-0d5b6f1f2a3b\r\nConnection: close\r\n";
    for (what, sent) in [
        ("a length of 1 GB", format!("{post}Content-Length: 1000000000\r\n\r\n{}", " ".repeat(20_000))),
        (
            "endless chunks",
            format!(
                "{post}Transfer-Encoding: chunked\r\n\r\n{}",
                format!("400\r\n{}\r\n", " ".repeat(1024)).repeat(64)
            ),
        ),
    ] {
        let said = exchange(&endpoint, sent.as_bytes()).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 413 "), "{what}: {said}");
    }
    assert!(upstream.requests().is_empty());
    assert_eq!(Attempt::new(&endpoint).post().await.status, 200, "others are served");
}

#[tokio::test]
async fn limits_of_body_and_connections_are_settings() {
    let upstream = Upstream::start(vec![answer(200, "", REDEEMED)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let usual = settings(&upstream.url, folder.path(), Duration::from_secs(20));
    let limits = Limits { body_bytes: body().to_string().len(), connections: 1, ..usual.limits };
    let serving = Serving::start(Settings { limits, ..usual }).await;
    let (status, refused) = read(post(&serving.endpoint, format!("{} ", body())).await).await;
    assert_eq!((status, &refused["isSuccess"]), (413, &Value::Bool(false)));
    assert_eq!(post_as(&serving.endpoint, &Uuid::new_v4().to_string(), body().to_string()).await.status(), 200);
    // The one place is taken; what comes next waits for it.
    let mut first = TcpStream::connect(host_of(&serving.endpoint)).await.expect("a connection");
    first.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("written");
    let mut byte = [0];
    first.read_exact(&mut byte).await.expect("an answer");
    let endpoint = serving.endpoint.clone();
    let mut second = tokio::spawn(async move {
        exchange(&endpoint, b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await
    });
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut second).await.is_err(), "it is not answered");
    drop(first);
    let said = tokio::time::timeout(Duration::from_secs(30), second).await.expect("it is answered").expect("no panic");
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    assert!(!upstream.requests()[0].1.is_empty() && !said.contains(PIN));
    serving.stop().await;
}
