//! "Checking your voucher": after a reload, or while another page's try runs.

use super::Context;
use super::button::Button;
use super::mark::mark;
use super::reference::reference;
use crate::i18n::Message;
use redemption::{Event, Summary};
use yew::{Html, html};

pub(super) fn checking(summary: &Summary, attempt: &str, context: &Context) -> Html {
    let (amount, digits) = (context.texts.money(summary.amount), summary.last_four.clone());
    html! {
        <section part="checking" class="outcome open">
            { mark("M24 12v13l8 5") }
            <h2 part="heading" data-heading="" tabindex="-1">{ context.text(&Message::CheckingTitle) }</h2>
            <p part="text">{ context.text(&Message::CheckingText { amount, digits }) }</p>
            <p part="advice" class="strong">{ context.text(&Message::UnconfirmedKeep) }</p>
            <div part="buttons" class="buttons">
                <Button part="another" label={context.text(&Message::UseAnother)} on_press={context.says(Event::AnotherRequested)} />
            </div>
            { reference(attempt, context) }
        </section>
    }
}
