//! The PIN field under a customer's keys: what is typed, deleted, pasted and taken back comes to what a person expects, with
//! the caret where they expect it. Each row is a whole story; `field` says how it is written.

mod field;

use crate::browser::{DESKTOP, PHONE, browse, until};
use crate::merchant::{FIXED, Merchant, Road};
use crate::sandbox::{grouped, issue};
use crate::widget::Widget;
pub(crate) use field::FieldHands;
use serde_json::json;

/// All of a PIN.
const WHOLE: &str = "1234 5678 9012 3456|";

#[tokio::test]
async fn typing_and_deleting_anywhere_come_to_what_a_person_expects() {
    let shop = Merchant::with_widget(FIXED).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.click("pin").await;
        let hands = FieldHands::on(browser).await;
        hands
            .all(&[
                // At the end.
                ("|", "1", "1|"),
                ("|", "1234", "1234|"),
                ("|", "12345", "1234 5|"),
                ("1234 5678|", "9", "1234 5678 9|"),
                ("|", "1234 5678 9012 3456", WHOLE),
                ("|", "1234-5678-9", "1234 5678 9|"),
                // More digits than there are, and what is no digit, stay.
                (WHOLE, "78", "1234 5678 9012 3456 78|"),
                ("1234 |5678 9012 3456", "0", "1234 0|567 8901 2345 6"),
                ("|", "12345a6", "1234 5a6|"),
                ("1234 5a6|", "⌫⌫6", "1234 56|"),
                ("1234 |a", "⌫", "1234|a"),
                // In the middle.
                ("|1234 5678", "9", "9|123 4567 8"),
                ("123|4 5678", "9", "1239| 4567 8"),
                ("1234| 5678", "9", "1234 9|567 8"),
                ("1234 |5678", "9", "1234 9|567 8"),
                ("1234 5|678", "90", "1234 590|6 78"),
                ("12|34 5678", " ", "12|34 5678"),
                ("1234| 5678", " 9", "1234 9|567 8"),
                ("1234|", "   ", "1234|"),
                // Deleting.
                ("1234 5|", "⌫", "1234|"),
                ("1234 5678 9|", "⌫⌫⌫", "1234 56|"),
                ("1234 5|678 9", "⌫", "1234 |6789"),
                ("1234 5|678 9", "⌫⌫", "123|6 789"),
                ("1234 |5678", "⌫", "123|5 678"),
                ("1234| 5678", "⌫", "123|5 678"),
                ("12|34 5678", "⌫", "1|345 678"),
                ("|1234", "⌫", "|1234"),
                ("1234| 5678 9", "⌦", "1234| 6789"),
                ("1234| 5678", "⌦⌦⌦", "1234| 8"),
                ("1234 |5678", "⌦", "1234 |678"),
                ("123|4 5678", "⌦", "123|5 678"),
                ("1234|", "⌦", "1234|"),
                (WHOLE, "⌫⌫⌫⌫⌫⌫⌫⌫⌫⌫⌫⌫⌫⌫⌫⌫", "|"),
                ("|1234 5678 9012 3456", "⌦⌦⌦⌦⌦⌦⌦⌦⌦⌦⌦⌦⌦⌦⌦⌦", "|"),
                // Selections.
                ("12[34 56]78", "⌫", "12|78"),
                ("12[34 56]78", "⌦", "12|78"),
                ("12[34 56]78", "9", "129|7 8"),
                ("1234[ ]5678", "⌫", "1234| 5678"),
                ("1234 [5678] 9012", "⌫", "1234 |9012"),
                ("1234 [5678] 9012", "6", "1234 6|901 2"),
                ("12|34 5678", "^a", "[1234 5678]"),
                ("12|34 5678", "^a⌫5", "5|"),
                ("1234 5678|", "⇧←⇧←9", "1234 569|"),
                ("1234| 5678", "⇧→⌦", "1234| 5678"),
                // Moving.
                ("1234 5678|", "⇤9", "9|123 4567 8"),
                ("|1234", "⇥5", "1234 5|"),
                ("1234 5|678", "←←9", "1234 9|567 8"),
                ("1234 5678|", "←→←", "1234 567|8"),
                ("12|34 5678", "⎋", "12|34 5678"),
            ])
            .await;
    })
    .await;
}

