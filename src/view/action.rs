//! What stands below the submit button, or in its place: the confirmation, the progress, the wait for the next try, a
//! word on what a redemption is.

use super::Context;
use super::button::Button;
use crate::i18n::Message;
use redemption::{Event, Screen, Summary};
use yew::{Html, html};

pub(super) fn action(screen: &Screen, context: &Context) -> Html {
    match screen {
        Screen::Confirm(summary) => confirm(summary, context),
        Screen::Progress { cancellable, again, slow, .. } => progress(*cancellable, *again, *slow, context),
        Screen::Waiting { seconds, in_doubt, .. } => waiting(*seconds, *in_doubt, context),
        _ => html! { <p part="note" class="note">{ context.text(&Message::OnceOnly) }</p> },
    }
}

/// The question stands where the submit button was, and its "yes" below: the second click of a double click confirms
/// nothing.
fn confirm(summary: &Summary, context: &Context) -> Html {
    let amount = context.texts.money(summary.amount);
    let digits = summary.last_four.clone();
    html! {
        <div part="confirm" class="panel">
            <h3 part="subheading" data-heading="" tabindex="-1">{ context.text(&Message::ConfirmTitle { amount: amount.clone() }) }</h3>
            <p part="text">{ context.text(&Message::ConfirmText { digits }) }</p>
            <div part="buttons" class="buttons">
                <Button part="confirm-yes" label={context.text(&Message::ConfirmYes { amount })} on_press={context.says(Event::Confirmed)} />
                <Button part="back" label={context.text(&Message::Back)} on_press={context.says(Event::WentBack)} />
            </div>
        </div>
    }
}

fn progress(cancellable: bool, again: bool, slow: bool, context: &Context) -> Html {
    let message = match (cancellable, slow) {
        (true, _) if again => Message::PreparingAgain,
        (true, _) => Message::Preparing,
        (false, false) => Message::Redeeming,
        (false, true) => Message::RedeemingSlow,
    };
    let cancel = if again { Message::StopTrying } else { Message::Cancel };
    html! {
        <div part="progress" class="progress">
            <p part="text" data-heading="" tabindex="-1">{ context.text(&message) }</p>
            if cancellable {
                <Button part="cancel" label={context.text(&cancel)} on_press={context.says(Event::Cancelled)} />
            }
        </div>
    }
}

/// The seconds are not announced: they would talk over everything else.
fn waiting(seconds: u64, in_doubt: bool, context: &Context) -> Html {
    let message = if in_doubt { Message::WaitingDoubt } else { Message::WaitingUntouched };
    let when = context.texts.moment_in(seconds);
    html! {
        <div part="waiting" class="progress">
            <p part="text" data-heading="" tabindex="-1">{ context.text(&message) }</p>
            <p part="wait" role="timer" aria-live="off">{ context.text(&Message::WaitingFor { when }) }</p>
            <div part="buttons" class="buttons">
                <Button part="try-now" label={context.text(&Message::TryNow)} on_press={context.says(Event::RetryRequested)} />
                <Button part="stop" label={context.text(&Message::StopTrying)} on_press={context.says(Event::Cancelled)} />
            </div>
        </div>
    }
}
