//! One voucher, amount and currency under one key, and its tries: what is known of it. What an answer means for it is in
//! `judge.rs`.

use crate::{Code, Next, Options, Outcome, OutcomeKind, Record, Stage, Summary};
use mozarto::{Amount, Money, PayIn, Signal, redact_pin};
use std::fmt;

/// How many tries are made without the customer asking for one.
const AUTOMATIC_TRIES: u32 = 5;

/// An attempt's name: a UUID, sent as `Idempotency-Key`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AttemptKey(String);

impl AttemptKey {
    /// Takes a fresh UUID over.
    pub fn new(uuid: String) -> Self {
        Self(uuid)
    }

    /// A key that came from elsewhere: `None` where it is no UUID.
    pub fn parse(text: &str) -> Option<Self> {
        let is_uuid = text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            });
        is_uuid.then(|| Self(text.to_ascii_lowercase()))
    }

    /// The UUID's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AttemptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An attempt from its submission to its outcome.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts that do not exclude each other, each learnt by itself")]
pub(crate) struct Attempt {
    pub(crate) key: AttemptKey,
    /// Where it is posted, whatever the merchant changes meanwhile.
    pub(crate) endpoint: String,
    pub(crate) amount: Amount,
    pub(crate) last_four: String,
    pub(crate) began_at_ms: u64,
    user_id: Option<String>,
    /// The request. `None` after a reload: the PIN is in no storage.
    pub(crate) pay_in: Option<PayIn>,
    /// The PIN was entered again: without a ledger nobody can tell whether it is the same.
    pub(crate) reentered: bool,
    pub(crate) tries: Vec<Try>,
    /// Tries that other pages have begun besides: nothing is known of them.
    others_tries: u32,
    /// Tries of this page that never left it. No record counts them.
    pub(crate) never_left: u32,
    /// Another page has forgotten it: it has ended there, or the storage was emptied.
    pub(crate) gone: bool,
    /// The proxy named it; its amount is not known here.
    pub(crate) named: bool,
    /// The PIN that was entered again is another voucher's.
    pub(crate) other_pin: bool,
    pub(crate) transaction_id: Option<String>,
    /// Whether the embedder was told `unconfirmed`: once is enough, and `failed` never follows it.
    pub(crate) unconfirmed_told: bool,
    /// A try was answered "already redeemed". From then on only a success or staff says more.
    pub(crate) reported_used: bool,
    /// A rejection that proves the voucher untouched, held back while another try still runs.
    pub(crate) proof: Option<Signal>,
    /// Nothing may be sent again.
    pub(crate) closed_to_tries: bool,
    /// What the attempt comes to if nothing more is heard.
    pub(crate) standing: Option<Outcome>,
    /// How long the server wants to be left alone, where that is longer than a customer waits.
    pub(crate) retry_in_s: Option<u64>,
    /// The same, up to a minute.
    pub(crate) retry_after_ms: u32,
    /// A session was renewed once for a try.
    pub(crate) renewed: bool,
    pub(crate) asks: Asks,
    automatic_left: u32,
}

/// What is known about one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Try {
    /// Sent; the customer may have stopped waiting, but an answer may still come.
    Running,
    /// Answered, or sure to stay without an answer.
    Ended(Money),
}

/// The status asks of an attempt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asks {
    /// The last ask's number, from 1. An answer to another changes nothing.
    pub(crate) number: u32,
    /// An ask is under way.
    pub(crate) running: bool,
    /// Asks in a row that told nothing.
    pub(crate) failed: u32,
    /// Asks in a row after which to ask again.
    pub(crate) in_a_row: u32,
    /// A session was renewed once.
    pub(crate) renewed: bool,
    /// Asks in a row that found no such attempt.
    pub(crate) not_found: u32,
    /// The proxy was told to close the attempt if nothing was sent.
    pub(crate) closing: bool,
    /// How often it was asked again later, while nobody waited.
    pub(crate) later: u32,
    /// Whether the proxy was seen to keep attempts, or not to.
    pub(crate) kept: Option<bool>,
}

impl Attempt {
    pub(crate) fn new(key: AttemptKey, options: &Options, pay_in: PayIn, began_at_ms: u64) -> Self {
        Self {
            key,
            endpoint: options.endpoint.clone(),
            amount: pay_in.amount,
            last_four: pay_in.voucher_pin.last_four().to_owned(),
            began_at_ms,
            user_id: options.user_id.clone(),
            pay_in: Some(pay_in),
            reentered: false,
            tries: Vec::new(),
            others_tries: 0,
            never_left: 0,
            gone: false,
            named: false,
            other_pin: false,
            transaction_id: None,
            unconfirmed_told: false,
            reported_used: false,
            proof: None,
            closed_to_tries: false,
            standing: None,
            retry_in_s: None,
            retry_after_ms: 0,
            renewed: false,
            asks: Asks::default(),
            automatic_left: AUTOMATIC_TRIES,
        }
    }

    /// An attempt that an earlier page, or another, has begun. What became of its tries is not known.
    pub(crate) fn found(record: Record) -> Self {
        Self {
            key: record.key,
            endpoint: record.endpoint,
            amount: record.amount,
            last_four: record.last_four,
            began_at_ms: record.began_at_ms,
            user_id: record.user_id,
            pay_in: None,
            reentered: false,
            tries: vec![Try::Ended(Money::Unknown)],
            others_tries: record.tries.saturating_sub(1),
            never_left: 0,
            gone: false,
            named: record.stage == Stage::Named,
            other_pin: false,
            transaction_id: record.transaction_id,
            unconfirmed_told: matches!(record.stage, Stage::Unconfirmed | Stage::Named),
            reported_used: false,
            proof: None,
            closed_to_tries: false,
            standing: None,
            retry_in_s: None,
            retry_after_ms: 0,
            renewed: false,
            asks: Asks::default(),
            automatic_left: AUTOMATIC_TRIES,
        }
    }

