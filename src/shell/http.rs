//! One try: one POST to the merchant's proxy, and its answer as a type. One status ask: a GET or DELETE of the attempt.
//! Never retries, never follows a redirect.
//!
//! The body is written by the browser's `JSON` and read by `Response.json()`, so no JSON parser is in the wasm.

use crate::object::{object, set};
use js_sys::{Array, Date, Function, JSON, Object, Promise, Reflect, Uint8Array};
use mozarto::{Answer, ErrorCode, Reply};
use redemption::{AttemptKey, Keeping, Method, Request, Secret, StatusAsk};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Blob, Headers, ReadableStreamDefaultReader, Response};

/// `same-origin` or `include`, as `fetch` has it.
pub(crate) type Credentials = &'static str;

/// A longer body is not the documented JSON.
const MAX_BODY_BYTES: f64 = 256.0 * 1024.0;

/// What came back, and whether the proxy says that it keeps the attempt.
pub(crate) struct Posted {
    pub(crate) answer: Answer,
    pub(crate) keeping: Keeping,
}

impl Posted {
    pub(super) fn none() -> Self {
        Self { answer: Answer::none(), keeping: Keeping::No }
    }

    /// What this page itself says in the proxy's words.
    fn ours(code: ErrorCode, keeping: Keeping) -> Self {
        let reply = Reply { is_success: Some(false), error_code: Some(code), ..Reply::default() };
        Self { answer: Answer { reply: Some(reply), ..Answer::none() }, keeping }
    }

    /// Another tab is sending for this attempt: what the proxy would say, said without asking it.
    pub(crate) fn in_progress() -> Self {
        Self::ours(ErrorCode::AttemptInProgress, Keeping::Kept)
    }
}

/// Posts one try. Always comes back: with [`Answer::none`] where no answer can be had.
pub(crate) async fn post(request: &Request, credentials: Credentials) -> Posted {
    let Ok(built) = posting(request, credentials) else {
        // The browser refused to make the request: nothing left the page. The value may be a secret, so it is not named.
        let text = "flexepin-cashier: nothing was sent: session-token, or a header that beforeSubmit gave, cannot be a header.";
        web_sys::console::error_1(&text.into());
        return Posted::ours(ErrorCode::NotSent, Keeping::No);
    };
    send(&built, &request.attempt).await
}

/// Asks what became of an attempt, with what `beforeSubmit` gave.
pub(super) async fn ask(
    ask: &StatusAsk,
    headers: &[(String, Secret)],
    session_token: Option<&Secret>,
    credentials: Credentials,
    signal: &AbortSignal,
) -> Posted {
    match asking(ask, headers, session_token, credentials, signal) {
        Ok(built) => send(&built, &ask.ask.attempt).await,
        Err(_) => Posted::none(),
    }
}

async fn send(request: &web_sys::Request, attempt: &AttemptKey) -> Posted {
    let Ok(response) = fetch(request).await else { return Posted::none() };
    let header = |name: &str| response.headers().get(name).ok().flatten();
    let kept = header("Attempt-Key").is_some_and(|key| key.eq_ignore_ascii_case(attempt.as_str()));
    let keeping = match header("Idempotency-Replayed").as_deref() {
        _ if !kept => Keeping::No,
        Some("true") => Keeping::Replayed,
        _ => Keeping::Kept,
    };
    let answer = read(response).await;
    if answer.reply.is_none() {
        let status = answer.status;
        let text = format!(
            "flexepin-cashier: the endpoint answered {status} without readable JSON: is it the proxy's address?"
        );
        web_sys::console::warn_1(&text.into());
    }
    Posted { answer, keeping }
}

/// The page's `fetch`, which monitoring scripts wrap: whatever it throws or rejects with is caught, and means no
/// answer.
async fn fetch(request: &web_sys::Request) -> Result<Response, JsValue> {
    let window = js_sys::global();
    let fetch: Function = Reflect::get(&window, &"fetch".into())?.dyn_into()?;
    JsFuture::from(Promise::resolve(&fetch.call1(&window, request)?)).await?.dyn_into()
}

