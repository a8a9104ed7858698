//! Another customer's attempt: it tells nothing, sends nothing and closes nothing.

use crate::kit::{Found, Kit, Stop, ensure, fresh_key};
use crate::upstream::Says;
use mozarto::{ErrorCode, Signal};
use reqwest::Method;

pub(super) async fn post(kit: &Kit) -> Found {
    let other = kit.other()?;
    let (voucher, key) = (kit.voucher(&[Says::Cut, Says::Redeemed])?, fresh_key());
    kit.post(&key, &voucher).await?;
    let got = kit.post_body(other, &key, voucher.body(other).to_string()).await?;
    kit.sent(&voucher, 1)?;
    ensure!(got.code() == Some(ErrorCode::AttemptForeign), "it was answered {}", got.brief());
    Ok("ATTEMPT_FOREIGN, and nothing is sent")
}

/// The key of an open attempt of the first customer's. Without sessions the key alone is enough to ask.
async fn somebodys(kit: &Kit) -> Result<String, Stop> {
    if kit.other()?.headers.is_empty() || kit.setup().customer.headers.is_empty() {
        let why = "without sessions the key alone is enough: --header and --other-header".to_owned();
        return Err(Stop::NotSupported(why));
    }
    let (voucher, key) = (kit.voucher(&[Says::RateLimited])?, fresh_key());
    kit.post(&key, &voucher).await?;
    Ok(key)
}

pub(super) async fn get(kit: &Kit) -> Found {
    let key = somebodys(kit).await?;
    let got = kit.of_key(Method::GET, kit.other()?, &key).await?;
    ensure!(got.code() == Some(ErrorCode::AttemptForeign), "it was answered {}", got.brief());
    Ok("ATTEMPT_FOREIGN")
}

pub(super) async fn delete(kit: &Kit) -> Found {
    let key = somebodys(kit).await?;
    let got = kit.of_key(Method::DELETE, kit.other()?, &key).await?;
    ensure!(got.code() == Some(ErrorCode::AttemptForeign), "it was answered {}", got.brief());
    let got = kit.get(&key).await?;
    ensure!(got.signal() != Signal::AttemptClosed, "another customer's DELETE has closed the attempt");
    Ok("ATTEMPT_FOREIGN, and the attempt is as it was")
}
