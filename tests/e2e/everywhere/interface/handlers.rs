//! Every method in the handler of every event: each works there as it does elsewhere, and none breaks the widget.

use super::open_shop;
use crate::browser::{DESKTOP, browse};
use crate::merchant::Serves;
use crate::sandbox::{issue, scripted, tries};
use serde_json::{Value, json};

/// Mounts a widget for each method, brings each to the event, calls the method in its handler, and tells what came of
/// it: `{method: [what it gave or threw, the phase a few tasks later, what was heard after it, …]}`.
const CALL_IN_HANDLERS: &str = "
    const [event, pins] = arguments;
    const METHODS = {
      update: widget => widget.update({theme: 'dark', messages: {title: 'Later'}}),
      submit: widget => widget.submit(),
      reset: widget => widget.reset(),
      focus: widget => widget.focus(),
      setFieldError: widget => widget.setFieldError('pin', 'Words'),
      destroy: widget => widget.destroy(),
      phase: widget => widget.phase,
    };
    // No answer reaches the page before each handler was called, however fast it comes.
    let handled = 0;
    if (event === 'submit') document.head.append(Object.assign(document.createElement('script'), {textContent: `
      const handled = new Promise(resolve => addEventListener('all-handled', resolve, {once: true})), real = fetch;
      window.fetch = async (...asked) => { const answer = await real(...asked); await handled; return answer; };`}));
    const run = async (method, pin) => {
      const widget = FlexepinCashier.mount(main(), {...OPTIONS, userId: `${event} ${method}`}), heard = [];
      const called = new Promise(resolve => widget.addEventListener(`flexepin-${event}`, () => {
        let gave;
        try { gave = METHODS[method](widget) ?? null } catch (error) { gave = error.name }
        for (const name of ['redeemed', 'rejected', 'unconfirmed', 'failed'])
          widget.addEventListener(`flexepin-${name}`, () => heard.push(name));
        resolve(gave);
        handled += 1;
        if (handled === Object.keys(METHODS).length) window.dispatchEvent(new Event('all-handled'));
      }, {once: true}));
      if (event !== 'ready' && event !== 'loaderror') {
        await said(widget, 'ready');
        await task();
        type(widget, pin);
        if (event !== 'change') widget.submit();
      }
      const gave = await called;
      for (let at = 0; at < 20; at += 1) await task();
      const {phase} = widget, title = part(widget, 'title')?.textContent, words = part(widget, 'error')?.textContent;
      // What the handler has begun comes to its end.
      if (event === 'submit' && method !== 'phase') await new Promise(resolve => {
        const look = () => heard.length ? resolve() : setTimeout(look, 20);
        look();
      });
      return [method, [gave, phase, heard, title === 'Later', words === 'Words', widget.isConnected]];
    };
    return Promise.all(Object.keys(METHODS).map((method, at) => run(method, pins[at]))).then(Object.fromEntries)";

const METHODS: usize = 7;

#[tokio::test]
async fn every_method_works_in_the_handler_of_every_event() {
    // The event, the script of the PINs that lead there, the phase then, what `submit` gives, and `reset`.
    for (event, script, phase, submit, reset) in [
        ("ready", "0000", "editing", json!(false), json!(null)),
        ("change", "0000", "editing", json!(true), json!(null)),
        ("submit", "0000", "redeeming", json!(false), json!("InvalidStateError")),
        ("redeemed", "0000", "redeemed", json!(false), json!(null)),
        ("rejected", "4075", "editing", json!(true), json!(null)),
        ("unconfirmed", "0599", "unconfirmed", json!(false), json!(null)),
        ("failed", "0403", "failed", json!(false), json!(null)),
        ("loaderror", "0000", "editing", json!(false), json!(null)),
    ] {
        let shop = open_shop().await;
        if event == "loaderror" {
            shop.set_wasm(Serves::Missing);
        }
        let mut pins = Vec::new();
        for _ in 0..METHODS {
            pins.push(if script == "0000" { issue(25.0, "EUR").await } else { scripted(script) });
        }
        browse(DESKTOP, async |browser| {
            browser.goto(&shop.url).await;
            let came_to = browser.script(CALL_IN_HANDLERS, &[json!(event), json!(pins)]).await;
            let of = |method: &str, at: usize| came_to[method][at].clone();
            assert_eq!(came_to.as_object().map(serde_json::Map::len), Some(METHODS), "{event}");
            for (method, gave) in [
                ("update", &Value::Null),
                ("focus", &Value::Null),
                ("setFieldError", &Value::Null),
                ("destroy", &Value::Null),
                ("phase", &json!(phase)),
                ("submit", &submit),
                ("reset", &reset),
            ] {
                assert_eq!(of(method, 0), *gave, "{method} in {event}: {came_to}");
                assert_eq!(of(method, 5), json!(method != "destroy"), "{method} in {event}: on the page");
            }
            if event != "loaderror" {
                assert_eq!(of("update", 3), json!(true), "update in {event}: the words are there");
            }
            if matches!(event, "ready" | "change" | "rejected") {
                assert_eq!(of("setFieldError", 4), json!(true), "setFieldError in {event}: the words are there");
            }
            if matches!(event, "redeemed" | "rejected" | "unconfirmed" | "failed") {
                assert_eq!(of("reset", 1), "editing", "reset in {event}");
            }
            assert_eq!(of("destroy", 1), "editing", "destroy in {event}: nothing is left");
            let console = browser.console().await;
            let broken = console.iter().filter(|entry| {
                entry["text"].as_str().is_some_and(|text| text.contains("Uncaught") || text.contains("defect"))
            });
            assert_eq!(broken.collect::<Vec<_>>(), Vec::<&Value>::new(), "{event}");
            if event == "submit" {
                for method in ["update", "submit", "reset", "focus", "setFieldError", "destroy"] {
                    assert_eq!(
                        of(method, 2),
                        json!(["redeemed"]),
                        "{method} in {event}: the POST that has left is heard of"
                    );
                }
                for pin in &pins[..METHODS - 1] {
                    assert_eq!(tries(pin).await, 1);
                }
            }
        })
        .await;
    }
}
