//! GET: what is known of an attempt.

use crate::kit::{Found, Kit, attempt_url, ensure, fresh_key};
use crate::upstream::Says;
use mozarto::ErrorCode;
use reqwest::Method;

pub(super) async fn unknown(kit: &Kit) -> Found {
    let got = kit.get(&fresh_key()).await?;
    ensure!(got.code() == Some(ErrorCode::AttemptUnknown), "it was answered {}", got.brief());
    Ok("ATTEMPT_UNKNOWN")
}

pub(super) async fn stored(kit: &Kit) -> Found {
    for says in [Says::Redeemed, Says::InvalidPin] {
        let (voucher, key) = (kit.voucher(&[says])?, fresh_key());
        let posted = kit.post(&key, &voucher).await?;
        let got = kit.get(&key).await?;
        let same = got.status == posted.status && got.body == posted.body;
        ensure!(same, "POST was answered {}, GET {}", posted.brief(), got.brief());
    }
    Ok("a success and a rejection come back as POST had them")
}

pub(super) async fn open(kit: &Kit) -> Found {
    let (voucher, key) = (kit.voucher(&[Says::PspTimeout])?, fresh_key());
    let posted = kit.post(&key, &voucher).await?;
    let got = kit.get(&key).await?;
    let same = got.status == posted.status && got.body == posted.body;
    ensure!(same, "POST was answered {}, GET {}", posted.brief(), got.brief());
    let (voucher, key) = (kit.voucher(&[Says::Cut])?, fresh_key());
    kit.post(&key, &voucher).await?;
    let got = kit.get(&key).await?;
    ensure!(got.is_lost_answer(), "after a cut GET was answered {}", got.brief());
    Ok("PSP_TIMEOUT as POST had it; after a cut the 504 without errorCode")
}

pub(super) async fn query(kit: &Kit) -> Found {
    let key = fresh_key();
    let plain = kit.get(&key).await?;
    let mut ask = kit.post_ask(Some(&kit.setup().customer), None, String::new());
    (ask.method, ask.body) = (Method::GET, None);
    ask.url = attempt_url(&kit.setup().endpoint, &key);
    ask.url.query_pairs_mut().append_pair("kit", "1");
    let got = kit.ask(ask).await?;
    let same = got.status == plain.status && got.body == plain.body;
    ensure!(same, "without a query it was answered {}, with one {}", plain.brief(), got.brief());
    Ok("a query after the key changes nothing")
}
