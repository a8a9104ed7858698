//! The customer's language: which one is found, that its texts alone are fetched, and what happens where they cannot be.

use crate::browser::{Browser, DESKTOP, PHONE, browse, until};
use crate::merchant::{FIXED, Merchant, Serves};
use crate::sandbox::{issue, scripted};
use crate::widget::Widget;
use serde_json::{Value, json};

/// A shop's page in a language, with a widget that has these attributes too.
fn page(lang: &str, attributes: &str) -> String {
    format!(
        "<!doctype html><html lang='{lang}'><meta charset=utf-8><title>Shop</title><link rel=icon href=data:,>
        <meta name=viewport content='width=device-width'><script src=/flexepin-cashier.js async></script>
        <flexepin-cashier {FIXED} {attributes}></flexepin-cashier>"
    )
}

/// Which files of texts were asked for since the last look, in order.
fn fetched(shop: &Merchant, seen: &mut usize) -> Vec<String> {
    let requests = shop.requests();
    let fresh = requests[*seen..].iter().filter_map(|request| request.line.strip_prefix("GET /locales/"));
    let files = fresh.map(|file| file.trim_end_matches(".json").to_owned()).collect();
    *seen = requests.len();
    files
}

/// Sets the locale at run time, and awaits that the form has this language tag then, and this word on its button.
async fn speaks(browser: &Browser, locale: &str, tag: &str, word: &str) {
    browser.script("document.querySelector('flexepin-cashier').locale = arguments[0]", &[json!(locale)]).await;
    let look = "const root = document.querySelector('flexepin-cashier').shadowRoot;
        return [root.querySelector('form').lang, root.querySelector('[part=submit]').textContent]";
    until(&format!("{locale} is {tag} and says {word}"), async || {
        let said = browser.script(look, &[]).await;
        (said[0] == tag && said[1].as_str().is_some_and(|text| text.contains(word))).then_some(())
    })
    .await;
}

#[tokio::test]
async fn each_tag_finds_the_nearest_language_and_only_its_texts_are_fetched() {
    let shop = Merchant::open(page("en", "")).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        Widget::ready_on(browser).await;
        let mut seen = 0;
        assert_eq!(fetched(&shop, &mut seen), Vec::<String>::new(), "English is built in");
        // The locale, the form's language then, a word of the button, and the files that are fetched for it.
        for (locale, tag, label, files) in [
            ("de", "de", "einlösen", &["index", "de"] as &[&str]),
            ("de-AT", "de-AT", "einlösen", &[]),
            ("fr-CH", "fr-CH", "Utiliser", &["fr"]),
            ("fr-CA", "fr-CA", "Échanger", &["fr-CA"]),
            ("pt-BR", "pt-BR", "Resgatar", &["pt-BR"]),
            ("pt", "pt-PT", "Resgatar", &["pt"]),
            ("zh-TW", "zh-TW", "兌換", &["zh-Hant"]),
            ("zh-HK", "zh-HK", "兌換", &[]),
            ("zh", "zh", "兑换", &["zh-Hans"]),
            ("zh-Hant-CN", "zh-Hant-CN", "兌換", &[]),
            ("es-MX", "es-MX", "Canjear", &["es-419"]),
            ("es-ES", "es-ES", "Canjear", &["es"]),
            ("no", "nb", "inn", &["nb"]),
            ("nn-NO", "nb", "inn", &[]),
            ("iw", "he", "מימוש", &["he"]),
            ("sr-Latn", "sr", "Реализуј", &["sr"]),
            ("en-AU", "en-AU", "Redeem", &["en-GB"]),
            ("en-US", "en-US", "Redeem", &[]),
        ] {
            speaks(browser, locale, tag, label).await;
            assert_eq!(fetched(&shop, &mut seen), files, "{locale}");
        }
        let errors = browser.console_errors().await;
        assert!(errors.is_empty(), "{errors:?}");
    })
    .await;
}

