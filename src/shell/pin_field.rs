//! The PIN `<input>`: made once by the page's script, adopted here, never replaced, moved or rendered by Yew, so that
//! focus, caret, keyboard and text survive the app's arrival. This file alone writes its value.

use super::pin_grouping::{digit_beyond_space, group};
use super::pin_history::{Edit, History, Moment};
use crate::object::get;
use gloo_events::{EventListener, EventListenerOptions};
use mozarto::VoucherPin;
use redemption::PinText;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{ClipboardEvent, Event, HtmlInputElement, InputEvent};
use zeroize::Zeroizing;

/// Gives the text where the event has changed it.
type Listener = fn(&Field, &Event) -> Option<PinText>;

/// The adopted field.
pub(crate) struct PinField {
    field: Rc<Field>,
    listeners: RefCell<Vec<EventListener>>,
}

/// The input, and what it can go back to.
struct Field {
    input: HtmlInputElement,
    history: RefCell<History>,
}

impl PinField {
    /// Takes the field over, with what was typed into it so far. `edited` hears every change, `left` when the customer
    /// leaves it.
    pub(crate) fn adopt(
        input: HtmlInputElement,
        edited: impl Fn(PinText) + 'static,
        left: impl Fn() + 'static,
    ) -> Self {
        let field = Rc::new(Field { input, history: RefCell::default() });
        let edited = Rc::new(edited);
        let on = |kind: &'static str, listener: Listener| {
            let (field, edited) = (Rc::clone(&field), Rc::clone(&edited));
            let options = EventListenerOptions::enable_prevent_default();
            EventListener::new_with_options(&field.input.clone(), kind, options, move |event| {
                if let Some(text) = listener(&field, event) {
                    edited(text);
                }
            })
        };
        let listeners = vec![
            on("keydown", Field::key_pressed),
            on("beforeinput", Field::about_to_change),
            on("input", |field, event| Some(field.changed(event))),
            on("compositionend", |field, _| Some(field.regroup(Edit::Typed))),
            on("paste", Field::pasted),
            on("change", Field::filled),
            on("dragend", |field, _| Some(field.regroup(Edit::Other))),
            EventListener::new(&field.input, "blur", move |_| left()),
        ];
        Self { field, listeners: RefCell::new(listeners) }
    }

    /// The text that is in the field now, grouped.
    pub(crate) fn text(&self) -> PinText {
        self.field.regroup(Edit::Other)
    }

    /// Whether it may be edited.
    pub(crate) fn set_locked(&self, locked: bool) {
        self.field.input.set_read_only(locked);
    }

    /// Tells assistive technology whether its text is wrong.
    pub(crate) fn set_invalid(&self, invalid: bool) {
        let _ = self.field.input.set_attribute("aria-invalid", if invalid { "true" } else { "false" });
    }

    /// Hides the digits from people who look over the customer's shoulder.
    pub(crate) fn set_concealed(&self, concealed: bool) {
        let _ = self.field.input.class_list().toggle_with_force("concealed", concealed);
    }

    pub(crate) fn focus(&self) {
        let _ = self.field.input.focus();
    }

    pub(crate) fn clear(&self) {
        self.field.input.set_value("");
        self.field.history.borrow_mut().clear();
    }

    /// Gives the field back as it was made: empty, visible, and listened to by nobody here.
    pub(crate) fn release(&self) {
        self.listeners.borrow_mut().clear();
        self.set_concealed(false);
        self.clear();
    }
}

impl Field {
    /// The keys for going back and forward: the browser's own history knows nothing of the grouping.
    fn key_pressed(&self, event: &Event) -> Option<PinText> {
        // By name: a binding for each would be in the page's script, which must be small.
        let of = |name: &str| get(event, name);
        let is_down = |name: &str| of(name).is_truthy();
        if !(is_down("ctrlKey") || is_down("metaKey")) || is_down("altKey") {
            return None;
        }
        // Where the keyboard writes another script the letter is another, and browsers too go by the key's place.
        let written = of("key").as_string().filter(|key| key.is_ascii());
        let letter = written.or_else(|| of("code").as_string()?.strip_prefix("Key").map(str::to_owned))?;
        let back = match (letter.to_ascii_lowercase().as_str(), is_down("shiftKey")) {
            ("z", shift) => !shift,
            ("y", false) => false,
            _ => return None,
        };
        event.prevent_default();
        self.go(back)
    }

