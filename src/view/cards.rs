//! The open attempts above the form: each with what is known of it, its reference, and what can be done.

use super::Context;
use super::button::Button;
use super::checked::Checked;
use super::reference::reference;
use crate::i18n::Message;
use redemption::{CardState, CardView, Code, Event, Next, OutcomeKind};
use yew::{Html, html};

pub(super) fn cards(cards: &[CardView], context: &Context) -> Html {
    cards.iter().map(|shown| card(shown, context)).collect()
}

fn card(card: &CardView, context: &Context) -> Html {
    let key = || card.attempt.clone();
    // Who comes to a button by keys hears which voucher it is about.
    let id = format!("card-{}", card.attempt.as_str());
    let open = !matches!(card.state, CardState::Ended(_));
    let kind = match &card.state {
        CardState::Ended(outcome) if matches!(outcome.kind, OutcomeKind::Redeemed(_)) => "good",
        CardState::Ended(_) => "bad",
        _ => "open",
    };
    html! {
        <section key={card.attempt.as_str()} part="card" class={yew::classes!("open-attempt", kind)} role="group" aria-labelledby={id.clone()}>
            <p {id} part="card-text">{ text(card, context) }</p>
            if open {
                <Checked checking={card.state == CardState::Checking} context={context.clone()} />
            }
            { reference(&card.reference, context) }
            <div part="buttons" class="buttons">
                if open {
                    <Button part="card-check" label={context.text(&check_label(card.state == CardState::Checking))}
                        on_press={context.says(Event::StatusRequested(key()))} />
                }
                if card.may_finish {
                    <Button part="card-finish" label={context.text(&Message::Finish)} on_press={context.says(Event::FinishRequested(key()))} />
                }
                if card.may_dismiss {
                    <Button part="card-dismiss" label={context.text(&Message::Dismiss)} on_press={context.says(Event::Dismissed(key()))} />
                }
            </div>
        </section>
    }
}

/// What the button that asks says, while it asks and before.
pub(super) fn check_label(checking: bool) -> Message {
    if checking { Message::CheckingNow } else { Message::CheckNow }
}

/// What is known of the attempt, in words.
pub(super) fn text(card: &CardView, context: &Context) -> String {
    context.texts.text(&words(card, context))
}

/// "Untouched" only where that is proven of this voucher: what was refused in other words may have been used before.
fn words(card: &CardView, context: &Context) -> Message {
    let (amount, digits) = (context.texts.money(card.summary.amount), card.summary.last_four.clone());
    let outcome = match &card.state {
        CardState::Ended(outcome) => outcome,
        _ if card.named => return Message::CardNamed { digits },
        CardState::Checking | CardState::Open(Next::Status) => return Message::CardOpen { amount, digits },
        CardState::Open(_) => return Message::CardSupport { amount, digits },
    };
    match (&outcome.kind, outcome.code) {
        (OutcomeKind::Redeemed(redemption), _) => match redemption.amount {
            Some(amount) => Message::CardRedeemed { amount: context.texts.money(amount), digits },
            None => Message::CardRedeemedUnread { digits },
        },
        (_, Code::AttemptClosed | Code::SettledUntouched | Code::MismatchedAmount | Code::MismatchedCurrency) => {
            Message::CardUntouched { digits }
        }
        (_, Code::AlreadyRedeemed) => Message::CardUsed { digits },
        (_, Code::VoucherInUse) => Message::CardInUse { digits },
        _ => Message::CardNotRedeemed { digits },
    }
}