#[tokio::test]
async fn the_option_comes_before_the_page_and_the_page_before_the_browser() {
    for (lang, attributes, label, warned) in [
        ("de", "", "Flexepin-PIN", None),
        ("de", "locale=it", "PIN Flexepin", None),
        ("tlh", "", "Flexepin PIN", Some("there are no texts in \"tlh\"")),
        ("no language!", "", "Flexepin PIN", Some("there are no texts in \"no language!\"")),
        ("de", "locale=sw", "Flexepin-PIN", Some("there are no texts in \"sw\"")),
        ("", "", "Flexepin PIN", None),
    ] {
        let shop = Merchant::open(page(lang, attributes)).await;
        browse(PHONE, async |browser| {
            browser.goto(&shop.url).await;
            let widget = Widget::ready_on(browser).await;
            widget.text_with("label", label).await;
            let said: Vec<Value> = browser.console().await;
            let warnings: Vec<_> = said
                .iter()
                .filter_map(|entry| entry["text"].as_str())
                .filter(|text| text.contains("no texts"))
                .collect();
            assert_eq!(warnings.len(), usize::from(warned.is_some()), "{lang} {attributes}: {warnings:?}");
            assert!(warned.is_none_or(|words| warnings[0].contains(words)), "{lang} {attributes}: {warnings:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn texts_that_do_not_come_or_are_others_leave_the_form_in_english_and_usable() {
    for (file, serves) in [
        ("locales/de.json", Serves::Missing),
        ("locales/de.json", Serves::Altered),
        ("locales/index.json", Serves::Altered),
    ] {
        let shop = Merchant::open(page("de", "")).await;
        shop.set_file(file, serves);
        let pin = issue(25.0, "EUR").await;
        browse(DESKTOP, async |browser| {
            browser.goto(&shop.url).await;
            let widget = Widget::ready_on(browser).await;
            widget.type_into("pin", &pin).await;
            widget.text_with("submit", "Redeem €25.00").await;
            widget.click("submit").await;
            widget.event("flexepin-redeemed").await;
            let console = json!(browser.console().await).to_string();
            assert!(console.contains("texts are missing; English is shown"), "{file}: {console}");
        })
        .await;
    }
}

#[tokio::test]
async fn the_form_speaks_before_the_app_is_there_and_so_does_what_says_that_it_never_came() {
    let shop = Merchant::open(page("de", "")).await;
    shop.set_wasm(Serves::Held);
    browse(PHONE, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::on(browser).await;
        widget.text_with("hint", "16 Ziffern").await;
        widget.text_with("submit", "Gutschein einlösen").await;
        shop.set_wasm(Serves::Missing);
        widget.text_with("notice", "Gutschein").await;
        assert!(widget.shows("retry").await);
        assert_eq!(widget.texts("retry").await.len(), 1);
        shop.set_wasm(Serves::AsBuilt);
        widget.click("retry").await;
        widget.event("flexepin-ready").await;
        widget.text_with("title", "Flexepin-Gutschein").await;
    })
    .await;
}

#[tokio::test]
async fn a_language_changed_in_the_middle_loses_nothing_and_every_word_follows() {
    let shop = Merchant::open(page("en", "")).await;
    let pin = scripted("4075");
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.type_into("pin", &pin).await;
        widget.click("submit").await;
        widget.text_with("error", "does not know this PIN").await;
        speaks(browser, "he", "he", "מימוש").await;
        widget.text_with("error", "Flexepin").await;
        // Mirrored, and the PIN is not.
        let look = "const root = document.querySelector('flexepin-cashier').shadowRoot;
            const box = part => root.querySelector(`[part=${part}]`).getBoundingClientRect();
            return {
              english: root.querySelector('[part=error]').textContent.includes('know'),
              pin: root.querySelector('[part=pin]').value,
              dir: getComputedStyle(root.querySelector('[part=pin]')).direction,
              form: getComputedStyle(root.querySelector('form')).direction,
              reference: getComputedStyle(root.querySelector('[part=reference]')).direction,
              mirrored: box('pin-toggle').left < box('label').left,
            }";
        let seen = browser.script(look, &[]).await;
        let expected = json!({
            "english": false, "pin": crate::sandbox::grouped(&pin), "dir": "ltr", "form": "rtl", "reference": "ltr", "mirrored": true,
        });
        assert_eq!(seen, expected);
    })
    .await;
}

#[tokio::test]
async fn plural_forms_are_those_that_this_browser_asks_for() {
    let shop = Merchant::open(page("en", "")).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        Widget::ready_on(browser).await;
        let missing = "
            const {hashes} = await (await fetch('/locales/index.json')).json();
            const missing = [];
            for (const name of Object.keys(hashes)) {
              const {messages} = await (await fetch(`/locales/${name}.json`)).json();
              const rules = new Intl.PluralRules(name === 'pt' ? 'pt-PT' : name);
              for (let count = 0; count <= 100; count += 1) {
                const key = `pin-length.${rules.select(count)}`;
                if (!(key in messages)) missing.push(`${name}: ${key} for ${count}`);
              }
            }
            return [Object.keys(hashes).length, missing];";
        let found = browser.script(&format!("return (async () => {{ {missing} }})()"), &[]).await;
        assert_eq!(found, json!([53, []]));
    })
    .await;
}

#[tokio::test]
async fn texts_that_are_slow_to_come_hold_nobody_up_and_are_taken_when_they_come() {
    let shop = Merchant::open(page("de", "")).await;
    shop.set_file("locales/de.json", Serves::Held);
    browse(PHONE, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.type_into("pin", "1234").await;
        widget.text_with("title", "Redeem a Flexepin voucher").await;
        shop.set_file("locales/de.json", Serves::AsBuilt);
        widget.text_with("title", "einlösen").await;
        assert_eq!(widget.pin_and_caret().await.0, "1234");
    })
    .await;
}
