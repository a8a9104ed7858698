//! The email field, where the merchant did not give the address.

use super::Context;
use super::error::{field_error, words};
use super::listen::{input_text, use_listener};
use crate::i18n::Message;
use redemption::{EmailView, Event, Field, FormView};
use yew::{AttrValue, Html, Properties, component, html, use_node_ref};

pub(super) fn email(email: &EmailView, form: &FormView, context: &Context) -> Html {
    let error = email.error.as_ref().map(|error| words(error, Field::Email, form, &context.texts));
    html! {
        <div part="field" class="field">
            <label part="label" for="email">{ context.text(&Message::EmailLabel) }</label>
            <EmailInput text={email.text.clone()} invalid={error.is_some()} locked={form.locked} context={context.clone()} />
            { field_error("email-error", error) }
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct EmailInputProps {
    text: AttrValue,
    invalid: bool,
    locked: bool,
    context: Context,
}

#[component]
fn EmailInput(props: &EmailInputProps) -> Html {
    let node = use_node_ref();
    let (typed, left) = (props.context.dispatch.clone(), props.context.dispatch.clone());
    use_listener(&node, "input", move |event| typed.emit(Event::EmailEdited(input_text(event))));
    use_listener(&node, "blur", move |_| left.emit(Event::FieldLeft(Field::Email)));
    // Not `type="email"`: browsers rewrite what is typed into such a field, and the caret jumps.
    html! {
        <input ref={node} id="email" part="email" type="text" inputmode="email" autocomplete="email" autocapitalize="off" spellcheck="false" dir="ltr"
            value={props.text.clone()} readonly={props.locked} aria-required="true"
            aria-invalid={if props.invalid { "true" } else { "false" }} aria-describedby="email-error" />
    }
}
