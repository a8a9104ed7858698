//! A proxy that keeps attempts, by CONTRACT's hop 1: honest, and small enough to be read beside it. Its verdict on an
//! attempt is written from the contract, not taken from the machine's.

use crate::support::{coded, in_use, running, success, uncoded, untouched};
use mozarto::{Amount, Answer, Money, Signal};
use redemption::AttemptKey;

#[derive(Default)]
pub(super) struct Ledger {
    pub(super) entries: Vec<Entry>,
}

pub(super) struct Entry {
    pub(super) key: AttemptKey,
    pub(super) voucher: usize,
    pub(super) amount: Option<Amount>,
    pub(super) tries: Vec<Try>,
    closed: bool,
    /// What staff found out: whether a try of this attempt took the voucher.
    settled: Option<bool>,
}

pub(super) enum Try {
    /// Sent. The browser's connection, while it waits.
    Running(Option<u32>),
    Ended(Box<Answer>),
}

/// What follows from a POST.
pub(super) enum Posted {
    /// An answer, and whether it is a final one that was given before.
    Answer(Box<Answer>, bool),
    /// A try begins: its place.
    Begun(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Recorded,
    Sending,
    /// The place of the answer that stands.
    Open(usize),
    Final(usize),
    /// The place of the only unknown answer, where nothing else is to be said.
    Unconfirmed(Option<usize>),
    Closed,
    Settled(bool),
}

impl Entry {
    pub(super) fn standing(&self) -> Standing {
        if self.closed {
            return Standing::Closed;
        }
        if let Some(redeemed) = self.settled {
            return Standing::Settled(redeemed);
        }
        let signals: Vec<Option<Signal>> = self.tries.iter().map(Try::signal).collect();
        let place = |is: &dyn Fn(&Signal) -> bool| signals.iter().rposition(|signal| signal.as_ref().is_some_and(is));
        let unknown = signals.iter().flatten().filter(|signal| signal.money() == Money::Unknown).count();
        if let Some(at) = place(&|signal| signal.money() == Money::Yes) {
            return Standing::Final(at);
        }
        match signals.last() {
            None => Standing::Recorded,
            _ if signals.contains(&None) => Standing::Sending,
            Some(None) => Standing::Sending,
            Some(Some(last)) => {
                let at = signals.len() - 1;
                let proof = place(&Signal::proves_untouched).filter(|_| !self.forbids_tries());
                match proof {
                    _ if unknown == 0 && last.is_retried() => Standing::Open(at),
                    _ if unknown == 0 => Standing::Final(at),
                    Some(proof) => Standing::Final(proof),
                    None if last.is_retried() && !self.forbids_tries() => Standing::Open(at),
                    None => {
                        let alone = unknown == 1 && last.money() == Money::Unknown;
                        Standing::Unconfirmed(alone.then_some(at))
                    }
                }
            }
        }
    }

    fn forbids_tries(&self) -> bool {
        self.tries.iter().filter_map(Try::signal).any(|signal| signal.forbids_tries())
    }

    fn may_have_taken(&self) -> bool {
        self.tries.iter().filter_map(Try::signal).any(|signal| signal.money() != Money::No)
    }

    /// Whether the voucher is free for another attempt.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.standing(), Standing::Closed | Standing::Settled(_) | Standing::Final(_))
    }

    /// The stored answer. What says "no" of its own try does not say it of the attempt while another try is unknown.
    fn answer(&self) -> Answer {
        let of = |at: usize| match &self.tries[at] {
            Try::Ended(answer) => Answer::clone(answer),
            Try::Running(_) => running(),
        };
        match self.standing() {
            Standing::Recorded => coded("ATTEMPT_UNKNOWN"),
            Standing::Sending => running(),
            Standing::Open(at) if self.may_have_taken() && of(at).meaning().signal.money() == Money::No => no_answer(),
            Standing::Open(at) | Standing::Final(at) | Standing::Unconfirmed(Some(at)) => of(at),
            Standing::Unconfirmed(None) => coded("ATTEMPT_UNCONFIRMED"),
            Standing::Closed => coded("ATTEMPT_CLOSED"),
            Standing::Settled(true) => success(),
            Standing::Settled(false) => coded("ATTEMPT_SETTLED_UNTOUCHED"),
        }
    }
}

fn no_answer() -> Answer {
    uncoded(504, "No complete answer")
}

impl Try {
    fn signal(&self) -> Option<Signal> {
        match self {
            Self::Running(_) => None,
            Self::Ended(answer) => Some(answer.meaning().signal),
        }
    }
}

