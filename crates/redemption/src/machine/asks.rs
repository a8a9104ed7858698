//! What became of an attempt, by asking the proxy: GET, and DELETE where it knows of no such attempt.

use super::{Machine, Phase};
use crate::attempt::{Asks, Attempt};
use crate::judge::Status;
use crate::{AttemptKey, BeforeSubmit, Effect, Focus, Method, Reason, StatusAsk, Timer, TimerKind};
use mozarto::Answer;

/// When an open attempt is asked about again by itself; each time twice as late as before.
const FIRST_LATER_MS: u32 = 30_000;
const LAST_LATER_MS: u32 = 600_000;

impl Attempt {
    /// Whatever is still asked, its answer changes nothing.
    pub(super) fn stop_asking(&mut self) {
        self.asks = Asks { number: self.asks.number + 1, kept: self.asks.kept, ..Asks::default() };
    }

    /// Asks again by itself after a while, unless the proxy was seen to keep no attempts.
    pub(super) fn ask_later(&mut self, effects: &mut Vec<Effect>) {
        if self.asks.kept != Some(false) {
            let ms = (FIRST_LATER_MS << self.asks.later.min(5)).min(LAST_LATER_MS);
            self.asks.later += 1;
            self.ask_after(ms, effects);
        }
    }

    /// Whether the proxy keeps attempts. What a proxy in front of it says when it is down tells nothing of that, and one
    /// that was seen to keep them goes on doing so.
    pub(super) fn note_keeping(&mut self, answer: &Answer, kept: bool) {
        let of_a_gateway = matches!(answer.status, 0 | 408 | 429 | 500..);
        if kept {
            self.asks.kept = Some(true);
        } else if !of_a_gateway && self.asks.kept.is_none() {
            self.asks.kept = Some(false);
        }
    }

    fn ask_after(&self, ms: u32, effects: &mut Vec<Effect>) {
        let timer = Timer { attempt: self.key.clone(), try_number: self.asks.number, kind: TimerKind::Ask };
        effects.push(Effect::StartTimer(timer, ms));
    }
}

impl Machine {
    /// Asks what became of the attempt in hand, in view of the customer.
    pub(super) fn check(&self, mut attempt: Attempt, effects: &mut Vec<Effect>) -> Phase {
        self.ask(&mut attempt, Reason::Status, effects);
        effects.push(Effect::Focus(Focus::Heading));
        Phase::Checking(attempt)
    }

    /// Asks, from the beginning.
    pub(super) fn ask(&self, attempt: &mut Attempt, reason: Reason, effects: &mut Vec<Effect>) {
        let Asks { number, later, kept, .. } = attempt.asks;
        attempt.asks = Asks { number, later, kept, ..Asks::default() };
        self.ask_on(attempt, Method::Get, reason, effects);
    }

    fn ask_on(&self, attempt: &mut Attempt, method: Method, reason: Reason, effects: &mut Vec<Effect>) {
        attempt.asks.number += 1;
        attempt.asks.running = true;
        effects.push(Effect::Ask(Box::new(self.status_ask(attempt, method, reason))));
    }

    pub(super) fn status_ask(&self, attempt: &Attempt, method: Method, reason: Reason) -> StatusAsk {
        StatusAsk {
            endpoint: attempt.endpoint.clone(),
            number: attempt.asks.number,
            method,
            session_token: self.options.session_token.clone(),
            ask: BeforeSubmit {
                attempt: attempt.key.clone(),
                try_number: attempt.try_number(),
                amount: attempt.amount,
                reason,
            },
            before_submit: self.options.before_submit,
        }
    }

