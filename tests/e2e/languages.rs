//! Whether every text of every language fits the narrowest screen, on every screen of the widget: each element is
//! measured.

use crate::browser::{Browser, NARROW, browse};
use crate::screens::{Shown, show};
use serde_json::{Value, json};

/// Sets each locale in turn, and tells what does not fit: `[how many elements were measured, [what is wrong, …]]`.
const MEASURE: &str = "
    const [names, everyText] = arguments;
    const widget = document.querySelector('flexepin-cashier'), root = widget.shadowRoot;
    const form = root.querySelector('form'), wrong = [];
    const task = () => new Promise(resolve => setTimeout(resolve));
    let measured = 0;
    const visible = element => element.checkVisibility() && !element.closest('.visually-hidden');
    return (async () => {
      for (const name of names) {
        widget.locale = name;
        const until = Date.now() + 15000;
        while (form.lang !== (name === 'pt' ? 'pt-PT' : name)) {
          if (Date.now() > until) throw new Error(`the texts of ${name} do not come`);
          await task();
        }
        await task(); await task();
        // Texts that stand on no screen of this test, in the narrowest place where a sentence stands.
        const place = everyText && form.querySelector('[part=confirm] p');
        if (place) {
          const {messages} = await (await fetch(`/locales/${name}.json`)).json(), own = place.textContent;
          for (const [key, text] of Object.entries(messages)) {
            place.textContent = text.replaceAll(/\\{reference\\}/g, '00000000-0000-0000-0000-000000000000');
            measured += 1;
            if (place.scrollWidth > place.clientWidth) wrong.push(`${name}: ${key} is wider than its place`);
          }
          place.textContent = own;
        }
        if (document.scrollingElement.scrollWidth > innerWidth) wrong.push(`${name}: the page scrolls sideways`);
        for (const element of root.querySelectorAll('*')) {
          if (!visible(element) || element.closest('svg')) continue;
          measured += 1;
          const {left, right} = element.getBoundingClientRect(), tag = `${name}: ${element.localName}.${element.getAttribute('part') ?? element.className} ${element.textContent.slice(0, 60)}`;
          if (left < -0.5 || right > innerWidth + 0.5) wrong.push(`${tag}: ${left} to ${right}`);
          const isInline = getComputedStyle(element).display === 'inline';
          if (!isInline && element.clientWidth && element.scrollWidth > element.clientWidth + 1) wrong.push(`${tag}: its content is wider`);
          if (!isInline && element.matches('button, p, h2, h3, label, legend') && element.scrollHeight > element.clientHeight + 2) wrong.push(`${tag}: its content is higher`);
        }
      }
      return [measured, wrong];
    })()";

async fn names(browser: &Browser) -> Vec<Value> {
    let list =
        "return fetch('/locales/index.json').then(answer => answer.json()).then(({hashes}) => Object.keys(hashes))";
    browser.script(list, &[]).await.as_array().cloned().expect("names")
}

#[tokio::test]
async fn every_text_of_every_language_fits_a_screen_of_320_pixels_on_every_screen() {
    browse(NARROW, async |browser| {
        for shown in Shown::ALL {
            let (_shop, _widget) = show(browser, shown, "locale=en").await;
            let names = names(browser).await;
            assert_eq!(names.len(), 53);
            let every_text = shown == Shown::Confirming;
            let result = browser.script(MEASURE, &[json!(names), json!(every_text)]).await;
            let wrong = result[1].as_array().expect("a list");
            assert!(
                wrong.is_empty(),
                "{shown:?}: {}",
                wrong.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
            );
            let least = if every_text { 53 * 125 } else { 53 * 5 };
            assert!(result[0].as_u64().is_some_and(|measured| measured >= least), "{shown:?}: {result}");
            browser.accept_leaving().await;
        }
    })
    .await;
}
