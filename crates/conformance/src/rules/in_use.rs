//! A voucher that an open attempt has: no second attempt may send it.

use crate::kit::{Found, Kit, Stop, ensure, fresh_key};
use crate::upstream::Says;
use mozarto::{ErrorCode, Signal};

pub(super) async fn same_customer(kit: &Kit) -> Found {
    let (voucher, first, second) = (kit.voucher(&[Says::Cut, Says::Redeemed])?, fresh_key(), fresh_key());
    kit.post(&first, &voucher).await?;
    let got = kit.post(&second, &voucher).await?;
    kit.sent(&voucher, 1)?;
    let Signal::VoucherInUse(open) = got.signal() else {
        return Err(Stop::Fails(format!("the second key was answered {}", got.brief())));
    };
    let Some(open) = open else {
        return Err(Stop::Fails("the answer does not name the attempt that has the voucher".to_owned()));
    };
    ensure!(open.attempt == first, "the answer names another attempt than the one that has the voucher");
    ensure!(open.reference.is_some(), "the answer has no reference");
    Ok("the second key gets VOUCHER_IN_USE with the first key and a reference; nothing is sent")
}

pub(super) async fn other_customer(kit: &Kit) -> Found {
    let other = kit.other()?;
    let (voucher, first, second) = (kit.voucher(&[Says::Cut, Says::Redeemed])?, fresh_key(), fresh_key());
    kit.post(&first, &voucher).await?;
    let got = kit.post_body(other, &second, voucher.body(other).to_string()).await?;
    kit.sent(&voucher, 1)?;
    ensure!(got.code() == Some(ErrorCode::VoucherInUse), "another customer was answered {}", got.brief());
    let named = String::from_utf8_lossy(&got.body).to_ascii_lowercase().contains(&first);
    ensure!(!named && got.signal() == Signal::VoucherInUse(None), "another customer is told whose attempt it is");
    Ok("another customer gets VOUCHER_IN_USE, and no name; nothing is sent")
}

pub(super) async fn ended(kit: &Kit) -> Found {
    let voucher = kit.voucher(&[Says::InvalidPin])?;
    kit.post(&fresh_key(), &voucher).await?;
    let got = kit.post(&fresh_key(), &voucher).await?;
    ensure!(matches!(got.signal(), Signal::Rejected(_)), "the second key was answered {}", got.brief());
    kit.sent(&voucher, 2)?;
    Ok("after a rejection a new key is sent")
}
