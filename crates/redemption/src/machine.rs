//! The machine: one `match (phase, event)`. Whatever is not in it changes nothing. What its arms do is beside it: `tries`
//! (from a submit to an outcome), `asks` (the status of an attempt), `open` (attempts besides the one in hand), `screens`.

mod asks;
mod open;
mod screens;
mod tries;

use crate::attempt::Attempt;
use crate::form::{Errors, Form};
use crate::{
    AmountOption, AttemptKey, Code, Effect, Event, Field, FieldError, Focus, Next, Notice, Options, Outcome,
    OutcomeKind, Permission, PhaseName, Reason, Timer, TimerKind,
};
use open::Card;

/// One widget's redemption.
#[derive(Debug)]
pub struct Machine {
    options: Options,
    form: Form,
    phase: Phase,
    /// The open attempts besides the one in hand, the oldest first.
    cards: Vec<Card>,
    /// Whether the stored records have been read once.
    records_read: bool,
    /// The browser's clock when it was last told.
    now_ms: u64,
    /// The last `(complete, valid)` that the embedder was told.
    told: (bool, bool),
}

/// An attempt that is open, as who outlives the machine must know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its key.
    pub attempt: AttemptKey,
    /// What support can find it by.
    pub reference: String,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Editing,
    Confirming(Attempt),
    Preparing(Attempt),
    Redeeming {
        attempt: Attempt,
        slow: bool,
    },
    Waiting {
        attempt: Attempt,
        seconds: u64,
    },
    Checking(Attempt),
    Redeemed {
        outcome: Outcome,
        began_at_ms: u64,
    },
    Unconfirmed {
        attempt: Attempt,
        outcome: Outcome,
    },
    Failed {
        attempt: Attempt,
        outcome: Outcome,
    },
}

impl Phase {
    fn attempt(&self) -> Option<&Attempt> {
        match self {
            Self::Editing | Self::Redeemed { .. } => None,
            Self::Confirming(attempt)
            | Self::Preparing(attempt)
            | Self::Checking(attempt)
            | Self::Redeeming { attempt, .. }
            | Self::Waiting { attempt, .. }
            | Self::Unconfirmed { attempt, .. }
            | Self::Failed { attempt, .. } => Some(attempt),
        }
    }

    fn attempt_mut(&mut self) -> Option<&mut Attempt> {
        match self {
            Self::Editing | Self::Redeemed { .. } => None,
            Self::Confirming(attempt)
            | Self::Preparing(attempt)
            | Self::Checking(attempt)
            | Self::Redeeming { attempt, .. }
            | Self::Waiting { attempt, .. }
            | Self::Unconfirmed { attempt, .. }
            | Self::Failed { attempt, .. } => Some(attempt),
        }
    }

    /// Whether the attempt in hand is being sent, now or soon.
    fn is_sending(&self) -> bool {
        match self {
            Self::Redeeming { .. } | Self::Waiting { .. } => true,
            Self::Preparing(attempt) => attempt.try_number() > 0,
            _ => false,
        }
    }
}

impl Machine {
    /// A machine in `editing`, with an empty form.
    pub fn new(options: Options) -> Self {
        let mut machine = Self {
            options,
            form: Form::default(),
            phase: Phase::Editing,
            cards: Vec::new(),
            records_read: false,
            now_ms: 0,
            told: (false, false),
        };
        machine.clear_form();
        machine
    }

    /// The phase's name.
    pub fn phase(&self) -> PhaseName {
        match self.phase {
            Phase::Editing => PhaseName::Editing,
            Phase::Confirming(_) => PhaseName::Confirming,
            Phase::Preparing(_) => PhaseName::Preparing,
            Phase::Redeeming { .. } => PhaseName::Redeeming,
            Phase::Waiting { .. } => PhaseName::Waiting,
            Phase::Checking(_) => PhaseName::Checking,
            Phase::Redeemed { .. } => PhaseName::Redeemed,
            Phase::Unconfirmed { .. } => PhaseName::Unconfirmed,
            Phase::Failed { .. } => PhaseName::Failed,
        }
    }

    /// Whether an attempt is being sent, now or soon: then a reset is refused, and leaving the page asks first.
    pub fn is_sending(&self) -> bool {
        self.phase.is_sending()
    }

    /// The attempt that no other tab may send for or close: it is being sent, now or soon.
    pub fn holds(&self) -> Option<&AttemptKey> {
        let attempt = match &self.phase {
            Phase::Redeeming { attempt, .. } | Phase::Waiting { attempt, .. } => Some(attempt),
            Phase::Preparing(attempt) => Some(attempt).filter(|attempt| attempt.try_number() > 0),
            _ => None,
        };
        attempt.map(|attempt| &attempt.key)
    }

    /// What is open in hand: its voucher may be taken, and no answer has told yet. Whoever outlives this machine can say so.
    pub fn open(&self) -> Option<Open> {
        let attempt = match &self.phase {
            Phase::Redeeming { attempt, .. }
            | Phase::Waiting { attempt, .. }
            | Phase::Unconfirmed { attempt, .. }
            | Phase::Checking(attempt) => attempt,
            Phase::Preparing(attempt) if attempt.try_number() > 0 => attempt,
            _ => return None,
        };
        Some(Open { attempt: attempt.key.clone(), reference: attempt.reference() })
    }

