//! From when on the customer can try again: a time of day, and the day where it may be another. It stays true however long
//! it is looked at.

use super::Context;
use crate::i18n::Message;
use crate::shell::clock::now_ms;
use yew::{Html, Properties, component, html, use_memo};

/// A time of day alone says which one is meant up to half a day ahead.
const TIME_ALONE_S: u64 = 12 * 60 * 60;

#[derive(PartialEq, Properties)]
pub(super) struct RetryAfterProps {
    /// From when it is shown first.
    pub(super) seconds: u64,
    pub(super) context: Context,
}

#[component]
pub(super) fn RetryAfter(props: &RetryAfterProps) -> Html {
    let until = use_memo(props.seconds, |seconds| now_ms() + seconds * 1000);
    let texts = &props.context.texts;
    let time = if props.seconds < TIME_ALONE_S { texts.time(*until) } else { texts.date(*until) };
    html! { <p part="retry-after">{ props.context.text(&Message::RetryAfter { time }) }</p> }
}
