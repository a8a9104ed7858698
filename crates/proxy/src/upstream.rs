//! Mozarto, as the proxy calls it: one POST is one try. No redirect is followed and nothing is sent a second time.
//!
//! Connections are kept and used again, and two layers below might send again. reqwest's retry policy (what HTTP says was
//! not processed) is set to `never`. hyper-util's client takes another connection for a request that a reused one gave
//! back, and only then: hyper gives a request back only where the connection has not taken it out of its queue, so that
//! not a byte of it was written (`TrySendError::message`; hyper 1.12, `proto/h1/dispatch.rs`, `recv_msg`: once taken it
//! is answered with an error that holds no request). So a connection that Mozarto closed while it was idle costs
//! nothing, and one that closes as the request arrives is a try without an answer, as any cut is. What comes on an idle
//! connection without being asked for closes it and is nobody's answer. A try that is given up takes its connection with
//! it.
//!
//! Source: pages "Flexepin" and "Authentication". Left to others: what the answer means (`mozarto`), and how it is
//! passed on (`reply.rs`).

use crate::args::MozartoUser;
use crate::clock::Clock;
use crate::customer::Customer;
use crate::live::Live;
use crate::requests::{self, REQUEST_ID};
use crate::settings::Settings;
use crate::telemetry;
use crate::user_token;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use mozarto::PayIn;
use reqwest::{Client, Url, redirect, retry};
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tracing::warn;
use zeroize::Zeroizing;

const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// How many connections are kept while nothing is sent on them.
const MOST_IDLE: usize = 64;
/// Shorter than any usual server's own (Node's and Apache's are 5 s): the proxy lets go of an idle connection first, and
/// seldom is one closed under a try.
const IDLE_FOR: Duration = Duration::from_secs(4);
const MAX_BODY_BYTES: usize = 256 * 1024;
/// Room for a whole request from the start: a buffer that grows leaves copies of the PIN behind.
const REQUEST_BYTES: usize = 16 * 1024;
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Mozarto's gateway, with the merchant's credentials.
pub(crate) struct Mozarto {
    client: Client,
    cashier: Url,
    company_token: Live<SecretString>,
    user: MozartoUser,
    clock: Arc<Clock>,
}

/// What came of one try.
pub(crate) enum Sent {
    /// No connection could be made: not a byte has left.
    Not,
    /// It left, and no complete answer came back. The text is for the log and the merchant.
    Lost(&'static str),
    /// An answer, complete, of at most 256 KB.
    Answered(Answered),
}

/// Mozarto's answer.
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<HeaderValue>,
    pub(crate) body: Vec<u8>,
    /// The merchant's and the customer's tokens that were sent, and the parts of those that are JWTs: an answer may echo
    /// them.
    pub(crate) tokens: Vec<Zeroizing<String>>,
}

/// The proxy cannot start.
#[derive(Debug)]
pub struct StartError(pub(crate) String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

impl Mozarto {
    /// The gateway of the settings.
    pub(crate) fn new(settings: &Settings, clock: Arc<Clock>) -> Result<Self, StartError> {
        user_token::check(settings.company_token.now().expose_secret()).map_err(|why| StartError(why.to_owned()))?;
        let mut cashier = settings.mozarto_url.clone();
        let path = format!("{}/v1/api/mozarto/cashier", cashier.path().trim_end_matches('/'));
        cashier.set_path(&path);
        let client = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .pool_max_idle_per_host(MOST_IDLE)
            .pool_idle_timeout(IDLE_FOR)
            .http1_only()
            .connect_timeout(CONNECT_DEADLINE)
            .timeout(settings.times.upstream_deadline)
            .referer(false)
            // A variable meant for another program must not send vouchers and the company token elsewhere.
            .no_proxy()
            .build()
            .map_err(|error| StartError(format!("the HTTP client cannot be set up: {error}")))?;
        Ok(Self { client, cashier, company_token: settings.company_token.clone(), user: settings.mozarto_user, clock })
    }

    /// Sends one try.
    pub(crate) async fn send(&self, pay_in: &PayIn, customer: &Customer) -> Sent {
        let mut body = Zeroizing::new(Vec::with_capacity(REQUEST_BYTES));
        let (Ok(()), Some(headers)) = (serde_json::to_writer(&mut *body, pay_in), self.headers(customer)) else {
            return Sent::Not;
        };
        let tokens = tokens_of(&headers);
        let request = self.client.post(self.cashier.clone()).headers(headers).body(Bytes::from_owner(body));
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let (connect, timeout) = (error.is_connect(), error.is_timeout());
                // For the operator: refused, unknown host, wrong certificate. These errors hold nothing of what was
                // sent.
                warn!(cause = format!("{:#}", anyhow::Error::new(error.without_url())), "Mozarto did not answer");
                return match (connect, timeout) {
                    (true, _) => Sent::Not,
                    (_, true) => Sent::Lost("Mozarto did not answer in time"),
                    _ => Sent::Lost("The connection to Mozarto was cut before an answer"),
                };
            }
        };
        let status = response.status();
        let retry_after = response.headers().get(header::RETRY_AFTER).cloned();
        match body_of(response).await {
            Ok(body) => Sent::Answered(Answered { status, retry_after, body, tokens }),
            Err(why) => Sent::Lost(why),
        }
    }

    /// `None` where a token is no header, which the settings have ruled out.
    fn headers(&self, customer: &Customer) -> Option<HeaderMap> {
        let company_token = self.company_token.now();
        let bearer = |token: &str| {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
            value.set_sensitive(true);
            Some(value)
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, bearer(company_token.expose_secret())?);
        match self.user {
            MozartoUser::Token => headers.insert(
                "x-user-token",
                bearer(&user_token::minted(customer, company_token.expose_secret(), self.clock.wall_seconds())?)?,
            ),
            MozartoUser::Session => {
                headers.insert("x-user-authorization", bearer(customer.bearer.as_ref()?.expose_secret())?)
            }
        };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let traceparent = telemetry::traceparent().and_then(|text| HeaderValue::from_str(&text).ok());
        headers.extend(requests::request_id().map(|id| (REQUEST_ID, id)));
        headers.extend(traceparent.map(|traceparent| (TRACEPARENT, traceparent)));
        Some(headers)
    }
}

/// TLS to other servers.
pub(crate) fn tls() -> Result<ClientConfig, StartError> {
    // Mozilla's roots, compiled in: a bare container has no certificates of its own.
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StartError(format!("TLS cannot be set up: {error}")))?;
    Ok(tls.with_root_certificates(roots).with_no_client_auth())
}

/// The secrets among the headers, whole first.
fn tokens_of(headers: &HeaderMap) -> Vec<Zeroizing<String>> {
    let sent = headers.values().filter(|value| value.is_sensitive()).filter_map(|value| value.to_str().ok());
    let whole: Vec<&str> = sent.map(|value| value.trim_start_matches("Bearer ")).collect();
    let parts = whole.iter().flat_map(|token| token.split('.'));
    // A shorter one may be any word of the answer.
    let told_apart = whole.iter().copied().chain(parts).filter(|token| token.len() >= 16);
    told_apart.map(|token| Zeroizing::new(token.to_owned())).collect()
}

async fn body_of(mut response: reqwest::Response) -> Result<Vec<u8>, &'static str> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(body),
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_BODY_BYTES => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err("Mozarto's answer is over 256 KB"),
            Err(error) if error.is_timeout() => return Err("Mozarto did not finish its answer in time"),
            Err(_) => return Err("The connection to Mozarto was cut within an answer"),
        }
    }
}
