//! Checkout sessions, where the merchant uses them: the kit knows by being given one.

use crate::kit::{Found, Kit, Stop, ensure, fresh_key};
use mozarto::Signal;

fn needs_sessions(kit: &Kit) -> Result<(), Stop> {
    let sessions = !kit.setup().customer.headers.is_empty();
    if sessions { Ok(()) } else { Err(Stop::NotSupported("no session was given: --header".to_owned())) }
}

pub(super) async fn required(kit: &Kit) -> Found {
    needs_sessions(kit)?;
    let voucher = kit.unsent();
    let key = fresh_key();
    let body = voucher.body(&kit.setup().customer).to_string();
    let got = kit.ask(kit.post_ask(None, Some(&key), body)).await?;
    kit.sent(&voucher, 0)?;
    ensure!(got.signal() == Signal::SessionRefused, "it was answered {}, and not SESSION_REQUIRED", got.brief());
    Ok("without a session: SESSION_REQUIRED or SESSION_EXPIRED")
}

pub(super) async fn decides(kit: &Kit) -> Found {
    needs_sessions(kit)?;
    let voucher = kit.unsent();
    let mut body = voucher.body(&kit.setup().customer);
    body["userId"] = "kit-somebody-else".into();
    let got = kit.post_body(&kit.setup().customer, &fresh_key(), body.to_string()).await?;
    kit.sent(&voucher, 0)?;
    ensure!(got.status == 400, "another userId than the session's was answered {}", got.brief());
    Ok("another userId than the session's is refused")
}
