//! One voucher at the kit's Mozarto: what is said to its tries, what reached it, and who still waits.

use super::{Says, lock};
use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use mozarto::Amount;
use std::sync::Mutex;
use tokio::sync::watch;

/// Far above what a Pay-In has; a longer body is cut off.
const MAX_BODY_BYTES: usize = 2 << 20;

/// A request as it reached the kit's Mozarto.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What a voucher's tries get, and what became of them.
pub(crate) struct Notes {
    pin: String,
    amount: Amount,
    script: Vec<Says>,
    requests: Mutex<Vec<Received>>,
    counts: watch::Sender<Counts>,
    release: watch::Sender<bool>,
}

/// How many requests have arrived, and how many of their proxies still wait.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) arrived: usize,
    pub(crate) waiting: usize,
}

/// A try that is being answered. Dropped when it has its answer or its proxy has left.
pub(super) struct Running(watch::Sender<Counts>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|counts| counts.waiting -= 1);
    }
}

impl Received {
    /// Reads a request to its end, or not at all.
    pub(super) async fn read(request: Request<Incoming>) -> Option<Self> {
        let (Parts { method, uri, headers, .. }, body) = request.into_parts();
        let body = Limited::new(body, MAX_BODY_BYTES).collect().await.ok()?.to_bytes();
        let headers = headers.iter();
        Some(Self {
            method: method.to_string(),
            path: uri.to_string(),
            headers: headers
                .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    /// The value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// What stands behind `Bearer ` in a header.
    pub(crate) fn bearer(&self, name: &str) -> Option<&str> {
        self.header(name)?.strip_prefix("Bearer ").map(str::trim).filter(|token| !token.is_empty())
    }
}

impl Notes {
    pub(super) fn new(pin: &str, amount: Amount, script: &[Says]) -> Self {
        Self {
            pin: pin.to_owned(),
            amount,
            script: script.to_vec(),
            requests: Mutex::default(),
            counts: watch::Sender::default(),
            release: watch::Sender::default(),
        }
    }

    /// Writes a try down, and gives what it is told and the mark that it still runs.
    pub(super) fn add(&self, received: Received) -> (Says, Running) {
        let mut requests = lock(&self.requests);
        requests.push(received);
        self.counts.send_modify(|counts| {
            counts.arrived += 1;
            counts.waiting += 1;
        });
        let says = self.script.get(requests.len() - 1).or(self.script.last());
        (says.copied().unwrap_or(Says::InvalidPin), Running(self.counts.clone()))
    }

    pub(super) fn text(&self, says: Says) -> (u16, String) {
        says.text(&self.pin, self.amount)
    }

    /// Done when the check lets a held answer go.
    pub(super) async fn released(&self) {
        // The sender is in these notes, which outlive the call.
        let _ = self.release.subscribe().wait_for(|release| *release).await;
    }

    /// Lets held answers go.
    pub(crate) fn release(&self) {
        self.release.send_replace(true);
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Received> {
        lock(&self.requests).clone()
    }

    /// Done when the counts are as wanted.
    pub(crate) async fn until(&self, wanted: impl FnMut(&Counts) -> bool) {
        let _ = self.counts.subscribe().wait_for(wanted).await;
    }
}
