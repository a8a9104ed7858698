//! "We do not know yet": what that means for the voucher, what to do, and the reference.

use super::Context;
use super::button::Button;
use super::cards::check_label;
use super::checked::Checked;
use super::mark::mark;
use super::reference::reference;
use super::retry_after::RetryAfter;
use crate::i18n::Message;
use redemption::{Event, Next, Outcome, Summary};
use yew::{Html, html};

/// What can be done about it.
#[expect(clippy::struct_excessive_bools, reason = "each is a button or a line that is there or not")]
pub(super) struct Ways {
    pub(super) may_retry: bool,
    pub(super) may_finish: bool,
    pub(super) checking: bool,
    pub(super) other_pin: bool,
    pub(super) retry_in_s: Option<u64>,
}

pub(super) fn unconfirmed(summary: &Summary, outcome: &Outcome, ways: &Ways, context: &Context) -> Html {
    let (amount, digits) = (context.texts.money(summary.amount), summary.last_four.clone());
    let advice = match outcome.next {
        _ if ways.may_retry || ways.may_finish => Message::UnconfirmedRetry,
        Next::Support => Message::UnconfirmedSupport,
        _ => Message::UnconfirmedCheck,
    };
    let key = || outcome.attempt.clone();
    html! {
        <section part="unconfirmed" class="outcome open">
            { mark("M24 12v13l8 5") }
            <h2 part="heading" data-heading="" tabindex="-1">{ context.text(&Message::UnconfirmedTitle) }</h2>
            <p part="text">{ context.text(&Message::UnconfirmedText { amount, digits }) }</p>
            <p part="advice" class="strong">{ context.text(&Message::UnconfirmedKeep) }</p>
            if ways.other_pin {
                <p part="other-pin" class="banner">{ context.text(&Message::OtherPinEntered { digits: summary.last_four.clone() }) }</p>
            }
            <p part="text">{ context.text(&advice) }</p>
            <Checked checking={ways.checking} context={context.clone()} />
            if let Some(seconds) = ways.retry_in_s {
                <RetryAfter {seconds} context={context.clone()} />
            }
            <div part="buttons" class="buttons">
                <Button part="check" label={context.text(&check_label(ways.checking))} on_press={context.says(Event::StatusRequested(key()))} />
                if ways.may_retry {
                    <Button part="retry" label={context.text(&Message::TryAgain)} on_press={context.says(Event::RetryRequested)} />
                }
                if ways.may_finish {
                    <Button part="finish" label={context.text(&Message::Finish)} on_press={context.says(Event::FinishRequested(key()))} />
                }
                <Button part="another" label={context.text(&Message::UseAnother)} on_press={context.says(Event::AnotherRequested)} />
            </div>
            { reference(&outcome.reference, context) }
        </section>
    }
}
