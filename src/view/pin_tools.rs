//! The switch beside the PIN field that hides its digits.

use super::Context;
use super::button::Button;
use crate::i18n::Message;
use yew::{Callback, Html, Properties, component, html, use_state};

#[derive(PartialEq, Properties)]
pub(super) struct PinToolsProps {
    pub(super) context: Context,
}

#[component]
pub(super) fn PinTools(PinToolsProps { context }: &PinToolsProps) -> Html {
    let concealed = use_state(|| false);
    let on_press = {
        let (concealed, conceal_pin) = (concealed.clone(), context.conceal_pin.clone());
        Callback::from(move |()| {
            conceal_pin.emit(!*concealed);
            concealed.set(!*concealed);
        })
    };
    // The label says what a press does, so there is no pressed state to contradict it.
    let label = if *concealed { Message::PinShow } else { Message::PinHide };
    html! { <Button part="pin-toggle" label={context.text(&label)} {on_press} /> }
}
