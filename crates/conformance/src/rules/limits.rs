//! The proxy's own limit on tries: it may refuse new attempts, and must not lock a customer out of an open one.

use crate::Customer;
use crate::kit::{Found, Kit, Stop, ensure, fresh_key};
use crate::upstream::Says;
use mozarto::ErrorCode;

/// How many new attempts are made to find a limit.
const MOST: usize = 40;

pub(super) async fn new_keys_only(kit: &Kit) -> Found {
    kit.upstream()?;
    let setup = kit.setup();
    // Without sessions a customer of its own: what follows may lock it for a while.
    let fresh = Customer {
        user_id: Some("kit-limit".to_owned()),
        email: Some("kit-limit@example.com".to_owned()),
        ..Customer::default()
    };
    let who = if setup.customer.headers.is_empty() { &fresh } else { setup.other.as_ref().unwrap_or(&setup.customer) };
    let (open, key) = (kit.voucher(&[Says::PspTimeout, Says::Redeemed])?, fresh_key());
    let body = open.body(who).to_string();
    kit.post_body(who, &key, body.clone()).await?;
    for _ in 0..MOST {
        let voucher = kit.voucher(&[Says::InvalidPin])?;
        let new = fresh_key();
        let ask = kit.post_ask(Some(who), Some(&new), voucher.body(who).to_string());
        if kit.ask_within_limits(ask).await?.code() == Some(ErrorCode::TooManyTries) {
            kit.sent(&voucher, 0)?;
            let got = kit.ask_within_limits(kit.post_ask(Some(who), Some(&key), body)).await?;
            ensure!(got.code() != Some(ErrorCode::TooManyTries), "the retry of an open attempt got TOO_MANY_TRIES");
            kit.sent(&open, 2)?;
            return Ok("a new attempt was refused, and the open one was sent");
        }
    }
    Err(Stop::NotSupported(format!("no limit was met in {MOST} attempts of one customer")))
}
