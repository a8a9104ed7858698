//! The root component. It renders into the places that the shell left: the PIN field between them is not Yew's.

use super::button::Button;
use super::error::{field_error, form_words, words};
use super::in_sight::use_focus_in_sight;
use super::live::Live;
use super::pin_tools::PinTools;
use super::unconfirmed::Ways;
use super::{Context, action, amount, cards, checking, email, failed, receipt, reference, summary, unconfirmed};
use crate::i18n::Message;
use crate::shell::form_shell::Slots;
use redemption::{Event, Field, OutcomeKind, Screen, View};
use std::rc::Rc;
use yew::{Html, Properties, component, create_portal, html};

#[derive(Clone, PartialEq, Properties)]
pub(crate) struct RootProps {
    pub(crate) view: Rc<View>,
    pub(crate) context: Context,
    pub(crate) slots: Slots,
}

#[component]
pub(crate) fn Root(RootProps { view, context, slots }: &RootProps) -> Html {
    use_focus_in_sight(&slots.screen);
    let pin_error = view.form.pin_error.as_ref().map(|error| words(error, Field::Pin, &view.form, &context.texts));
    html! {
        <>
            { create_portal(cards::cards(&view.cards, context), slots.cards.clone()) }
            { create_portal(top(view, context), slots.top.clone()) }
            { create_portal(html! { <PinTools context={context.clone()} /> }, slots.pin_tools.clone()) }
            { create_portal(field_error("pin-error", pin_error), slots.pin_error.clone()) }
            { create_portal(fields(view, context), slots.fields.clone()) }
            { create_portal(action::action(&view.screen, context), slots.action.clone()) }
            { create_portal(html! { <Live view={Rc::clone(view)} context={context.clone()} /> }, slots.live.clone()) }
            { screen(&view.screen, context) }
        </>
    }
}

/// The form's heading, and what is wrong with no field in particular.
fn top(view: &View, context: &Context) -> Html {
    let error = view.form.error.as_ref().map(|error| form_words(error, &context.texts));
    html! {
        <>
            <h2 part="title">{ context.text(&Message::Title) }</h2>
            if let Some(error) = error {
                <p part="form-error" class="banner" data-heading="" tabindex="-1">{ error }</p>
            }
            { summary::summary(&view.form, context) }
            if let Some(digits) = &view.form.finishing {
                <div part="finishing" class="panel">
                    <p part="text">{ context.text(&Message::Finishing { digits: digits.clone() }) }</p>
                    if !view.form.locked {
                        <Button part="finish-later" label={context.text(&Message::FinishLater)} on_press={context.says(Event::EditRequested)} />
                    }
                </div>
            }
        </>
    }
}

fn fields(view: &View, context: &Context) -> Html {
    html! {
        <>
            { amount::amount(&view.form, context) }
            if let Some(email) = &view.form.email {
                { email::email(email, &view.form, context) }
            }
            if let Some(shown) = &view.form.reference {
                { reference::reference(shown, context) }
            }
        </>
    }
}

/// What stands in the form's place.
fn screen(screen: &Screen, context: &Context) -> Html {
    match screen {
        Screen::Form | Screen::Confirm(_) | Screen::Progress { .. } | Screen::Waiting { .. } => Html::default(),
        Screen::Checking { summary, reference } => checking::checking(summary, reference, context),
        Screen::Redeemed { outcome, began_at_ms } => match &outcome.kind {
            OutcomeKind::Redeemed(redemption) => receipt::receipt(redemption, *began_at_ms, context),
            _ => Html::default(),
        },
        Screen::Unconfirmed { summary, outcome, may_retry, may_finish, checking, other_pin, retry_in_s } => {
            let ways = Ways {
                may_retry: *may_retry,
                may_finish: *may_finish,
                checking: *checking,
                other_pin: *other_pin,
                retry_in_s: *retry_in_s,
            };
            unconfirmed::unconfirmed(summary, outcome, &ways, context)
        }
        Screen::Failed { summary, outcome, may_retry, retry_in_s } => {
            failed::failed(summary, outcome, *may_retry, *retry_in_s, context)
        }
    }
}
