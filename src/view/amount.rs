//! The amount: nothing to fill where the merchant fixed it, a choice of values, or a field to type it into.

use super::Context;
use super::error::{field_error, words};
use super::listen::{input_text, use_listener};
use crate::i18n::Message;
use mozarto::Amount;
use redemption::{AmountView, Event, Field, FieldError, FormView};
use yew::{AttrValue, Html, Properties, component, html, use_node_ref};

pub(super) fn amount(form: &FormView, context: &Context) -> Html {
    let error =
        |error: &Option<FieldError>| error.as_ref().map(|error| words(error, Field::Amount, form, &context.texts));
    match &form.amount {
        // The submit button says it.
        AmountView::Fixed(_) => Html::default(),
        AmountView::Choice { amounts, chosen, error: wrong } => {
            choice(amounts, *chosen, error(wrong), form.locked, context)
        }
        AmountView::Typed { text, currency, error: wrong } => html! {
            <div part="field" class="field">
                <label part="label" for="amount">{ context.text(&Message::AmountLabel) }</label>
                <p part="hint" id="amount-hint">{ context.text(&Message::AmountHint) }</p>
                <div class="amount-row">
                    <AmountInput text={text.clone()} invalid={wrong.is_some()} locked={form.locked} context={context.clone()} />
                    <span id="amount-unit" part="unit" class="unit" aria-hidden="true">{ currency.code().to_owned() }</span>
                </div>
                { field_error("amount-error", error(wrong)) }
            </div>
        },
    }
}

fn choice(amounts: &[Amount], chosen: Option<usize>, error: Option<String>, locked: bool, context: &Context) -> Html {
    let invalid = if error.is_some() { "true" } else { "false" };
    let options = amounts.iter().enumerate().map(|(index, amount)| {
        let label = context.texts.money(*amount);
        html! { <AmountChoice key={amount.minor()} {index} {label} checked={chosen == Some(index)} {locked} context={context.clone()} /> }
    });
    html! {
        <fieldset part="field" class="field" role="radiogroup" aria-required="true" aria-describedby="amount-error" aria-invalid={invalid}>
            <legend part="label">{ context.text(&Message::AmountLabel) }</legend>
            <div class="choices" part="amounts">{ for options }</div>
            { field_error("amount-error", error) }
        </fieldset>
    }
}

#[derive(PartialEq, Properties)]
struct AmountChoiceProps {
    index: usize,
    label: AttrValue,
    checked: bool,
    locked: bool,
    context: Context,
}

#[component]
fn AmountChoice(props: &AmountChoiceProps) -> Html {
    let node = use_node_ref();
    let (dispatch, index) = (props.context.dispatch.clone(), props.index);
    use_listener(&node, "change", move |_| dispatch.emit(Event::AmountChosen(index)));
    html! {
        <label part="amount-option" class="choice">
            <input ref={node} part="amount-choice" type="radio" name="amount" checked={props.checked} disabled={props.locked} />
            <span dir="ltr">{ props.label.clone() }</span>
        </label>
    }
}

#[derive(PartialEq, Properties)]
struct AmountInputProps {
    text: AttrValue,
    invalid: bool,
    locked: bool,
    context: Context,
}

#[component]
fn AmountInput(props: &AmountInputProps) -> Html {
    let node = use_node_ref();
    let (typed, left) = (props.context.dispatch.clone(), props.context.dispatch.clone());
    use_listener(&node, "input", move |event| typed.emit(Event::AmountEdited(input_text(event))));
    use_listener(&node, "blur", move |_| left.emit(Event::FieldLeft(Field::Amount)));
    html! {
        <input ref={node} id="amount" part="amount" type="text" inputmode="decimal" autocomplete="off" dir="ltr" value={props.text.clone()}
            readonly={props.locked} aria-required="true" aria-invalid={if props.invalid { "true" } else { "false" }}
            aria-describedby="amount-hint amount-unit amount-error" />
    }
}
