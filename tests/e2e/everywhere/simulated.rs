//! What no engine's driver has: keyboards that send no key codes, compositions, autofill, suggestions, dictation, drag and
//! drop, a menu's Undo. Their events are replayed by `simulated/keyboard.js`, in the order that they have on those devices;
//! what Chromium itself makes of a composition and a drop is in `typing_in_chromium`.

use super::typing::FieldHands;
use crate::browser::{DESKTOP, browse, until};
use crate::merchant::{FIXED, Merchant};
use crate::widget::Widget;
use serde_json::{Value, json};

/// Each digit of a PIN by itself, as `digit`.
const EACH: &str = "for (const digit of '1234567890123456')";
/// All of it.
const WHOLE: &str = "1234 5678 9012 3456|";

/// Lets each story happen on one page: the text at first, what is done by `keyboard`, the text in the end. The page hears that
/// the form can be submitted if, and only if, all of a PIN is there; it is complete too with what can be none.
async fn stories(stories: &[(&str, &str, &str)]) {
    let shop = Merchant::with_widget(FIXED).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.click("pin").await;
        let hands = FieldHands::on(browser).await;
        let install = "const script = document.createElement('script');
            script.textContent = arguments[0];
            document.head.append(script);";
        browser.script(install, &[json!(include_str!("simulated/keyboard.js"))]).await;
        for (start, act, expected) in stories {
            hands.start(start).await;
            browser.script(act, &[]).await;
            hands.expect(&format!("{start} {act}"), expected).await;
            let is_whole = expected.chars().filter(char::is_ascii_digit).count() == 16;
            let said = json!({"complete": is_whole || expected.contains(char::is_alphabetic), "valid": is_whole});
            until(&format!("{said} is said after {start} {act}"), async || {
                let last = widget.events().await.into_iter().rfind(|event| event["type"] == "flexepin-change");
                let last = last.map_or(json!({"complete": false, "valid": false}), |mut event| event["detail"].take());
                Some(Value::Null).filter(|_| last == said)
            })
            .await;
        }
        hands.assert_all_came_true();
    })
    .await;
}

#[tokio::test]
async fn simulated_keyboards_that_compose_each_digit() {
    let composed = format!("{EACH} keyboard.unidentified(() => {{ keyboard.compose(digit); keyboard.commit() }});");
    let told_last = composed.replace("commit()", "commit({ tellsLast: true })");
    stories(&[
        ("|", &composed, WHOLE),
        ("|", &told_last, WHOLE),
        ("|", &format!("{composed} keyboard.ctrl('z', 'KeyZ');"), "|"),
        ("1234| 5678", "keyboard.compose('9'); keyboard.commit();", "1234 9|567 8"),
        ("1234 |5678", "keyboard.compose('9'); keyboard.commit();", "1234 9|567 8"),
        ("12[34 56]78", "keyboard.compose('9'); keyboard.commit();", "129|7 8"),
    ])
    .await;
}

#[tokio::test]
async fn simulated_compositions_are_told_at_once_and_grouped_in_the_end() {
    let grow =
        "let text = ''; for (const digit of '１２３４５６７８９０１２３４５６') keyboard.compose(text += digit);";
    stories(&[
        ("|", &format!("{grow} keyboard.commit();"), WHOLE),
        // Its digits are full-width as long as it may become another: all 16 are there though.
        ("1234 |5678", "keyboard.compose('９'); keyboard.compose('９０');", "1234 ９０|5678"),
        ("1234 5678 9012 345|", "keyboard.compose('6');", WHOLE),
        ("1234 |5678", "keyboard.compose('９０'); keyboard.compose(''); keyboard.commit();", "1234 |5678"),
        ("1234 |5678", "keyboard.compose('９０'); keyboard.commit(); keyboard.menu('historyUndo');", "1234 |5678"),
        (
            "12[34 56]78",
            "for (const text of ['９', '９０', '９０１']) keyboard.compose(text);
             keyboard.commit(); keyboard.menu('historyUndo');",
            "12|34 5678",
        ),
    ])
    .await;
}

#[tokio::test]
async fn simulated_keyboards_without_key_codes() {
    let typed = format!("{EACH} keyboard.unidentified(() => keyboard.edit('insertText', digit));");
    stories(&[
        ("|", &typed, WHOLE),
        ("1234 |5678", "keyboard.unidentified(() => keyboard.edit('insertText', '9'));", "1234 9|567 8"),
        // Backspace, of which nothing but its meaning is heard.
        ("1234 5|", "keyboard.erase();", "1234|"),
        ("1234 |5678", "keyboard.erase();", "123|5 678"),
        ("1234| 5678 9", "keyboard.erase({ forward: true });", "1234| 6789"),
        ("12[34 56]78", "keyboard.erase();", "12|78"),
        (WHOLE, "for (let left = 16; left > 0; left -= 1) keyboard.unidentified(() => keyboard.erase());", "|"),
        // One that cannot be stopped takes the space and no digit; the next one takes the digit.
        ("1234 |5678", "keyboard.erase({ cancelable: false });", "1234| 5678"),
        ("1234 |5678", "for (const _ of 'ab') keyboard.erase({ cancelable: false });", "123|5 678"),
    ])
    .await;
}

