//! What support can find an attempt by, with a button that copies it. The same text is in the embedder's event.

use super::Context;
use super::copy_button::CopyButton;
use crate::i18n::Message;
use yew::{Html, html};

pub(super) fn reference(reference: &str, context: &Context) -> Html {
    html! {
        <div part="reference-box" class="reference">
            <span part="reference-label" class="name">{ context.text(&Message::Reference) }</span>
            <bdi part="reference" dir="ltr">{ reference.to_owned() }</bdi>
            <CopyButton label={context.text(&Message::Copy)} text={reference.to_owned()} context={context.clone()} />
        </div>
    }
}
