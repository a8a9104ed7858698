//! What is told, when, and to whom; and what the phase is at each step.

use super::open_shop;
use crate::browser::{DESKTOP, browse, until};
use crate::merchant::{Road, Serves};
use crate::sandbox::{issue, scripted};
use crate::widget::Widget;
use serde_json::json;

#[tokio::test]
async fn events_bubble_out_of_shadow_roots_in_a_task_of_their_own_and_the_screen_is_there_first() {
    let shop = open_shop().await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        for (pin, outcome, part) in [
            (issue(25.0, "EUR").await, "redeemed", "receipt"),
            (scripted("4075"), "rejected", "error"),
            (scripted("0599"), "unconfirmed", "unconfirmed"),
            (scripted("0403"), "failed", "failed"),
        ] {
            // In the handler: what kind of event, the phase, and whether its screen is there, its words with it.
            let tell = "
                const [pin, outcome, shown] = arguments, seen = {};
                const host = document.createElement('div');
                host.attachShadow({mode: 'open'});
                main().replaceChildren(host);
                const widget = FlexepinCashier.mount(host.shadowRoot, {...OPTIONS, userId: outcome});
                const heard = ({type, bubbles, composed, cancelable, target}) => {
                  const screen = part(widget, shown);
                  const isShown = Boolean(screen?.checkVisibility() && screen.innerText);
                  seen[type] = [bubbles, composed, cancelable, target === host, widget.phase, isShown];
                };
                for (const name of ['ready', 'change', 'submit', outcome])
                  document.addEventListener(`flexepin-${name}`, heard, {once: true});
                return (async () => {
                  await said(widget, 'ready');
                  type(widget, pin);
                  const inCall = widget.submit() && Object.keys(seen).length;
                  for (let at = 0; at < 20; at += 1) await null;
                  const inMicrotasks = Object.keys(seen).length;
                  await said(widget, outcome);
                  await task();
                  return [inCall, inMicrotasks, seen];
                })()";
            let came_to = browser.script(tell, &[json!(pin), json!(outcome), json!(part)]).await;
            assert_eq!((&came_to[0], &came_to[1]), (&json!(1), &json!(1)), "{outcome}: only ready was told before");
            for event in ["ready", "change", "submit", outcome] {
                let (phase, screen) = match event {
                    "ready" => ("editing", false),
                    "change" | "submit" => ("redeeming", false),
                    "rejected" => ("editing", true),
                    outcome => (outcome, true),
                };
                let seen = came_to[2][format!("flexepin-{event}")].clone();
                assert_eq!(seen, json!([true, true, false, true, phase, screen]), "{event} on the way to {outcome}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn ready_is_told_once_a_mount_and_submit_says_whether_it_has_begun() {
    let shop = open_shop().await;
    shop.set_wasm(Serves::Held);
    let pin = issue(25.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        browser.script("window.widget = FlexepinCashier.mount('main', OPTIONS)", &[]).await;
        assert_eq!(browser.script("return widget.submit()", &[]).await, false, "before ready");
        shop.set_wasm(Serves::AsBuilt);
        let widget = Widget::ready_on(browser).await;
        let ready = async || widget.events().await.iter().filter(|event| event["type"] == "flexepin-ready").count();
        let change = "return (async () => {
              for (const theme of ['dark', 'light', 'auto', 'dark']) { widget.theme = theme; await task() }
            })()";
        browser.script(change, &[]).await;
        assert_eq!(ready().await, 1);
        let submits = "const empty = widget.submit();
            type(widget, arguments[0].slice(0, 15));
            const short = widget.submit();
            type(widget, arguments[0]);
            return [empty, short, widget.submit(), widget.submit()]";
        assert_eq!(browser.script(submits, &[json!(pin)]).await, json!([false, false, true, false]));
        widget.event("flexepin-redeemed").await;
        assert_eq!(browser.script("return widget.submit()", &[]).await, false, "it is redeemed");
        assert_eq!(widget.events().await.iter().filter(|event| event["type"] == "flexepin-submit").count(), 1);
        let again = "const again = said(widget, 'ready');
            widget.destroy();
            main().append(widget);
            return again.then(() => true)";
        assert_eq!(browser.script(again, &[]).await, true);
        assert_eq!(ready().await, 2, "another mount");
    })
    .await;
}

