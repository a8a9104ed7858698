//! A button that never submits the form by itself.

use super::listen::use_listener;
use yew::{AttrValue, Callback, Html, Properties, component, html, use_node_ref};

#[derive(PartialEq, Properties)]
pub(super) struct ButtonProps {
    /// The part that themes and tests know it by.
    pub(super) part: &'static str,
    pub(super) label: AttrValue,
    pub(super) on_press: Callback<()>,
}

#[component]
pub(super) fn Button(props: &ButtonProps) -> Html {
    let node = use_node_ref();
    let on_press = props.on_press.clone();
    use_listener(&node, "click", move |_| on_press.emit(()));
    html! { <button ref={node} part={props.part} type="button">{ props.label.clone() }</button> }
}
