//! The PIN `<input>`: made once by the page's script, adopted here, never replaced, moved or rendered by Yew, so that
//! focus, caret, keyboard and text survive the app's arrival. This file alone writes its value.

use super::pin_grouping::{digit_beyond_space, group};
use gloo_events::{EventListener, EventListenerOptions};
use mozarto::VoucherPin;
use redemption::PinText;
use std::cell::RefCell;
use wasm_bindgen::JsCast;
use web_sys::{ClipboardEvent, HtmlInputElement, InputEvent};
use zeroize::Zeroizing;

type Listener = Box<dyn Fn(&HtmlInputElement, &web_sys::Event)>;

/// The adopted field.
pub(crate) struct PinField {
    input: HtmlInputElement,
    listeners: RefCell<Vec<EventListener>>,
}

impl PinField {
    /// Takes the field over, with what was typed into it so far. `edited` hears every change, `left` when the customer
    /// leaves it.
    pub(crate) fn adopt(
        input: HtmlInputElement,
        edited: impl Fn(PinText) + Clone + 'static,
        left: impl Fn() + 'static,
    ) -> Self {
        let on = |kind: &'static str, listener: Listener| {
            let field = input.clone();
            let options = EventListenerOptions::enable_prevent_default();
            EventListener::new_with_options(&input, kind, options, move |event| listener(&field, event))
        };
        let (deleted, typed, composed, pasted) = (edited.clone(), edited.clone(), edited.clone(), edited);
        let listeners = vec![
            on(
                "beforeinput",
                Box::new(move |input, event| {
                    if delete_beyond_space(input, event.unchecked_ref()) {
                        event.prevent_default();
                        deleted(regroup(input));
                    }
                }),
            ),
            on(
                "input",
                Box::new(move |input, event| {
                    // Half a composition is not regrouped under the customer's fingers; its end is an event of its own.
                    // Autofill and extensions send a plain `Event`.
                    if !event.dyn_ref::<InputEvent>().is_some_and(InputEvent::is_composing) {
                        typed(regroup(input));
                    }
                }),
            ),
            on("compositionend", Box::new(move |input, _| composed(regroup(input)))),
            on(
                "paste",
                Box::new(move |input, event| {
                    // `paste` comes to a locked field too.
                    if input.read_only() {
                        return;
                    }
                    if let Some(pin) = pasted_pin(event.unchecked_ref()) {
                        event.prevent_default();
                        input.set_value(pin.expose());
                        place_caret(input, pin.expose().len());
                        pasted(regroup(input));
                    }
                }),
            ),
            on("blur", Box::new(move |_, _| left())),
        ];
        Self { input, listeners: RefCell::new(listeners) }
    }

    /// The text that is in the field now, grouped.
    pub(crate) fn text(&self) -> PinText {
        regroup(&self.input)
    }

    /// Whether it may be edited.
    pub(crate) fn set_locked(&self, locked: bool) {
        self.input.set_read_only(locked);
    }

    /// Tells assistive technology whether its text is wrong.
    pub(crate) fn set_invalid(&self, invalid: bool) {
        let _ = self.input.set_attribute("aria-invalid", if invalid { "true" } else { "false" });
    }

    /// Hides the digits from people who look over the customer's shoulder.
    pub(crate) fn set_concealed(&self, concealed: bool) {
        let _ = self.input.class_list().toggle_with_force("concealed", concealed);
    }

    pub(crate) fn focus(&self) {
        let _ = self.input.focus();
    }

    pub(crate) fn clear(&self) {
        self.input.set_value("");
    }

    /// Gives the field back as it was made: empty, visible, and listened to by nobody here.
    pub(crate) fn release(&self) {
        self.listeners.borrow_mut().clear();
        self.set_concealed(false);
        self.clear();
    }
}

fn regroup(input: &HtmlInputElement) -> PinText {
    let text = Zeroizing::new(input.value());
    let caret = input.selection_start().ok().flatten().map_or(0, |caret| caret as usize);
    let grouped = group(&text, caret);
    if *grouped.text != *text {
        input.set_value(&grouped.text);
        place_caret(input, grouped.caret);
    }
    PinText::new(grouped.text.to_string())
}

/// A deletion at the space between two groups takes the digit beyond it. Done here: Safari has chosen what goes before it
/// tells, so stepping over the space would come too late. Whether it was one.
fn delete_beyond_space(input: &HtmlInputElement, event: &InputEvent) -> bool {
    let forward = match event.input_type().as_str() {
        "deleteContentBackward" => false,
        "deleteContentForward" => true,
        _ => return false,
    };
    let (Ok(Some(start)), Ok(Some(end))) = (input.selection_start(), input.selection_end()) else { return false };
    let text = Zeroizing::new(input.value());
    let digit = if start == end { digit_beyond_space(&text, start as usize, forward) } else { None };
    let Some((digit, place)) = digit.and_then(|digit| Some((digit, u32::try_from(digit).ok()?))) else { return false };
    let taken = input.set_range_text_with_start_and_end("", place, place + 1).is_ok();
    if taken {
        place_caret(input, digit);
    }
    taken
}

/// The one PIN in what is pasted. Asked of the clipboard and not of the field: the field has lost the line ends by
/// then.
fn pasted_pin(event: &ClipboardEvent) -> Option<VoucherPin> {
    let text = Zeroizing::new(event.clipboard_data()?.get_data("text").ok()?);
    VoucherPin::find(&text)
}

fn place_caret(input: &HtmlInputElement, caret: usize) {
    let caret = u32::try_from(caret).unwrap_or(u32::MAX);
    // Moving the caret of a field without focus would steal it in Safari.
    let active = input.get_root_node().dyn_into::<web_sys::ShadowRoot>().ok().and_then(|root| root.active_element());
    if active.is_some_and(|active| active.is_same_node(Some(input))) {
        let _ = input.set_selection_range(caret, caret);
    }
}