    /// Takes a fact in and gives back what is to be done, in order.
    #[expect(clippy::too_many_lines, reason = "which events mean something in which phase is to be read in one place")]
    pub fn handle(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.phase = match (std::mem::take(&mut self.phase), event) {
            (Phase::Editing, Event::PinEdited(text)) => {
                self.form.pin = text;
                self.edited(Field::Pin)
            }
            (Phase::Editing, Event::AmountChosen(index)) => {
                self.form.amount_index = Some(index);
                self.edited(Field::Amount)
            }
            (Phase::Editing, Event::AmountEdited(text)) => {
                self.form.amount_text = text;
                self.edited(Field::Amount)
            }
            (Phase::Editing, Event::EmailEdited(text)) => {
                self.form.email = text;
                self.edited(Field::Email)
            }
            (Phase::Editing, Event::FieldLeft(field)) => {
                if self.form.errors.at(field).is_none() {
                    *self.form.errors.at(field) = self.form.error_after_leaving(field, &self.options);
                }
                Phase::Editing
            }
            (Phase::Editing, Event::FieldErrorSet(field, message)) => {
                *self.form.errors.at(field) = message.map(FieldError::Merchant);
                Phase::Editing
            }
            (Phase::Editing, Event::Submitted { key, now_ms }) => self.submit(key, now_ms, &mut effects),
            (Phase::Editing, Event::FinishRequested(key)) => self.finish(&key, &mut effects),
            (Phase::Editing, Event::EditRequested) => self.stop_finishing(&mut effects),
            (Phase::Confirming(attempt), Event::Confirmed) => self.start_try(attempt, Reason::Submit, &mut effects),
            (Phase::Confirming(_), Event::WentBack) => {
                effects.push(Effect::Focus(Focus::Field(Field::Amount)));
                Phase::Editing
            }
            (Phase::Preparing(attempt), Event::BeforeSubmitAnswered { attempt: key, try_number, permission })
                if awaits(&attempt, &key, try_number) =>
            {
                match permission {
                    Permission::Granted { headers, session_token } => {
                        self.send(attempt, headers, session_token, &mut effects)
                    }
                    Permission::Refused => self.not_started(attempt, &mut effects),
                }
            }
            (Phase::Preparing(attempt), Event::TimerFired(timer))
                if timer.kind == TimerKind::BeforeSubmit && awaits(&attempt, &timer.attempt, timer.try_number) =>
            {
                effects.push(Effect::AbortBeforeSubmit);
                self.not_started(attempt, &mut effects)
            }
            (Phase::Preparing(attempt), Event::Cancelled) => {
                effects.push(Effect::AbortBeforeSubmit);
                self.cancelled(attempt, &mut effects)
            }
            (Phase::Redeeming { attempt, slow }, Event::TimerFired(timer)) if is_current(&attempt, &timer) => {
                match timer.kind {
                    TimerKind::Try => self.timed_out(attempt, &mut effects),
                    TimerKind::Slow => Phase::Redeeming { attempt, slow: true },
                    _ => Phase::Redeeming { attempt, slow },
                }
            }
            (Phase::Waiting { attempt, seconds }, Event::TimerFired(timer)) if is_current(&attempt, &timer) => {
                match timer.kind {
                    TimerKind::Retry => self.start_try(attempt, Reason::Retry, &mut effects),
                    TimerKind::Tick => Self::ticked(attempt, seconds, &mut effects),
                    _ => Phase::Waiting { attempt, seconds },
                }
            }
            (Phase::Waiting { attempt, .. }, Event::RetryRequested) => {
                self.start_try(attempt, Reason::Retry, &mut effects)
            }
            // Who was not reached can be reached now; who wants to be left alone still does.
            (Phase::Waiting { attempt, .. }, Event::CameBack) if attempt.standing().code == Code::NoAnswer => {
                self.start_try(attempt, Reason::Retry, &mut effects)
            }
            (Phase::Waiting { attempt, .. }, Event::Cancelled) => self.cancelled(attempt, &mut effects),
            (phase, Event::Answered { attempt, try_number, answer, keeping }) => {
                self.answered(phase, &attempt, try_number, &answer, keeping, &mut effects)
            }
            (phase, Event::StatusAnswered { attempt, number, answer, kept }) => {
                self.status_answered(phase, &attempt, number, &answer, kept, &mut effects)
            }
            (phase, Event::TimerFired(timer)) if timer.kind == TimerKind::Ask => {
                self.ask_is_due(phase, &timer, &mut effects)
            }
            (phase, Event::StatusRequested(key)) => self.status_requested(phase, &key, &mut effects),
            (phase, Event::RecordsRead { records, now_ms }) => self.records_read(phase, records, now_ms, &mut effects),
            (phase, Event::CameBack) => self.came_back(phase, &mut effects),
            (Phase::Unconfirmed { attempt, outcome } | Phase::Failed { attempt, outcome }, Event::RetryRequested)
                if may_retry(&attempt, &outcome) =>
            {
                self.start_try(attempt, Reason::Retry, &mut effects)
            }
            (Phase::Unconfirmed { attempt, .. }, Event::FinishRequested(key))
                if attempt.key == key && may_finish(&attempt) =>
            {
                self.put_aside(attempt);
                self.finish(&key, &mut effects)
            }
            (Phase::Unconfirmed { attempt, .. } | Phase::Checking(attempt), Event::AnotherRequested) => {
                self.put_aside(attempt);
                self.start_over(&mut effects)
            }
            (Phase::Failed { attempt, outcome }, Event::EditRequested) => {
                self.abandon(&attempt, &outcome, &mut effects);
                effects.push(Effect::Focus(Focus::Field(Field::Pin)));
                Phase::Editing
            }
            (phase, Event::Dismissed(key)) => {
                if self.dismiss(&key, &mut effects) {
                    // The button that had the focus is gone.
                    let editing = matches!(phase, Phase::Editing);
                    effects.push(Effect::Focus(if editing { Focus::Field(Field::Pin) } else { Focus::Heading }));
                }
                phase
            }
            (phase, Event::OptionsChanged(options)) => {
                self.change_options(*options);
                phase
            }
            (phase, Event::ResetRequested) if !phase.is_sending() => self.reset(phase, &mut effects),
            (phase, _) => phase,
        };
        self.tell_changes(&mut effects);
        effects
    }

