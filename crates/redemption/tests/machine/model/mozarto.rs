//! Mozarto and Flexepin as far as money goes: vouchers that are taken once, and answers that may be anything that does
//! not contradict what really happened.
//!
//! A request that was not answered in a way that proves something may go on in secret and take the voucher later. What
//! an answer proves is CONTRACT's table; which answers fit which deed is here, written from the table and not from the
//! code under test.

use crate::support::{accepted, coded, html, rejection, success, uncoded};
use mozarto::{Amount, Answer};
use redemption::AttemptKey;

/// A voucher: who has taken it, if anybody.
pub(super) struct Voucher {
    pub(super) pin: &'static str,
    /// What it is worth in minor units. `None`: no voucher has this PIN.
    pub(super) value: Option<u64>,
    pub(super) taken: Option<Taker>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taker {
    /// In a shop around the corner.
    Somebody,
    Attempt {
        key: AttemptKey,
        /// Which of the browser's requests: it may arrive more than once.
        fetch: u32,
    },
}

/// One request on its way to Mozarto.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    pub(super) key: AttemptKey,
    pub(super) voucher: usize,
    pub(super) amount: Amount,
    pub(super) fetch: u32,
    /// When the page sent it.
    pub(super) sent_at: u32,
    pub(super) origin: Origin,
}

/// Who waits for Mozarto's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The browser's connection, through a proxy that keeps nothing.
    Connection(u32),
    /// A try of the ledger's, by its place.
    Try(usize),
    /// Nobody any more.
    Nobody,
}

/// What Mozarto does with a request, as the case has chosen it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fate {
    /// Whether it takes the voucher where it can.
    pub(super) takes: bool,
    /// Whether what it leaves open goes on in secret.
    pub(super) lingers: bool,
    /// Which of the answers that fit.
    pub(super) answer: usize,
}

impl Fate {
    /// Takes what can be taken, and says so.
    pub(super) const BENIGN: Self = Self { takes: true, lingers: false, answer: 0 };
}

#[derive(Default)]
pub(super) struct Mozarto {
    pub(super) vouchers: Vec<Voucher>,
    /// The browser's requests of which a copy may have taken the voucher, and no page knows.
    in_doubt: Vec<u32>,
    /// Requests that have arrived and are not done.
    pub(super) pending: Vec<Upstream>,
    /// Requests that were answered, and may take the voucher nevertheless.
    pub(super) lingering: Vec<Upstream>,
}

impl Mozarto {
    pub(super) fn new(vouchers: Vec<Voucher>) -> Self {
        Self { vouchers, ..Self::default() }
    }

    /// Does one request. Gives back its answer, and whether it took the voucher.
    pub(super) fn process(&mut self, request: &Upstream, fate: Fate) -> (Answer, bool) {
        let copied = matches!(request.origin, Origin::Connection(_)) && self.may_have_been_done(request.fetch);
        let no_deed = if copied { vec![] } else { no_deed() };
        let voucher = &mut self.vouchers[request.voucher];
        let fits = voucher.value == Some(request.amount.minor());
        let (takes, answers) = match (&voucher.taken, voucher.value) {
            (None, Some(_)) if fits && fate.takes => (true, vec![success(); 6]),
            (None, Some(_)) if fits => (false, no_deed),
            (None, Some(_)) => (false, [vec![rejection("Mismatched amount"); 4], no_deed].concat()),
            (None, None) => (false, [vec![rejection("Invalid voucher PIN"); 4], no_deed].concat()),
            (Some(_), _) => (false, [used(), no_deed].concat()),
        };
        if takes {
            voucher.taken = Some(Taker::Attempt { key: request.key.clone(), fetch: request.fetch });
        }
        let proving = answers.len();
        let answers = [answers, unknown()].concat();
        let place = fate.answer % answers.len();
        if place >= proving {
            self.in_doubt.push(request.fetch);
            if fate.lingers {
                self.lingering.push(request.clone());
            }
        }
        (answers[place].clone(), takes)
    }

    /// A browser may send one request twice, and its page sees the answer of the last copy only. Where an earlier copy
    /// may have taken the voucher, and no ledger knows of it, the last is not answered by a row that says "no" of
    /// itself alone: nothing could tell the two apart. CONTRACT ("The browser resends") names the one case seen.
    pub(super) fn may_have_been_done(&self, id: u32) -> bool {
        let by = |taker: &Taker| matches!(taker, Taker::Attempt { fetch, .. } if *fetch == id);
        let taken = self.vouchers.iter().any(|voucher| voucher.taken.as_ref().is_some_and(by));
        let running = self.pending.iter().any(|request| request.fetch == id);
        taken || running || self.in_doubt.contains(&id)
    }

    /// What was left open ends, and takes the voucher if nobody has. Whether it did.
    pub(super) fn end_lingering(&mut self, request: &Upstream) -> bool {
        let voucher = &mut self.vouchers[request.voucher];
        let takes = voucher.taken.is_none() && voucher.value == Some(request.amount.minor());
        if takes {
            voucher.taken = Some(Taker::Attempt { key: request.key.clone(), fetch: request.fetch });
        }
        takes
    }

    /// Whether a try of this attempt has taken a voucher.
    pub(super) fn taken_by(&self, attempt: &AttemptKey) -> bool {
        let by = |taker: &Taker| matches!(taker, Taker::Attempt { key, .. } if key == attempt);
        self.vouchers.iter().any(|voucher| voucher.taken.as_ref().is_some_and(by))
    }

    /// Whether anything of this attempt may still take its voucher.
    pub(super) fn is_busy_with(&self, attempt: &AttemptKey) -> bool {
        self.pending.iter().chain(&self.lingering).any(|request| request.key == *attempt)
    }
}

fn used() -> Vec<Answer> {
    vec![
        rejection("Voucher already redeemed"),
        rejection("Voucher already redeemed"),
        rejection("This voucher has already been used"),
    ]
}

/// Rows that say: this try has taken nothing. They can be true of any voucher.
fn no_deed() -> Vec<Answer> {
    vec![
        coded("PSP_RATE_LIMITED"),
        uncoded(429, "Too many requests"),
        coded("INVALID_PSP_CREDENTIALS"),
        rejection("Voucher blocked"),
        rejection("Rules action is not matched"),
        rejection("Payment provider rejected the request"),
        rejection("Missing required field: userId"),
        uncoded(401, "Unauthorized"),
    ]
}

/// Rows that prove nothing: the last of every list.
fn unknown() -> Vec<Answer> {
    vec![
        coded("PSP_TIMEOUT"),
        coded("PSP_UNAVAILABLE"),
        uncoded(500, "Internal server error"),
        coded("UNKNOWN_PSP_ERROR"),
        accepted(),
        html(),
        Answer::none(),
    ]
}
