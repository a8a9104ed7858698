//! How many new attempts a minute: a bucket for each client, which holds as many as a minute has and fills evenly.

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// After so many questions the buckets that are full again are thrown away: a client that has gone leaves nothing.
const CLEARED_EACH: u32 = 4096;

/// A limit for each client of one kind.
pub(crate) struct Limit<K: Clone + Eq + Hash, C: Clock = MonotonicClock> {
    buckets: RateLimiter<K, DashMapStateStore<K>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    asked: AtomicU32,
}

impl<K: Clone + Eq + Hash> Limit<K> {
    /// So many a minute; `None` for 0.
    pub(crate) fn a_minute(most: u32) -> Option<Self> {
        NonZeroU32::new(most).map(|most| Self::with(most, MonotonicClock))
    }
}

impl<K: Clone + Eq + Hash, C: Clock + Clone> Limit<K, C> {
    fn with(most: NonZeroU32, clock: C) -> Self {
        let buckets = RateLimiter::new(Quota::per_minute(most), DashMapStateStore::default(), clock.clone());
        Self { buckets, clock, asked: AtomicU32::new(0) }
    }

    /// Counts one more. How long its client must wait if it is one too many.
    pub(crate) fn wait(&self, key: &K) -> Option<Duration> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % CLEARED_EACH == CLEARED_EACH - 1 {
            self.buckets.retain_recent();
            self.buckets.shrink_to_fit();
        }
        self.buckets.check_key(key).err().map(|until| until.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    fn limit(most: u32) -> (Limit<u32, FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Limit::with(NonZeroU32::new(most).expect("not 0"), clock.clone()), clock)
    }

    #[test]
    fn so_many_a_minute_are_free_for_each_client_and_the_next_waits() {
        let (limit, clock) = limit(3);
        for client in [1, 2] {
            for _ in 0..3 {
                assert_eq!(limit.wait(&client), None);
            }
            assert_eq!(limit.wait(&client), Some(Duration::from_secs(20)), "the next of three a minute");
        }
        clock.advance(Duration::from_secs(5));
        assert_eq!(limit.wait(&1), Some(Duration::from_secs(15)), "a refusal costs nothing");
        clock.advance(Duration::from_secs(15));
        assert_eq!(limit.wait(&1), None);
        assert_eq!(limit.wait(&1), Some(Duration::from_secs(20)));
    }

    #[test]
    fn clients_that_have_gone_leave_nothing_behind() {
        let (limit, clock) = limit(60);
        for client in 0..CLEARED_EACH - 1 {
            assert_eq!(limit.wait(&client), None);
        }
        assert!(limit.buckets.len() > 4000);
        clock.advance(Duration::from_mins(2));
        limit.wait(&0);
        limit.wait(&1);
        assert!(limit.buckets.len() <= 2, "{} are left", limit.buckets.len());
    }

    #[test]
    fn no_limit_is_none() {
        assert!(Limit::<u32>::a_minute(0).is_none());
    }
}
