//! The machine: one `match (phase, event)`. Whatever is not in it changes nothing.

use crate::attempt::Verdict;
use crate::form::{Errors, Form};
use crate::outcome::OutcomeKind;
use crate::view::{AmountView, EmailView, FormView, PhaseName, Screen, Summary, View};
use crate::{
    AmountOption, Attempt, AttemptKey, BeforeSubmit, Effect, Event, Field, FieldError, Focus, FormError, Next, Notice,
    Options, Outcome, Permission, Request, Secret, Timer, TimerKind,
};
use mozarto::Meaning;

/// How long the merchant's `beforeSubmit` may take.
const BEFORE_SUBMIT_MS: u32 = 10_000;
/// How long a try goes on before the customer is told that it takes longer than usual.
const SLOW_MS: u32 = 8_000;

/// One widget's redemption.
#[derive(Debug)]
pub struct Machine {
    options: Options,
    form: Form,
    phase: Phase,
    /// The last `(complete, valid)` that the embedder was told.
    told: (bool, bool),
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
    Redeemed(Outcome),
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
    fn attempt_mut(&mut self) -> Option<&mut Attempt> {
        match self {
            Self::Editing | Self::Redeemed(_) => None,
            Self::Confirming(attempt)
            | Self::Preparing(attempt)
            | Self::Redeeming { attempt, .. }
            | Self::Unconfirmed { attempt, .. }
            | Self::Failed { attempt, .. } => Some(attempt),
        }
    }
}

impl Phase {
    /// Whether an answer may still come. A reset would lose it.
    fn is_sending(&self) -> bool {
        match self {
            Self::Preparing(attempt) | Self::Redeeming { attempt, .. } | Self::Unconfirmed { attempt, .. } => {
                attempt.is_running()
            }
            _ => false,
        }
    }
}

