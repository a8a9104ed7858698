//! What is said while a try runs, and that it runs to its end.

use crate::browser::Got;
use crate::kit::{Found, Kit, Stop, Voucher, ensure, fresh_key};
use crate::upstream::Says;
use mozarto::{ErrorCode, Signal};
use tokio::time::timeout;

/// A voucher whose first try waits for the check's word, and then redeems.
pub(super) fn held(kit: &Kit) -> Result<(Voucher, String), Stop> {
    kit.upstream()?;
    Ok((kit.voucher(&[Says::Held])?, fresh_key()))
}

/// Done when the try has arrived.
pub(super) async fn arrived(kit: &Kit, voucher: &Voucher) -> Result<(), Stop> {
    let notes = voucher.notes()?;
    let times = kit.times();
    let longest = times.answer_within + times.slack;
    let arrived = timeout(longest, notes.until(|counts| counts.arrived > 0)).await;
    ensure!(arrived.is_ok(), "the try has not reached Mozarto");
    Ok(())
}

fn redeemed(got: &Got, when: &str) -> Result<(), Stop> {
    ensure!(matches!(got.signal(), Signal::Redeemed(_)), "{when} the answer is {}", got.brief());
    Ok(())
}

pub(super) async fn within(kit: &Kit) -> Found {
    let (voucher, key) = held(kit)?;
    let times = kit.times();
    let answer = timeout(times.answer_within + times.slack, kit.post_once(&key, &voucher)).await;
    voucher.notes()?.release();
    let Ok(answer) = answer else {
        return Err(Stop::Fails(format!("no answer within {} s", times.answer_within.as_secs_f32())));
    };
    let got = answer?;
    ensure!(got.signal() == Signal::TryRunning, "after {:.1} s the answer was {}", got.took.as_secs_f64(), got.brief());
    Ok("202 pending came in time, while the try went on")
}

pub(super) async fn get(kit: &Kit) -> Found {
    let (voucher, key) = held(kit)?;
    let ask = async {
        arrived(kit, &voucher).await?;
        let got = kit.get(&key).await;
        voucher.notes()?.release();
        got
    };
    let (posted, got) = tokio::join!(kit.post_once(&key, &voucher), ask);
    let (_, got) = (posted?, got?);
    ensure!(got.signal() == Signal::TryRunning, "GET was answered {}", got.brief());
    Ok("GET says 202 pending")
}

pub(super) async fn late(kit: &Kit) -> Found {
    let (voucher, key) = held(kit)?;
    let notes = voucher.notes()?;
    tokio::select! {
        // Dropped with the other's end: the connection closes.
        answer = kit.post_once(&key, &voucher) => {
            let got = answer?;
            return Err(Stop::Fails(format!("POST was answered {} before Mozarto had answered", got.brief())));
        }
        arrived = arrived(kit, &voucher) => arrived?,
    }
    // A proxy that gives the try up does so when it sees the browser leave.
    let gave_up = timeout(
        kit.times().slack.min(kit.times().upstream_deadline / 3) / 2,
        notes.until(|counts| counts.waiting == 0),
    )
    .await
    .is_ok();
    notes.release();
    ensure!(!gave_up, "the proxy cut its own try when the browser left");
    redeemed(&kit.when_done(&kit.setup().customer, &key).await?, "when Mozarto had redeemed,")?;
    kit.sent(&voucher, 1)?;
    Ok("the browser left, Mozarto redeemed, GET says redeemed")
}

pub(super) async fn second(kit: &Kit) -> Found {
    let (voucher, key) = held(kit)?;
    let again = async {
        arrived(kit, &voucher).await?;
        let notes = voucher.notes()?;
        let got = timeout(kit.times().answer_within + kit.times().slack, kit.post_once(&key, &voucher)).await;
        notes.release();
        got.map_err(|_| Stop::Fails("the second POST was not answered".to_owned()))?
    };
    let (first, second) = tokio::join!(kit.post(&key, &voucher), again);
    let (first, second) = (first?, second?);
    kit.sent(&voucher, 1)?;
    let said = second.code() == Some(ErrorCode::AttemptInProgress);
    ensure!(said, "the second POST was answered {}", second.brief());
    redeemed(&first, "to the first POST")?;
    Ok("the second POST: ATTEMPT_IN_PROGRESS; the first: redeemed; one try")
}
