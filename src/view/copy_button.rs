//! Copies a text for the customer, and says whether it worked.

use super::Context;
use super::button::Button;
use crate::i18n::Message;
use crate::shell::clipboard;
use wasm_bindgen_futures::spawn_local;
use yew::{AttrValue, Callback, Html, Properties, component, html, use_state};

#[derive(PartialEq, Properties)]
pub(super) struct CopyButtonProps {
    pub(super) label: AttrValue,
    pub(super) text: AttrValue,
    pub(super) context: Context,
}

#[component]
pub(super) fn CopyButton(props: &CopyButtonProps) -> Html {
    let copied = use_state(|| None);
    let on_press = {
        let (copied, text) = (copied.clone(), props.text.clone());
        Callback::from(move |()| {
            let (copied, text) = (copied.clone(), text.clone());
            // The same words again are read only if they were gone in between.
            copied.set(None);
            spawn_local(async move { copied.set(Some(clipboard::copy(&text).await)) });
        })
    };
    let said = copied.map(|copied| props.context.text(if copied { &Message::Copied } else { &Message::CopyFailed }));
    html! {
        <span class="copy">
            <Button part="copy" label={props.label.clone()} {on_press} />
            <span role="status">{ said.unwrap_or_default() }</span>
        </span>
    }
}