/// Reads a response. Its body is looked at up to 256 KB.
pub(crate) async fn read(response: Response) -> Answer {
    let retry_after = response.headers().get("Retry-After").ok().flatten();
    Answer {
        status: response.status(),
        retry_after: retry_after.and_then(|value| wait(&value)),
        reply: json(response)
            .await
            .and_then(|body| Reply::deserialize(serde_wasm_bindgen::Deserializer::from(body)).ok()),
    }
}

fn posting(request: &Request, credentials: Credentials) -> Result<web_sys::Request, JsValue> {
    let token = request.session_token.as_ref();
    let (init, headers) = build("POST", &request.headers, token, credentials)?;
    headers.set("Content-Type", "application/json")?;
    headers.set("Idempotency-Key", request.attempt.as_str())?;
    let body = request.pay_in.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?;
    set(&init, "body", &JSON::stringify(&body)?.into());
    web_sys::Request::new_with_str_and_init(&request.endpoint, init.unchecked_ref())
}

fn asking(
    ask: &StatusAsk,
    headers: &[(String, Secret)],
    session_token: Option<&Secret>,
    credentials: Credentials,
    signal: &AbortSignal,
) -> Result<web_sys::Request, JsValue> {
    let method = match ask.method {
        Method::Get => "GET",
        Method::Delete => "DELETE",
    };
    let (init, _) = build(method, headers, session_token.or(ask.session_token.as_ref()), credentials)?;
    set(&init, "signal", signal);
    // The key is a path segment, before any query. The endpoint is a URL as the browser writes it, without a fragment.
    let (path, query) = ask.endpoint.split_at(ask.endpoint.find('?').unwrap_or(ask.endpoint.len()));
    let url = format!("{}/{}{query}", path.trim_end_matches('/'), ask.ask.attempt.as_str());
    web_sys::Request::new_with_str_and_init(&url, init.unchecked_ref())
}

/// What every request has, and its headers.
fn build(
    method: &str,
    headers: &[(String, Secret)],
    session_token: Option<&Secret>,
    credentials: Credentials,
) -> Result<(Object, Headers), JsValue> {
    let all = Headers::new()?;
    for (name, value) in headers {
        all.set(name, value.expose())?;
    }
    if let Some(token) = session_token {
        all.set("Authorization", &format!("Bearer {}", token.expose()))?;
    }
    // By name: the browser's typed setters would bring the words of four lists into the page's script.
    let init = object(&[
        ("method", method.into()),
        ("headers", (&all).into()),
        ("redirect", "error".into()),
        ("cache", "no-store".into()),
        ("referrerPolicy", "no-referrer".into()),
        ("credentials", credentials.into()),
        // The request outlives the page: a customer who leaves has not stopped it.
        ("keepalive", true.into()),
    ]);
    Ok((init, all))
}

/// The body as the browser's JSON parser reads it; `None` where it is no JSON, was cut short or is too long.
async fn json(response: Response) -> Option<JsValue> {
    let body = response.body()?;
    // Somebody who wraps the page's `fetch` has read it: `getReader` would throw.
    if response.body_used() || body.locked() {
        return None;
    }
    let reader: ReadableStreamDefaultReader = body.get_reader().dyn_into().ok()?;
    let chunks = Array::new();
    let mut bytes = 0.0;
    loop {
        let read = JsFuture::from(reader.read()).await.ok()?;
        if Reflect::get(&read, &"done".into()).ok()?.is_truthy() {
            break;
        }
        let chunk: Uint8Array = Reflect::get(&read, &"value".into()).ok()?.dyn_into().ok()?;
        bytes += f64::from(chunk.length());
        if bytes > MAX_BODY_BYTES {
            // Nobody waits for the rest; that it could not be stopped changes nothing.
            let _ = reader.cancel();
            return None;
        }
        chunks.push(&chunk);
    }
    let body = Blob::new_with_u8_array_sequence(&chunks).ok()?;
    JsFuture::from(Response::new_with_opt_blob(Some(&body)).ok()?.json().ok()?).await.ok()
}

/// `Retry-After`: seconds, or a date.
fn wait(value: &str) -> Option<Duration> {
    let seconds = value.trim().parse::<u32>().map_or_else(|_| (Date::parse(value) - Date::now()) / 1000.0, f64::from);
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}
