//! What really happened to each attempt, what was said about it, and whether the two fit. The first that does not is
//! kept, and ends the case.

use super::mozarto::Mozarto;
use mozarto::Money;
use redemption::{AttemptKey, Code, Outcome, OutcomeKind};

#[derive(Default)]
pub(super) struct Truth {
    pub(super) attempts: Vec<Told>,
    /// Counts what happens.
    pub(super) clock: u32,
    /// The first untruth.
    pub(super) wrong: Option<String>,
}

/// An attempt that was sent at least once.
pub(super) struct Told {
    pub(super) key: AttemptKey,
    /// The voucher of its first try.
    pub(super) voucher: usize,
    /// An outcome other than `unconfirmed` was told since it was last sent.
    pub(super) ended: bool,
    pub(super) redeemed: bool,
    /// The customer has put it away.
    pub(super) dismissed: bool,
    /// When it was last called untouched.
    untouched_at: Option<u32>,
}

impl Truth {
    pub(super) fn must(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds && self.wrong.is_none() {
            self.wrong = Some(otherwise());
        }
    }

    pub(super) fn find(&mut self, key: &AttemptKey) -> Option<&mut Told> {
        self.attempts.iter_mut().find(|told| told.key == *key)
    }

    /// A try leaves the page. Whether it is the attempt's first.
    pub(super) fn sent(&mut self, key: &AttemptKey, voucher: usize) -> bool {
        if let Some(told) = self.find(key) {
            (told.ended, told.dismissed) = (false, false);
            return false;
        }
        let (ended, redeemed, dismissed, untouched_at) = (false, false, false, None);
        self.attempts.push(Told { key: key.clone(), voucher, ended, redeemed, dismissed, untouched_at });
        true
    }

    /// A request of this attempt, sent at that time, has taken its voucher.
    pub(super) fn taken(&mut self, key: &AttemptKey, sent_at: u32) {
        let called = self.find(key).and_then(|told| told.untouched_at);
        self.must(called.is_none_or(|at| sent_at > at), || {
            format!("{key:?} was called untouched while a request was on its way that takes the voucher")
        });
    }

    /// The embedder is told an outcome.
    pub(super) fn told(&mut self, outcome: &Outcome, mozarto: &Mozarto, keeps: bool) {
        self.shown(outcome, mozarto, keeps);
        let clock = self.clock;
        let Some(told) = self.find(&outcome.attempt) else {
            return self.must(false, || format!("{:?} was never sent", outcome.attempt));
        };
        told.redeemed |= matches!(outcome.kind, OutcomeKind::Redeemed(_));
        told.ended |= outcome.kind != OutcomeKind::Unconfirmed;
        if outcome.money == Money::No {
            told.untouched_at = Some(clock);
        }
    }

    /// An outcome is told or on screen.
    pub(super) fn shown(&mut self, outcome: &Outcome, mozarto: &Mozarto, keeps: bool) {
        let taken = mozarto.taken_by(&outcome.attempt);
        // Without a ledger the taker may be this try's own first copy: then nothing is said about the money.
        let first_sight = outcome.code == Code::AlreadyRedeemed && !keeps;
        let fits = match (&outcome.kind, outcome.money) {
            (OutcomeKind::Redeemed(_), Money::Yes) => taken,
            (OutcomeKind::Unconfirmed, Money::Unknown) => true,
            (OutcomeKind::Rejected, Money::Unknown) => first_sight,
            (OutcomeKind::Rejected | OutcomeKind::Failed, Money::No) => !taken && !first_sight,
            _ => false,
        };
        self.must(fits, || {
            format!(
                "{:?} is called {:?} {:?} with money {:?}, and taken is {taken}",
                outcome.attempt, outcome.kind, outcome.code, outcome.money
            )
        });
    }
}
