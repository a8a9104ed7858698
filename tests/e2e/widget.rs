//! The page object of `<flexepin-cashier>`: what a customer sees and does there, and what a merchant's page hears of
//! it.
//!
//! Things are found by `part` in the open shadow root, which is the contract that tests and themes share; each look
//! is one script, so that no engine's driver needs to know shadow roots.

use crate::browser::{Browser, until};
use fantoccini::elements::Element;
use serde_json::{Value, json};

/// Finds the visible elements of a part: `arguments[0]` is the part.
const VISIBLE_PARTS: &str = "
    const root = document.querySelector('flexepin-cashier')?.shadowRoot;
    const parts = [...root?.querySelectorAll(`[part~=${CSS.escape(arguments[0])}]`) ?? []]
      .filter(part => part.checkVisibility());
";

/// The page's one widget.
pub(crate) struct Widget<'a> {
    browser: &'a Browser,
}

impl<'a> Widget<'a> {
    /// The widget of a page, once its field can be typed into; it may not be ready yet.
    pub(crate) async fn on(browser: &'a Browser) -> Self {
        let widget = Self { browser };
        widget.part("pin").await;
        widget
    }

    /// The widget of a page, once it has said `flexepin-ready`.
    pub(crate) async fn ready_on(browser: &'a Browser) -> Self {
        let widget = Self::on(browser).await;
        widget.event("flexepin-ready").await;
        widget
    }

    /// Awaits a visible part, and returns its first element.
    pub(crate) async fn part(&self, part: &str) -> Element {
        let look = format!("{VISIBLE_PARTS} return parts[0] ?? null");
        until(&format!("the part {part} is there"), async || self.browser.element(&look, &[json!(part)]).await).await
    }

    /// The widget of a page, whatever it shows.
    pub(crate) async fn present_on(browser: &'a Browser) -> Self {
        let defined = "return customElements.get('flexepin-cashier') ? true : null";
        until("the element is defined", async || browser.script(defined, &[]).await.as_bool()).await;
        Self { browser }
    }

    /// Whether a part is visible now.
    pub(crate) async fn shows(&self, part: &str) -> bool {
        !self.texts(part).await.is_empty()
    }

    /// The texts of all visible elements of a part, as rendered, now.
    pub(crate) async fn texts(&self, part: &str) -> Vec<String> {
        let look = format!("{VISIBLE_PARTS} return parts.map(part => part.innerText.trim())");
        strings(&self.browser.script(&look, &[json!(part)]).await)
    }

    /// Awaits a visible part whose text has `words` in it, and returns the text.
    pub(crate) async fn text_with(&self, part: &str, words: &str) -> String {
        let mut seen = Vec::new();
        until(&format!("the part {part} says \"{words}\""), async || {
            seen = self.texts(part).await;
            seen.iter().find(|text| text.contains(words)).cloned()
        })
        .await
    }

    /// The element's `phase`, now.
    pub(crate) async fn phase(&self) -> String {
        let phase = self.browser.script("return document.querySelector('flexepin-cashier').phase", &[]).await;
        phase.as_str().expect("a phase is a string").to_owned()
    }

    /// Awaits a phase.
    pub(crate) async fn reaches(&self, phase: &str) {
        until(&format!("the phase is {phase}"), async || (self.phase().await == phase).then_some(())).await;
    }

    /// Calls a method of the element with arguments and returns what it returns; promises are awaited.
    pub(crate) async fn call(&self, method: &str, arguments: &[Value]) -> Value {
        let call = "return document.querySelector('flexepin-cashier')[arguments[0]](...arguments[1])";
        self.browser.script(call, &[json!(method), json!(arguments)]).await
    }

    /// Clicks a part.
    pub(crate) async fn click(&self, part: &str) {
        self.click_found(
            &format!("the part {part}"),
            &format!("{VISIBLE_PARTS} return parts[0] ?? null"),
            &[json!(part)],
        )
        .await;
    }

