//! One status ask: the merchant's `beforeSubmit` first, where there is one, then GET or DELETE. A DELETE is sent by one
//! tab at a time, and never while another posts.

use super::http::{self, Posted};
use super::{before_submit, lock};
use gloo_timers::future::TimeoutFuture;
use js_sys::Function;
use redemption::{Method, Permission, StatusAsk};
use std::future::poll_fn;
use std::pin::pin;
use web_sys::{AbortController, RequestCredentials};

/// How long the merchant's `beforeSubmit` may take.
const BEFORE_SUBMIT_MS: u32 = 10_000;

/// Always comes back: with no answer where none can be had.
pub(crate) async fn ask(ask: &StatusAsk, callback: Option<Function>, credentials: RequestCredentials) -> Posted {
    let (headers, token) = match callback.filter(|_| ask.before_submit) {
        None => (Vec::new(), None),
        Some(callback) => match permission(&callback, ask).await {
            Permission::Granted { headers, session_token } => (headers, session_token),
            Permission::Refused => return Posted::none(),
        },
    };
    let sent = http::ask(ask, &headers, token.as_ref(), credentials);
    match ask.method {
        Method::Get => sent.await,
        Method::Delete => lock::alone(&ask.ask.attempt, sent).await.unwrap_or_else(Posted::in_progress),
    }
}

async fn permission(callback: &Function, ask: &StatusAsk) -> Permission {
    // One controller is there in every supported browser.
    let Ok(controller) = AbortController::new() else { return Permission::Refused };
    let signal = controller.signal();
    let mut answer = pin!(before_submit::ask(callback, &ask.ask, &signal));
    let mut limit = pin!(TimeoutFuture::new(BEFORE_SUBMIT_MS));
    poll_fn(|context| {
        let in_time = answer.as_mut().poll(context);
        if in_time.is_ready() {
            return in_time;
        }
        limit.as_mut().poll(context).map(|()| {
            controller.abort();
            Permission::Refused
        })
    })
    .await
}
