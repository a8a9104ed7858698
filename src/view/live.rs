//! What a screen reader is told when nothing takes the focus. The region itself is the shell's: it is there, empty,
//! from the start.

use super::cards;
use super::checked::use_checked;
use super::{Context, error};
use crate::i18n::Message;
use redemption::{CardState, CardView, Screen, View};
use std::mem::{Discriminant, discriminant};
use std::rc::Rc;
use yew::{Html, Properties, component, html, use_mut_ref};

#[derive(PartialEq, Properties)]
pub(super) struct LiveProps {
    pub(super) view: Rc<View>,
    pub(super) context: Context,
}

/// What may be told, as it was painted last.
struct Heard {
    screen: Discriminant<Screen>,
    slow: bool,
    /// An open attempt is being asked about.
    asking: bool,
    /// Every open attempt's words.
    cards: Vec<String>,
    /// Every field's error.
    errors: Vec<String>,
    /// Said last. It stays as long as it is true.
    said: Vec<String>,
}

#[component]
pub(super) fn Live(LiveProps { view, context }: &LiveProps) -> Html {
    let before = use_mut_ref(|| None::<Heard>);
    let is_asked = |card: &CardView| card.state == CardState::Checking;
    let mut now = Heard {
        screen: discriminant(&view.screen),
        slow: matches!(view.screen, Screen::Progress { slow: true, .. }),
        asking: matches!(view.screen, Screen::Unconfirmed { checking: true, .. }) || view.cards.iter().any(is_asked),
        cards: view.cards.iter().map(|card| cards::text(card, context)).collect(),
        errors: error::all(&view.form, &context.texts).into_iter().map(|(_, words)| words).collect(),
        said: Vec::new(),
    };
    let checked_at = use_checked(now.asking);
    let mut before = before.borrow_mut();
    // What is there from the first is read with the page.
    if let Some(before) = &*before {
        let checked = checked_at.map(|at| Message::Checked { time: context.texts.time(at) });
        now.said = news(before, &now, checked.as_ref(), context);
        if now.said.is_empty() {
            now.said = still_true(before, &now);
        }
    }
    // In paragraphs: a screen reader pauses between them.
    let said: Html = now.said.iter().map(|words| html! { <p>{ words.clone() }</p> }).collect();
    *before = Some(now);
    said
}

/// What has come since that no focus tells. That an ask was in vain is said where nothing else became of it.
fn news(before: &Heard, now: &Heard, checked: Option<&Message>, context: &Context) -> Vec<String> {
    let fresh = |now: &[String], before: &[String]| -> Vec<String> {
        now.iter().filter(|words| !before.contains(words)).cloned().collect()
    };
    let mut news = fresh(&now.errors, &before.errors);
    news.extend(fresh(&now.cards, &before.cards));
    let in_vain = before.asking && !now.asking && news.is_empty();
    let message = if now.slow && !before.slow {
        Some(&Message::RedeemingSlow)
    } else if now.asking && !before.asking {
        Some(&Message::CheckingNow)
    } else if in_vain && now.screen == before.screen && now.cards.len() == before.cards.len() {
        checked
    } else {
        None
    };
    news.extend(message.map(|message| context.texts.text(message)));
    news
}

/// Of what was said last, what has not become untrue: nothing once the screen is another, and no error or card that is gone.
fn still_true(before: &Heard, now: &Heard) -> Vec<String> {
    if now.screen != before.screen {
        return Vec::new();
    }
    let is_gone = |words: &String| {
        let was = |heard: &Heard| heard.errors.contains(words) || heard.cards.contains(words);
        was(before) && !was(now)
    };
    before.said.iter().filter(|words| !is_gone(words)).cloned().collect()
}
