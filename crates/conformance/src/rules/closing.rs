//! DELETE: it closes what was never sent, and nothing else.

use super::running::{arrived, held};
use crate::browser::Got;
use crate::kit::{Found, Kit, Stop, ensure, fresh_key};
use crate::upstream::Says;
use mozarto::Signal;

pub(super) async fn unknown(kit: &Kit) -> Found {
    let got = kit.delete(&fresh_key()).await?;
    let untouched = got.status == 200 && got.code().is_none() && got.signal() == Signal::AttemptClosed;
    ensure!(untouched, "it was answered {}", got.brief());
    Ok("200 untouched")
}

pub(super) async fn closes(kit: &Kit) -> Found {
    let (voucher, key) = (kit.unsent(), fresh_key());
    kit.delete(&key).await?;
    let got = kit.post(&key, &voucher).await?;
    kit.sent(&voucher, 0)?;
    ensure!(got.signal() == Signal::AttemptClosed, "the late POST was answered {}", got.brief());
    Ok("the late POST gets ATTEMPT_CLOSED, and nothing is sent")
}

/// DELETE must not claim that the voucher is untouched.
fn not_closed(got: &Got) -> Result<(), Stop> {
    ensure!(got.signal() != Signal::AttemptClosed, "DELETE was answered {}: that is not known", got.brief());
    Ok(())
}

pub(super) async fn sending(kit: &Kit) -> Found {
    let (voucher, key) = held(kit)?;
    let close = async {
        arrived(kit, &voucher).await?;
        let got = kit.delete(&key).await;
        voucher.notes()?.release();
        got
    };
    let (posted, closed) = tokio::join!(kit.post(&key, &voucher), close);
    not_closed(&closed?)?;
    let posted = posted?;
    ensure!(
        matches!(posted.signal(), Signal::Redeemed(_)),
        "after DELETE the running try was answered {}",
        posted.brief()
    );
    let got = kit.get(&key).await?;
    ensure!(matches!(got.signal(), Signal::Redeemed(_)), "after DELETE a success was forgotten: {}", got.brief());
    Ok("DELETE left the running try alone, and its success counts")
}

pub(super) async fn unknown_try(kit: &Kit) -> Found {
    kit.upstream()?;
    let (voucher, key) = (kit.voucher(&[Says::Cut, Says::RateLimited])?, fresh_key());
    kit.post(&key, &voucher).await?;
    not_closed(&kit.delete(&key).await?)?;
    kit.post(&key, &voucher).await?;
    // The latest answer says "not processed", and the first try is as unknown as it was.
    not_closed(&kit.delete(&key).await?)?;
    Ok("neither after the lost answer nor after a later PSP_RATE_LIMITED")
}

pub(super) async fn redeemed(kit: &Kit) -> Found {
    let (voucher, key) = (kit.voucher(&[Says::Redeemed])?, fresh_key());
    kit.post(&key, &voucher).await?;
    not_closed(&kit.delete(&key).await?)?;
    let got = kit.get(&key).await?;
    ensure!(matches!(got.signal(), Signal::Redeemed(_)), "after DELETE a success was forgotten: {}", got.brief());
    Ok("DELETE left the success as it was")
}