    pub(super) fn status_answered(
        &mut self,
        mut phase: Phase,
        key: &AttemptKey,
        number: u32,
        answer: &Answer,
        kept: bool,
        effects: &mut Vec<Effect>,
    ) -> Phase {
        let in_hand = matches!(phase, Phase::Checking(_) | Phase::Unconfirmed { .. });
        let Some(attempt) = phase.attempt_mut().filter(|attempt| in_hand && attempt.key == *key) else {
            self.card_status(key, number, answer, kept, effects);
            return phase;
        };
        let Some(status) = self.heard(attempt, number, answer, kept, effects) else { return phase };
        match (phase, status) {
            (Phase::Checking(attempt) | Phase::Unconfirmed { attempt, .. }, Status::End(outcome, signal)) => {
                self.conclude(attempt, *outcome, Some(&signal), effects)
            }
            (Phase::Checking(attempt), Status::Idle) if attempt.retries_by_itself() => Self::wait(attempt, effects),
            (Phase::Checking(attempt), _) => {
                let outcome = attempt.not_known();
                self.conclude(attempt, outcome, None, effects)
            }
            (Phase::Unconfirmed { mut attempt, .. }, _) => {
                attempt.ask_later(effects);
                Phase::Unconfirmed { outcome: attempt.not_known(), attempt }
            }
            (phase, _) => phase,
        }
    }

    /// Takes the answer of an ask in and goes on asking. Gives back what there is to decide, once asking has come to an
    /// end.
    pub(super) fn heard(
        &self,
        attempt: &mut Attempt,
        number: u32,
        answer: &Answer,
        kept: bool,
        effects: &mut Vec<Effect>,
    ) -> Option<Status> {
        if attempt.asks.number != number || !attempt.asks.running {
            return None;
        }
        attempt.note_keeping(answer, kept);
        match attempt.judge_status(&answer.meaning(), kept) {
            Status::Again(ms) => attempt.ask_after(ms, effects),
            Status::Close => {
                attempt.asks.closing = true;
                self.ask_on(attempt, Method::Delete, Reason::Status, effects);
            }
            Status::Renew => self.ask_on(attempt, Method::Get, Reason::Session, effects),
            status => {
                attempt.asks.running = false;
                return Some(status);
            }
        }
        None
    }

    /// It is time for the next ask.
    pub(super) fn ask_is_due(&mut self, mut phase: Phase, timer: &Timer, effects: &mut Vec<Effect>) -> Phase {
        let is_due = |attempt: &Attempt| attempt.key == timer.attempt && attempt.asks.number == timer.try_number;
        let in_hand = matches!(phase, Phase::Checking(_) | Phase::Unconfirmed { .. });
        if let Some(attempt) = phase.attempt_mut().filter(|attempt| in_hand && is_due(attempt)) {
            self.ask_anew(attempt, effects);
        } else {
            self.each_open_card(effects, |machine, attempt, effects| {
                if is_due(attempt) {
                    machine.ask_anew(attempt, effects);
                }
            });
        }
        phase
    }

    /// The next of several asks, or the first after a pause.
    fn ask_anew(&self, attempt: &mut Attempt, effects: &mut Vec<Effect>) {
        if attempt.asks.running {
            self.ask_on(attempt, Method::Get, Reason::Status, effects);
        } else {
            self.ask(attempt, Reason::Status, effects);
        }
    }

    /// The customer wants to know.
    pub(super) fn status_requested(&mut self, mut phase: Phase, key: &AttemptKey, effects: &mut Vec<Effect>) -> Phase {
        let unconfirmed = matches!(phase, Phase::Unconfirmed { .. });
        if let Some(attempt) = phase.attempt_mut().filter(|attempt| unconfirmed && attempt.key == *key) {
            if !attempt.asks.running {
                self.ask(attempt, Reason::Status, effects);
            }
        } else {
            self.each_open_card(effects, |machine, attempt, effects| {
                if attempt.key == *key && !attempt.asks.running {
                    machine.ask(attempt, Reason::Status, effects);
                }
            });
        }
        phase
    }

    /// Whatever is open is asked about at once.
    pub(super) fn came_back(&mut self, mut phase: Phase, effects: &mut Vec<Effect>) -> Phase {
        let asked = matches!(phase, Phase::Checking(_) | Phase::Unconfirmed { .. });
        if let Some(attempt) = phase.attempt_mut().filter(|_| asked) {
            self.ask(attempt, Reason::Status, effects);
        }
        self.each_open_card(effects, |machine, attempt, effects| machine.ask(attempt, Reason::Status, effects));
        phase
    }
}