    fn about_to_change(&self, event: &Event) -> Option<PinText> {
        let event: &InputEvent = event.dyn_ref()?;
        self.before_edit();
        // What cannot be stopped is left to the browser: done here too it would be done twice.
        if !get(event, "cancelable").is_truthy() {
            return None;
        }
        let edited = match event.input_type().as_str() {
            "historyUndo" => self.go(true),
            "historyRedo" => self.go(false),
            "deleteContentBackward" => self.delete_beyond_space(false),
            "deleteContentForward" => self.delete_beyond_space(true),
            _ => return None,
        };
        if edited.is_some() || event.input_type().starts_with("history") {
            event.prevent_default();
        }
        edited
    }

    fn changed(&self, event: &Event) -> PinText {
        // Autofill and extensions send a plain `Event`.
        let input = event.dyn_ref::<InputEvent>();
        let edit = match input.map(InputEvent::input_type).as_deref() {
            // Half an edit is not regrouped under the customer's fingers; its end is an event of its own.
            _ if input.is_some_and(InputEvent::is_composing) => return PinText::new(self.input.value()),
            Some("deleteByDrag") => return PinText::new(self.input.value()),
            Some("insertText" | "insertCompositionText") => Edit::Typed,
            Some(kind) if kind.starts_with("deleteContent") => Edit::Deleted,
            _ => Edit::Other,
        };
        self.regroup(edit)
    }

    /// Some extensions fill it in and tell of nothing but a `change`, which comes too when the customer leaves the field.
    fn filled(&self, _: &Event) -> Option<PinText> {
        let text = Zeroizing::new(self.input.value());
        let is_known = *text == *self.history.borrow().now().text;
        (!is_known).then(|| self.regroup(Edit::Other))
    }

    fn pasted(&self, event: &Event) -> Option<PinText> {
        // `paste` comes to a locked field too.
        let pin = if self.input.read_only() { None } else { pasted_pin(event.unchecked_ref()) }?;
        event.prevent_default();
        self.before_edit();
        self.input.set_value(pin.expose());
        self.place_caret(pin.expose().len());
        Some(self.regroup(Edit::Other))
    }

    /// One step back or forward, where there is one and the field may be edited.
    fn go(&self, back: bool) -> Option<PinText> {
        if self.input.read_only() {
            return None;
        }
        let mut history = self.history.borrow_mut();
        let moment = if back { history.undo() } else { history.redo() }?;
        self.input.set_value(&moment.text);
        self.place_caret(moment.caret);
        Some(PinText::new(moment.text.to_string()))
    }

    fn regroup(&self, edit: Edit) -> PinText {
        let text = Zeroizing::new(self.input.value());
        // What was dropped is selected, and the caret belongs behind it.
        let caret = self.input.selection_end().ok().flatten().map_or(0, |caret| caret as usize);
        let grouped = group(&text, caret);
        if *grouped.text != *text {
            self.input.set_value(&grouped.text);
            self.place_caret(grouped.caret);
        }
        let text = PinText::new(grouped.text.to_string());
        self.history.borrow_mut().edited(Moment { text: grouped.text, caret: grouped.caret }, edit);
        text
    }

    /// A deletion at the space between two groups takes the digit beyond it. Done here: Safari has chosen what goes before
    /// it tells, so stepping over the space would come too late. `None` where it was not one.
    fn delete_beyond_space(&self, forward: bool) -> Option<PinText> {
        let start = self.input.selection_start().ok()??;
        let text = Zeroizing::new(self.input.value());
        if self.input.selection_end().ok()? != Some(start) {
            return None;
        }
        let digit = digit_beyond_space(&text, start as usize, forward)?;
        let place = u32::try_from(digit).ok()?;
        self.input.set_range_text_with_start_and_end("", place, place + 1).ok()?;
        self.place_caret(if forward { start as usize } else { digit });
        Some(self.regroup(Edit::Deleted))
    }

    fn before_edit(&self) {
        let text = Zeroizing::new(self.input.value());
        self.history.borrow_mut().before_edit(&text, self.caret());
    }

    /// Where an edit begins.
    fn caret(&self) -> usize {
        self.input.selection_start().ok().flatten().map_or(0, |caret| caret as usize)
    }

    fn place_caret(&self, caret: usize) {
        let caret = u32::try_from(caret).unwrap_or(u32::MAX);
        // Moving the caret of a field without focus would steal it in Safari.
        let root = self.input.get_root_node().dyn_into::<web_sys::ShadowRoot>().ok();
        if root.and_then(|root| root.active_element()).is_some_and(|active| active.is_same_node(Some(&self.input))) {
            let _ = self.input.set_selection_range(caret, caret);
        }
    }
}

/// The one PIN in what is pasted. Asked of the clipboard and not of the field: the field has lost the line ends by
/// then.
fn pasted_pin(event: &ClipboardEvent) -> Option<VoucherPin> {
    let text = Zeroizing::new(event.clipboard_data()?.get_data("text").ok()?);
    VoucherPin::find(&text)
}
