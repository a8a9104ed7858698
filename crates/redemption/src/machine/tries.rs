//! From a submit to an outcome: tries, their answers, the waiting between them.

use super::{Errors, Machine, Phase};
use crate::attempt::Attempt;
use crate::judge::{Then, Verdict};
use crate::outcome::OutcomeKind;
use crate::{
    AmountOption, AttemptKey, BeforeSubmit, Code, Effect, Field, FieldError, Focus, FormError, Keeping, Next, Notice,
    Outcome, Reason, Request, Secret, Stage, Timer, TimerKind,
};
use mozarto::{Answer, Money, PayIn, Signal};

/// How long the merchant's `beforeSubmit` may take.
const BEFORE_SUBMIT_MS: u32 = 10_000;
/// How long a try goes on before the customer is told that it takes longer than usual.
const SLOW_MS: u32 = 8_000;

impl Machine {
    pub(super) fn submit(&mut self, key: AttemptKey, now_ms: u64, effects: &mut Vec<Effect>) -> Phase {
        self.now_ms = now_ms;
        let pay_in = match self.form.read(&self.options) {
            Ok(pay_in) => pay_in,
            Err(errors) => return self.not_accepted(errors, effects),
        };
        if let Some(finished) = self.form.finishing.clone() {
            return self.finish_with(&finished.key, pay_in, effects);
        }
        self.form.set_errors(Errors::default(), None);
        let attempt = Attempt::new(key, &self.options, pay_in, now_ms);
        if self.is_held_back(&attempt) {
            self.hold_back(&attempt, effects)
        } else if self.options.amount == AmountOption::Typed {
            effects.push(Effect::Focus(Focus::Heading));
            Phase::Confirming(attempt)
        } else {
            self.start_try(attempt, Reason::Submit, effects)
        }
    }

    /// Whether an open attempt may have the same voucher. One that may itself have taken it goes on under its own key.
    fn is_held_back(&self, attempt: &Attempt) -> bool {
        attempt.is_untouched() && self.shares_its_ending(attempt)
    }

    /// Whether another open attempt's PIN ends so.
    fn shares_its_ending(&self, attempt: &Attempt) -> bool {
        let same = |other: &Attempt| other.key != attempt.key && other.last_four == attempt.last_four;
        self.cards.iter().any(|card| card.ended.is_none() && same(&card.attempt))
    }

    fn hold_back(&mut self, attempt: &Attempt, effects: &mut Vec<Effect>) -> Phase {
        if attempt.try_number() > 0 {
            let told = attempt.outcome(OutcomeKind::Rejected, Code::VoucherInUse, Money::No, Next::Edit);
            effects.push(Effect::Notify(Notice::Outcome(Box::new(told))));
            self.close(attempt, effects);
        }
        let pin = Some(FieldError::HeldBack { last_four: attempt.last_four.clone() });
        self.not_accepted(Errors { pin, ..Errors::default() }, effects)
    }

    fn not_accepted(&mut self, errors: Errors, effects: &mut Vec<Effect>) -> Phase {
        effects.extend(errors.first().map(|field| Effect::Focus(Focus::Field(field))));
        self.form.set_errors(errors, None);
        Phase::Editing
    }

    /// The PIN of an open attempt was entered again: the same key.
    fn finish_with(&mut self, key: &AttemptKey, pay_in: PayIn, effects: &mut Vec<Effect>) -> Phase {
        self.form.finishing = None;
        self.form.set_errors(Errors::default(), None);
        let Some(mut attempt) = self.take_card(key) else { return Phase::Editing };
        attempt.amount = pay_in.amount;
        attempt.pay_in = Some(pay_in);
        attempt.reentered = true;
        self.start_try(attempt, Reason::Retry, effects)
    }

    /// Begins the next try of an attempt: by asking the merchant, where the merchant wants to be asked.
    pub(super) fn start_try(&mut self, mut attempt: Attempt, reason: Reason, effects: &mut Vec<Effect>) -> Phase {
        if self.is_held_back(&attempt) {
            return self.hold_back(&attempt, effects);
        }
        if attempt.gone && self.shares_its_ending(&attempt) {
            // Put out of sight in another tab, whose customer has gone on with what may be the same voucher.
            return self.check(attempt, effects);
        }
        // What an ask that is under way will tell is old by then.
        attempt.stop_asking();
        if !self.options.before_submit {
            return self.send(attempt, Vec::new(), None, effects);
        }
        let try_number = attempt.try_number() + 1;
        effects.push(Effect::AskBeforeSubmit(BeforeSubmit {
            attempt: attempt.key.clone(),
            try_number,
            amount: attempt.amount,
            reason,
        }));
        let timer = Timer { attempt: attempt.key.clone(), try_number, kind: TimerKind::BeforeSubmit };
        effects.push(Effect::StartTimer(timer, BEFORE_SUBMIT_MS));
        effects.push(Effect::Focus(Focus::Heading));
        Phase::Preparing(attempt)
    }

