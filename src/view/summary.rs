//! What is wrong with the form, where that is more than one thing: a list above the fields, each with the way to its field.
//! One thing alone stands at its field, where the focus is.

use super::Context;
use super::error;
use super::listen::use_listener;
use crate::i18n::Message;
use redemption::{Field, FormView};
use yew::{AttrValue, Html, Properties, component, html, use_node_ref};

pub(super) fn summary(form: &FormView, context: &Context) -> Html {
    let errors = error::all(form, &context.texts);
    if errors.len() < 2 {
        return Html::default();
    }
    let links = errors.into_iter().map(|(field, words)| {
        html! { <li key={field as usize}><Link {field} words={words} context={context.clone()} /></li> }
    });
    // Safari takes a list without bullets for none, unless it says that it is one.
    html! {
        <div part="summary" class="banner" role="group" aria-labelledby="summary">
            <p id="summary" part="advice" class="strong">{ context.text(&Message::Summary) }</p>
            <ul role="list">{ for links }</ul>
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct LinkProps {
    field: Field,
    words: AttrValue,
    context: Context,
}

#[component]
fn Link(props: &LinkProps) -> Html {
    let node = use_node_ref();
    let (focus, field) = (props.context.focus.clone(), props.field);
    use_listener(&node, "click", move |_| focus.emit(field));
    html! { <button ref={node} part="summary-link" type="button">{ props.words.clone() }</button> }
}
