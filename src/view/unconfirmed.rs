//! "We do not know yet": what that means for the voucher, what to do, and the reference.

use super::Context;
use super::button::Button;
use super::mark::mark;
use super::reference::reference;
use crate::i18n::Message;
use redemption::{Event, Outcome, Summary};
use yew::{Html, html};

pub(super) fn unconfirmed(summary: &Summary, outcome: &Outcome, may_retry: bool, context: &Context) -> Html {
    let (amount, digits) = (context.texts.money(summary.amount), summary.last_four.clone());
    let advice = if may_retry { Message::UnconfirmedRetry } else { Message::UnconfirmedSupport };
    html! {
        <section part="unconfirmed" class="outcome open">
            { mark("M24 12v13l8 5") }
            <h2 data-heading="" tabindex="-1">{ context.text(&Message::UnconfirmedTitle) }</h2>
            <p>{ context.text(&Message::UnconfirmedText { amount, digits }) }</p>
            <p class="strong">{ context.text(&Message::UnconfirmedKeep) }</p>
            <p>{ context.text(&advice) }</p>
            if may_retry {
                <div class="buttons">
                    <Button part="retry" label={context.text(&Message::TryAgain)} on_press={context.says(Event::RetryRequested)} />
                </div>
            }
            { reference(&outcome.reference, context) }
        </section>
    }
}
