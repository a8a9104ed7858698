//! Every option in every form it can be given in, with its effect: on the request, or on the screen.

use super::open_shop;
use crate::browser::{DESKTOP, browse, until};
use crate::merchant::{Merchant, bad};
use crate::sandbox::issue;
use crate::widget::Widget;
use serde_json::{Value, json};

/// How a page gives its options: as `all` (names as properties have them), and what only scripts can give as `more`.
const FORMS: &[(&str, &str)] = &[
    (
        "attributes",
        "const made = document.createElement('flexepin-cashier');
        for (const name in all) made.setAttribute(attribute(name), all[name]);
        main().append(made);",
    ),
    ("attributes in markup", "main().innerHTML = `<flexepin-cashier ${markup('')}></flexepin-cashier>`"),
    ("properties", "main().append(Object.assign(document.createElement('flexepin-cashier'), all, more))"),
    (
        "properties, later",
        "const made = main().appendChild(document.createElement('flexepin-cashier'));
        Object.assign(made, all, {amounts: ['10', '25']}, more);",
    ),
    ("mount", "FlexepinCashier.mount('main', {...all, amounts: ['10', '25'], ...more})"),
    ("update", "FlexepinCashier.mount(main(), {endpoint: all.endpoint, currency: 'USD'}).update({...all, ...more})"),
    (
        "the script's own tag",
        "const script = document.createElement('script');
        Object.assign(script, {src: '/flexepin-cashier.js'});
        Object.assign(script.dataset, all);
        main().append(script);",
    ),
];

#[tokio::test]
async fn every_option_has_its_effect_in_every_form() {
    for (form, make) in FORMS {
        let (shop, other) = (open_shop().await, Merchant::open("").await);
        let pin = issue(25.0, "EUR").await;
        browse(DESKTOP, async |browser| {
            browser.goto(&shop.url).await;
            let options = json!({
                "endpoint": format!("{}/cashier/flexepin", other.url),
                "currency": "EUR",
                "amounts": " 10  25 ",
                "userId": "user_9",
                "email": "nine@example.com",
                "brandId": "brand_7",
                "sessionToken": "token_5",
                "locale": "de-AT",
                "theme": "dark",
                "timeout": "25000",
                "credentials": "include",
            });
            let make = format!(
                "const [all] = arguments;
                const beforeSubmit = () => ({{headers: {{'X-Shop': 'nine'}}}});
                const more = {{messages: {{title: 'Mein Gutschein'}}, beforeSubmit}};
                const attribute = name => name.replace(/[A-Z]/g, '-$&').toLowerCase();
                const markup = () => Object.keys(all).map(name => `${{attribute(name)}}='${{all[name]}}'`).join(' ');
                document.cookie = 'shop=nine';
                {make}"
            );
            browser.script(&make, &[options]).await;
            let widget = Widget::ready_on(browser).await;
            widget.part("amount-option").await;
            let amounts = widget.texts("amount-option").await;
            assert!(amounts.len() == 2 && amounts[1].contains("25,00"), "{form}: {amounts:?}");
            let scripted = !form.contains("attributes") && !form.contains("tag");
            if scripted {
                widget.text_with("title", "Mein Gutschein").await;
            }
            let look = "const widget = document.querySelector('flexepin-cashier');
                return [getComputedStyle(widget.shadowRoot.querySelector('form')).backgroundColor, widget.timeout]";
            assert_eq!(browser.script(look, &[]).await, json!(["rgb(23, 29, 39)", 25000]), "{form}");
            widget.choose_amount(&amounts[1]).await;
            widget.type_into("pin", &pin).await;
            widget.click("submit").await;
            widget.event("flexepin-redeemed").await;

            browser.script("document.cookie = 'shop=; max-age=0'", &[]).await;
            assert!(shop.posts().is_empty(), "{form}: it went to the page's own origin");
            let post = other.requests().into_iter().find(|seen| seen.line == "POST /cashier/flexepin");
            let post = post.expect("it was sent there");
            let body: Value = serde_json::from_str(&post.body).expect("JSON");
            for (name, value) in [("currency", "EUR"), ("userId", "user_9"), ("brandId", "brand_7")] {
                assert_eq!(body[name], value, "{form}");
            }
            assert_eq!(body["email"], "nine@example.com", "{form}");
            assert_eq!(body["baseamount"].as_f64(), Some(25.0), "{form}");
            assert_eq!(post.header("authorization"), Some("Bearer token_5"), "{form}");
            assert_eq!(post.header("x-shop"), scripted.then_some("nine"), "{form}");
            let has_cookie = post.header("cookie").is_some_and(|cookies| cookies.contains("shop=nine"));
            assert!(has_cookie, "{form}: {}", post.headers);
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_taken_back_is_the_default_again() {
    let shop = open_shop().await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let given = json!({
            "amounts": "10 25",
            "userId": "u",
            "email": "a@example.com",
            "brandId": "b",
            "sessionToken": "t",
            "locale": "de",
            "theme": "dark",
            "timeout": 5000,
            "credentials": "include",
            "messages": {"title": "T"},
        });
        let take_back = "
            const [given, endpoint] = arguments, made = [];
            const attribute = name => name.replace(/[A-Z]/g, '-$&').toLowerCase();
            const all = value => Object.fromEntries([...Object.keys(given), 'beforeSubmit'].map(name => [name, value]));
            const ways = {
              null: widget => Object.assign(widget, all(null)),
              undefined: widget => Object.assign(widget, all(undefined)),
              update: widget => widget.update(all(null)),
              removal: widget => {
                for (const name in given) widget.removeAttribute(attribute(name));
                Object.assign(widget, {messages: null, beforeSubmit: null});
              },
            };
            for (const way in ways) {
              const widget = FlexepinCashier.mount(main(), {endpoint, currency: 'EUR', beforeSubmit: () => false});
              for (const name in given) if (name !== 'messages') widget.setAttribute(attribute(name), given[name]);
              widget.messages = given.messages;
              widget.update(all(undefined));
              const {userId, theme, messages, beforeSubmit, amounts} = widget;
              const kept = [userId, theme, messages.title, typeof beforeSubmit, amounts.length];
              ways[way](widget);
              made.push([kept, ...Object.keys(given).map(name => widget[name]), widget.beforeSubmit]);
              if (way !== 'removal') widget.remove();
            }
            return made";
        let made = browser.script(take_back, &[given, json!(bad::HTML)]).await;
        // In the order of their names, as they came.
        let kept = json!(["u", "dark", "T", "function", 2]);
        let default = json!([kept, null, null, "same-origin", null, "auto", null, null, "auto", 30000, null, null]);
        assert_eq!(made, json!([default, default, default, default]));

        let widget = Widget::ready_on(browser).await;
        widget.text_with("title", "Redeem a Flexepin voucher").await;
        for (part, text) in [("pin", "1234567890123456"), ("amount", "25.00"), ("email", "b@example.com")] {
            widget.type_into(part, text).await;
        }
        widget.click("submit").await;
        widget.click("confirm-yes").await;
        let sent = async || shop.requests().into_iter().find(|seen| seen.line == format!("POST {}", bad::HTML));
        let post = until("it is sent", sent).await;
        let body: Value = serde_json::from_str(&post.body).expect("JSON");
        let sent = (&body["email"], &body["userId"], &body["brandId"]);
        assert_eq!(sent, (&json!("b@example.com"), &Value::Null, &Value::Null));
        assert_eq!(post.header("authorization"), None);
    })
    .await;
}

#[tokio::test]
async fn the_last_writer_wins_and_properties_do_not_show_in_attributes() {
    let shop = open_shop().await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let write = "
            const widget = document.createElement('flexepin-cashier'), seen = [];
            const look = () => seen.push([widget.email, widget.getAttribute('email')]);
            widget.setAttribute('email', 'attribute@example.com'); look();
            widget.email = 'property@example.com'; look();
            widget.setAttribute('email', 'again@example.com'); look();
            widget.update({email: 'update@example.com'}); look();
            main().append(widget); look();
            widget.removeAttribute('email'); look();
            widget.email = 'property@example.com'; look();
            return seen";
        let expected = json!([
            ["attribute@example.com", "attribute@example.com"],
            ["property@example.com", "attribute@example.com"],
            ["again@example.com", "again@example.com"],
            ["update@example.com", "again@example.com"],
            ["update@example.com", "again@example.com"],
            [null, null],
            ["property@example.com", null],
        ]);
        assert_eq!(browser.script(write, &[]).await, expected);
    })
    .await;
}

