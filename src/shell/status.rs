//! One status ask: the merchant's `beforeSubmit` first, where there is one, then GET or DELETE. A DELETE is never sent
//! while another tab may be posting.

use super::before_submit::{self, Asked};
use super::http::{self, Credentials, Posted};
use super::lock::{self, Guard};
use gloo_timers::callback::Timeout;
use gloo_timers::future::TimeoutFuture;
use redemption::{Method, Permission, StatusAsk};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use web_sys::AbortController;

/// How long the merchant's `beforeSubmit` may take.
const BEFORE_SUBMIT_MS: u32 = 10_000;
/// How long the proxy may take: its answer is there or is not.
const ASK_MS: u32 = 15_000;

/// Always comes back: with no answer where none can be had, or where `stop` is aborted. `held` is the right to send, where
/// this tab has it.
pub(crate) async fn ask(
    ask: &StatusAsk,
    callback: Option<Asked>,
    credentials: Credentials,
    held: Option<Rc<Guard>>,
    stop: &AbortController,
) -> Posted {
    let (headers, token) = match callback.filter(|_| ask.before_submit) {
        None => (Vec::new(), None),
        Some(callback) => match permission(&callback, ask, stop).await {
            Permission::Granted { headers, session_token } => (headers, session_token),
            Permission::Refused => return Posted::none(),
        },
    };
    let mut acquired = None;
    if ask.method == Method::Delete && held.is_none() {
        acquired = lock::acquire(&ask.ask.attempt).await;
        if acquired.is_none() {
            return Posted::in_progress();
        }
    }
    let late = stop.clone();
    let limit = Timeout::new(ASK_MS, move || late.abort());
    let posted = http::ask(ask, &headers, token.as_ref(), credentials, &stop.signal()).await;
    drop((limit, held, acquired));
    posted
}

async fn permission(callback: &Asked, ask: &StatusAsk, stop: &AbortController) -> Permission {
    let signal = stop.signal();
    let mut answer = pin!(before_submit::ask(callback, &ask.ask, &signal));
    let mut limit = pin!(TimeoutFuture::new(BEFORE_SUBMIT_MS));
    poll_fn(|context| {
        let in_time = answer.as_mut().poll(context);
        if in_time.is_ready() {
            return in_time;
        }
        limit.as_mut().poll(context).map(|()| {
            stop.abort();
            Permission::Refused
        })
    })
    .await
}
