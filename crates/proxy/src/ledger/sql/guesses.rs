//! The lock on guessing: 16 digits can be tried out, so a customer who has sent too many PINs that are none waits before
//! the next new attempt, longer each time. It stands in the ledger, so that it holds across processes and restarts. An
//! attempt that is known can always be finished. Source: CONTRACT, "Hop 1", `TOO_MANY_TRIES`.

use super::connection::{Connection, Result, query};
use super::engine::Step;
use std::time::Duration;

/// After the last guess that is free; then four times as long each time.
const FIRST_WAIT_SECONDS: i64 = 60;
const LONGEST_WAIT_SECONDS: i64 = 24 * 3600;
/// Guesses are forgotten when there was none for a week.
const FORGOTTEN_AFTER_SECONDS: i64 = 7 * 24 * 3600;
/// The wait for tries that run: any of them may turn out to be one guess too many.
const RUNNING_WAIT: Duration = Duration::from_secs(5);

/// Counts an invalid PIN.
pub(super) async fn count(connection: &mut Connection, owner: &str, step: &Step) -> Result<()> {
    let count = query(
        "INSERT INTO guesses (owner, count, last_at) VALUES ($1, 1, $2) ON CONFLICT (owner) DO UPDATE SET \
         count = CASE WHEN guesses.last_at < $3 THEN 1 ELSE guesses.count + 1 END, last_at = $2",
    );
    let count = count.bind(owner).bind(step.steady).bind(step.steady - FORGOTTEN_AFTER_SECONDS);
    count.execute(connection).await.map(drop)
}

/// A voucher was redeemed: whoever has vouchers does not guess.
pub(super) async fn forget(connection: &mut Connection, owner: &str) -> Result<()> {
    query("DELETE FROM guesses WHERE owner = $1").bind(owner).execute(connection).await.map(drop)
}

/// How long a customer must wait before a new attempt. `most` is the number of guesses that are free; 0 for any.
pub(super) async fn wait(connection: &mut Connection, owner: &str, most: u32, step: &Step) -> Result<Option<Duration>> {
    if most == 0 {
        return Ok(None);
    }
    let most = i64::from(most);
    let counted = query("SELECT count, last_at FROM guesses WHERE owner = $1").bind(owner);
    let (guesses, last_at) = match counted.first(&mut *connection).await? {
        Some(row) => (row.get::<i64>("count")?, row.get::<i64>("last_at")?),
        None => (0, step.steady),
    };
    if guesses >= most {
        let left = seconds(guesses - most).saturating_sub(step.steady.saturating_sub(last_at).max(0));
        if let Some(left) = u64::try_from(left).ok().filter(|left| *left > 0) {
            return Ok(Some(Duration::from_secs(left)));
        }
    }
    let running = query("SELECT count(*) FROM attempts WHERE owner = $1 AND state = 'sending'");
    let running: i64 = running.bind(owner).one(connection).await?.only()?;
    // After the wait one at a time.
    Ok((running > 0 && running + guesses >= most).then_some(RUNNING_WAIT))
}

/// The whole wait after so many guesses beyond those that are free.
fn seconds(beyond: i64) -> i64 {
    let doublings = u32::try_from(beyond.clamp(0, 10)).unwrap_or(10) * 2;
    FIRST_WAIT_SECONDS.saturating_mul(1 << doublings).min(LONGEST_WAIT_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_from_a_minute_to_a_day_and_no_further() {
        let waits: Vec<i64> = (0..8).map(seconds).collect();
        assert_eq!(waits, [60, 240, 960, 3_840, 15_360, 61_440, 86_400, 86_400]);
        assert_eq!(seconds(i64::MAX), 86_400);
    }
}
