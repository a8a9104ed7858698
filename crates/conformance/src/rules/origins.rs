//! CORS, where the widget's page is on another origin than the proxy.

use crate::browser::{Got, from_origin};
use crate::kit::{Found, Kit, Stop, ensure, fresh_key};
use reqwest::Method;
use reqwest::header::{ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderValue};

fn origin(kit: &Kit) -> Result<&str, Stop> {
    let missing = || Stop::NotSupported("no origin was given: --origin".to_owned());
    kit.setup().origin.as_deref().ok_or_else(missing)
}

/// The words of a list in a header, in lower case.
fn words(got: &Got, name: &str) -> Vec<String> {
    let values = got.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|word| word.trim().to_ascii_lowercase()).collect()
}

fn has(got: &Got, name: &str, wanted: &[&str]) -> Result<(), Stop> {
    let found = words(got, name);
    let missing: Vec<&&str> = wanted.iter().filter(|word| !found.iter().any(|found| found == *word)).collect();
    ensure!(missing.is_empty(), "{name} lacks {missing:?}");
    Ok(())
}

pub(super) async fn preflight(kit: &Kit) -> Found {
    let origin = origin(kit)?;
    let methods: &[&str] = if kit.keeps { &["get", "post", "delete"] } else { &["post"] };
    for method in methods {
        let mut ask = kit.post_ask(None, None, String::new());
        (ask.method, ask.body, ask.more) = (Method::OPTIONS, None, from_origin(origin));
        let asked = HeaderValue::from_str(&method.to_ascii_uppercase());
        let asked = asked.map_err(|_| Stop::Setup("a method is no header".to_owned()))?;
        ask.more.insert(ACCESS_CONTROL_REQUEST_METHOD, asked);
        let headers = "accept-language,authorization,content-type,idempotency-key";
        ask.more.insert(ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_static(headers));
        let got = kit.ask(ask).await?;
        ensure!((200..300).contains(&got.status), "the preflight of {method} was answered {}", got.status);
        let allowed = got.header("access-control-allow-origin");
        ensure!(allowed == Some(origin), "Access-Control-Allow-Origin is {allowed:?}");
        has(&got, "access-control-allow-methods", &[method])?;
        has(
            &got,
            "access-control-allow-headers",
            &["accept-language", "authorization", "content-type", "idempotency-key"],
        )?;
    }
    Ok("methods and headers of a widget are allowed")
}

pub(super) async fn exposed(kit: &Kit) -> Found {
    let origin = origin(kit)?;
    let (voucher, key) = (kit.unsent(), fresh_key());
    let body = voucher.body(&kit.setup().customer).to_string();
    let mut ask = kit.post_ask(Some(&kit.setup().customer), Some(&key), body);
    ask.more = from_origin(origin);
    let got = kit.ask(ask).await?;
    let allowed = got.header("access-control-allow-origin");
    ensure!(allowed == Some(origin), "an answer's Access-Control-Allow-Origin is {allowed:?}");
    let headers: &[&str] =
        if kit.keeps { &["attempt-key", "retry-after", "idempotency-replayed"] } else { &["retry-after"] };
    has(&got, "access-control-expose-headers", headers)?;
    Ok("what a widget reads is exposed")
}