    pub(super) fn send(
        &mut self,
        mut attempt: Attempt,
        headers: Vec<(String, Secret)>,
        session_token: Option<Secret>,
        effects: &mut Vec<Effect>,
    ) -> Phase {
        let Some(pay_in) = attempt.pay_in.clone() else {
            // No way leads here: whatever starts a try has the PIN.
            let standing = attempt.standing();
            return Self::unconfirmed(attempt, standing, effects);
        };
        if self.is_held_back(&attempt) {
            return self.hold_back(&attempt, effects);
        }
        attempt.begin_try();
        let (key, try_number) = (attempt.key.clone(), attempt.try_number());
        effects.push(Effect::Store(Box::new(attempt.record(Stage::Sent))));
        if try_number == 1 {
            effects.push(Effect::Notify(Notice::Submitted(key.clone())));
        }
        effects.push(Effect::Send(Box::new(Request {
            endpoint: attempt.endpoint.clone(),
            attempt: key.clone(),
            try_number,
            pay_in,
            session_token: session_token.or_else(|| self.options.session_token.clone()),
            headers,
        })));
        for (kind, ms) in [(TimerKind::Slow, SLOW_MS), (TimerKind::Try, self.options.timeout_ms)] {
            effects.push(Effect::StartTimer(Timer { attempt: key.clone(), try_number, kind }, ms));
        }
        effects.push(Effect::Focus(Focus::Heading));
        Phase::Redeeming { attempt, slow: false }
    }

    /// The merchant did not let a try begin. The first: nothing has happened. A later one: a try that never left.
    pub(super) fn not_started(&mut self, mut attempt: Attempt, effects: &mut Vec<Effect>) -> Phase {
        if attempt.try_number() == 0 {
            self.form.errors.form = Some(FormError::NotStarted);
            effects.push(Effect::Focus(Focus::Heading));
            return Phase::Editing;
        }
        let verdict = attempt.not_sent();
        self.follow(attempt, verdict, effects)
    }

    /// The customer does not want the next try.
    pub(super) fn cancelled(&mut self, attempt: Attempt, effects: &mut Vec<Effect>) -> Phase {
        if attempt.try_number() == 0 {
            effects.push(Effect::Focus(Focus::Field(Field::Pin)));
            return Phase::Editing;
        }
        let standing = attempt.standing();
        self.conclude(attempt, standing, None, effects)
    }

    pub(super) fn timed_out(&mut self, mut attempt: Attempt, effects: &mut Vec<Effect>) -> Phase {
        let verdict = attempt.time_out();
        self.follow(attempt, verdict, effects)
    }

    /// An answer of a try: of the attempt in hand, or of one that was put aside.
    pub(super) fn answered(
        &mut self,
        mut phase: Phase,
        key: &AttemptKey,
        try_number: u32,
        answer: &Answer,
        keeping: Keeping,
        effects: &mut Vec<Effect>,
    ) -> Phase {
        let Some(attempt) = phase.attempt_mut().filter(|attempt| attempt.key == *key) else {
            let in_hand = phase.attempt().map(|attempt| attempt.key.clone());
            self.card_answered(key, try_number, answer, keeping, in_hand.as_ref(), effects);
            return phase;
        };
        let meaning = &answer.meaning();
        let Some(verdict) = attempt.judge(try_number, meaning, keeping) else { return phase };
        attempt.note_keeping(answer, keeping != Keeping::No);
        let success = matches!(verdict.outcome.kind, OutcomeKind::Redeemed(_));
        // An earlier try's late answer: while the next is on its way only a success counts; before that, whatever makes
        // the next needless or forbids it.
        let ends =
            verdict.then == Then::End && (verdict.outcome.kind != OutcomeKind::Unconfirmed || !attempt.may_retry());
        match phase {
            Phase::Redeeming { attempt, .. } if success || attempt.try_number() == try_number => {
                self.follow(attempt, verdict, effects)
            }
            Phase::Preparing(attempt) if ends => {
                effects.push(Effect::AbortBeforeSubmit);
                self.follow(attempt, verdict, effects)
            }
            Phase::Waiting { attempt, .. } | Phase::Checking(attempt) if ends => self.follow(attempt, verdict, effects),
            Phase::Unconfirmed { mut attempt, outcome } if verdict.then == Then::Ask => {
                self.ask(&mut attempt, Reason::Status, effects);
                Phase::Unconfirmed { attempt, outcome }
            }
            Phase::Unconfirmed { attempt, .. } if verdict.outcome.kind == OutcomeKind::Unconfirmed => {
                Phase::Unconfirmed { attempt, outcome: verdict.outcome }
            }
            Phase::Unconfirmed { attempt, .. } => {
                self.conclude(attempt, verdict.outcome, Some(&verdict.signal), effects)
            }
            phase => phase,
        }
    }

    /// Does what follows from the answer of the last try.
    fn follow(&mut self, mut attempt: Attempt, verdict: Verdict, effects: &mut Vec<Effect>) -> Phase {
        match verdict.then {
            Then::Retry if attempt.retries_by_itself() => Self::wait(attempt, effects),
            Then::Ask => self.check(attempt, effects),
            Then::Renew if self.options.before_submit && !attempt.renewed && attempt.retries_by_itself() => {
                attempt.renewed = true;
                self.start_try(attempt, Reason::Session, effects)
            }
            _ => self.conclude(attempt, verdict.outcome, Some(&verdict.signal), effects),
        }
    }