    /// What is stored of it.
    pub(crate) fn record(&self, stage: Stage) -> Record {
        Record {
            key: self.key.clone(),
            endpoint: self.endpoint.clone(),
            user_id: self.user_id.clone(),
            amount: self.amount,
            last_four: self.last_four.clone(),
            began_at_ms: self.began_at_ms,
            stage: if self.named { Stage::Named } else { stage },
            tries: self.tries_begun(),
            transaction_id: self.transaction_id.clone(),
        }
    }

    /// The number of the last try, from 1; 0 before the first.
    pub(crate) fn try_number(&self) -> u32 {
        u32::try_from(self.tries.len()).unwrap_or(u32::MAX)
    }

    /// Begins the next try.
    pub(crate) fn begin_try(&mut self) {
        self.automatic_left = self.automatic_left.saturating_sub(1);
        self.retry_in_s = None;
        self.retry_after_ms = 0;
        self.other_pin = false;
        self.gone = false;
        self.tries.push(Try::Running);
    }

    /// Whether the customer may try again under the same key. Without the PIN, the customer is asked for it.
    pub(crate) fn may_retry(&self) -> bool {
        !self.closed_to_tries
    }

    /// Whether the next try needs nobody: the PIN is at hand, and automatic tries are left.
    pub(crate) fn retries_by_itself(&self) -> bool {
        self.pay_in.is_some()
            && self.automatic_left > 0
            && !self.closed_to_tries
            && self.retry_in_s.is_none()
            && !self.gone
    }

    /// Whether no try can have taken the voucher.
    pub(crate) fn is_untouched(&self) -> bool {
        self.others_tries == 0 && self.tries.iter().all(|one| *one == Try::Ended(Money::No))
    }

    /// Takes in what another page has stored of it. Whether it has begun a try that is not known here.
    pub(crate) fn learn(&mut self, record: &Record) -> bool {
        self.gone = false;
        let known = self.tries_begun();
        self.others_tries = self.others_tries.saturating_add(record.tries.saturating_sub(known));
        record.tries > known
    }

    /// How many tries have begun, by whichever page.
    fn tries_begun(&self) -> u32 {
        self.try_number().saturating_sub(self.never_left).saturating_add(self.others_tries)
    }

    /// Whether tries that other pages have begun are unknown here.
    pub(crate) fn has_others_tries(&self) -> bool {
        self.others_tries > 0
    }

    /// Whether an answer may still come.
    pub(crate) fn is_running(&self) -> bool {
        self.tries.contains(&Try::Running)
    }

    /// What support can find the attempt by.
    pub(crate) fn reference(&self) -> String {
        self.transaction_id.clone().unwrap_or_else(|| self.key.0.clone())
    }

    /// Which voucher.
    pub(crate) fn summary(&self) -> Summary {
        Summary { amount: self.amount, last_four: self.last_four.clone() }
    }

    /// Whether its record stands among those of these options' endpoint and customer.
    pub(crate) fn is_of(&self, options: &Options) -> bool {
        self.endpoint == options.endpoint && self.user_id == options.user_id
    }

    /// What it comes to if nothing more is heard: not known, unless an answer said more.
    pub(crate) fn standing(&self) -> Outcome {
        let said = self.standing.clone().filter(|said| said.kind == OutcomeKind::Unconfirmed || self.is_untouched());
        said.unwrap_or_else(|| self.nothing_heard())
    }

    /// The same, for an attempt that is not known to be untouched.
    pub(crate) fn not_known(&self) -> Outcome {
        Some(self.standing())
            .filter(|standing| standing.kind == OutcomeKind::Unconfirmed)
            .unwrap_or_else(|| self.nothing_heard())
    }

    pub(crate) fn nothing_heard(&self) -> Outcome {
        self.outcome(OutcomeKind::Unconfirmed, Code::NoAnswer, Money::Unknown, Next::Status)
    }

    /// How long to wait before the next automatic try, in milliseconds: 1, 2, 4, 8 s, each up to a fifth more or less so
    /// that customers whom one failure met do not all come back at once. The key is the randomness.
    pub(crate) fn backoff_ms(&self) -> u32 {
        let retries = AUTOMATIC_TRIES.saturating_sub(self.automatic_left).saturating_sub(1).min(5);
        let base = (1000_u32 << retries).min(30_000);
        let seed = self.key.0.bytes().chain(self.try_number().to_le_bytes());
        let hash = seed.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        base / 5 * 4 + hash % (base / 5 * 2 + 1)
    }

    /// A text of the server's without the PIN.
    pub(crate) fn without_pin(&self, text: &str) -> String {
        match &self.pay_in {
            Some(pay_in) => redact_pin(text, &pay_in.voucher_pin).into_owned(),
            None => text.to_owned(),
        }
    }

    pub(crate) fn outcome(&self, kind: OutcomeKind, code: Code, money: Money, next: Next) -> Outcome {
        Outcome { kind, code, money, next, attempt: self.key.clone(), reference: self.reference() }
    }
}
