//! What every client was told, and when: the third ledger. One entry for each attempt's key, whichever customer and
//! page used it. Written by pages and lines, read when the ledgers are compared.

use crate::held;
use mozarto::{Meaning, Money, Signal};
use redemption::{AttemptKey, Outcome, OutcomeKind};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

/// What somebody was told about an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Redeemed,
    Rejected,
    Failed,
    Unconfirmed,
    /// The answer to a DELETE.
    Untouched,
}

impl What {
    /// Whether it says that no try so far has taken the voucher.
    pub(crate) fn denies(self) -> bool {
        matches!(self, Self::Rejected | Self::Failed | Self::Untouched)
    }
}

/// One telling.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) at: Instant,
    pub(crate) what: What,
    pub(crate) code: &'static str,
}

/// All that clients know of one attempt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    /// When each POST began its way.
    pub(crate) posts: Vec<Instant>,
    pub(crate) told: Vec<Told>,
    /// When the proxy first gave an answer of this key that is final, whether or not the page got it.
    pub(crate) final_at: Option<Instant>,
    /// A browser has its record.
    pub(crate) stored: bool,
}

impl Entry {
    /// Whether somebody was told that it was redeemed.
    pub(crate) fn is_redeemed(&self) -> bool {
        self.told.iter().any(|told| told.what == What::Redeemed)
    }
}

/// The ledger.
#[derive(Default)]
pub(crate) struct Journal(Mutex<HashMap<String, Entry>>);

impl Journal {
    /// A POST begins its way.
    pub(crate) fn posted(&self, key: &AttemptKey) {
        self.at(key, |entry| entry.posts.push(Instant::now()));
    }

    /// A page tells its customer.
    pub(crate) fn told(&self, outcome: &Outcome) {
        let what = match outcome.kind {
            OutcomeKind::Redeemed(_) => What::Redeemed,
            OutcomeKind::Rejected => What::Rejected,
            OutcomeKind::Failed => What::Failed,
            OutcomeKind::Unconfirmed => What::Unconfirmed,
        };
        let told = Told { at: Instant::now(), what, code: outcome.code.as_str() };
        self.at(&outcome.attempt, |entry| entry.told.push(told));
    }

    /// A DELETE was answered: closed, so untouched.
    pub(crate) fn told_untouched(&self, key: &AttemptKey) {
        let told = Told { at: Instant::now(), what: What::Untouched, code: "ATTEMPT_CLOSED" };
        self.at(key, |entry| entry.told.push(told));
    }

    /// The proxy answered for an attempt that it keeps.
    pub(crate) fn answered(&self, key: &AttemptKey, meaning: &Meaning) {
        if is_final(&meaning.signal) {
            let now = Instant::now();
            self.at(key, |entry| entry.final_at = Some(entry.final_at.map_or(now, |before| before.min(now))));
        }
    }

    /// A browser has this attempt's record at the end.
    pub(crate) fn stored(&self, key: &AttemptKey) {
        self.at(key, |entry| entry.stored = true);
    }

    /// Everything, by key.
    pub(crate) fn entries(&self) -> HashMap<String, Entry> {
        self.lock().clone()
    }

    /// The attempts that somebody was told of as redeemed.
    pub(crate) fn redeemed_keys(&self) -> HashSet<String> {
        let entries = self.lock();
        entries.iter().filter(|(_, entry)| entry.is_redeemed()).map(|(key, _)| key.clone()).collect()
    }

    /// How many those are.
    pub(crate) fn redeemed(&self) -> usize {
        self.lock().values().filter(|entry| entry.is_redeemed()).count()
    }

    fn at(&self, key: &AttemptKey, change: impl FnOnce(&mut Entry)) {
        change(self.lock().entry(key.as_str().to_owned()).or_default());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        held(&self.0)
    }
}

/// Whether an answer of a proxy that keeps the attempt is its end: it would say otherwise while a try may have taken
/// the voucher unseen.
pub(crate) fn is_final(signal: &Signal) -> bool {
    match signal {
        Signal::Redeemed(_) | Signal::AttemptClosed | Signal::SettledUntouched => true,
        signal => signal.money() == Money::No && !signal.is_the_proxys() && !signal.is_retried(),
    }
}