    /// Waits for the next automatic try.
    pub(super) fn wait(attempt: Attempt, effects: &mut Vec<Effect>) -> Phase {
        let ms = attempt.backoff_ms().max(attempt.retry_after_ms);
        let timer = |kind| Timer { attempt: attempt.key.clone(), try_number: attempt.try_number(), kind };
        effects.push(Effect::StartTimer(timer(TimerKind::Retry), ms));
        effects.push(Effect::StartTimer(timer(TimerKind::Tick), 1000));
        effects.push(Effect::Focus(Focus::Heading));
        Phase::Waiting { seconds: u64::from(ms.div_ceil(1000)), attempt }
    }

    pub(super) fn ticked(attempt: Attempt, seconds: u64, effects: &mut Vec<Effect>) -> Phase {
        let seconds = seconds.saturating_sub(1).max(1);
        let timer = Timer { attempt: attempt.key.clone(), try_number: attempt.try_number(), kind: TimerKind::Tick };
        effects.push(Effect::StartTimer(timer, 1000));
        Phase::Waiting { attempt, seconds }
    }

    /// Shows and tells the outcome of the attempt in hand. `signal` is what it came from, if an answer.
    pub(super) fn conclude(
        &mut self,
        mut attempt: Attempt,
        outcome: Outcome,
        signal: Option<&Signal>,
        effects: &mut Vec<Effect>,
    ) -> Phase {
        let mut errors =
            signal.map_or_else(Errors::default, |signal| Errors::of_signal(signal, &self.options, &attempt));
        if errors.form.is_none() && errors.pin.is_some() && attempt.pay_in.is_none() {
            errors.form = Some(FormError::OfEarlier { last_four: attempt.last_four.clone() });
        }
        let mut outcome = outcome;
        if outcome.kind == OutcomeKind::Rejected && errors.is_empty() {
            // The server refuses a field that the customer does not have.
            outcome = Outcome { kind: OutcomeKind::Failed, next: Next::None, ..outcome };
        }
        if outcome.kind == OutcomeKind::Failed && attempt.unconfirmed_told {
            errors.form = Some(FormError::Untouched);
        }
        if let Some(Signal::VoucherInUse(Some(holder))) = signal {
            self.add_holder(holder, &attempt, None, effects);
        }
        let outcome = self.tell(&mut attempt, outcome, effects);
        self.form.set_errors(errors, Some(outcome.reference.clone()));
        match outcome.kind {
            OutcomeKind::Redeemed(_) => {
                effects.extend([Effect::ClearPin, Effect::Focus(Focus::Heading)]);
                self.clear_form();
                Phase::Redeemed { outcome, began_at_ms: attempt.began_at_ms }
            }
            OutcomeKind::Rejected => {
                effects.push(Effect::Focus(self.form.errors.first().map_or(Focus::Heading, Focus::Field)));
                Phase::Editing
            }
            OutcomeKind::Unconfirmed => Self::unconfirmed(attempt, outcome, effects),
            OutcomeKind::Failed => {
                effects.push(Effect::Focus(Focus::Heading));
                Phase::Failed { attempt, outcome }
            }
        }
    }

    pub(super) fn unconfirmed(mut attempt: Attempt, outcome: Outcome, effects: &mut Vec<Effect>) -> Phase {
        effects.push(Effect::Focus(Focus::Heading));
        attempt.ask_later(effects);
        Phase::Unconfirmed { attempt, outcome }
    }

    /// Tells the embedder, and keeps or forgets the record. `failed` never follows `unconfirmed`: the voucher turned out
    /// to be untouched, and the form is back.
    pub(super) fn tell(&self, attempt: &mut Attempt, outcome: Outcome, effects: &mut Vec<Effect>) -> Outcome {
        let outcome = if outcome.kind == OutcomeKind::Failed && attempt.unconfirmed_told {
            self.abandon(attempt, &outcome, effects);
            Outcome { kind: OutcomeKind::Rejected, next: Next::Edit, ..outcome }
        } else {
            outcome
        };
        effects.push(match (&outcome.kind, outcome.next) {
            (OutcomeKind::Unconfirmed, _) => Effect::Store(Box::new(attempt.record(Stage::Unconfirmed))),
            (OutcomeKind::Failed, Next::SameAttempt | Next::Session) => {
                Effect::Store(Box::new(attempt.record(Stage::Untouched)))
            }
            _ => Effect::Forget(attempt.key.clone()),
        });
        let unconfirmed = outcome.kind == OutcomeKind::Unconfirmed;
        if !unconfirmed || !attempt.unconfirmed_told {
            effects.push(Effect::Notify(Notice::Outcome(Box::new(outcome.clone()))));
        }
        attempt.unconfirmed_told |= unconfirmed;
        outcome
    }
}