#[tokio::test]
async fn simulated_keyboards_that_tell_everything_twice() {
    let twice = "const again = new InputEvent('input', { inputType: 'insertText', bubbles: true, composed: true });
        const field = document.querySelector('flexepin-cashier').shadowRoot.querySelector('[part=pin]');";
    let typed = format!("{twice} {EACH} {{ keyboard.edit('insertText', digit); field.dispatchEvent(again); }}");
    stories(&[
        ("|", &typed, WHOLE),
        ("|", &format!("{typed} keyboard.menu('historyUndo');"), "|"),
        (
            "1234 |5678",
            &format!("{twice} keyboard.edit('insertText', '9'); field.dispatchEvent(again);"),
            "1234 9|567 8",
        ),
        ("1234 |5678", &format!("{twice} keyboard.erase(); field.dispatchEvent(again);"), "123|5 678"),
    ])
    .await;
}

#[tokio::test]
async fn simulated_autofill_suggestions_and_dictation() {
    stories(&[
        ("|", "keyboard.fill('1234567890123456');", WHOLE),
        ("12|", "keyboard.fill('PIN: 1234-5678-9012-3456');", WHOLE),
        ("12|34", "keyboard.fill('1234567890123456'); keyboard.menu('historyUndo');", "12|34"),
        ("12|", "keyboard.edit('insertReplacementText', '1234567890123456', { over: [0, 2] });", WHOLE),
        ("1234 5|", "keyboard.edit('insertReplacementText', '1234 5678', { over: [0, 6] });", "1234 5678|"),
        ("|", "keyboard.edit('insertText', '1234 5678 9012 3456');", WHOLE),
        ("|", "keyboard.edit('insertText', '1234567890123456 ');", WHOLE),
        ("|", "keyboard.edit('insertText', 'PIN 1234 5678 9012 3456.');", WHOLE),
        ("|", "keyboard.edit('insertText', 'one two three');", "one two three|"),
    ])
    .await;
}

#[tokio::test]
async fn simulated_autofill_that_tells_of_a_change_and_no_input() {
    stories(&[("|", "keyboard.fill('1234567890123456', 'change');", WHOLE)]).await;
}

#[tokio::test]
async fn simulated_drag_and_drop() {
    stories(&[
        ("|", "keyboard.edit('insertFromDrop', '1234567890123456');", WHOLE),
        ("12|34", "keyboard.edit('insertFromDrop', '9-9');", "1299| 34"),
        // The browser counts the place where it is dropped in the text without what is dragged.
        ("[1234 ]5678", "keyboard.drag({ to: 4 });", "5678 1234|"),
        ("1234 [5678] 9012", "keyboard.drag({ to: 0 });", "5678| 1234 9012"),
        ("1234 5[67]8 9012", "keyboard.drag({ out: true });", "1234 5|890 12"),
        ("[1234 ]5678", "keyboard.drag({ to: 4 }); keyboard.menu('historyUndo');", "|1234 5678"),
    ])
    .await;
}

#[tokio::test]
async fn simulated_undo_of_a_menu_and_of_keyboards_in_other_scripts() {
    let typed = "for (const digit of '12345') keyboard.edit('insertText', digit);";
    stories(&[
        ("|", &format!("{typed} keyboard.menu('historyUndo');"), "|"),
        ("|", &format!("{typed} keyboard.menu('historyUndo'); keyboard.menu('historyRedo');"), "1234 5|"),
        ("|", "keyboard.menu('historyUndo'); keyboard.menu('historyRedo');", "|"),
        ("|", &format!("{typed} keyboard.ctrl('я', 'KeyZ');"), "|"),
        ("|", &format!("{typed} keyboard.ctrl('я', 'KeyZ'); keyboard.ctrl('Я', 'KeyZ', true);"), "1234 5|"),
        ("|", &format!("{typed} keyboard.ctrl('ז', 'KeyZ'); keyboard.ctrl('ט', 'KeyY');"), "1234 5|"),
        // Where the letters are elsewhere, the letter counts: these are Y and Z of a German keyboard.
        ("|", &format!("{typed} keyboard.ctrl('z', 'KeyY');"), "|"),
        ("|", &format!("{typed} keyboard.ctrl('z', 'KeyY'); keyboard.ctrl('y', 'KeyZ');"), "1234 5|"),
    ])
    .await;
}