impl Machine {
    /// A machine in `editing`, with an empty form.
    pub fn new(options: Options) -> Self {
        let mut machine = Self { options, form: Form::default(), phase: Phase::Editing, told: (false, false) };
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
            Phase::Redeemed(_) => PhaseName::Redeemed,
            Phase::Unconfirmed { .. } => PhaseName::Unconfirmed,
            Phase::Failed { .. } => PhaseName::Failed,
        }
    }

    /// Whether an answer may still come: then a reset is refused.
    pub fn is_sending(&self) -> bool {
        self.phase.is_sending()
    }

    /// Takes a fact in and gives back what is to be done, in order.
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
            (Phase::Editing, Event::Submitted { key }) => self.submit(key, &mut effects),
            (Phase::Confirming(attempt), Event::Confirmed) => self.start_try(attempt, &mut effects),
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
                    TimerKind::Try => {
                        let outcome = attempt.time_out();
                        self.conclude(attempt, outcome, Errors::default(), &mut effects)
                    }
                    TimerKind::Slow => Phase::Redeeming { attempt, slow: true },
                    TimerKind::BeforeSubmit => Phase::Redeeming { attempt, slow },
                }
            }
            (phase, Event::Answered { attempt: key, try_number, answer, attempt_kept }) => {
                self.answered(phase, &key, try_number, &answer.meaning(), attempt_kept, &mut effects)
            }
            (Phase::Unconfirmed { attempt, outcome } | Phase::Failed { attempt, outcome }, Event::RetryRequested)
                if may_retry(&attempt, &outcome) =>
            {
                self.start_try(attempt, &mut effects)
            }
            (Phase::Failed { .. }, Event::EditRequested) => {
                effects.push(Effect::Focus(Focus::Field(Field::Pin)));
                Phase::Editing
            }
            (phase, Event::OptionsChanged(options)) => {
                self.change_options(*options);
                phase
            }
            (phase, Event::ResetRequested) if !phase.is_sending() => {
                if matches!(phase, Phase::Preparing(_)) {
                    effects.push(Effect::AbortBeforeSubmit);
                }
                effects.push(Effect::ClearPin);
                self.clear_form();
                Phase::Editing
            }
            (phase, _) => phase,
        };
        self.tell_changes(&mut effects);
        effects
    }

    /// What a screen needs now.
    pub fn view(&self) -> View {
        let screen = match &self.phase {
            Phase::Editing => Screen::Form,
            Phase::Confirming(attempt) => Screen::Confirm(summary(attempt)),
            Phase::Preparing(attempt) => Screen::Progress { summary: summary(attempt), cancellable: true, slow: false },
            Phase::Redeeming { attempt, slow } => {
                Screen::Progress { summary: summary(attempt), cancellable: false, slow: *slow }
            }
            Phase::Redeemed(outcome) => Screen::Redeemed(outcome.clone()),
            Phase::Unconfirmed { attempt, outcome } => Screen::Unconfirmed {
                summary: summary(attempt),
                outcome: outcome.clone(),
                may_retry: may_retry(attempt, outcome),
            },
            Phase::Failed { attempt, outcome } => Screen::Failed {
                summary: summary(attempt),
                outcome: outcome.clone(),
                may_retry: may_retry(attempt, outcome),
            },
        };
        View { form: self.form_view(), screen }
    }

    fn form_view(&self) -> FormView {
        let Form { errors, .. } = &self.form;
        FormView {
            locked: !matches!(self.phase, Phase::Editing),
            pin_error: errors.pin.clone(),
            amount: match &self.options.amount {
                AmountOption::Fixed(amount) => AmountView::Fixed(*amount),
                AmountOption::OneOf(amounts) => AmountView::Choice {
                    amounts: amounts.clone(),
                    chosen: self.form.amount_index,
                    error: errors.amount.clone(),
                },
                AmountOption::Typed => AmountView::Typed {
                    text: self.form.amount_text.clone(),
                    currency: self.options.currency,
                    error: errors.amount.clone(),
                },
            },
            email: self
                .options
                .email
                .is_none()
                .then(|| EmailView { text: self.form.email.clone(), error: errors.email.clone() }),
            error: errors.form,
        }
    }

    /// A field that is being edited is not called wrong, and what was wrong with the whole is past.
    fn edited(&mut self, field: Field) -> Phase {
        *self.form.errors.at(field) = None;
        self.form.errors.form = None;
        Phase::Editing
    }

    fn submit(&mut self, key: AttemptKey, effects: &mut Vec<Effect>) -> Phase {
        match self.form.read(&self.options) {
            Ok(pay_in) => {
                self.form.errors = Errors::default();
                let attempt = Attempt::new(key, self.options.endpoint.clone(), pay_in);
                if self.options.amount == AmountOption::Typed {
                    effects.push(Effect::Focus(Focus::Heading));
                    Phase::Confirming(attempt)
                } else {
                    self.start_try(attempt, effects)
                }
            }
            Err(errors) => {
                effects.extend(errors.first().map(|field| Effect::Focus(Focus::Field(field))));
                self.form.errors = errors;
                Phase::Editing
            }
        }
    }

    /// Begins the next try of an attempt: by asking the merchant, where the merchant wants to be asked.
    fn start_try(&self, attempt: Attempt, effects: &mut Vec<Effect>) -> Phase {
        if !self.options.before_submit {
            return self.send(attempt, Vec::new(), None, effects);
        }
        let try_number = attempt.try_number() + 1;
        effects.push(Effect::AskBeforeSubmit(BeforeSubmit {
            attempt: attempt.key.clone(),
            try_number,
            amount: attempt.pay_in.amount,
        }));
        let timer = Timer { attempt: attempt.key.clone(), try_number, kind: TimerKind::BeforeSubmit };
        effects.push(Effect::StartTimer(timer, BEFORE_SUBMIT_MS));
        effects.push(Effect::Focus(Focus::Heading));
        Phase::Preparing(attempt)
    }

    fn send(
        &self,
        mut attempt: Attempt,
        headers: Vec<(String, Secret)>,
        session_token: Option<Secret>,
        effects: &mut Vec<Effect>,
    ) -> Phase {
        attempt.begin_try();
        let (key, try_number) = (attempt.key.clone(), attempt.try_number());
        if try_number == 1 {
            effects.push(Effect::Notify(Notice::Submitted(key.clone())));
        }
        effects.push(Effect::Send(Box::new(Request {
            endpoint: attempt.endpoint.clone(),
            attempt: key.clone(),
            try_number,
            pay_in: attempt.pay_in.clone(),
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
    fn not_started(&mut self, mut attempt: Attempt, effects: &mut Vec<Effect>) -> Phase {
        if attempt.try_number() == 0 {
            self.form.errors.form = Some(FormError::NotStarted);
            effects.push(Effect::Focus(Focus::Heading));
            return Phase::Editing;
        }
        let outcome = attempt.not_sent();
        self.conclude(attempt, outcome, Errors::default(), effects)
    }

    fn cancelled(&mut self, attempt: Attempt, effects: &mut Vec<Effect>) -> Phase {
        if attempt.try_number() == 0 {
            effects.push(Effect::Focus(Focus::Field(Field::Pin)));
            return Phase::Editing;
        }
        self.not_started(attempt, effects)
    }

    /// An answer of the attempt in hand. An earlier try's late answer counts if it is a success; else what goes on goes
    /// on.
    fn answered(
        &mut self,
        mut phase: Phase,
        key: &AttemptKey,
        try_number: u32,
        meaning: &Meaning,
        attempt_kept: bool,
        effects: &mut Vec<Effect>,
    ) -> Phase {
        let awaited = match &phase {
            Phase::Redeeming { attempt, .. } => attempt.try_number() == try_number,
            Phase::Unconfirmed { .. } => true,
            _ => false,
        };
        let preparing = matches!(phase, Phase::Preparing(_));
        let Some(attempt) = phase.attempt_mut().filter(|attempt| attempt.key == *key) else { return phase };
        let Some(Verdict { outcome, signal }) = attempt.judge(try_number, meaning, attempt_kept) else { return phase };
        // While the next try is being prepared, an answer that forbids it is the attempt's last word.
        let forbids = preparing && !attempt.may_retry();
        if !awaited && !forbids && !matches!(outcome.kind, OutcomeKind::Redeemed(_)) {
            return phase;
        }
        effects.extend(preparing.then_some(Effect::AbortBeforeSubmit));
        let errors = Errors::of_signal(&signal, &self.options, attempt);
        let attempt = attempt.clone();
        self.conclude(attempt, outcome, errors, effects)
    }

    fn conclude(
        &mut self,
        mut attempt: Attempt,
        mut outcome: Outcome,
        mut errors: Errors,
        effects: &mut Vec<Effect>,
    ) -> Phase {
        if outcome.kind == OutcomeKind::Rejected && errors.is_empty() {
            // The server refuses a field that the customer does not have.
            outcome = Outcome { kind: OutcomeKind::Failed, next: Next::None, ..outcome };
        }
        if outcome.kind == OutcomeKind::Failed && attempt.unconfirmed_told {
            // `failed` never follows `unconfirmed`. The voucher turned out to be untouched: the form is back.
            outcome = Outcome { kind: OutcomeKind::Rejected, next: Next::Edit, ..outcome };
            errors.form = Some(FormError::Untouched);
        }
        self.form.errors = errors;
        let told_before = outcome.kind == OutcomeKind::Unconfirmed && attempt.unconfirmed_told;
        if !told_before {
            effects.push(Effect::Notify(Notice::Outcome(Box::new(outcome.clone()))));
        }
        match outcome.kind {
            OutcomeKind::Redeemed(_) => {
                effects.extend([Effect::ClearPin, Effect::Focus(Focus::Heading)]);
                self.clear_form();
                Phase::Redeemed(outcome)
            }
            OutcomeKind::Rejected => {
                effects.push(Effect::Focus(self.form.errors.first().map_or(Focus::Heading, Focus::Field)));
                Phase::Editing
            }
            OutcomeKind::Unconfirmed => {
                effects.push(Effect::Focus(Focus::Heading));
                attempt.unconfirmed_told = true;
                Phase::Unconfirmed { attempt, outcome }
            }
            OutcomeKind::Failed => {
                effects.push(Effect::Focus(Focus::Heading));
                Phase::Failed { attempt, outcome }
            }
        }
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

/// Whether trying the same attempt again makes sense: the one rule for the button and for pressing it.
fn may_retry(attempt: &Attempt, outcome: &Outcome) -> bool {
    let asked = outcome.kind == OutcomeKind::Unconfirmed || outcome.next == Next::SameAttempt;
    asked && attempt.may_retry()
}

fn is_current(attempt: &Attempt, timer: &Timer) -> bool {
    attempt.key == timer.attempt && attempt.try_number() == timer.try_number
}

fn summary(attempt: &Attempt) -> Summary {
    Summary { amount: attempt.pay_in.amount, last_four: attempt.pay_in.voucher_pin.last_four().to_owned() }
}
