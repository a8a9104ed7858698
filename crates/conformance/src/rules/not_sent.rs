//! A Mozarto that refuses connections: not a byte has left, and the proxy may say so.

use crate::browser::Got;
use crate::kit::{Found, Kit, Stop, Voucher, ensure, fresh_key};
use crate::upstream::Says;
use mozarto::Signal;
use std::time::Duration;
use tokio::time::sleep;

/// The longest that a proxy's own `Retry-After` is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A POST while nobody listens; then somebody does again.
async fn while_closed(kit: &Kit) -> Result<(Voucher, String, Got), Stop> {
    let upstream = kit.upstream()?;
    let (voucher, key) = (kit.voucher(&[Says::Redeemed])?, fresh_key());
    upstream.close().await;
    let got = kit.post(&key, &voucher).await;
    let opened = upstream.open().await;
    opened.map_err(|error| Stop::Setup(format!("{} cannot be listened on again: {error}", upstream.url())))?;
    Ok((voucher, key, got?))
}

pub(super) async fn said(kit: &Kit) -> Found {
    let (_, _, got) = while_closed(kit).await?;
    ensure!(got.signal() == Signal::NotSent, "it was answered {}", got.brief());
    ensure!(got.header("retry-after").is_some(), "NOT_SENT came without Retry-After");
    Ok("NOT_SENT with Retry-After")
}

pub(super) async fn again(kit: &Kit) -> Found {
    let (voucher, key, mut got) = while_closed(kit).await?;
    let mut patience = PATIENCE;
    loop {
        // A breaker may stay open for as long as it says.
        let asked = got.header("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
        got = kit.post(&key, &voucher).await?;
        let wait = asked.unwrap_or_default().max(Duration::from_millis(100));
        if got.signal() != Signal::NotSent || wait > patience {
            break;
        }
        sleep(wait).await;
        patience -= wait;
    }
    ensure!(matches!(got.signal(), Signal::Redeemed(_)), "the same key was answered {}", got.brief());
    kit.sent(&voucher, 1)?;
    Ok("the same key was sent when Mozarto was back, and redeemed")
}

pub(super) async fn delete(kit: &Kit) -> Found {
    let (voucher, key, _) = while_closed(kit).await?;
    let got = kit.delete(&key).await?;
    ensure!(got.signal() == Signal::AttemptClosed, "DELETE was answered {}", got.brief());
    let got = kit.post(&key, &voucher).await?;
    kit.sent(&voucher, 0)?;
    ensure!(got.signal() == Signal::AttemptClosed, "a POST after DELETE was answered {}", got.brief());
    Ok("DELETE says untouched, and a late POST gets ATTEMPT_CLOSED")
}
