//! Every answer of a run, for the rules that hold of all of them.

use crate::browser::{Ask, Got};
use crate::upstream::lock;
use reqwest::Method;
use std::sync::Mutex;
use url::Url;
use uuid::Uuid;

/// What was asked, as far as a rule about all answers wants to know.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// The attempt, in lower case, where the request names one without quotes.
    pub(crate) attempt: Option<String>,
}

/// The answers so far.
#[derive(Default)]
pub(crate) struct Observed(Mutex<Vec<(Asked, Got)>>);

impl Observed {
    pub(crate) fn add(&self, asked: Asked, got: &Got) {
        lock(&self.0).push((asked, got.clone()));
    }

    pub(crate) fn answers(&self) -> Vec<(Asked, Got)> {
        lock(&self.0).clone()
    }
}

/// What a request asks for.
pub(crate) fn asked(ask: &Ask<'_>, endpoint: &Url) -> Asked {
    let in_path = ask.url.path().strip_prefix(endpoint.path().trim_end_matches('/')).unwrap_or_default();
    let key = match ask.method {
        Method::POST => ask.key.unwrap_or_default(),
        Method::GET | Method::DELETE => in_path.trim_start_matches('/'),
        _ => "",
    };
    Asked { method: ask.method.clone(), attempt: Uuid::try_parse(key).ok().map(|key| key.to_string()) }
}
