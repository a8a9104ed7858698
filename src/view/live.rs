//! What a screen reader is told when nothing takes the focus. The region itself is the shell's: it is there, empty,
//! from the start.

use super::cards;
use super::checked::use_checked;
use super::{Context, error};
use crate::i18n::Message;
use redemption::{CardState, Screen, View};
use std::mem;
use std::rc::Rc;
use yew::{Html, Properties, component, html, use_mut_ref};

#[derive(PartialEq, Properties)]
pub(super) struct LiveProps {
    pub(super) view: Rc<View>,
    pub(super) context: Context,
}

/// What may be told, as it was painted last.
#[derive(Default)]
struct Heard {
    slow: bool,
    checking: bool,
    /// Every open attempt's words, and whether it is being asked about.
    cards: Vec<(String, bool)>,
    errors: Vec<String>,
    form: bool,
    /// Said last; it stays until something else is said, or the screen is another.
    said: Vec<String>,
}

#[component]
pub(super) fn Live(LiveProps { view, context }: &LiveProps) -> Html {
    let before = use_mut_ref(|| None::<Heard>);
    let mut now = Heard {
        slow: matches!(view.screen, Screen::Progress { slow: true, .. }),
        checking: matches!(view.screen, Screen::Unconfirmed { checking: true, .. }),
        cards: view.cards.iter().map(|card| (cards::text(card, context), card.state == CardState::Checking)).collect(),
        errors: error::all(&view.form, &context.texts).into_iter().map(|(_, words)| words).collect(),
        form: matches!(view.screen, Screen::Form),
        said: Vec::new(),
    };
    let checked_at = use_checked(now.checking || now.cards.iter().any(|(_, checking)| *checking));
    let mut before = before.borrow_mut();
    // What is there from the first is read with the page.
    if let Some(before) = &mut *before {
        let checked = checked_at.map(|at| Message::Checked { time: context.texts.time(at) });
        now.said = news(before, &now, checked.as_ref(), context)
            .unwrap_or_else(|| if before.form == now.form { mem::take(&mut before.said) } else { Vec::new() });
    }
    // In paragraphs: a screen reader pauses between them.
    let said: Html = now.said.iter().map(|words| html! { <p>{ words.clone() }</p> }).collect();
    *before = Some(now);
    said
}

/// What has come since, if anything has that no focus tells.
fn news(before: &Heard, now: &Heard, checked: Option<&Message>, context: &Context) -> Option<Vec<String>> {
    let text = |message: &Message| Some(vec![context.texts.text(message)]);
    if now.slow && !before.slow {
        return text(&Message::RedeemingSlow);
    }
    let is_asking = |heard: &Heard| heard.checking || heard.cards.iter().any(|(_, checking)| *checking);
    if is_asking(now) && !is_asking(before) {
        return text(&Message::CheckingNow);
    }
    let known = |words: &String| before.cards.iter().any(|(text, _)| text == words);
    let cards: Vec<_> = now.cards.iter().map(|(words, _)| words).filter(|words| !known(words)).cloned().collect();
    if !cards.is_empty() {
        return Some(cards);
    }
    if is_asking(before) && !is_asking(now) && before.form == now.form {
        return checked.and_then(text);
    }
    let errors: Vec<_> = now.errors.iter().filter(|words| !before.errors.contains(words)).cloned().collect();
    (!errors.is_empty()).then_some(errors)
}
