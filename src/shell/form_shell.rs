//! What the page's script made before the app was there: the form, its PIN field and submit button, and the places
//! ("slots") that Yew renders into. Their texts and states are painted from the view model here, because Yew does not
//! own them.

use super::pin_field::PinField;
use crate::i18n::{Message, Texts};
use mozarto::VoucherPin;
use redemption::{AmountView, Focus, Screen, View};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement, ShadowRoot};

/// Places for Yew inside the shadow root.
#[derive(Clone, PartialEq)]
pub(crate) struct Slots {
    pub(crate) cards: Element,
    pub(crate) top: Element,
    pub(crate) pin_tools: Element,
    pub(crate) pin_error: Element,
    pub(crate) fields: Element,
    pub(crate) action: Element,
    pub(crate) screen: Element,
    pub(crate) live: Element,
}

/// The parts that the page's script made.
pub(crate) struct FormShell {
    pub(crate) root: ShadowRoot,
    pub(crate) slots: Slots,
    pub(crate) pin: PinField,
    form: HtmlElement,
    label: Element,
    hint: Element,
    submit: HtmlElement,
}

impl FormShell {
    /// Finds the parts; `None` where the shadow root is not the shell's.
    pub(crate) fn adopt(root: ShadowRoot, adopt_pin: impl FnOnce(HtmlInputElement) -> PinField) -> Option<Self> {
        let find = |selector: &str| root.query_selector(selector).ok().flatten();
        let slot = |name: &str| find(&format!("[data-slot={name}]"));
        let slots = Slots {
            cards: slot("cards")?,
            top: slot("top")?,
            pin_tools: slot("pin-tools")?,
            pin_error: slot("pin-error")?,
            fields: slot("fields")?,
            action: slot("action")?,
            screen: slot("screen")?,
            live: slot("live")?,
        };
        let input = find("[part=pin]")?.dyn_into().ok()?;
        Some(Self {
            slots,
            form: find("form")?.dyn_into().ok()?,
            label: find("label[for=pin]")?,
            hint: find("#pin-hint")?,
            submit: find("[part=submit]")?.dyn_into().ok()?,
            pin: adopt_pin(input),
            root,
        })
    }

    /// Shows what the view model says.
    pub(crate) fn paint(&self, view: &View, texts: &Texts) {
        let (form_shown, submit_shown, busy) = match view.screen {
            Screen::Form => (true, true, false),
            Screen::Confirm(_) => (true, false, false),
            Screen::Progress { .. } | Screen::Waiting { .. } => (true, true, true),
            Screen::Checking { .. } | Screen::Redeemed { .. } | Screen::Unconfirmed { .. } | Screen::Failed { .. } => {
                (false, false, false)
            }
        };
        self.form.set_hidden(!form_shown);
        if let Some(screen) = self.slots.screen.dyn_ref::<HtmlElement>() {
            screen.set_hidden(form_shown);
        }
        self.submit.set_hidden(!submit_shown);
        // Not `disabled`: the button would lose the focus, and a screen reader its place. Repeats are ignored by the
        // machine.
        for name in ["aria-disabled", "aria-busy"] {
            let _ = self.submit.set_attribute(name, if busy { "true" } else { "false" });
        }
        self.label.set_text_content(Some(&texts.text(&Message::PinLabel)));
        let length = texts.number(VoucherPin::LENGTH);
        self.hint.set_text_content(Some(&texts.text(&Message::PinHint { length })));
        if let Some(text) = self.submit.first_element_child() {
            text.set_text_content(Some(&texts.text(&submit_text(view, busy, texts))));
        }
        self.pin.set_locked(view.form.locked);
        self.pin.set_invalid(view.form.pin_error.is_some());
    }

    /// Moves the focus. A place that is not on screen keeps it where it is.
    pub(crate) fn focus(&self, focus: Focus) {
        let selectors: &[&str] = match focus {
            Focus::Field(redemption::Field::Pin) => return self.pin.focus(),
            Focus::Field(redemption::Field::Amount) => {
                &["[part=amount]", "[part=amount-choice]:checked", "[part=amount-choice]"]
            }
            Focus::Field(redemption::Field::Email) => &["[part=email]"],
            Focus::Heading => &["[data-heading]"],
        };
        let all = selectors.iter().filter_map(|selector| self.root.query_selector_all(selector).ok());
        let mut visible = all
            .flat_map(|found| (0..found.length()).filter_map(move |at| found.get(at)))
            .filter_map(|node| node.dyn_into::<HtmlElement>().ok())
            .filter(|element| element.offset_parent().is_some());
        if let Some(element) = visible.next() {
            let _ = element.focus();
        }
    }
}

fn submit_text(view: &View, busy: bool, texts: &Texts) -> Message {
    let amount = match &view.form.amount {
        AmountView::Fixed(amount) => Some(*amount),
        AmountView::Choice { amounts, chosen, .. } => chosen.and_then(|chosen| amounts.get(chosen)).copied(),
        AmountView::Typed { .. } => None,
    };
    match amount {
        _ if busy => Message::Submitting,
        Some(amount) => Message::SubmitAmount { amount: texts.money(amount) },
        None => Message::Submit,
    }
}
