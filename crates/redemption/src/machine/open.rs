//! The open attempts besides the one in hand: found in the page's records, or put aside for another voucher.

use super::{Machine, Phase, may_finish};
use crate::attempt::Attempt;
use crate::judge::{Status, Then};
use crate::{
    AttemptKey, Effect, Field, Focus, FormError, Keeping, Method, Next, Outcome, OutcomeKind, Reason, Record, Stage,
};
use mozarto::{Answer, OpenAttempt};

/// After how long the customer may put an open attempt out of sight.
const OLD_MS: u64 = 24 * 60 * 60 * 1000;

/// An open attempt that is not in hand.
#[derive(Debug)]
pub(super) struct Card {
    pub(super) attempt: Attempt,
    /// What it came to meanwhile.
    pub(super) ended: Option<Outcome>,
}

impl Card {
    fn new(attempt: Attempt) -> Self {
        Self { attempt, ended: None }
    }
}

impl Machine {
    /// The records of this endpoint and customer, all that there are: what is new becomes a card, what is gone has ended
    /// in another tab.
    pub(super) fn records_read(
        &mut self,
        mut phase: Phase,
        records: Vec<Record>,
        now_ms: u64,
        effects: &mut Vec<Effect>,
    ) -> Phase {
        self.now_ms = now_ms;
        let gone = |attempt: &Attempt| !records.iter().any(|record| record.key == attempt.key);
        for card in self.cards.extract_if(.., |card| card.ended.is_none() && gone(&card.attempt)).collect::<Vec<_>>() {
            self.forget_finishing(&card.attempt.key);
        }
        let asked = matches!(phase, Phase::Checking(_) | Phase::Unconfirmed { .. });
        if let Some(attempt) = phase.attempt_mut().filter(|attempt| asked && gone(attempt) && !attempt.asks.running) {
            self.ask(attempt, Reason::Status, effects);
        }
        let in_hand = phase.attempt().map(|attempt| attempt.key.clone());
        let known = |machine: &Self, key: &AttemptKey| {
            in_hand.as_ref() == Some(key) || machine.cards.iter().any(|card| card.attempt.key == *key)
        };
        let mut records: Vec<_> = records.into_iter().filter(|record| !known(self, &record.key)).collect();
        records.sort_by_key(|record| record.began_at_ms);
        let first = !std::mem::replace(&mut self.records_read, true);
        let mut found = Vec::new();
        for record in records {
            if record.stage == Stage::Untouched {
                if first {
                    // Nobody will try it again from here: it is closed, so that its voucher is free for another key.
                    self.close(&Attempt::found(record), effects);
                }
                continue;
            }
            found.push(record);
        }
        let shown = found.last().filter(|record| {
            let fresh = record.stage == Stage::Sent && !self.is_old(record.began_at_ms);
            first && fresh && matches!(phase, Phase::Editing) && !self.form.has_pin()
        });
        let shown = if shown.is_some() { found.pop() } else { None };
        for record in found {
            let mut attempt = Attempt::found(record);
            // Another tab has it in hand, and tells its own page.
            attempt.unconfirmed_told |= !first;
            self.add_card(attempt, effects);
        }
        match shown {
            Some(record) => self.check(Attempt::found(record), effects),
            None => phase,
        }
    }

    fn add_card(&mut self, mut attempt: Attempt, effects: &mut Vec<Effect>) {
        self.ask(&mut attempt, Reason::Status, effects);
        self.cards.push(Card::new(attempt));
    }

    /// The proxy named the attempt that has this voucher.
    pub(super) fn add_holder(&mut self, holder: &OpenAttempt, refused: &Attempt, effects: &mut Vec<Effect>) {
        let Some(key) = AttemptKey::parse(&holder.attempt) else { return };
        self.cards.retain(|card| card.attempt.key != key || card.ended.is_none());
        if self.cards.iter().any(|card| card.attempt.key == key) {
            self.each_open_card(effects, |machine, attempt, effects| {
                if attempt.key == key {
                    machine.ask(attempt, Reason::Status, effects);
                }
            });
            return;
        }
        let transaction_id = holder.reference.clone().filter(|reference| *reference != holder.attempt);
        let record = Record { key, transaction_id, ..refused.record(Stage::Unconfirmed) };
        effects.push(Effect::Store(Box::new(record.clone())));
        self.add_card(Attempt::found(record), effects);
    }

    /// The attempt goes on as a card. Its PIN is kept only as long as an answer may repeat it.
    pub(super) fn put_aside(&mut self, mut attempt: Attempt) {
        if !attempt.is_running() {
            attempt.pay_in = None;
        }
        self.cards.push(Card::new(attempt));
    }

    /// The customer gives up an attempt that the proxy may keep open though nothing was taken: it is closed, so that its
    /// voucher is free for another key.
    pub(super) fn abandon(&self, attempt: &Attempt, outcome: &Outcome, effects: &mut Vec<Effect>) {
        if matches!(outcome.next, Next::SameAttempt | Next::Session) {
            self.close(attempt, effects);
        }
    }

