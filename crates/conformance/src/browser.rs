//! The browser that the kit plays: it asks as the widget asks, once, and follows nothing. What came back is a [`Got`].

use crate::Customer;
use mozarto::{Answer, ErrorCode, Reply, Signal};
use reqwest::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use reqwest::{Client, Method, redirect, retry};
use std::time::{Duration, Instant};
use url::Url;

/// The name under which the widget sends an attempt's key.
pub(crate) const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// One request.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// `Idempotency-Key`, as it is written.
    pub(crate) key: Option<&'a str>,
    pub(crate) who: Option<&'a Customer>,
    /// Sent as JSON.
    pub(crate) body: Option<String>,
    /// Headers beyond those of a widget on the proxy's own origin.
    pub(crate) more: HeaderMap,
}

/// An answer, complete.
#[derive(Clone)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) took: Duration,
}

impl Got {
    /// A header's value, where it is there once and readable.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The documented JSON, where the body is it.
    pub(crate) fn reply(&self) -> Option<Reply> {
        serde_json::from_slice(&self.body).ok()
    }

    pub(crate) fn code(&self) -> Option<ErrorCode> {
        self.reply()?.error_code
    }

    /// What the widget takes it for.
    pub(crate) fn signal(&self) -> Signal {
        Answer { status: self.status, retry_after: None, reply: self.reply() }.meaning().signal
    }

    /// Whether it is the proxy's word for an answer that was lost: 504 in Mozarto's error shape without `errorCode`.
    pub(crate) fn is_lost_answer(&self) -> bool {
        self.status == 504
            && self.reply().is_some_and(|reply| reply.is_success == Some(false) && reply.error_code.is_none())
    }

    /// Status and meaning, for a line of why. Holds nothing of the body but a documented word.
    pub(crate) fn brief(&self) -> String {
        let meaning = self.signal().to_string();
        match self.code() {
            Some(ErrorCode::Other(_)) => format!("{} with an unknown errorCode", self.status),
            Some(code) => format!("{} {code}", self.status),
            None if self.reply().is_none() => format!("{} without the documented JSON", self.status),
            None => format!("{} ({meaning})", self.status),
        }
    }
}

/// A client that sends each request once, on a connection of its own.
pub(crate) fn client(longest: Duration) -> reqwest::Result<Client> {
    // Fails where another run of this process was first, and then it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .pool_max_idle_per_host(0)
        .no_proxy()
        .timeout(longest)
        .build()
}

/// Sends one request. The error is the text of what went wrong, without the URL.
pub(crate) async fn send(client: &Client, ask: Ask<'_>) -> Result<Got, String> {
    let began = Instant::now();
    let mut request = client.request(ask.method, ask.url).header(ACCEPT_LANGUAGE, "en");
    if let Some(who) = ask.who {
        request = request.headers(who.headers.clone());
    }
    if let Some(key) = ask.key {
        request = request.header(KEY, key);
    }
    if let Some(body) = ask.body {
        request = request.header(CONTENT_TYPE, "application/json").body(body);
    }
    let text = |error: reqwest::Error| {
        if error.is_timeout() {
            "no answer in time".to_owned()
        } else {
            format!("{:#}", anyhow::Error::new(error.without_url()))
        }
    };
    let response = request.headers(ask.more).send().await.map_err(text)?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.bytes().await.map_err(text)?.to_vec();
    Ok(Got { status, headers, body, took: began.elapsed() })
}

/// The header by which a page of another origin asks.
pub(crate) fn from_origin(origin: &str) -> HeaderMap {
    HeaderValue::from_str(origin).map(|origin| HeaderMap::from_iter([(ORIGIN, origin)])).unwrap_or_default()
}
