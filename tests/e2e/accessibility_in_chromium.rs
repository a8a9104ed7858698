//! What Chromium alone can emulate and tell: forced colours, reduced motion, time that passes, and the whole
//! accessibility tree, compared with the written script of `everywhere/spoken`.

use crate::browser::{Browser, DESKTOP, browse, until};
use crate::everywhere::spoken::{Line, Spoken, are_as};
use crate::screens::{Shown, show};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// How long the tree may be behind the screen.
const LIMIT: Duration = Duration::from_secs(5);

/// How many controls there are, and those that neither an edge nor a line shows where colours are forced.
const BARE: &str = "
    const root = document.querySelector('flexepin-cashier').shadowRoot;
    const shown = [...root.querySelectorAll('button, input:not([type=radio]), .choice span')];
    const controls = shown.filter((node) => node.checkVisibility());
    const isBare = (node) => {
      const style = getComputedStyle(node);
      const isEdge = style.borderTopStyle !== 'none' && parseFloat(style.borderTopWidth) >= 1;
      return !(isEdge && style.borderTopColor !== style.backgroundColor) && style.textDecorationLine !== 'underline';
    };
    return [controls.length, ...controls.filter(isBare).map((node) => node.getAttribute('part') ?? node.className)]";

#[tokio::test]
async fn each_screen_has_the_written_tree_and_where_colours_are_forced_each_control_an_edge() {
    browse(DESKTOP, async |browser| {
        for shown in Shown::ALL {
            let (_shop, _widget) = show(browser, shown, "").await;
            let (mut written, start) = (Spoken::of(shown).lines, Instant::now());
            for line in &mut written {
                // The protocol tells it of live regions alone.
                line.states = line.states.replace(", busy", "");
            }
            loop {
                let tree = browser.devtools("Accessibility.getFullAXTree", json!({})).await;
                let heard = Tree::of(&tree).lines();
                if are_as(&heard, &written) {
                    break;
                }
                let told = heard.iter().fold(String::new(), |mut told, line| {
                    let _ = writeln!(told, "{line}");
                    told
                });
                assert!(start.elapsed() < LIMIT, "{shown:?} is\n{told}");
            }
            prefer(browser, "forced-colors", "active").await;
            let bare = browser.script(BARE, &[]).await;
            assert!(bare[0].as_u64() > Some(0) && bare[1].is_null(), "{shown:?}: nothing shows what these are: {bare}");
            prefer(browser, "forced-colors", "none").await;
            browser.accept_leaving().await;
        }
    })
    .await;
}

/// Chromium's accessibility tree, by the nodes' ids.
struct Tree<'a> {
    nodes: HashMap<&'a str, &'a Value>,
    root: &'a Value,
}

impl<'a> Tree<'a> {
    fn of(answer: &'a Value) -> Self {
        let nodes = answer["nodes"].as_array().expect("a list of nodes");
        let by_id = nodes.iter().filter_map(|node| Some((node["nodeId"].as_str()?, node))).collect();
        Self { nodes: by_id, root: &nodes[0] }
    }

