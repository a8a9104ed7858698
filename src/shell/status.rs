//! One status ask: the merchant's `beforeSubmit` first, where there is one, then GET or DELETE. A DELETE is never sent
//! while another tab may be posting.

use super::before_submit;
use super::http::{self, Posted};
use super::lock::{self, Guard};
use gloo_timers::future::TimeoutFuture;
use js_sys::Function;
use redemption::{Method, Permission, StatusAsk};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use web_sys::{AbortController, RequestCredentials};

/// How long the merchant's `beforeSubmit` may take.
const BEFORE_SUBMIT_MS: u32 = 10_000;

/// Always comes back: with no answer where none can be had. `held` is the right to send, where this tab has it.
pub(crate) async fn ask(
    ask: &StatusAsk,
    callback: Option<Function>,
    credentials: RequestCredentials,
    held: Option<Rc<Guard>>,
) -> Posted {
    let (headers, token) = match callback.filter(|_| ask.before_submit) {
        None => (Vec::new(), None),
        Some(callback) => match permission(&callback, ask).await {
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
    let posted = http::ask(ask, &headers, token.as_ref(), credentials).await;
    drop((held, acquired));
    posted
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
