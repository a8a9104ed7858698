//! The proxy's clocks. The wall clock is for people, tokens and other programs, and may jump; what counts time is the
//! monotonic clock, and across a restart the machine's own uptime, so that no jump ends a wait too early: where two
//! processes have no uptime in common, nothing is taken to have passed.
//!
//! `--test-clock-offset-file` shifts every reading of the wall clock, and nothing else.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The system tells its uptime in hundredths of a second.
const UPTIME_STEP: Duration = Duration::from_millis(10);

/// What time it is.
#[derive(Debug)]
pub(crate) struct Clock {
    offset_file: Option<PathBuf>,
    started: Instant,
    /// Which boot of which machine this is. Linux only.
    boot: Option<String>,
}

/// When a try left, in a form that outlives the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Milliseconds of the wall clock since 1970.
    pub(crate) wall_ms: i64,
    /// The boot and the milliseconds of uptime in it, such as `6f1a…:123456`; empty where the system tells neither.
    pub(crate) uptime: String,
}

impl Clock {
    /// The system's clock. With `offset_file` the wall clock is off by the number of seconds in that file, read at each
    /// asking; a file that is missing or no number is 0.
    pub(crate) fn new(offset_file: Option<PathBuf>) -> Self {
        Self { offset_file, started: Instant::now(), boot: boot() }
    }

    /// Milliseconds of the wall clock since 1970.
    pub(crate) fn wall_ms(&self) -> i64 {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let offset = self.offset_file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        let offset_seconds: i64 = offset.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        i64::try_from(system.as_millis()).unwrap_or(i64::MAX).saturating_add(offset_seconds.saturating_mul(1000))
    }

    /// Seconds of the wall clock since 1970.
    pub(crate) fn wall_seconds(&self) -> u64 {
        u64::try_from(self.wall_ms() / 1000).unwrap_or(0)
    }

    /// How long this process has run.
    pub(crate) fn running(&self) -> Duration {
        self.started.elapsed()
    }

    /// Now, for the ledger.
    pub(crate) fn moment(&self) -> Moment {
        let uptime = self.boot.as_ref().zip(uptime()).map(|(id, up)| format!("{id}:{}", up.as_millis()));
        Moment { wall_ms: self.wall_ms(), uptime: uptime.unwrap_or_default() }
    }

    /// How much is left of `deadline`, counted from a moment that another process may have written down: never more
    /// than `deadline`. By the machine's uptime, which does not jump; all of it where that was another boot, another
    /// machine, or is not told.
    pub(crate) fn left_of(&self, deadline: Duration, since: &Moment) -> Duration {
        deadline.saturating_sub(self.uptime_since(&since.uptime).unwrap_or_default())
    }

    fn uptime_since(&self, then: &str) -> Option<Duration> {
        elapsed(self.boot.as_deref()?, then, uptime()?)
    }
}

/// How much of this boot has elapsed since `then`, and rather less than more: a wait must not end too early.
fn elapsed(boot: &str, then: &str, now: Duration) -> Option<Duration> {
    let then = then.strip_prefix(boot)?.strip_prefix(':')?.parse().ok().map(Duration::from_millis)?;
    // Before: a container that counts its own uptime was begun anew. Nothing is known to have elapsed.
    Some(now.saturating_sub(then).saturating_sub(UPTIME_STEP))
}

fn boot() -> Option<String> {
    Some(std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned())
}

/// How long the machine has been up, also while it slept.
fn uptime() -> Option<Duration> {
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    Duration::try_from_secs_f64(uptime.split_ascii_whitespace().next()?.parse().ok()?).ok()
}

/// A time of the ledger as people and programs read it: `2026-06-09T12:00:00.000Z`.
pub(crate) fn rfc3339(wall_ms: i64) -> String {
    let nanos = i128::from(wall_ms) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| wall_ms.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(45);

    #[test]
    fn without_an_uptime_in_common_all_of_a_deadline_is_left_whatever_the_wall_clock_says() {
        let told = Clock::new(None);
        let untold = Clock { boot: None, ..Clock::new(None) };
        for uptime in [String::new(), "another boot:1".to_owned(), told.moment().uptime] {
            for wall_ms in [0, untold.wall_ms(), i64::MAX] {
                let since = Moment { wall_ms, uptime: uptime.clone() };
                assert_eq!(untold.left_of(DEADLINE, &since), DEADLINE, "{since:?}");
                if !uptime.starts_with(told.boot.as_deref().unwrap_or("-")) {
                    assert_eq!(told.left_of(DEADLINE, &since), DEADLINE, "{since:?}");
                }
            }
        }
    }

    #[test]
    fn what_has_elapsed_is_counted_by_the_uptime_of_one_boot_and_never_too_much() {
        let now = Duration::from_secs(1000);
        for (then, ms) in [
            ("boot:990000", Some(9_990)),
            ("boot:1000000", Some(0)),
            ("boot:2000000", Some(0)),
            ("other:990000", None),
            ("", None),
        ] {
            assert_eq!(elapsed("boot", then, now), ms.map(Duration::from_millis), "{then}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_jump_of_the_wall_clock_shortens_no_wait_within_one_boot() {
        let clock = Clock::new(None);
        let moment = clock.moment();
        for jump_ms in [86_400_000, -86_400_000] {
            let left = clock.left_of(DEADLINE, &Moment { wall_ms: moment.wall_ms + jump_ms, ..moment.clone() });
            assert!(left + Duration::from_secs(5) > DEADLINE, "{left:?}");
        }
    }

    #[test]
    fn the_offset_file_shifts_the_wall_clock_and_is_read_at_each_asking() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("offset");
        let clock = Clock::new(Some(file.clone()));
        let before = clock.wall_ms();
        std::fs::write(&file, "86400\n").expect("written");
        let shifted = clock.wall_ms() - before;
        assert!((86_400_000..86_500_000).contains(&shifted), "{shifted}");
        std::fs::write(&file, "no number").expect("written");
        assert!(clock.wall_ms() - before < 86_400_000);
    }

    #[test]
    fn a_time_is_written_as_rfc_3339() {
        assert_eq!(rfc3339(1_781_006_400_123), "2026-06-09T12:00:00.123Z");
    }
}