    /// The tree as lines of the script.
    fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        self.read(self.root, false, &mut lines);
        lines
    }

    fn children(&self, node: &'a Value) -> impl Iterator<Item = &'a Value> {
        node["childIds"].as_array().into_iter().flatten().filter_map(|id| self.nodes.get(id.as_str()?).copied())
    }

    fn read(&self, node: &'a Value, in_label: bool, lines: &mut Vec<Line>) {
        let role = if node["ignored"] == true { "" } else { node["role"]["value"].as_str().unwrap_or_default() };
        let says =
            |text: String| Line { role: role.to_owned(), says: text, description: String::new(), states: states(node) };
        match role {
            "heading" | "textbox" | "button" | "radio" | "radiogroup" | "group" | "list" => {
                let level = property(node, "level").as_u64().map_or(String::new(), |level| format!(" {level}"));
                let description = words(&node["description"]["value"]);
                lines.push(Line { role: format!("{role}{level}"), description, ..says(words(&node["name"]["value"])) });
                if !matches!(role, "radiogroup" | "group" | "list") {
                    return;
                }
            }
            "paragraph" | "term" | "definition" | "StaticText" if !in_label => {
                return lines.push(Line { role: "text".to_owned(), ..says(self.text(node)) });
            }
            "timer" | "status" => {
                let text = self.text(node);
                return if !text.is_empty() {
                    lines.push(says(text));
                };
            }
            "ListMarker" | "StaticText" => return,
            _ => {}
        }
        let in_label = in_label || matches!(role, "LabelText" | "Legend");
        for child in self.children(node) {
            self.read(child, in_label, lines);
        }
    }

    /// All text in a node.
    fn text(&self, node: &'a Value) -> String {
        if node["role"]["value"] == "StaticText" {
            return words(&node["name"]["value"]);
        }
        self.children(node).map(|child| self.text(child)).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

fn words(value: &Value) -> String {
    value.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn property<'a>(node: &'a Value, name: &str) -> &'a Value {
    let mut properties = node["properties"].as_array().into_iter().flatten();
    properties.find(|property| property["name"] == name).map_or(&Value::Null, |property| &property["value"]["value"])
}

/// In the script's words and order.
fn states(node: &Value) -> String {
    let names = [
        ("checked", "checked"),
        ("required", "required"),
        ("invalid", "invalid"),
        ("readonly", "read-only"),
        ("disabled", "unavailable"),
        ("busy", "busy"),
        ("focused", "focused"),
    ];
    let holds = |name: &str| matches!(property(node, name), Value::Bool(true)) || property(node, name) == "true";
    let held = names.into_iter().filter(|(name, _)| holds(name)).map(|(_, word)| word);
    held.collect::<Vec<_>>().join(", ")
}

/// Emulates what a customer has set in their system.
async fn prefer(browser: &Browser, name: &str, value: &str) {
    browser.devtools("Emulation.setEmulatedMedia", json!({"features": [{"name": name, "value": value}]})).await;
}

/// What of two elements' looks is no colour, as `[one, other]`; each is an expression on `root`.
async fn shapes(browser: &Browser, one: &str, other: &str) -> (Value, Value) {
    let look = format!(
        "const root = document.querySelector('flexepin-cashier').shadowRoot;
        const shape = (node) => {{
          const {{ outlineStyle, outlineWidth, borderTopStyle, borderTopWidth, fontWeight, textDecorationLine }} = getComputedStyle(node);
          const before = getComputedStyle(node, '::before').content, after = getComputedStyle(node, '::after').content;
          return {{ outlineStyle, outlineWidth, borderTopStyle, borderTopWidth, fontWeight, textDecorationLine, before, after }};
        }};
        return [shape({one}), shape({other})]"
    );
    let found = browser.script(&look, &[]).await;
    (found[0].clone(), found[1].clone())
}

#[tokio::test]
async fn states_differ_by_more_than_colour_also_where_colours_are_forced() {
    browse(DESKTOP, async |browser| {
        for forced in ["none", "active"] {
            prefer(browser, "forced-colors", forced).await;
            let (_shop, widget) = show(browser, Shown::Mistakes, "").await;
            let is_forced = browser.script("return matchMedia('(forced-colors: active)').matches", &[]).await;
            assert_eq!(is_forced, forced == "active");
            let choice = |index: usize| format!("root.querySelectorAll('.choice span')[{index}]");

            let (error, hint) =
                shapes(browser, "root.querySelector('.error')", "root.querySelector('[part=hint]')").await;
            assert_ne!(error, hint, "{forced}: an error has a sign");
            assert!(error["before"].as_str().is_some_and(|sign| sign.contains('⚠')), "{error}");

            widget.choose_amount("€25.00").await;
            let (chosen, other) = shapes(browser, &choice(1), &choice(0)).await;
            assert_ne!(chosen["after"], other["after"], "{forced}: a chosen value has a tick");
            assert_ne!(chosen["fontWeight"], other["fontWeight"], "{forced}");

            // By keys: then the focus is shown.
            browser.keys(&char::from(fantoccini::key::Key::Right).to_string()).await;
            widget.text_with("submit", "€50.00").await;
            let (focused, _) = shapes(browser, &choice(2), &choice(1)).await;
            assert_ne!(focused["outlineStyle"], "none", "{forced}: {focused}");
            browser.keys(&char::from(fantoccini::key::Key::Tab).to_string()).await;
            let (left, _) = shapes(browser, &choice(2), &choice(1)).await;
            assert_ne!(focused["outlineStyle"], left["outlineStyle"], "{forced}: chosen, with the focus and without");
            let (field, _) = shapes(browser, "root.querySelector('[part=email]')", &choice(0)).await;
            assert_ne!(field["outlineStyle"], "none", "{forced}: a field with the focus");

            if forced == "active" {
                let (wrong, right) = shapes(browser, "root.querySelector('[part=pin]')", &choice(0)).await;
                assert_ne!(wrong["borderTopStyle"], right["borderTopStyle"], "a field with an error");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn nothing_moves_for_long_and_where_that_is_wished_for_only_what_says_that_something_goes_on() {
    // The length in ms of each animation that goes on, -1 for what has no end with the length of a turn; then the longest
    // transition.
    let look = "const root = document.querySelector('flexepin-cashier').shadowRoot;
        const times = [...root.children].flatMap((part) => part.getAnimations({ subtree: true })).map(({ effect }) => effect.getComputedTiming());
        const ms = (list) => Math.max(...list.split(',').map((time) => parseFloat(time) * 1000));
        const transitions = [...root.querySelectorAll('*')].map((node) => ms(getComputedStyle(node).transitionDuration));
        const turning = times.filter(({ endTime }) => endTime === Infinity).map(({ duration }) => duration);
        return { turning, ending: times.filter(({ endTime }) => endTime !== Infinity).map(({ endTime }) => endTime), transition: Math.max(...transitions) }";
    browse(DESKTOP, async |browser| {
        for (wish, turn, end) in [("no-preference", 500.0, 1000.0), ("reduce", 4000.0, 0.0)] {
            prefer(browser, "prefers-reduced-motion", wish).await;
            for shown in [Shown::Editing, Shown::Redeeming, Shown::Waiting, Shown::Unconfirmed, Shown::Redeemed] {
                let (_shop, _widget) = show(browser, shown, "").await;
                let found = browser.script(look, &[]).await;
                let all = |what: &str| -> Vec<f64> {
                    found[what].as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
                };
                let is_busy = matches!(shown, Shown::Redeeming | Shown::Waiting);
                assert_eq!(all("turning").len(), usize::from(is_busy), "{wish} {shown:?}: {found}");
                assert!(all("turning").iter().all(|time| *time >= turn), "{wish} {shown:?}: {found}");
                assert!(all("ending").iter().all(|time| *time <= end), "{wish} {shown:?}: {found}");
                assert!(found["transition"].as_f64().is_some_and(|time| time <= end), "{wish} {shown:?}: {found}");
                browser.accept_leaving().await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_hour_later_every_screen_that_waits_for_the_customer_still_waits() {
    const HOUR_MS: u32 = 3_600_000;
    for shown in [Shown::Mistakes, Shown::Confirming, Shown::Failed] {
        // One browser each: its clock is not the world's any more.
        browse(DESKTOP, async |browser| {
            let clock = async || browser.script("return Date.now()", &[]).await.as_f64().expect("a time");
            let is_written = async || {
                let tree = browser.devtools("Accessibility.getFullAXTree", json!({})).await;
                are_as(&Tree::of(&tree).lines(), &Spoken::of(shown).lines).then_some(())
            };
            let (_shop, _widget) = show(browser, shown, "").await;
            until("the screen is as written", is_written).await;
            let start = clock().await;
            let hour = json!({"policy": "advance", "budget": HOUR_MS});
            browser.devtools("Emulation.setVirtualTimePolicy", hour).await;
            until("an hour has passed", async || (clock().await - start >= f64::from(HOUR_MS)).then_some(())).await;
            assert!(is_written().await.is_some(), "{shown:?} has changed");
        })
        .await;
    }
}