#[tokio::test]
async fn words_at_a_field_are_kept_until_the_app_is_there() {
    let shop = open_shop().await;
    shop.set_wasm(Serves::Held);
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let early = "window.widget = FlexepinCashier.mount('main', {...OPTIONS, amount: null, email: null});
            for (const field of ['pin', 'amount', 'email']) widget.setFieldError(field, `No ${field}`);
            widget.setFieldError('email', null)";
        browser.script(early, &[]).await;
        shop.set_wasm(Serves::AsBuilt);
        let widget = Widget::ready_on(browser).await;
        widget.text_with("error", "No pin").await;
        widget.text_with("error", "No amount").await;
        assert_eq!(widget.texts("error").await.len(), 2, "the third was taken back");
        widget.call("setFieldError", &[json!("pin"), json!("")]).await;
        until("the words are gone", async || (widget.texts("error").await.len() == 1).then_some(())).await;
    })
    .await;
}

/// Fills the form, submits it and says yes.
async fn submit(widget: &Widget<'_>, pin: &str) {
    widget.type_into("amount", "25").await;
    widget.type_into("pin", pin).await;
    widget.click("submit").await;
    widget.reaches("confirming").await;
    widget.click("confirm-yes").await;
}

#[tokio::test]
async fn the_phase_is_told_at_each_step_and_nothing_is_reset_while_it_is_sent() {
    let shop = open_shop().await;
    let mount = "window.widget = FlexepinCashier.mount('main', {...OPTIONS, amount: null})";
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        browser.script(mount, &[]).await;
        let widget = Widget::ready_on(browser).await;
        let reset = async || browser.script("return thrown(() => widget.reset())?.[0] ?? null", &[]).await;
        widget.reaches("editing").await;
        browser.script("widget.beforeSubmit = () => new Promise(resolve => { window.allow = resolve })", &[]).await;
        submit(&widget, &issue(25.0, "EUR").await).await;
        widget.reaches("preparing").await;
        shop.set_road(Road::HoldsAnswers);
        browser.script("allow(); widget.beforeSubmit = null", &[]).await;
        widget.reaches("redeeming").await;
        assert_eq!(reset().await, "InvalidStateError");
        shop.set_road(Road::Open);
        widget.reaches("redeemed").await;
        assert_eq!(reset().await, json!(null));
        widget.reaches("editing").await;

        shop.set_road(Road::LosesAnswers);
        submit(&widget, &issue(25.0, "EUR").await).await;
        widget.reaches("waiting").await;
        assert_eq!(reset().await, "InvalidStateError");
        widget.press("stop").await;
        widget.reaches("unconfirmed").await;
        shop.set_road(Road::Open);
        widget.click("retry").await;
        widget.reaches("redeemed").await;
        widget.call("reset", &[]).await;
        for (script, phase) in [("0403", "failed"), ("0599", "unconfirmed")] {
            submit(&widget, &scripted(script)).await;
            widget.reaches(phase).await;
            assert_eq!(reset().await, json!(null));
            widget.reaches("editing").await;
        }
    })
    .await;
    let pin = issue(25.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        browser.script(mount, &[]).await;
        shop.set_road(Road::LosesAnswers);
        let widget = Widget::ready_on(browser).await;
        submit(&widget, &pin).await;
        widget.reaches("waiting").await;
        browser.accept_leaving().await;
        browser.reload().await;
        browser.script(mount, &[]).await;
        let widget = Widget::present_on(browser).await;
        widget.reaches("checking").await;
        shop.set_road(Road::Open);
        widget.reaches("redeemed").await;
    })
    .await;
}