    /// Chooses one of the amounts by its label.
    pub(crate) async fn choose_amount(&self, label: &str) {
        let look = format!("{VISIBLE_PARTS} return parts.find(part => part.innerText.trim() === arguments[1]) ?? null");
        self.click_found(label, &look, &[json!("amount-option"), json!(label)]).await;
    }

    /// Awaits what a script finds, and clicks it. A screen that has changed in between is looked at again, as a customer
    /// would.
    async fn click_found(&self, what: &str, look: &str, arguments: &[Value]) {
        until(&format!("{what} is clicked"), async || {
            let element = self.browser.element(look, arguments).await?;
            match self.browser.click(&element).await {
                Ok(()) => Some(()),
                Err(error) if error.is_stale_element_reference() || error.is_no_such_element() => None,
                Err(error) => panic!("{what} takes no click: {error}"),
            }
        })
        .await;
    }

    /// Submits once options that were set just now are in force: they are taken over a task later.
    pub(crate) async fn submit_when_options_are_in_force(&self) {
        self.browser.script("return new Promise(resolve => setTimeout(resolve))", &[]).await;
        self.click("submit").await;
    }

    /// Empties a field by keys.
    pub(crate) async fn clear(&self, part: &str) {
        self.click(part).await;
        self.browser.ctrl('a').await;
        self.browser.keys(&char::from(fantoccini::key::Key::Delete).to_string()).await;
    }

    /// Awaits that a part has the focus.
    pub(crate) async fn has_focus(&self, part: &str) {
        let look = "return document.querySelector('flexepin-cashier').shadowRoot.activeElement?.getAttribute('part')";
        until(&format!("the focus is in {part}"), async || {
            (self.browser.script(look, &[]).await == part).then_some(())
        })
        .await;
    }

    /// Types into a part key by key, after what is in it.
    pub(crate) async fn type_into(&self, part: &str, keys: &str) {
        self.click(part).await;
        self.browser.keys(&char::from(fantoccini::key::Key::End).to_string()).await;
        self.browser.keys(keys).await;
    }

    /// Pastes into a part, in place of what is in it.
    pub(crate) async fn paste_into(&self, part: &str, text: &str) {
        self.browser.copy(text).await;
        self.click(part).await;
        self.browser.ctrl('a').await;
        self.browser.ctrl('v').await;
    }

    /// The text in the PIN field and the caret's place in it, counted in characters; no place while it has not the
    /// focus.
    pub(crate) async fn pin_and_caret(&self) -> (String, Option<u64>) {
        let look = "
            const pin = document.querySelector('flexepin-cashier').shadowRoot.querySelector('[part~=pin]');
            return [pin.value, pin.matches(':focus') ? pin.selectionStart : null];";
        let state = self.browser.script(look, &[]).await;
        (state[0].as_str().expect("a field has a text").to_owned(), state[1].as_u64())
    }

    /// All events so far, as `{type, detail}`.
    pub(crate) async fn events(&self) -> Vec<Value> {
        let events = self.browser.script("return window.flexepinEvents", &[]).await;
        events.as_array().cloned().expect("the recorder is in each page")
    }

    /// Awaits the first event of a type, and returns its detail.
    pub(crate) async fn event(&self, name: &str) -> Value {
        until(&format!("{name} is heard"), async || {
            self.events().await.into_iter().find(|event| event["type"] == name).map(|event| event["detail"].clone())
        })
        .await
    }
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Has every page object of this page see the widget that a script's `expression` gives, in place of the page's first one.
pub(crate) async fn take_in_hand(browser: &Browser, expression: &str) {
    let take = format!(
        "const widget = {expression};
        document.querySelector = selector => selector === 'flexepin-cashier' ? widget
            : Document.prototype.querySelector.call(document, selector);"
    );
    browser.script(&take, &[]).await;
}

impl Widget<'_> {
    /// Presses a button by a script as soon as it is there: it may be gone a moment later.
    pub(crate) async fn press(&self, part: &str) {
        let press = format!("{VISIBLE_PARTS} parts[0]?.click(); return parts.length > 0 || null");
        let pressed = async || self.browser.script(&press, &[json!(part)]).await.as_bool();
        until(&format!("the button {part} is there"), pressed).await;
    }
}
