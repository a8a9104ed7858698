//! One POST is one try, and a final attempt gets none.

use crate::kit::{Found, Kit, Stop, ensure, fresh_key};
use crate::upstream::Says;
use mozarto::Signal;

/// One POST of a voucher whose second try would succeed.
async fn once(kit: &Kit, says: Says) -> Result<(), Stop> {
    let voucher = kit.voucher(&[says, Says::Redeemed])?;
    let got = kit.post(&fresh_key(), &voucher).await?;
    kit.sent(&voucher, 1)?;
    ensure!(!matches!(got.signal(), Signal::Redeemed(_)), "the answer is a second try's");
    Ok(())
}

pub(super) async fn cut(kit: &Kit) -> Found {
    once(kit, Says::Cut).await?;
    Ok("one POST, one try")
}

pub(super) async fn request_timeout(kit: &Kit) -> Found {
    once(kit, Says::Text(408, r#"{"status":"error","isSuccess":false,"errorCode":"PSP_TIMEOUT"}"#)).await?;
    Ok("one POST, one try")
}

pub(super) async fn server_errors(kit: &Kit) -> Found {
    for says in [Says::ServerError, Says::PspTimeout, Says::RateLimited] {
        once(kit, says).await?;
    }
    if kit.upstream().is_ok() {
        once(kit, Says::Text(503, r#"{"status":"error","isSuccess":false,"message":"Unavailable"}"#)).await?;
    }
    Ok("one POST, one try, each time")
}

pub(super) async fn replay_same(kit: &Kit) -> Found {
    for says in [Says::Redeemed, Says::InvalidPin] {
        let (voucher, key) = (kit.voucher(&[says])?, fresh_key());
        let first = kit.post(&key, &voucher).await?;
        let second = kit.post(&key, &voucher).await?;
        let same = first.status == second.status && first.body == second.body;
        ensure!(same, "{} became {}", first.brief(), second.brief());
        let said = second.header("idempotency-replayed") == Some("true");
        ensure!(said, "the second answer is without Idempotency-Replayed: true");
        ensure!(first.header("idempotency-replayed").is_none(), "the first answer says that it is a replay");
    }
    Ok("a success and a rejection are answered a second time, and marked")
}

pub(super) async fn replay_unsent(kit: &Kit) -> Found {
    kit.upstream()?;
    for says in [Says::Redeemed, Says::InvalidPin] {
        let (voucher, key) = (kit.voucher(&[says])?, fresh_key());
        for _ in 0..3 {
            kit.post(&key, &voucher).await?;
        }
        kit.sent(&voucher, 1)?;
    }
    Ok("three POSTs, one try")
}