#[tokio::test]
async fn what_was_done_is_taken_back_step_by_step_with_the_caret_where_it_was() {
    let shop = Merchant::with_widget(FIXED).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.click("pin").await;
        let hands = FieldHands::on(browser).await;
        hands
            .all(&[
                ("|", "123456^z", "|"),
                ("|", "123456^z^Z", "1234 56|"),
                ("|", "123456^z^y", "1234 56|"),
                ("1234 5678|", "90^z", "1234 5678|"),
                ("1234 |5678", "90^z", "1234 |5678"),
                ("1234 |5678", "90^z^y", "1234 90|56 78"),
                ("1234 5678|", "⌫⌫^z", "1234 5678|"),
                ("1234 |5678", "⌫^z", "1234 |5678"),
                ("1234| 5678", "⌦^z", "1234| 5678"),
                ("12[34 56]78", "⌫^z", "12|34 5678"),
                ("12[34 56]78", "9^z", "12|34 5678"),
                ("12[34 56]78", "90^z^y", "1290| 78"),
                ("1234|", "5⌫^z", "1234 5|"),
                ("1234|", "5⌫^z^z", "1234|"),
                ("1234|", "5⇤6^z", "|1234 5"),
                ("1234|", "5⇤6^z^z", "1234|"),
                ("|", "12^z3^y", "3|"),
                ("1234|", "^z^z^z", "|"),
                ("1234|", "^z^y^y", "1234|"),
                ("12[34 56]78", "^x", "12|78"),
                ("12[34 56]78", "^x^z", "12|34 5678"),
                ("[1234 ]5678", "^x⇥^v", "5678 1234|"),
                ("[1234] 5678", "^c→→→^v", "1234 5123 4|678"),
                ("[1234] 5678", "^c→→→^v^z", "1234 5|678"),
            ])
            .await;
    })
    .await;
}

#[tokio::test]
async fn whatever_a_pin_is_pasted_with_it_is_that_pin() {
    let shop = Merchant::with_widget(FIXED).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        let hands = FieldHands::on(browser).await;
        let rows = [
            ("1234-5678-9012-3456", "|", "^v", WHOLE),
            ("1234\u{a0}5678\u{a0}9012\u{a0}3456", "|", "^v", WHOLE),
            ("1234–5678–9012–3456", "|", "^v", WHOLE),
            ("1234.5678.9012.3456", "|", "^v", WHOLE),
            ("\u{202d}1234567890123456\u{202c}", "|", "^v", WHOLE),
            ("１２３４５６７８９０１２３４５６", "|", "^v", WHOLE),
            ("١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦", "|", "^v", WHOLE),
            ("۱۲۳۴ ۵۶۷۸ ۹۰۱۲ ۳۴۵۶", "|", "^v", WHOLE),
            ("PIN: 1234-5678-9012-3456", "12|34", "^v", WHOLE),
            ("EUR 25.00\r\nPIN 1234 5678 9012 3456\r\nSerial 9876543210\r\n21/11/2026", "[99]", "^v", WHOLE),
            ("1234\n5678\n9012\n3456", "|", "^v", WHOLE),
            // A part of one goes where the caret is.
            ("9-9", "1234 |5678", "^v", "1234 99|56 78"),
            ("９９", "12[34] 5678", "^v", "1299| 5678"),
            // What is none is kept, for its writer to put right.
            ("hello", "12|34", "^v", "12hello|34"),
            ("12345678901234567", "|", "^v", "1234 5678 9012 3456 7|"),
            ("1234567890123456 6543210987654321", "|", "^v", "1234 5678 9012 3456 6543 2109 8765 4321|"),
            // A step back is a step back.
            ("PIN: 1234-5678-9012-3456", "99|88", "^v^z", "99|88"),
            ("56-78", "1234|", "^v^z^y", "1234 5678|"),
        ];
        for (copied, start, keys, expected) in rows {
            browser.copy(copied).await;
            hands.check((start, keys, expected)).await;
        }
        hands.assert_all_came_true();
        // What was kept is said to be too much, once the field is left.
        hands.start("1234 5678 9012 3456 7|").await;
        hands.press("⇆").await;
        widget.text_with("error", "You have entered 17 digits.").await;
    })
    .await;
}