    /// Nobody waits for the answer.
    pub(super) fn close(&self, attempt: &Attempt, effects: &mut Vec<Effect>) {
        effects.push(Effect::Ask(Box::new(self.status_ask(attempt, Method::Delete, Reason::Status))));
        effects.push(Effect::Forget(attempt.key.clone()));
    }

    /// The form is for this card's PIN now.
    pub(super) fn finish(&mut self, key: &AttemptKey, effects: &mut Vec<Effect>) -> Phase {
        let card = self.cards.iter().find(|card| card.attempt.key == *key && card.ended.is_none());
        if let Some(attempt) = card.map(|card| &card.attempt).filter(|attempt| may_finish(attempt)) {
            let finishing = Some((key.clone(), attempt.summary()));
            self.clear_form();
            self.form.finishing = finishing;
            effects.extend([Effect::ClearPin, Effect::Focus(Focus::Field(Field::Pin))]);
        }
        Phase::Editing
    }

    pub(super) fn stop_finishing(&mut self, effects: &mut Vec<Effect>) -> Phase {
        if self.form.finishing.is_some() {
            self.start_over(effects);
        }
        Phase::Editing
    }

    /// Takes an open card into hand.
    pub(super) fn take_card(&mut self, key: &AttemptKey) -> Option<Attempt> {
        let at = self.cards.iter().position(|card| card.attempt.key == *key && card.ended.is_none())?;
        Some(self.cards.remove(at).attempt)
    }

    pub(super) fn dismiss(&mut self, key: &AttemptKey, effects: &mut Vec<Effect>) {
        let Some(at) = self.cards.iter().position(|card| card.attempt.key == *key && self.may_dismiss(card)) else {
            return;
        };
        if self.cards.remove(at).ended.is_none() {
            effects.push(Effect::Forget(key.clone()));
        }
        self.forget_finishing(key);
    }

    pub(super) fn may_dismiss(&self, card: &Card) -> bool {
        card.ended.is_some() || self.is_old(card.attempt.began_at_ms)
    }

    fn is_old(&self, began_at_ms: u64) -> bool {
        self.now_ms.saturating_sub(began_at_ms) >= OLD_MS
    }

    /// Does something with each card that has not ended.
    pub(super) fn each_open_card(
        &mut self,
        effects: &mut Vec<Effect>,
        mut act: impl FnMut(&Self, &mut Attempt, &mut Vec<Effect>),
    ) {
        let mut cards = std::mem::take(&mut self.cards);
        for card in cards.iter_mut().filter(|card| card.ended.is_none()) {
            act(self, &mut card.attempt, effects);
        }
        self.cards = cards;
    }

    /// A late answer of an attempt that was put aside.
    pub(super) fn card_answered(
        &mut self,
        key: &AttemptKey,
        try_number: u32,
        answer: &Answer,
        keeping: Keeping,
        effects: &mut Vec<Effect>,
    ) {
        let Some(mut attempt) = self.open_card(key).map(|attempt| attempt.clone()) else { return };
        let meaning = &answer.meaning();
        let Some(verdict) = attempt.judge(try_number, meaning, keeping) else { return };
        if !attempt.is_running() {
            attempt.pay_in = None;
        }
        if verdict.then == Then::Ask {
            self.ask(&mut attempt, Reason::Status, effects);
        }
        let ended =
            (verdict.then != Then::Ask && verdict.outcome.kind != OutcomeKind::Unconfirmed).then_some(verdict.outcome);
        self.update_card(attempt, ended, effects);
    }

    /// A status of an attempt that is a card.
    pub(super) fn card_status(
        &mut self,
        key: &AttemptKey,
        number: u32,
        answer: &Answer,
        kept: bool,
        effects: &mut Vec<Effect>,
    ) {
        let Some(mut attempt) = self.open_card(key).map(|attempt| attempt.clone()) else { return };
        let ended = match self.heard(&mut attempt, number, answer, kept, effects) {
            Some(Status::End(outcome, _)) => Some(*outcome),
            Some(_) => {
                attempt.ask_later(effects);
                // Told once, also where the page that began it never could.
                let standing = attempt.not_known();
                self.tell(&mut attempt, standing, effects);
                None
            }
            None => None,
        };
        self.update_card(attempt, ended, effects);
    }

    fn open_card(&mut self, key: &AttemptKey) -> Option<&mut Attempt> {
        let card = self.cards.iter_mut().find(|card| card.attempt.key == *key && card.ended.is_none());
        card.map(|card| &mut card.attempt)
    }

    fn update_card(&mut self, mut attempt: Attempt, ended: Option<Outcome>, effects: &mut Vec<Effect>) {
        let key = attempt.key.clone();
        let ended = ended.map(|outcome| self.tell(&mut attempt, outcome, effects));
        if ended.is_some() {
            attempt.pay_in = None;
            self.forget_finishing(&key);
        }
        if let Some(card) = self.cards.iter_mut().find(|card| card.attempt.key == key) {
            *card = Card { attempt, ended };
        }
    }

    /// The form is for nobody's PIN any more, if it was for this attempt's.
    fn forget_finishing(&mut self, key: &AttemptKey) {
        if self.form.finishing.as_ref().is_some_and(|(finishing, _)| finishing == key) {
            self.form.finishing = None;
            self.form.errors.form = Some(FormError::Ended);
        }
    }
}
