//! An attempt's key: what is one, when two are the same, and that it stays with its voucher and amount.

use crate::browser::Got;
use crate::kit::{Found, Kit, Stop, Voucher, ensure, fresh_key};
use crate::upstream::Says;
use mozarto::{ErrorCode, Signal};
use serde_json::Value;

async fn refused(kit: &Kit, key: Option<&str>, what: &str) -> Result<(), Stop> {
    let voucher = kit.unsent();
    let body = voucher.body(&kit.setup().customer).to_string();
    let got = kit.ask(kit.post_ask(Some(&kit.setup().customer), key, body)).await?;
    kit.sent(&voucher, 0).map_err(|_| Stop::Fails(format!("{what}: it was sent to Mozarto")))?;
    ensure!(got.status == 400, "{what} was answered {}", got.brief());
    Ok(())
}

pub(super) async fn required(kit: &Kit) -> Found {
    refused(kit, None, "a POST without a key").await?;
    Ok("without a key: 400, and nothing is sent")
}

pub(super) async fn uuid(kit: &Kit) -> Found {
    for key in ["kit", "1", "0b5a9e1c-7a64-4a83-9b3e-0d5b6f1f2a3g", "0b5a9e1c-7a64-4a83-9b3e"] {
        refused(kit, Some(key), key).await?;
    }
    Ok("words, numbers and half a UUID are refused with 400")
}

/// Posts a key as it is and then written in another way: the second must be the first's replay.
async fn same(kit: &Kit, written: impl Fn(&str) -> String) -> Result<(), Stop> {
    let (voucher, key) = (kit.voucher(&[Says::Redeemed])?, fresh_key());
    let first = kit.post(&key, &voucher).await?;
    let second = kit.post(&written(&key), &voucher).await?;
    kit.sent(&voucher, 1)?;
    ensure!(first.body == second.body, "{} became {}", first.brief(), second.brief());
    Ok(())
}

pub(super) async fn quoted(kit: &Kit) -> Found {
    same(kit, |key| format!("\"{key}\"")).await?;
    Ok("a key and the same in quotes are one attempt")
}

pub(super) async fn case(kit: &Kit) -> Found {
    same(kit, str::to_uppercase).await?;
    Ok("a key and the same in capitals are one attempt")
}

/// An attempt that was redeemed, and another body under its key.
async fn mismatched(kit: &Kit, spoil: impl FnOnce(&mut Value, &Voucher)) -> Result<Got, Stop> {
    let (voucher, other, key) = (kit.voucher(&[Says::Redeemed])?, kit.unsent(), fresh_key());
    kit.post(&key, &voucher).await?;
    let mut body = voucher.body(&kit.setup().customer);
    spoil(&mut body, &other);
    let got = kit.post_body(&kit.setup().customer, &key, body.to_string()).await?;
    kit.sent(&voucher, 1)?;
    kit.sent(&other, 0)?;
    Ok(got)
}

fn is_mismatch(got: &Got, what: &str) -> Result<(), Stop> {
    ensure!(got.code() == Some(ErrorCode::AttemptMismatch), "{what} was answered {}", got.brief());
    Ok(())
}

pub(super) async fn other_voucher(kit: &Kit) -> Found {
    let got = mismatched(kit, |body, other| body["voucherPin"] = other.pin.as_str().into()).await?;
    is_mismatch(&got, "another voucher")?;
    Ok("another voucher: ATTEMPT_MISMATCH")
}

pub(super) async fn other_amount(kit: &Kit) -> Found {
    let more = kit.setup().amount.json_number() + 1.0;
    let got = mismatched(kit, |body, _| body["baseamount"] = more.into()).await?;
    if matches!(got.signal(), Signal::RequestInvalid(_)) {
        return Err(Stop::NotSupported("the session fixes the amount: another one is refused with 400".to_owned()));
    }
    is_mismatch(&got, "another amount")?;
    let currency = if kit.setup().amount.currency().code() == "USD" { "EUR" } else { "USD" };
    let got = mismatched(kit, |body, _| {
        body["currency"] = currency.into();
        body["currencyCode"] = currency.into();
    });
    let got = got.await?;
    if matches!(got.signal(), Signal::RequestInvalid(_)) {
        return Ok("another amount: ATTEMPT_MISMATCH; another currency is refused with 400");
    }
    is_mismatch(&got, "another currency")?;
    Ok("another amount, another currency: ATTEMPT_MISMATCH")
}

pub(super) async fn same_value(kit: &Kit) -> Found {
    let (voucher, key) = (kit.voucher(&[Says::Redeemed])?, fresh_key());
    let customer = &kit.setup().customer;
    let mut body = voucher.body(customer);
    body["baseamount"] = "@".into();
    let decimal = voucher.amount.decimal();
    let short = if decimal.contains('.') { decimal.trim_end_matches('0').trim_end_matches('.') } else { &decimal };
    let written = |amount: &str| body.to_string().replace("\"@\"", amount);
    let first = kit.post_body(customer, &key, written(short)).await?;
    let second = kit.post_body(customer, &key, written(&decimal)).await?;
    ensure!(first.body == second.body, "the amount written with decimals was answered {}", second.brief());
    Ok("the amount with and without decimals is one attempt")
}
