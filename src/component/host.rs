//! What the component's `<div>` holds: an open shadow root with the form shell and the style sheet, made by the same
//! script (`static/shell.js`) as the custom element's. Owns the shadow root, the theme and what submits the form; ends,
//! with its listeners, when dropped. Left to the app: everything that happens in the form.

use crate::shell::storage;
use gloo_events::{EventListener, EventListenerOptions};
use js_sys::{Array, Function, Map};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CssStyleSheet, Element, MediaQueryList, ShadowRoot, ShadowRootInit, ShadowRootMode};

#[wasm_bindgen(module = "/static/shell.js")]
extern "C" {
    #[derive(Clone)]
    type Shell;
    #[wasm_bindgen(js_name = makeShell)]
    fn make_shell() -> Shell;
    #[wasm_bindgen(method, getter)]
    fn parts(this: &Shell) -> Array;
    #[wasm_bindgen(method, getter)]
    fn form(this: &Shell) -> Element;
    #[wasm_bindgen(method, getter)]
    fn submit(this: &Shell) -> Element;
    #[wasm_bindgen(method, getter)]
    fn notice(this: &Shell) -> Element;
    #[wasm_bindgen(js_name = paintTheme)]
    fn paint_theme(shell: &Shell, theme: &str, dark: bool);
    #[wasm_bindgen(js_name = makeSay)]
    fn make_say(language: &JsValue, messages: &JsValue) -> Function;
    #[wasm_bindgen(js_name = paintLanguage)]
    fn paint_language(shell: &Shell, language: &JsValue, say: &Function);
    #[wasm_bindgen(js_name = showSetUpNotice)]
    fn show_set_up_notice(shell: &Shell, records: &Map, told: bool, say: &Function);
}

thread_local! {
    /// One sheet for all cashiers of the page.
    static SHEET: Result<CssStyleSheet, JsValue> = CssStyleSheet::new().and_then(|sheet| {
        sheet.replace_sync(include_str!("../../static/flexepin-cashier.css"))?;
        Ok(sheet)
    });
}

/// A furnished element.
pub(super) struct Host {
    root: ShadowRoot,
    shell: Shell,
    theme: Rc<RefCell<String>>,
    say: Function,
    system: Option<MediaQueryList>,
    _listeners: Vec<EventListener>,
}

impl Host {
    /// Puts the form shell into the element. `submitted` is called when the form is submitted, or its button pressed.
    pub(super) fn furnish(element: &Element, submitted: impl Fn() + Clone + 'static) -> Result<Self, JsValue> {
        let root = element.attach_shadow(&ShadowRootInit::new(ShadowRootMode::Open))?;
        root.set_adopted_style_sheets(&Array::of1(&SHEET.with(|sheet| sheet.clone().map(JsValue::from))?));
        let shell = make_shell();
        for part in shell.parts() {
            root.append_child(part.unchecked_ref())?;
        }
        let on = |target: &Element, kind: &'static str| {
            let submitted = submitted.clone();
            let options = EventListenerOptions::enable_prevent_default();
            EventListener::new_with_options(target, kind, options, move |event| {
                event.prevent_default();
                submitted();
            })
        };
        // A sandboxed page may be forbidden to submit forms; then there is a click and no `submit`.
        let mut listeners = vec![on(&shell.form(), "submit"), on(&shell.submit(), "click")];
        let theme = Rc::new(RefCell::new("auto".to_owned()));
        let query = "(prefers-color-scheme: dark)";
        let system = web_sys::window().and_then(|window| window.match_media(query).ok().flatten());
        listeners.extend(system.clone().map(|system| {
            let (shell, theme) = (shell.clone(), Rc::clone(&theme));
            EventListener::new(&system.clone(), "change", move |_| {
                paint_theme(&shell, &theme.borrow(), system.matches());
            })
        }));
        let say = make_say(&JsValue::UNDEFINED, &JsValue::UNDEFINED);
        let host = Self { root, shell, theme, say, system, _listeners: listeners };
        host.set_theme("auto");
        Ok(host)
    }

    /// Where the app is mounted.
    pub(super) fn root(&self) -> &ShadowRoot {
        &self.root
    }

    /// `auto`, `light` or `dark`.
    pub(super) fn set_theme(&self, theme: &str) {
        theme.clone_into(&mut self.theme.borrow_mut());
        paint_theme(&self.shell, theme, self.system.as_ref().is_some_and(MediaQueryList::matches));
    }

    /// `language` and `messages` as the custom element has them.
    pub(super) fn set_language(&mut self, language: &JsValue, messages: &JsValue) {
        self.say = make_say(language, messages);
        paint_language(&self.shell, language, &self.say);
    }

    /// In plain words, in the form's place.
    pub(super) fn say_that_the_options_are_wrong(&self) {
        // Nothing was told: there was no app yet.
        show_set_up_notice(&self.shell, &storage::memory(), false, &self.say);
    }

    /// What else is shown is the app's to say.
    pub(super) fn take_notice_back(&self) {
        self.shell.notice().set_text_content(None);
    }
}
