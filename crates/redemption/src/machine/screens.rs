//! What a screen needs in each phase.

use super::{Machine, Phase, may_finish, may_retry};
use crate::form::Form;
use crate::{AmountOption, AmountView, CardState, CardView, EmailView, FormView, OutcomeKind, Screen, View};

impl Machine {
    /// What a screen needs now.
    pub fn view(&self) -> View {
        View { form: self.form_view(), screen: self.screen(), cards: self.card_views() }
    }

    fn screen(&self) -> Screen {
        match &self.phase {
            Phase::Editing => Screen::Form,
            Phase::Confirming(attempt) => Screen::Confirm(attempt.summary()),
            Phase::Preparing(attempt) => {
                let again = attempt.try_number() > 0;
                Screen::Progress { summary: attempt.summary(), cancellable: true, again, slow: false }
            }
            Phase::Redeeming { attempt, slow } => {
                let again = attempt.try_number() > 1;
                Screen::Progress { summary: attempt.summary(), cancellable: false, again, slow: *slow }
            }
            Phase::Waiting { attempt, seconds } => Screen::Waiting {
                summary: attempt.summary(),
                seconds: *seconds,
                in_doubt: attempt.standing().kind == OutcomeKind::Unconfirmed,
            },
            Phase::Checking(attempt) => Screen::Checking { summary: attempt.summary(), reference: attempt.reference() },
            Phase::Redeemed { outcome, began_at_ms } => {
                Screen::Redeemed { outcome: outcome.clone(), began_at_ms: *began_at_ms }
            }
            Phase::Unconfirmed { attempt, outcome } => Screen::Unconfirmed {
                summary: attempt.summary(),
                outcome: outcome.clone(),
                may_retry: may_retry(attempt, outcome),
                may_finish: may_finish(attempt),
                checking: attempt.asks.running,
                other_pin: attempt.other_pin,
                retry_in_s: attempt.retry_in_s,
            },
            Phase::Failed { attempt, outcome } => Screen::Failed {
                summary: attempt.summary(),
                outcome: outcome.clone(),
                may_retry: may_retry(attempt, outcome),
                retry_in_s: attempt.retry_in_s,
            },
        }
    }

    fn card_views(&self) -> Vec<CardView> {
        let view = |card: &super::Card| CardView {
            attempt: card.attempt.key.clone(),
            summary: card.attempt.summary(),
            named: card.attempt.named,
            reference: card.attempt.reference(),
            state: match &card.ended {
                Some(outcome) => CardState::Ended(outcome.clone()),
                None if card.attempt.asks.running => CardState::Checking,
                None => CardState::Open(card.attempt.standing().next),
            },
            may_finish: card.ended.is_none()
                && may_finish(&card.attempt)
                && matches!(self.phase, Phase::Editing)
                && self.form.finishing.as_ref().is_none_or(|finishing| finishing.key != card.attempt.key),
            may_dismiss: self.may_dismiss(card),
        };
        self.cards.iter().map(view).collect()
    }

    fn form_view(&self) -> FormView {
        let Form { errors, finishing, .. } = &self.form;
        let finishing = finishing.as_ref();
        let amount = match (finishing.and_then(|finishing| finishing.amount), &self.options.amount) {
            (Some(amount), _) => AmountView::Fixed(amount),
            (None, AmountOption::Fixed(amount)) => AmountView::Fixed(*amount),
            (None, AmountOption::OneOf(amounts)) => AmountView::Choice {
                amounts: amounts.clone(),
                chosen: self.form.amount_index,
                error: errors.amount.clone(),
            },
            (None, AmountOption::Typed) => AmountView::Typed {
                text: self.form.amount_text.clone(),
                currency: self.options.currency,
                error: errors.amount.clone(),
            },
        };
        // A locked form shows what is being redeemed, whatever there is to choose by now.
        let amount = match (amount, self.phase.attempt()) {
            (AmountView::Choice { amounts, chosen, .. }, Some(attempt))
                if chosen.and_then(|at| amounts.get(at)) != Some(&attempt.amount) =>
            {
                AmountView::Fixed(attempt.amount)
            }
            (AmountView::Fixed(_), Some(attempt)) => AmountView::Fixed(attempt.amount),
            (AmountView::Typed { text, .. }, Some(attempt)) if text.is_empty() => AmountView::Fixed(attempt.amount),
            (amount, _) => amount,
        };
        FormView {
            locked: !matches!(self.phase, Phase::Editing),
            finishing: finishing.map(|finishing| finishing.last_four.clone()),
            pin_error: errors.pin.clone(),
            amount,
            email: self
                .options
                .email
                .is_none()
                .then(|| EmailView { text: self.form.email.clone(), error: errors.email.clone() }),
            error: errors.form.clone(),
            reference: self.form.reference.clone(),
        }
    }
}
