//! An attempt with a try of which nobody knows: what ends it, what leaves it open, and what nobody may claim.

use crate::browser::Got;
use crate::kit::{Found, Kit, Stop, Voucher, ensure, fresh_key};
use crate::upstream::Says;
use mozarto::{ErrorCode, Rejection, Signal};

/// As many POSTs of one attempt as there are words; gives the last answer.
async fn posted(kit: &Kit, script: &[Says]) -> Result<(Voucher, String, Got), Stop> {
    let (voucher, key) = (kit.voucher(script)?, fresh_key());
    let mut got = kit.post(&key, &voucher).await?;
    for _ in 1..script.len() {
        got = kit.post(&key, &voucher).await?;
    }
    Ok((voucher, key, got))
}

/// The scripts in which a try of which nobody knows is followed by an answer that proves nothing.
fn unconfirmed(kit: &Kit) -> Vec<[Says; 2]> {
    let mut scripts = vec![[Says::Cut, Says::AlreadyRedeemed], [Says::PspTimeout, Says::AlreadyRedeemed]];
    if kit.upstream().is_ok() {
        scripts.push([Says::Cut, Says::Credentials]);
    }
    scripts
}

pub(super) async fn redeemed(kit: &Kit) -> Found {
    let (voucher, key, got) = posted(kit, &[Says::Cut, Says::Redeemed]).await?;
    ensure!(matches!(got.signal(), Signal::Redeemed(_)), "POST was answered {}", got.brief());
    kit.sent(&voucher, 2)?;
    let got = kit.get(&key).await?;
    ensure!(matches!(got.signal(), Signal::Redeemed(_)), "GET was answered {}", got.brief());
    Ok("the second POST was sent, and POST and GET say redeemed")
}

pub(super) async fn invalid_pin(kit: &Kit) -> Found {
    kit.upstream()?;
    let (_, key, got) = posted(kit, &[Says::Cut, Says::InvalidPin]).await?;
    let invalid = Signal::Rejected(Rejection::InvalidPin);
    ensure!(got.signal() == invalid, "POST was answered {}", got.brief());
    let got = kit.get(&key).await?;
    ensure!(got.signal() == invalid, "GET was answered {}", got.brief());
    Ok("POST and GET say \"invalid PIN\"")
}

pub(super) async fn retried(kit: &Kit) -> Found {
    kit.upstream()?;
    let (_, _, got) = posted(kit, &[Says::Cut, Says::RateLimited]).await?;
    // As Mozarto said it, or as a lost answer: a widget that has not seen the first try must not take "not processed" for
    // "untouched".
    ensure!(got.signal().is_retried(), "the second POST was answered {}", got.brief());
    let (voucher, _, got) = posted(kit, &[Says::Cut, Says::RateLimited, Says::Redeemed]).await?;
    ensure!(matches!(got.signal(), Signal::Redeemed(_)), "the third POST was answered {}", got.brief());
    kit.sent(&voucher, 3)?;
    Ok("the second POST asks for another try, and the third is sent")
}

fn is_unconfirmed(got: &Got, what: &str) -> Result<(), Stop> {
    ensure!(got.code() == Some(ErrorCode::AttemptUnconfirmed), "{what} was answered {}", got.brief());
    Ok(())
}

pub(super) async fn unconfirmed_by_post(kit: &Kit) -> Found {
    for script in unconfirmed(kit) {
        let (_, _, got) = posted(kit, &script).await?;
        is_unconfirmed(&got, &format!("{:?} after {:?}", script[1], script[0]))?;
    }
    Ok("ATTEMPT_UNCONFIRMED, whatever the lost try was followed by")
}

pub(super) async fn unconfirmed_by_get(kit: &Kit) -> Found {
    for script in unconfirmed(kit) {
        let (_, key, _) = posted(kit, &script).await?;
        is_unconfirmed(&kit.get(&key).await?, &format!("{:?} after {:?}", script[1], script[0]))?;
    }
    Ok("ATTEMPT_UNCONFIRMED, whatever the lost try was followed by")
}

pub(super) async fn unconfirmed_sends_nothing(kit: &Kit) -> Found {
    kit.upstream()?;
    let (voucher, key) = (kit.voucher(&[Says::Cut, Says::AlreadyRedeemed, Says::Redeemed])?, fresh_key());
    for _ in 0..4 {
        kit.post(&key, &voucher).await?;
    }
    kit.sent(&voucher, 2)?;
    Ok("four POSTs, two tries")
}

pub(super) async fn unconfirmed_new_try(kit: &Kit) -> Found {
    kit.upstream()?;
    let (voucher, _, got) = posted(kit, &[Says::Cut, Says::Credentials, Says::Redeemed]).await?;
    kit.sent(&voucher, 3)?;
    ensure!(matches!(got.signal(), Signal::Redeemed(_)), "the third POST was answered {}", got.brief());
    Ok("the third POST is sent, and redeems")
}

pub(super) async fn accepted_sends_nothing(kit: &Kit) -> Found {
    kit.upstream()?;
    let (voucher, key) = (kit.voucher(&[Says::Pending, Says::Redeemed])?, fresh_key());
    for _ in 0..3 {
        kit.post(&key, &voucher).await?;
    }
    kit.sent(&voucher, 1)?;
    Ok("three POSTs, one try")
}
