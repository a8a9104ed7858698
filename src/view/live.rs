//! What a screen reader is told when nothing takes the focus. The region itself is the shell's: it is there, empty,
//! from the start.

use super::Context;
use crate::i18n::Message;
use redemption::Screen;
use yew::{Html, html};

pub(super) fn status(screen: &Screen, context: &Context) -> Html {
    match screen {
        // Every other change moves the focus to its heading, which is read then.
        Screen::Progress { slow: true, .. } => html! { context.text(&Message::RedeemingSlow) },
        Screen::Unconfirmed { checking: true, .. } => html! { context.text(&Message::CheckingNow) },
        _ => Html::default(),
    }
}
