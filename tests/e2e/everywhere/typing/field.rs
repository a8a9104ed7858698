//! A customer's hands on one field, and how stories of it are written.
//!
//! A text has its caret as `|` or its selection as `[…]` in it. Keys are characters as they are typed, and `⌫ ⌦ ← → ⇤ ⇥ ⇆ ⏎ ⎋`
//! for Backspace, Delete, the arrows, Home, End, Tab, Enter and Escape; `^z` is with ctrl, `^Z` with ctrl and shift, `⇧←` with
//! shift.

use crate::browser::Browser;
use fantoccini::key::Key;
use serde_json::json;
use std::cell::RefCell;

/// Text at first, keys, text in the end.
type Story<'s> = (&'s str, &'s str, &'s str);

/// The hands. Takes down what came otherwise, so that one run tells all.
pub(crate) struct FieldHands<'a> {
    browser: &'a Browser,
    otherwise: RefCell<Vec<String>>,
}

impl<'a> FieldHands<'a> {
    /// On the PIN field of the page's widget.
    pub(crate) async fn on(browser: &'a Browser) -> Self {
        Self::on_part(browser, "pin").await
    }

    /// On a field of the page's widget.
    pub(crate) async fn on_part(browser: &'a Browser, part: &str) -> Self {
        let install = "const script = document.createElement('script');
            script.textContent = `(${arguments[0]})(${JSON.stringify(arguments[1])})`;
            document.head.append(script);";
        browser.script(install, &[json!(include_str!("field.js")), json!(part)]).await;
        Self { browser, otherwise: RefCell::default() }
    }

    /// The field's text with caret or selection.
    pub(crate) async fn shown(&self) -> String {
        let shown = self.browser.script("return markedField.shown()", &[]).await;
        shown.as_str().map(str::to_owned).expect("a field has a text")
    }

    /// Begins with an empty form and this text, which no key has typed.
    pub(crate) async fn start(&self, marked: &str) {
        self.browser.script("markedField.start(arguments[0])", &[json!(marked)]).await;
    }

    /// Presses keys.
    pub(crate) async fn press(&self, keys: &str) {
        let mut plain = String::new();
        let mut rest = keys.chars();
        while let Some(symbol) = rest.next() {
            let modifiers: &[Key] = match (symbol, rest.as_str().chars().next()) {
                ('^', Some('A'..='Z')) => &[Key::Control, Key::Shift],
                ('^', _) => &[Key::Control],
                ('⇧', _) => &[Key::Shift],
                _ => {
                    plain.push(key(symbol));
                    continue;
                }
            };
            self.type_out(&mut plain).await;
            let held = rest.next().expect("a key follows its modifier");
            self.browser.with(modifiers, key(held).to_ascii_lowercase()).await;
        }
        self.type_out(&mut plain).await;
    }

    async fn type_out(&self, plain: &mut String) {
        if !plain.is_empty() {
            self.browser.keys(&std::mem::take(plain)).await;
        }
    }

    /// Lets stories happen, each from its start, and asserts that all came true.
    pub(crate) async fn all(&self, stories: &[Story<'_>]) {
        for story in stories {
            self.check(*story).await;
        }
        self.assert_all_came_true();
    }

    /// Lets a story happen; see [`Self::assert_all_came_true`].
    pub(crate) async fn check(&self, (start, keys, expected): Story<'_>) {
        self.start(start).await;
        self.press(keys).await;
        self.expect(&format!("{start} {keys}"), expected).await;
    }

    /// Looks whether the field is as expected; see [`Self::assert_all_came_true`].
    pub(crate) async fn expect(&self, story: &str, expected: &str) {
        let shown = self.shown().await;
        if shown != expected {
            self.otherwise.borrow_mut().push(format!("{story}: {shown} and not {expected}"));
        }
    }

    /// Asserts that every story so far came true.
    pub(crate) fn assert_all_came_true(&self) {
        let otherwise = self.otherwise.borrow();
        assert!(otherwise.is_empty(), "{}", otherwise.join("\n"));
    }
}

fn key(symbol: char) -> char {
    match symbol {
        '⌫' => Key::Backspace,
        '⌦' => Key::Delete,
        '←' => Key::Left,
        '→' => Key::Right,
        '⇤' => Key::Home,
        '⇥' => Key::End,
        '⇆' => Key::Tab,
        '⏎' => Key::Enter,
        '⎋' => Key::Escape,
        typed => return typed,
    }
    .into()
}
