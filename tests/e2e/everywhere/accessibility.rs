//! WCAG 2.2 AA as axe-core can tell it: on every screen, light, dark and right-to-left. What axe cannot tell is in
//! `keyboard` (keys and focus), `layout` (sizes, zoom and spacing) and `spoken` (what a screen reader says).

use crate::browser::{Browser, DESKTOP, browse, until};
use crate::given;
use crate::merchant::Merchant;
use crate::screens::{Shown, show};
use serde_json::{Value, json};

/// How many rules a screen keeps at least; less means that axe did not look.
const LEAST_RULES: usize = 8;

/// Leaves what stays once everything has moved, then asks axe about the element. `region` asks for landmarks, which are
/// the page's own; rules about a whole page are not run on a part of it.
const CHECK: &str = "window.checkWithAxe = async () => {
  const widget = document.querySelector('flexepin-cashier');
  for (const part of widget.shadowRoot.children)
    for (const animation of part.getAnimations({ subtree: true }))
      animation.effect.getComputedTiming().endTime === Infinity ? animation.cancel() : animation.finish();
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const rules = { region: { enabled: false }, 'target-size': { enabled: true } };
  const found = await axe.run(widget, { runOnly: { type: 'tag', values: tags }, rules });
  const told = ({ id, nodes }) => nodes.map(({ target, any, all, none }) =>
    `${id} at ${target.flat().join(' ')}: ${[...any, ...all, ...none].map(({ message }) => message).join('; ')}`);
  return { violations: found.violations.flatMap(told), incomplete: found.incomplete.flatMap(told), passes: found.passes.map(({ id }) => id) };
};";

/// Puts axe and [`CHECK`] into the page as the page's own scripts: a driver's may be in a sandbox.
async fn bring_axe(browser: &Browser, axe: &Merchant) {
    let bring = "const [address, check] = arguments;
        const script = document.createElement('script');
        script.src = address;
        return new Promise((resolve, reject) => {
          script.onerror = () => reject(new Error('axe does not load'));
          script.onload = () => {
            const own = document.createElement('script');
            own.textContent = check;
            document.head.append(own);
            resolve();
          };
          document.head.append(script);
        });";
    browser.script(bring, &[json!(format!("{}/axe.min.js", axe.url)), json!(CHECK)]).await;
}

/// What axe finds now.
async fn found(browser: &Browser) -> Value {
    browser
        .script("return window.checkWithAxe().then(JSON.stringify)", &[])
        .await
        .as_str()
        .map_or(Value::Null, |found| serde_json::from_str(found).expect("JSON"))
}

fn ids(found: &Value, what: &str) -> Vec<String> {
    found[what].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Paints the widget anew by a `change` of its options, and awaits the theme and the direction.
async fn paint(browser: &Browser, change: &str, theme: &str, dir: &str) {
    browser.script(&format!("const widget = document.querySelector('flexepin-cashier'); {change}"), &[]).await;
    let painted = "const form = document.querySelector('flexepin-cashier').shadowRoot.querySelector('form');
        return [form.dataset.theme, form.dir]";
    let expected = json!([theme, dir]);
    until(change, async || (browser.script(painted, &[]).await == expected).then_some(())).await;
}

#[tokio::test]
async fn axe_finds_nothing_on_any_screen_light_dark_or_right_to_left() {
    let axe = Merchant::of_folder(given("E2E_HOSTS")).await;
    browse(DESKTOP, async |browser| {
        let mut wrong = Vec::new();
        for shown in Shown::ALL {
            let (_shop, _widget) = show(browser, shown, "theme=light").await;
            bring_axe(browser, &axe).await;
            for (change, theme, dir) in [
                ("", "light", "ltr"),
                ("widget.theme = 'dark'", "dark", "ltr"),
                ("widget.locale = 'he'", "dark", "rtl"),
            ] {
                paint(browser, change, theme, dir).await;
                let found = found(browser).await;
                let kept = ids(&found, "passes");
                assert!(kept.len() >= LEAST_RULES, "{shown:?} {theme} {dir}: only {kept:?}");
                // What axe cannot decide would have to be looked at, each time.
                for what in ["violations", "incomplete"] {
                    wrong
                        .extend(ids(&found, what).iter().map(|each| format!("{shown:?} {theme} {dir} {what}: {each}")));
                }
            }
            browser.accept_leaving().await;
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}

#[tokio::test]
async fn axe_finds_what_is_planted_in_the_shadow_root() {
    let axe = Merchant::of_folder(given("E2E_HOSTS")).await;
    browse(DESKTOP, async |browser| {
        let (_shop, _widget) = show(browser, Shown::Editing, "theme=light").await;
        bring_axe(browser, &axe).await;
        for (rule, plant) in [
            ("label", "form.append(Object.assign(document.createElement('input'), { type: 'text' }))"),
            ("color-contrast", "form.append(Object.assign(document.createElement('p'), { textContent: 'pale', style: 'color: #ddd' }))"),
            ("target-size", "const row = form.appendChild(document.createElement('div'));
                row.append(...[1, 2].map(() => Object.assign(document.createElement('button'),
                { type: 'button', textContent: 'x', style: 'all: unset; display: inline-block; width: 8px; height: 8px' })))"),
        ] {
            let plant = format!("const form = document.querySelector('flexepin-cashier').shadowRoot.querySelector('form'); {plant}");
            browser.script(&plant, &[]).await;
            let violations = ids(&found(browser).await, "violations");
            assert!(violations.iter().any(|found| found.starts_with(rule)), "{rule}: {violations:?}");
        }
    })
    .await;
}
