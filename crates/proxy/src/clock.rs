//! The proxy's clocks. The wall clock is for people, tokens and other programs, and may jump; what counts time is the
//! monotonic clock, and across a restart the machine's own uptime, so that no jump ends a wait too early.
//!
//! `--test-clock-offset-file` shifts every reading of the wall clock, and nothing else.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What time it is.
#[derive(Debug)]
pub(crate) struct Clock {
    offset_file: Option<PathBuf>,
    started: Instant,
    /// Which boot of which machine this is, and how long it had been up at `started`. Linux only.
    boot: Option<(String, Duration)>,
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
        let uptime = self.boot.as_ref().map(|(id, up)| format!("{id}:{}", (*up + self.running()).as_millis()));
        Moment { wall_ms: self.wall_ms(), uptime: uptime.unwrap_or_default() }
    }

    /// How much is left of `deadline`, counted from a moment that another process may have written down: never more
    /// than `deadline`. By the machine's uptime, which does not jump; by the wall clock where it was another boot.
    pub(crate) fn left_of(&self, deadline: Duration, since: &Moment) -> Duration {
        let elapsed = self.uptime_since(&since.uptime).unwrap_or_else(|| {
            let ms = self.wall_ms().saturating_sub(since.wall_ms);
            Duration::from_millis(u64::try_from(ms).unwrap_or(0))
        });
        deadline.saturating_sub(elapsed)
    }

    fn uptime_since(&self, then: &str) -> Option<Duration> {
        let (id, up) = self.boot.as_ref()?;
        let then = then.strip_prefix(id.as_str())?.strip_prefix(':')?.parse().ok().map(Duration::from_millis)?;
        // Before: a container that counts its own uptime was begun anew. Nothing is known to have elapsed.
        Some((*up + self.running()).saturating_sub(then))
    }
}

fn boot() -> Option<(String, Duration)> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = uptime.split_ascii_whitespace().next()?.parse().ok()?;
    Some((id.trim().to_owned(), Duration::try_from_secs_f64(seconds).ok()?))
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
    fn what_is_left_of_a_deadline_is_never_more_than_the_deadline_and_never_less_than_nothing() {
        let clock = Clock { boot: None, ..Clock::new(None) };
        let ago = |seconds: i64| Moment { wall_ms: clock.wall_ms() - seconds * 1000, uptime: String::new() };
        for (seconds, at_least, at_most) in [(0, 44, 45), (30, 14, 15), (46, 0, 0), (86_400, 0, 0), (-86_400, 45, 45)] {
            let left = clock.left_of(DEADLINE, &ago(seconds)).as_secs_f64();
            assert!((f64::from(at_least)..=f64::from(at_most)).contains(&left), "{seconds} s ago: {left}");
        }
    }

    #[test]
    fn a_jump_of_the_wall_clock_shortens_no_wait_within_one_boot() {
        let clock = Clock { boot: Some(("boot".to_owned(), Duration::from_secs(1000))), ..Clock::new(None) };
        let day_ago = clock.wall_ms() - 86_400_000;
        for (uptime, at_least, at_most) in
            [("boot:990000", 34, 35), ("boot:100", 0, 0), ("boot:2000000", 45, 45), ("other:990000", 0, 0)]
        {
            let left = clock.left_of(DEADLINE, &Moment { wall_ms: day_ago, uptime: uptime.to_owned() }).as_secs_f64();
            assert!((f64::from(at_least)..=f64::from(at_most)).contains(&left), "{uptime}: {left}");
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