#[tokio::test]
async fn a_field_that_is_locked_or_emptied_has_nothing_to_go_back_to() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = issue(25.0, "EUR").await;
    let whole = format!("{}|", grouped(&pin));
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.click("pin").await;
        let hands = FieldHands::on(browser).await;
        hands.start("|").await;
        hands.press(&format!("12⌫⌫{pin}")).await;
        shop.set_road(Road::HoldsAnswers);
        hands.press("⏎").await;
        widget.reaches("redeeming").await;
        widget.click("pin").await;
        hands.press("⇥").await;
        for keys in ["^z", "^y", "^Z", "5", "⌫", "⌦", "^x"] {
            hands.press(keys).await;
            assert_eq!(hands.shown().await.replace(['|', '[', ']'], ""), grouped(&pin), "{keys}");
        }
        shop.set_road(Road::Open);
        widget.event("flexepin-redeemed").await;
        widget.call("reset", &[]).await;
        widget.click("pin").await;
        hands.press("^z^z^Z^y").await;
        assert_eq!(hands.shown().await, "|", "a PIN that was redeemed is gone");
        hands.press(&pin).await;
        assert_eq!(hands.shown().await, whole);
        widget.call("reset", &[]).await;
        hands.press("^z^z^Z^y").await;
        assert_eq!(hands.shown().await, "|", "a PIN that was reset is gone");
        hands.press("12^z^z^Z").await;
        assert_eq!(hands.shown().await, "12|");
    })
    .await;
}

