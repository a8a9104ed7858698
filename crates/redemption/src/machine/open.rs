//! The open attempts besides the one in hand: found in the page's records, or put aside for another voucher.

use super::{Machine, Phase, may_finish, may_retry};
use crate::attempt::Attempt;
use crate::form::Finishing;
use crate::judge::{Status, Then};
use crate::{
    AttemptKey, Effect, Field, Focus, FormError, Keeping, Method, Next, Outcome, OutcomeKind, Reason, Record, Stage,
};
use mozarto::{Answer, OpenAttempt, Signal};

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
    /// The records of this endpoint and customer, all that there are: what is new becomes a card; what is gone has ended in
    /// another tab, or the storage was emptied.
    pub(super) fn records_read(
        &mut self,
        phase: Phase,
        mut records: Vec<Record>,
        now_ms: u64,
        effects: &mut Vec<Effect>,
    ) -> Phase {
        self.now_ms = now_ms;
        let first = !std::mem::replace(&mut self.records_read, true);
        let phase = self.reconcile(phase, &records, effects);
        let mut cards = std::mem::take(&mut self.cards);
        for card in cards.iter_mut().filter(|card| card.ended.is_none()) {
            if self.is_news(&mut card.attempt, &records) && !card.attempt.asks.running {
                self.ask(&mut card.attempt, Reason::Status, effects);
            }
        }
        self.cards = cards;
        // What was said to be untouched here may have been taken since, by another page under the same key.
        let stays = |card: &Card| card.ended.as_ref().is_none_or(|it| matches!(it.kind, OutcomeKind::Redeemed(_)));
        self.cards.retain(|card| stays(card) || !records.iter().any(|record| record.key == card.attempt.key));
        let in_hand = phase.attempt().map(|attempt| attempt.key.clone());
        records.retain(|record| {
            in_hand.as_ref() != Some(&record.key) && !self.cards.iter().any(|card| card.attempt.key == record.key)
        });
        records.sort_by_key(|record| record.began_at_ms);
        if first {
            for record in records.extract_if(.., |record| record.stage == Stage::Untouched) {
                // Nobody will try it again from here: it is closed, so that its voucher is free for another key.
                self.close(&Attempt::found(record), effects);
            }
        }
        records.retain(|record| record.stage != Stage::Untouched);
        let shown = records.last().is_some_and(|record| {
            let fresh = record.stage == Stage::Sent && !self.is_old(record.began_at_ms);
            first && fresh && matches!(phase, Phase::Editing) && !self.form.has_pin()
        });
        let shown = if shown { records.pop() } else { None };
        for record in records {
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

    /// What another tab has made of the attempt in hand. Whoever does not know all of its tries asks, and says nothing
    /// by its own alone.
    fn reconcile(&mut self, mut phase: Phase, records: &[Record], effects: &mut Vec<Effect>) -> Phase {
        let Some(attempt) = phase.attempt_mut().filter(|attempt| attempt.try_number() > 0) else { return phase };
        let news = self.is_news(attempt, records);
        let touched = |attempt: &Attempt| {
            let record = records.iter().find(|record| record.key == attempt.key);
            record.is_some_and(|record| record.stage != Stage::Untouched)
        };
        match phase {
            Phase::Failed { attempt, outcome } if touched(&attempt) || news && may_retry(&attempt, &outcome) => {
                self.check(attempt, effects)
            }
            Phase::Preparing(attempt) if attempt.gone => {
                effects.push(Effect::AbortBeforeSubmit);
                self.check(attempt, effects)
            }
            Phase::Waiting { attempt, .. } if attempt.gone => self.check(attempt, effects),
            Phase::Unconfirmed { mut attempt, outcome } if news && !attempt.asks.running => {
                self.ask(&mut attempt, Reason::Status, effects);
                Phase::Unconfirmed { attempt, outcome }
            }
            phase => phase,
        }
    }

    /// Whether the records tell something new of an attempt: it is gone, or another tab has begun a try. A record of
    /// another endpoint or customer is not among them.
    fn is_news(&self, attempt: &mut Attempt, records: &[Record]) -> bool {
        match records.iter().find(|record| record.key == attempt.key) {
            Some(record) => attempt.learn(record),
            None if attempt.is_of(&self.options) => !std::mem::replace(&mut attempt.gone, true),
            None => false,
        }
    }

    fn add_card(&mut self, mut attempt: Attempt, effects: &mut Vec<Effect>) {
        self.ask(&mut attempt, Reason::Status, effects);
        self.cards.push(Card::new(attempt));
    }

    /// The proxy named the attempt that has this voucher.
    pub(super) fn add_holder(
        &mut self,
        holder: &OpenAttempt,
        refused: &Attempt,
        in_hand: Option<&AttemptKey>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(key) = AttemptKey::parse(&holder.attempt).filter(|key| in_hand != Some(key)) else { return };
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
        let record = Record { key, transaction_id, tries: 1, ..refused.record(Stage::Named) };
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
            let finishing = Some(Finishing {
                key: key.clone(),
                last_four: attempt.last_four.clone(),
                amount: Some(attempt.amount).filter(|_| !attempt.named),
            });
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

    /// Whether there was such a card.
    pub(super) fn dismiss(&mut self, key: &AttemptKey, effects: &mut Vec<Effect>) -> bool {
        let Some(at) = self.cards.iter().position(|card| card.attempt.key == *key && self.may_dismiss(card)) else {
            return false;
        };
        if self.cards.remove(at).ended.is_none() {
            effects.push(Effect::Forget(key.clone()));
        }
        self.forget_finishing(key);
        true
    }

    pub(super) fn may_dismiss(&self, card: &Card) -> bool {
        card.ended.is_some() || card.attempt.gone || self.is_old(card.attempt.began_at_ms)
    }

    fn is_old(&self, began_at_ms: u64) -> bool {
        // A clock that was set back must not keep it for ever.
        self.now_ms.abs_diff(began_at_ms) >= OLD_MS
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
        in_hand: Option<&AttemptKey>,
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
        if let Signal::VoucherInUse(Some(holder)) = &verdict.signal {
            self.add_holder(holder, &attempt, in_hand, effects);
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
        // A card has no button that would try a failed one again: it is closed, and its voucher free.
        attempt.unconfirmed_told |= ended.is_some();
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
        if self.form.finishing.as_ref().is_some_and(|finishing| finishing.key == *key) {
            self.form.finishing = None;
            self.form.errors.form = Some(FormError::Ended);
        }
    }
}
