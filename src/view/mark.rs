//! The drawing above an outcome's heading, which says in words what the drawing says.

use yew::{Html, html};

pub(super) fn mark(path: &'static str) -> Html {
    html! {
        <svg part="mark" class="mark" viewBox="0 0 48 48" aria-hidden="true">
            <circle cx="24" cy="24" r="22" />
            <path d={path} />
        </svg>
    }
}