#[tokio::test]
async fn nothing_is_called_wrong_while_typing_and_the_sixteenth_digit_submits_nothing() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = issue(25.0, "EUR").await;
    browse(PHONE, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.click("pin").await;
        let hands = FieldHands::on(browser).await;
        let says_nothing = async |when: &str| {
            assert_eq!(widget.texts("error").await, Vec::<String>::new(), "{when}");
            let invalid = "return document.querySelector('flexepin-cashier').shadowRoot.querySelector('[part=pin]')
                .getAttribute('aria-invalid')";
            assert_eq!(browser.script(invalid, &[]).await, json!("false"), "{when}");
        };
        hands.press("⇆").await;
        says_nothing("an empty field was left").await;
        widget.click("pin").await;
        for digit in "12x4".chars() {
            hands.press(&digit.to_string()).await;
            says_nothing("it is typed into").await;
        }
        hands.press("⇆").await;
        widget.text_with("error", "digits only").await;
        hands.press("⇧⇆").await;
        widget.has_focus("pin").await;
        hands.press("⇥⌫⌫").await;
        says_nothing("it is put right").await;
        hands.press(&format!("^a{pin}")).await;
        says_nothing("it is whole").await;
        hands.press("⎋⇆").await;
        let last = async || widget.events().await.into_iter().rfind(|event| event["type"] == "flexepin-change");
        let valid = json!({"complete": true, "valid": true});
        until("it is valid", async || last().await.filter(|change| change["detail"] == valid)).await;
        assert_eq!((widget.phase().await.as_str(), shop.posts().len()), ("editing", 0), "nobody has submitted it");
        widget.click("pin").await;
        hands.press("⏎").await;
        widget.event("flexepin-redeemed").await;
        assert_eq!(shop.posts().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_field_is_made_for_digits_and_cuts_nothing_off() {
    let shop = Merchant::with_widget("endpoint=/cashier/flexepin currency=EUR user-id=u locale=he").await;
    browse(PHONE, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.part("amount").await;
        // A page whose text is smaller than any that a phone leaves as it is when a field has the focus.
        let look = "document.documentElement.style.fontSize = document.body.style.fontSize = '8px';
            const root = document.querySelector('flexepin-cashier').shadowRoot;
            const fields = [...root.querySelectorAll('[part=pin], [part=amount], [part=email]')];
            const [pin] = fields;
            return {
              attributes: Object.fromEntries(
                ['type', 'inputmode', 'autocomplete', 'autocorrect', 'autocapitalize', 'spellcheck', 'dir', 'maxlength', 'minlength',
                 'pattern', 'name', 'placeholder'].map(name => [name, pin.getAttribute(name)])),
              direction: getComputedStyle(pin).direction,
              labels: [...pin.labels].map(label => label.getAttribute('part')),
              around: getComputedStyle(root.querySelector('[part=form]')).direction,
              sizes: fields.map(field => parseFloat(getComputedStyle(field).fontSize)),
            }";
        let found = browser.script(look, &[]).await;
        assert_eq!(
            found["attributes"],
            json!({
                "type": "text", "inputmode": "numeric", "autocomplete": "off", "autocorrect": "off", "autocapitalize": "off",
                "spellcheck": "false", "dir": "ltr", "maxlength": null, "minlength": null, "pattern": null, "name": null,
                "placeholder": null,
            })
        );
        assert_eq!((&found["direction"], &found["around"]), (&json!("ltr"), &json!("rtl")));
        assert_eq!(found["labels"], json!(["label"]));
        let sizes: Vec<_> = found["sizes"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_f64).collect();
        assert!(sizes.len() == 3 && sizes.iter().all(|size| *size >= 16.0), "{sizes:?}");
    })
    .await;
}

#[tokio::test]
async fn an_amount_is_typed_anywhere_too_and_the_browser_takes_it_back() {
    let shop = Merchant::with_widget("endpoint=/cashier/flexepin currency=EUR user-id=u email=a@example.com").await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.part("amount").await;
        let hands = FieldHands::on_part(browser, "amount").await;
        // How far a step back goes is the browser's own; WebKitGTK's driver has none.
        browser.script("document.body.appendChild(document.createElement('input')).focus()", &[]).await;
        let mut plain = Vec::new();
        for keys in ["25^z^z^z", "^Z^Z^Z"] {
            hands.press(keys).await;
            plain.push(browser.script("return document.querySelector('body > input').value", &[]).await);
        }
        browser.script("document.querySelector('body > input').remove()", &[]).await;
        widget.click("amount").await;
        for (keys, plain) in ["25^z^z^z", "^Z^Z^Z"].into_iter().zip(plain) {
            hands.press(keys).await;
            assert_eq!(hands.shown().await.replace(['|', '[', ']'], ""), plain, "{keys} do what they do in any field");
        }
        for (keys, expected) in [
            ("25.00", "25.00|"),
            ("25.00⇤1", "1|25.00"),
            ("25.00←←←9", "259|.00"),
            ("25.00←←←⌫⌦", "2|00"),
            ("25 EUR", "25 EUR|"),
            ("٢٥", "٢٥|"),
        ] {
            hands.press("^a⌦").await;
            hands.press(keys).await;
            hands.expect(keys, expected).await;
        }
        hands.press("^a25").await;
        hands.assert_all_came_true();
        widget.type_into("pin", "1234567890123456").await;
        widget.click("submit").await;
        widget.text_with("confirm", "€25.00").await;
    })
    .await;
}