#[tokio::test]
async fn options_change_under_the_customers_hands_and_nothing_that_was_typed_is_lost() {
    let shop = open_shop().await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        browser
            .script(
                "window.widget = FlexepinCashier.mount('main', {endpoint: '/cashier/flexepin', currency: 'EUR'})",
                &[],
            )
            .await;
        let widget = Widget::ready_on(browser).await;
        for (part, text) in [("amount", "25.50"), ("email", "a@example.com"), ("pin", "123456")] {
            widget.type_into(part, text).await;
        }
        browser.keys(&char::from(fantoccini::key::Key::Left).to_string().repeat(2)).await;
        for (change, back) in [
            ("{endpoint: '/cashier/other'}", "{endpoint: '/cashier/flexepin'}"),
            ("{currency: 'USD'}", "{currency: 'EUR'}"),
            ("{amounts: ['10', '25']}", "{amounts: null}"),
            ("{amount: '25'}", "{amount: null}"),
            ("{userId: 'u'}", "{userId: null}"),
            ("{email: 'b@example.com'}", "{email: null}"),
            ("{brandId: 'b'}", "{brandId: null}"),
            ("{sessionToken: 't'}", "{sessionToken: null}"),
            ("{locale: 'de'}", "{locale: 'en'}"),
            ("{theme: 'dark'}", "{theme: 'light'}"),
            ("{timeout: 5000}", "{timeout: null}"),
            ("{credentials: 'include'}", "{credentials: null}"),
            ("{messages: {title: 'T'}}", "{messages: null}"),
            ("{beforeSubmit: () => {}}", "{beforeSubmit: null}"),
        ] {
            for options in [change, back] {
                browser.script(&format!("widget.update({options}); return task().then(task)"), &[]).await;
                assert_eq!(
                    widget.pin_and_caret().await,
                    ("1234 56".to_owned(), Some(5)),
                    "{options}: the PIN and its caret"
                );
            }
            let look =
                "return ['amount', 'email'].map(part => widget.shadowRoot.querySelector(`[part=${part}]`)?.value)";
            let kept = async || (browser.script(look, &[]).await == json!(["25.50", "a@example.com"])).then_some(());
            until(&format!("amount and email are there after {back}"), kept).await;
        }
        assert_eq!(widget.events().await.iter().filter(|event| event["type"] == "flexepin-ready").count(), 1);
    })
    .await;
}