    /// A field that is being edited is not called wrong, and what was wrong with the whole is past.
    fn edited(&mut self, field: Field) -> Phase {
        *self.form.errors.at(field) = None;
        self.form.errors.form = None;
        self.form.reference = None;
        Phase::Editing
    }

    /// An empty form, whatever was before.
    fn reset(&mut self, phase: Phase, effects: &mut Vec<Effect>) -> Phase {
        match phase {
            Phase::Preparing(_) => effects.push(Effect::AbortBeforeSubmit),
            Phase::Unconfirmed { attempt, .. } | Phase::Checking(attempt) => self.put_aside(attempt),
            Phase::Failed { attempt, outcome } => self.abandon(&attempt, &outcome, effects),
            _ => {}
        }
        self.cards.retain(|card| card.ended.is_none());
        effects.push(Effect::ClearPin);
        self.clear_form();
        Phase::Editing
    }

    /// An empty form for another voucher.
    fn start_over(&mut self, effects: &mut Vec<Effect>) -> Phase {
        effects.extend([Effect::ClearPin, Effect::Focus(Focus::Field(Field::Pin))]);
        self.clear_form();
        Phase::Editing
    }

    /// What was typed stays; a choice stays where the same amount is still there to choose.
    fn change_options(&mut self, options: Options) {
        let chosen = match &self.options.amount {
            AmountOption::OneOf(amounts) => self.form.amount_index.and_then(|index| amounts.get(index)).copied(),
            _ => None,
        };
        self.options = options;
        if let AmountOption::OneOf(amounts) = &self.options.amount {
            self.form.amount_index = amounts.iter().position(|amount| Some(*amount) == chosen);
            self.choose_the_only_amount();
        }
        if !self.options.asks_for(Field::Amount) {
            self.form.errors.amount = None;
        }
    }

    fn clear_form(&mut self) {
        self.form = Form::default();
        self.choose_the_only_amount();
    }

    fn choose_the_only_amount(&mut self) {
        if matches!(&self.options.amount, AmountOption::OneOf(amounts) if amounts.len() == 1) {
            self.form.amount_index = Some(0);
        }
    }

    fn tell_changes(&mut self, effects: &mut Vec<Effect>) {
        if !matches!(self.phase, Phase::Editing) {
            return;
        }
        let now = (self.form.is_complete(&self.options), self.form.read(&self.options).is_ok());
        if now != self.told {
            self.told = now;
            effects.push(Effect::Notify(Notice::Changed { complete: now.0, valid: now.1 }));
        }
    }
}

/// Whether a `beforeSubmit` answer is for the try that is being prepared.
fn awaits(attempt: &Attempt, key: &AttemptKey, try_number: u32) -> bool {
    attempt.key == *key && attempt.try_number() + 1 == try_number
}

/// Whether trying the same attempt again at once makes sense: the one rule for the button and for pressing it.
fn may_retry(attempt: &Attempt, outcome: &Outcome) -> bool {
    let asked = outcome.kind == OutcomeKind::Unconfirmed || matches!(outcome.next, Next::SameAttempt | Next::Session);
    asked && attempt.may_retry() && attempt.pay_in.is_some()
}

/// Whether trying the same attempt again makes sense once the PIN is entered again.
fn may_finish(attempt: &Attempt) -> bool {
    attempt.may_retry() && attempt.pay_in.is_none()
}

fn is_current(attempt: &Attempt, timer: &Timer) -> bool {
    attempt.key == timer.attempt && attempt.try_number() == timer.try_number
}
