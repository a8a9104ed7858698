//! A value that may be replaced while others read it: secrets and certificates that are rotated without a restart.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// One value for all who hold a clone of it. Whoever has read it keeps what was read; the next reading gives the new
/// one. Prints nothing of it.
pub struct Live<T>(Arc<RwLock<Arc<T>>>);

impl<T> Live<T> {
    /// Holds `value` until it is replaced.
    pub fn new(value: T) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(value))))
    }

    /// The value now.
    pub fn now(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces it for everybody.
    pub fn replace(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[live]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_value_is_for_whoever_reads_next_and_the_old_one_stays_with_whoever_has_it() {
        let live = Live::new("old");
        let (clone, read) = (live.clone(), live.now());
        live.replace("new");
        assert_eq!((*read, *clone.now()), ("old", "new"));
        assert!(!format!("{live:?}").contains("new"));
    }
}
