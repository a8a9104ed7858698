//! "Not redeemed": the voucher is untouched, why, and what to do.

use super::Context;
use super::button::Button;
use super::mark::mark;
use super::reference::reference;
use super::retry_after::RetryAfter;
use crate::i18n::Message;
use redemption::{Code, Event, Outcome, Summary};
use yew::{Html, html};

pub(super) fn failed(
    summary: &Summary,
    outcome: &Outcome,
    may_retry: bool,
    retry_in_s: Option<u64>,
    context: &Context,
) -> Html {
    let reason = match outcome.code {
        Code::PspRateLimited => Message::FailedBusy,
        Code::NotSent => Message::FailedNotSent,
        Code::TooManyTries => Message::FailedTooMany,
        Code::SessionRequired => Message::FailedSession,
        _ => Message::FailedSetUp,
    };
    let digits = summary.last_four.clone();
    html! {
        <section part="failed" class="outcome bad">
            { mark("M17 17l14 14M31 17L17 31") }
            <h2 part="heading" data-heading="" tabindex="-1">{ context.text(&Message::FailedTitle) }</h2>
            <p part="advice" class="strong">{ context.text(&Message::FailedUntouched { digits }) }</p>
            <p part="text">{ context.text(&reason) }</p>
            if let Some(seconds) = retry_in_s {
                <RetryAfter {seconds} context={context.clone()} />
            }
            <div part="buttons" class="buttons">
                if may_retry {
                    <Button part="retry" label={context.text(&Message::TryAgain)} on_press={context.says(Event::RetryRequested)} />
                }
                <Button part="edit" label={context.text(&Message::BackToForm)} on_press={context.says(Event::EditRequested)} />
            </div>
            { reference(&outcome.reference, context) }
        </section>
    }
}
