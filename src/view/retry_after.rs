//! From when on the customer can try again: a time of day, which stays true however long it is looked at.

use super::Context;
use crate::i18n::Message;
use crate::shell::clock::now_ms;
use yew::{Html, Properties, component, html, use_memo};

#[derive(PartialEq, Properties)]
pub(super) struct RetryAfterProps {
    /// From when it is shown first.
    pub(super) seconds: u64,
    pub(super) context: Context,
}

#[component]
pub(super) fn RetryAfter(props: &RetryAfterProps) -> Html {
    let until = use_memo(props.seconds, |seconds| now_ms() + seconds * 1000);
    let time = props.context.texts.time(*until);
    html! { <p part="retry-after">{ props.context.text(&Message::RetryAfter { time }) }</p> }
}
