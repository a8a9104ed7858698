//! What a customer's hands do: clicks, keys, and the clipboard.

use super::{Browser, Engine};
use fantoccini::actions::{InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use serde_json::json;
use std::time::Duration;

impl Browser {
    /// Clicks an element in its middle.
    pub(crate) async fn click(&self, element: &Element) -> Result<(), fantoccini::error::CmdError> {
        if self.engine != Engine::Webkit {
            return element.click().await;
        }
        // WebKitGTK's driver looks whether something else is in the way, and takes a shadow root's host for something else.
        let middle = "arguments[0].scrollIntoView({block: 'nearest', behavior: 'instant'});
            const box = arguments[0].getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2]";
        let middle = self.client.execute(middle, vec![json!(element)]).await?;
        // A place between two pixels is none to the driver.
        let [x, y] = [0, 1].map(|axis| middle[axis].as_f64().unwrap_or_default().floor());
        let click = MouseActions::new("mouse".to_owned())
            .then(PointerAction::MoveTo { duration: Some(Duration::ZERO), x, y })
            .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT })
            .then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
        self.client.perform_actions(click).await
    }

    /// Presses and releases keys one by one, in whatever has the focus. Special keys are [`fantoccini::key::Key`] as
    /// characters.
    pub(crate) async fn keys(&self, text: &str) {
        let press = |actions: KeyActions, value| actions.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        let actions = text.chars().fold(KeyActions::new("keyboard".to_owned()), press);
        self.client.perform_actions(actions).await.expect("the keys are pressed");
    }

    /// Presses ctrl and `key` together.
    pub(crate) async fn ctrl(&self, key: char) {
        self.with(&[Key::Control], key).await;
    }

    /// Presses `key` while `modifiers` are held down.
    pub(crate) async fn with(&self, modifiers: &[Key], key: char) {
        let held = modifiers.iter().map(|modifier| char::from(*modifier));
        let down = held.clone().chain([key]).map(|value| KeyAction::Down { value });
        let up = [key].into_iter().chain(held.rev()).map(|value| KeyAction::Up { value });
        let actions = down.chain(up).fold(KeyActions::new("keyboard".to_owned()), KeyActions::then);
        self.client.perform_actions(actions).await.expect("the keys are pressed");
    }

    /// Puts `text` into the browser's clipboard with ctrl+C, from a field that is there for it only. The focus is nowhere
    /// after that.
    pub(crate) async fn copy(&self, text: &str) {
        // As it is: what is copied from a field may have other spaces.
        let field = "const field = document.body.appendChild(document.createElement('textarea'));
            field.value = 'text';
            field.select();
            field.addEventListener('copy', event => {
              event.clipboardData.setData('text/plain', arguments[0]);
              event.preventDefault();
              field.remove();
            })";
        self.script(field, &[json!(text)]).await;
        self.ctrl('c').await;
    }
}
