//! Options that are wrong: who sets a property is thrown at, an attribute is told of once, and what no option is called
//! is warned of.

use super::open_shop;
use crate::browser::{DESKTOP, browse};
use serde_json::{Value, json};

#[tokio::test]
async fn a_wrong_value_throws_a_type_error_that_names_the_option_and_changes_nothing() {
    let shop = open_shop().await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let wrong = "
            const WRONG = {
              endpoint: ['', 5, {}], currency: ['eur', 'EURO', '', 5, {}, 'XXQ'],
              amounts: ['', [], ['x'], 'a b', 5, ['1e3'], ['25,00'], [''], {}, ['10', null]],
              amount: ['', '-5', '25,00', '1e9', '.5', '25.', NaN, {}],
              userId: ['', '  ', 5, {}], email: ['', 5], brandId: ['', 5], sessionToken: ['', 5],
              locale: ['', 'x', 5, 'de_AT'],
              theme: ['', 'pink', 'DARK', 5], timeout: ['', 5, 999, 120001, 'soon', 1500.5, NaN, Infinity, true, {}],
              credentials: ['', 'omit', 5], messages: ['x', 5, {title: 5}, {title: null}], beforeSubmit: ['x', 5, {}],
            };
            const widget = FlexepinCashier.mount(main(), OPTIONS);
            const kept = () => JSON.stringify(Object.keys(WRONG).map(name => widget[name]));
            const before = kept(), failures = [];
            for (const [name, values] of Object.entries(WRONG)) {
              const attribute = name.replace(/[A-Z]/g, '-$&').toLowerCase();
              for (const value of values) {
                const acts = {
                  property: () => { widget[name] = value },
                  update: () => widget.update({theme: 'dark', brandId: 'other', [name]: value}),
                  mount: () => FlexepinCashier.mount(main(), {...OPTIONS, [name]: value}),
                };
                for (const way in acts) {
                  const [kind, text] = thrown(acts[way]) ?? ['nothing', ''];
                  const named = text.includes(` ${attribute} `) || text.includes(` ${name} `);
                  if (kind !== 'TypeError' || !named || kept() !== before || main().childElementCount !== 1) {
                    failures.push([name, String(value), way, kind, text]);
                  }
                }
              }
            }
            const others = [
              thrown(() => FlexepinCashier.mount('#nowhere', OPTIONS)),
              thrown(() => FlexepinCashier.mount(null, OPTIONS)),
              thrown(() => widget.setFieldError('voucher', 'x')), thrown(() => { widget.phase = 'redeemed' }),
            ].map(error => error?.[0] ?? null);
            return [failures, others]";
        let came_to = browser.script(wrong, &[]).await;
        // A read-only property is quietly kept in sloppy mode.
        assert_eq!(came_to, json!([[], ["TypeError", "TypeError", "TypeError", null]]));
        assert_eq!(browser.script("return document.querySelector('flexepin-cashier').phase", &[]).await, "editing");
    })
    .await;
}

#[tokio::test]
async fn a_wrong_attribute_is_told_once_a_task_after_connecting() {
    let shop = open_shop().await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        for (attribute, value) in [
            ("currency", "eur"),
            ("amounts", "ten"),
            ("amount", "25,00"),
            ("user-id", " "),
            ("email", ""),
            ("brand-id", ""),
            ("session-token", ""),
            ("locale", "x"),
            ("theme", "pink"),
            ("timeout", "5"),
            ("credentials", "omit"),
            ("endpoint", "ftp://x"),
        ] {
            let told = "
                const [attribute, value] = arguments, heard = [], consoleBefore = flexepinConsole.length;
                const widget = document.createElement('flexepin-cashier');
                widget.addEventListener('flexepin-failed', ({detail}) => heard.push(detail));
                const all = {endpoint: '/cashier/flexepin', currency: 'EUR', [attribute]: value};
                for (const name in all) widget.setAttribute(name, all[name]);
                // In a task of the page: a driver's own may go on before its microtasks.
                return task().then(async () => {
                  main().replaceChildren(widget);
                  const atOnce = heard.length;
                  await null;
                  const inMicrotasks = heard.length;
                  await task();
                  const afterATask = heard.length;
                  widget.setAttribute(attribute, value);
                  for (let at = 0; at < 5; at += 1) await task();
                  const errors = flexepinConsole.slice(consoleBefore).filter(entry => entry.level === 'error');
                  const isNamed = errors.length === 1 && errors[0].text.includes(attribute);
                  return [atOnce, inMicrotasks, afterATask, heard, isNamed, widget.submit()];
                })";
            let detail = json!({"code": "config", "money": "no", "next": "none", "attempt": null, "reference": null});
            let came_to = browser.script(told, &[json!(attribute), json!(value)]).await;
            assert_eq!(came_to, json!([0, 0, 1, [detail], true, false]), "{attribute}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_no_option_is_warned_of_and_the_hosts_own_attributes_are_let_be() {
    let shop = open_shop().await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let warned = "
            const warnings = act => {
              const before = flexepinConsole.length;
              const fresh = () => flexepinConsole.slice(before).map(({level, text}) => `${level} ${text}`);
              return Promise.resolve(act()).then(task).then(task).then(fresh);
            };
            let widget;
            const script = () => new Promise(resolve => {
              const script = document.createElement('script');
              Object.assign(script, {src: '/flexepin-cashier.js', onload: resolve});
              const given = {endpoint: '/cashier/flexepin', currency: 'EUR', colorScheme: 'pink', messages: '{}'};
              Object.assign(script.dataset, given);
              main().append(script);
            });
            return (async () => [
              await warnings(() => { widget = FlexepinCashier.mount(main(), {...OPTIONS, colour: 'pink'}) }),
              await warnings(() => widget.update({constructor: 1, toString: 2, 'user-id': 'x'})),
              await warnings(script),
              await warnings(() => {
                const host = {
                  class: 'wide', id: 'cashier', 'aria-label': 'Pay', 'data-test': '1', title: 'Pay', style: 'margin: 0',
                  hidden: '', lang: 'en',
                };
                for (const name in host) widget.setAttribute(name, host[name]);
              }),
            ])()";
        let came_to = browser.script(warned, &[]).await;
        let named = |at: usize, names: &[&str]| {
            let said = came_to[at].as_array().expect("a list");
            let warned = |name: &str| {
                said.iter().filter_map(Value::as_str).any(|text| text.starts_with("warn ") && text.contains(name))
            };
            assert!(said.len() == names.len() && names.iter().all(|name| warned(name)), "{names:?}: {said:?}");
        };
        named(0, &["\"colour\""]);
        named(1, &["\"constructor\"", "\"toString\"", "\"user-id\""]);
        named(2, &["data-color-scheme", "data-messages"]);
        named(3, &[]);
        assert_eq!(browser.script("return window.executed ?? null", &[]).await, Value::Null);
    })
    .await;
}
