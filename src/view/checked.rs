//! That the customer has asked and nothing is new: said with the time, so that asking again changes something on screen.

use super::Context;
use crate::i18n::Message;
use crate::shell::clock::now_ms;
use yew::{Html, Properties, component, hook, html, use_mut_ref};

/// When the last ask ended, in milliseconds since 1970, if one has.
#[hook]
pub(super) fn use_checked(checking: bool) -> Option<u64> {
    let state = use_mut_ref(|| (false, None));
    let mut state = state.borrow_mut();
    if state.0 && !checking {
        state.1 = Some(now_ms());
    }
    state.0 = checking;
    state.1
}

#[derive(PartialEq, Properties)]
pub(super) struct CheckedProps {
    pub(super) checking: bool,
    pub(super) context: Context,
}

#[component]
pub(super) fn Checked(CheckedProps { checking, context }: &CheckedProps) -> Html {
    let checked_at = use_checked(*checking).filter(|_| !checking);
    let words = checked_at.map(|at| context.text(&Message::Checked { time: context.texts.time(at) }));
    html! { if let Some(words) = words { <p part="checked">{ words }</p> } }
}
