//! The model proxy's ledger: attempts, their tries, the outbox; and what the tries prove together (CONTRACT, "What the
//! attempt means"). What is in it has been written to disk, so to speak: a killed model has it again.

use mozarto::{Amount, Money, Signal};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Instant;

/// How one try ended.
#[derive(Clone)]
pub(crate) struct End {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Value,
    pub(crate) signal: Signal,
}

/// One try.
#[derive(Clone)]
pub(crate) struct Try {
    pub(crate) sent: Instant,
    pub(crate) end: Option<End>,
}

/// One attempt.
#[derive(Clone)]
pub(crate) struct Attempt {
    pub(crate) owner: Option<String>,
    pub(crate) pin: String,
    pub(crate) amount: Amount,
    pub(crate) tries: Vec<Try>,
    pub(crate) closed: bool,
}

/// Everything that is written down.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) attempts: HashMap<String, Attempt>,
    pub(crate) outbox: Vec<Value>,
    /// Keys closed before anything else was known of them.
    pub(crate) closed: Vec<String>,
}

/// Where an attempt stands.
pub(crate) enum Standing {
    Recorded,
    Sending,
    /// Open: the last try's answer is the attempt's, and the next may be sent.
    Open(End),
    Final(End),
    /// Unknown; whether another try may be sent.
    Unconfirmed(bool),
}

impl Attempt {
    /// What the tries prove together.
    pub(crate) fn standing(&self) -> Standing {
        let ends: Vec<&End> = self.tries.iter().filter_map(|one| one.end.as_ref()).collect();
        if let Some(success) = ends.iter().find(|end| end.signal.money() == Money::Yes) {
            return Standing::Final((*success).clone());
        }
        if ends.len() < self.tries.len() {
            return Standing::Sending;
        }
        let Some(last) = ends.last() else { return Standing::Recorded };
        let unknown = ends.iter().any(|end| end.signal.money() == Money::Unknown);
        let forbidden = ends.iter().any(|end| end.signal.forbids_tries());
        let proof = ends.iter().find(|end| end.signal.proves_untouched());
        match (unknown, proof) {
            (false, _) if !last.signal.is_retried() => Standing::Final((*last).clone()),
            (true, Some(proof)) if !forbidden => Standing::Final((*proof).clone()),
            (_, _) if last.signal.is_retried() && !forbidden => Standing::Open((*last).clone()),
            _ => Standing::Unconfirmed(!forbidden),
        }
    }

    /// Whether it can be closed as untouched.
    pub(crate) fn is_untouched(&self) -> bool {
        let untouched = |one: &Try| one.end.as_ref().is_some_and(|end| end.signal.money() == Money::No);
        self.tries.iter().all(untouched) && !matches!(self.standing(), Standing::Final(_))
    }

    /// Whether it holds its voucher.
    pub(crate) fn is_open(&self) -> bool {
        !self.closed && !matches!(self.standing(), Standing::Final(_))
    }
}

impl Ledger {
    /// Another open attempt with this voucher, and whose it is.
    pub(crate) fn holder(&self, pin: &str, key: &str) -> Option<(&String, &Attempt)> {
        self.attempts.iter().find(|(other, attempt)| *other != key && attempt.pin == pin && attempt.is_open())
    }

    /// Writes the end of a try down; a redemption with its row in the outbox, so many times.
    pub(crate) fn end(&mut self, key: &str, nth: usize, end: End, rows: usize) {
        let Some(attempt) = self.attempts.get_mut(key) else { return };
        let redeemed = matches!(end.signal, Signal::Redeemed(_));
        let data = end.body["data"].clone();
        attempt.tries[nth].end = Some(end);
        for _ in 0..if redeemed { rows } else { 0 } {
            let row = json!({
                "sequence": self.outbox.len() + 1,
                "attempt": key,
                "transactionId": data["transactionId"],
                "userId": attempt.owner,
                "currency": data["currency"],
                "value": data["value"],
                "outcome": "redeemed",
                "at": "2026-06-09T00:00:00Z",
            });
            self.outbox.push(row);
        }
    }
}