impl Ledger {
    fn find(&mut self, key: &AttemptKey) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.key == *key)
    }

    pub(super) fn knows(&self, key: &AttemptKey) -> bool {
        self.entries.iter().any(|entry| entry.key == *key)
    }

    /// What an attempt was begun with.
    pub(super) fn voucher_of(&self, key: &AttemptKey) -> Option<usize> {
        self.entries.iter().find(|entry| entry.key == *key && entry.amount.is_some()).map(|entry| entry.voucher)
    }

    pub(super) fn post(&mut self, key: &AttemptKey, voucher: usize, amount: Amount, connection: u32) -> Posted {
        if !self.knows(key) {
            if let Some(holder) = self.entries.iter().find(|entry| entry.voucher == voucher && !entry.has_ended()) {
                return Posted::Answer(Box::new(in_use(&holder.key, holder.key.as_str())), false);
            }
            let entry = Entry {
                key: key.clone(),
                voucher,
                amount: Some(amount),
                tries: Vec::new(),
                closed: false,
                settled: None,
            };
            self.entries.push(entry);
        }
        let entry = self.find(key).expect("it is recorded");
        match entry.standing() {
            Standing::Closed | Standing::Settled(_) => Posted::Answer(Box::new(entry.answer()), false),
            _ if (entry.voucher, entry.amount) != (voucher, Some(amount)) => {
                Posted::Answer(Box::new(coded("ATTEMPT_MISMATCH")), false)
            }
            Standing::Final(_) => Posted::Answer(Box::new(entry.answer()), true),
            Standing::Sending => Posted::Answer(Box::new(coded("ATTEMPT_IN_PROGRESS")), false),
            Standing::Unconfirmed(_) if entry.forbids_tries() => Posted::Answer(Box::new(entry.answer()), false),
            Standing::Recorded | Standing::Open(_) | Standing::Unconfirmed(_) => {
                entry.tries.push(Try::Running(Some(connection)));
                Posted::Begun(entry.tries.len() - 1)
            }
        }
    }

    /// A try has ended. Gives back who waits for its answer, and the answer.
    pub(super) fn end(&mut self, key: &AttemptKey, place: usize, answer: Answer) -> Option<(u32, Answer)> {
        let entry = self.find(key)?;
        // What is no answer from Mozarto is passed on as an error without a code.
        let answer = if answer.reply.is_none() { no_answer() } else { answer };
        let Try::Running(waiting) = entry.tries[place] else { return None };
        entry.tries[place] = Try::Ended(Box::new(answer));
        waiting.map(|connection| (connection, entry.answer()))
    }

    /// The proxy does not keep the browser waiting for longer. Gives back who waited.
    pub(super) fn stop_waiting(&mut self, key: &AttemptKey, place: usize) -> Option<u32> {
        match &mut self.find(key)?.tries[place] {
            Try::Running(waiting) => waiting.take(),
            Try::Ended(_) => None,
        }
    }

    /// What is said instead of `NOT_SENT`, where more is known.
    pub(super) fn unsent(&mut self, key: &AttemptKey) -> Answer {
        match self.find(key).map(|entry| (entry.standing(), entry.may_have_taken(), entry.answer())) {
            None | Some((Standing::Recorded | Standing::Open(_), false, _)) => coded("NOT_SENT"),
            Some((_, _, known)) => known,
        }
    }

    pub(super) fn get(&mut self, key: &AttemptKey) -> Answer {
        self.find(key).map_or_else(|| coded("ATTEMPT_UNKNOWN"), |entry| entry.answer())
    }

    pub(super) fn delete(&mut self, key: &AttemptKey) -> Answer {
        if !self.knows(key) {
            let entry = Entry {
                key: key.clone(),
                voucher: usize::MAX,
                amount: None,
                tries: vec![],
                closed: true,
                settled: None,
            };
            self.entries.push(entry);
            return untouched();
        }
        let entry = self.find(key).expect("it is known");
        let open = matches!(entry.standing(), Standing::Recorded | Standing::Open(_));
        if entry.closed || open && !entry.may_have_taken() {
            entry.closed = true;
            return untouched();
        }
        entry.answer()
    }

    /// Staff say what became of it.
    pub(super) fn settle(&mut self, key: &AttemptKey, redeemed: bool) {
        if let Some(entry) = self.find(key) {
            entry.settled = Some(redeemed);
        }
    }
}
