//! What a screen reader says on each screen: `docs/screen-reader.md` is the script, and this holds the widget to it.
//! Roles and names are those that the browser computes, descriptions and states those that the markup has (in
//! `accessibility_in_chromium`, the browser's too); what the live regions say is taken down from before the widget is
//! there.

use crate::browser::{Browser, DESKTOP, browse, until};
use crate::merchant::{FIXED, Merchant, Road, Serves};
use crate::sandbox::issue;
use crate::screens::{Shown, show};
use crate::widget::Widget;
use axum::body::Body;
use axum::http::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

const READ: &str = include_str!("spoken/read.js");
const LOG: &str = include_str!("spoken/log.js");

/// How long a screen may take to say what is written.
const LIMIT: Duration = Duration::from_secs(5);

/// What is said of one screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Spoken {
    /// From top to bottom.
    pub(crate) lines: Vec<Line>,
    /// By the live regions, in order, since the page was loaded: `role: words`.
    announced: Vec<String>,
}

/// One thing that the screen reader comes to: a row of the screen's table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Line {
    pub(crate) role: String,
    /// The name, or the text.
    pub(crate) says: String,
    pub(crate) description: String,
    pub(crate) states: String,
}

impl fmt::Display for Line {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, says, description, states } = self;
        write!(to, "| {role} | {says} | {description} | {states} |")
    }
}

impl fmt::Display for Spoken {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(to, "{line}"))?;
        self.announced.iter().try_for_each(|said| writeln!(to, "- {said}"))
    }
}

impl Spoken {
    /// What the document has under a screen's name.
    pub(crate) fn of(shown: Shown) -> Self {
        Self::under(&format!("{shown:?}"))
    }

    /// What the document has under a heading.
    fn under(title: &str) -> Self {
        let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/screen-reader.md");
        let document = std::fs::read_to_string(document).expect("the script is there");
        let heading = format!("\n## {title}\n");
        let (_, after) = document.split_once(&heading).unwrap_or_else(|| panic!("the script has no{heading}"));
        let section = after.split("\n## ").next().unwrap_or_default();
        let line = |row: &str| {
            let cells: Vec<_> = row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
            let [role, says, description, states] = cells.try_into().expect("four cells");
            Line { role, says, description, states }
        };
        Self {
            // Without the head of the table.
            lines: section.lines().filter(|line| line.starts_with('|')).skip(2).map(line).collect(),
            announced: section.lines().filter_map(|line| line.strip_prefix("- ")).map(str::to_owned).collect(),
        }
    }

    /// Whether this is what the script has.
    pub(crate) fn is_as(&self, written: &Self) -> bool {
        let announced = self.announced.iter().zip(&written.announced);
        self.announced.len() == written.announced.len()
            && announced.into_iter().all(|(said, pattern)| fits(said, pattern))
            && are_as(&self.lines, &written.lines)
    }
}

/// Whether each line is the script's, in the script's order.
pub(crate) fn are_as(heard: &[Line], written: &[Line]) -> bool {
    heard.len() == written.len()
        && heard.iter().zip(written).all(|(heard, written)| {
            heard.role == written.role
                && heard.states == written.states
                && fits(&heard.says, &written.says)
                && fits(&heard.description, &written.description)
        })
}

/// Whether a text is the pattern's, in which `{…}` stands for any words.
fn fits(text: &str, pattern: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('{') else { return text == pattern };
    let after = rest.split_once('}').map_or("", |(_, after)| after);
    text.strip_prefix(before)
        .is_some_and(|text| (1..=text.len()).any(|at| text.is_char_boundary(at) && fits(&text[at..], after)))
}

/// What is said now.
async fn heard(browser: &Browser) -> Spoken {
    let mut lines = Vec::new();
    for found in browser.script(READ, &[]).await.as_array().into_iter().flatten() {
        let word = |name: &str| found[1][name].as_str().unwrap_or_default().to_owned();
        let states: Vec<_> = found[1]["states"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut line = Line {
            role: word("role"),
            says: word("name"),
            description: word("description"),
            states: states.join(", "),
        };
        // The key that the WebDriver specification gives element references.
        if let Some(id) = found[0]["element-6066-11e4-a52e-4f735466cecf"].as_str() {
            let level = found[1]["level"].as_u64().map_or(String::new(), |level| format!(" {level}"));
            line.role = computed(browser, id, "role").await + &level;
            line.says = computed(browser, id, "label").await;
        }
        lines.push(line);
    }
    Spoken { lines, announced: announced(browser).await }
}

/// The role or the label that the browser computes for an element. The element may be gone meanwhile.
async fn computed(browser: &Browser, element: &str, what: &str) -> String {
    let address = format!("{}/element/{element}/computed{what}", browser.address().await);
    let request = Request::get(address).body(Body::empty()).expect("a request");
    let response =
        Client::builder(TokioExecutor::new()).build_http().request(request).await.expect("the driver answers");
    let answer = axum::body::to_bytes(Body::new(response.into_body()), 1 << 20).await.expect("a body");
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    let words = answer["value"].as_str().map_or_else(|| answer["value"].to_string(), str::to_owned);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A tag's attributes, by which [`LOG`] follows the tag: before anything has happened in it.
fn logged() -> String {
    format!("></flexepin-cashier><script>{LOG}</script><i")
}

/// What the live regions have said so far; nothing was said in a way that a screen reader misses.
async fn announced(browser: &Browser) -> Vec<String> {
    let log = browser.script("return window.flexepinSpoken", &[]).await;
    assert_eq!(log["missed"], json!([]), "said where no screen reader hears it");
    assert!(log["regions"].as_u64() >= Some(2), "the shell's regions are seen: {log}");
    log["said"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[tokio::test]
async fn each_screen_says_what_is_written_and_no_live_region_comes_with_its_words() {
    browse(DESKTOP, async |browser| {
        for shown in Shown::ALL {
            let (_shop, _widget) = show(browser, shown, &logged()).await;
            let (written, start) = (Spoken::of(shown), Instant::now());
            // The focus comes a moment after the phase.
            loop {
                let heard = heard(browser).await;
                if heard.is_as(&written) {
                    break;
                }
                assert!(start.elapsed() < LIMIT, "{shown:?} is written as\n{written}\nand heard as\n{heard}");
            }
            browser.accept_leaving().await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_goes_on_is_said_by_regions_that_were_there_before() {
    let shop = Merchant::with_widget(&format!("{FIXED} {}", logged())).await;
    shop.set_wasm(Serves::Held);
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::on(browser).await;
        widget.type_into("pin", &issue(25.0, "EUR").await).await;
        widget.click("submit").await;
        let said = async |count: usize| {
            until("it is said", async || Some(announced(browser).await).filter(|said| said.len() >= count)).await
        };
        said(1).await;
        shop.set_road(Road::HoldsAnswers);
        shop.set_wasm(Serves::AsBuilt);
        said(2).await;
        shop.set_road(Road::Open);
        widget.reaches("redeemed").await;
        widget.click("copy").await;
        let (said, written) = (said(3).await, Spoken::under("Live regions in a slow redemption").announced);
        assert_eq!(said.len(), written.len(), "{said:?}");
        assert!(said.iter().zip(&written).all(|(said, written)| fits(said, written)), "{said:?}");
    })
    .await;
}

#[tokio::test]
async fn a_region_that_comes_with_its_words_or_is_not_seen_is_told() {
    browse(DESKTOP, async |browser| {
        let (_shop, _widget) = show(browser, Shown::Editing, &logged()).await;
        for plant in [
            "const late = document.createElement('p'); late.setAttribute('role', 'alert'); late.textContent = 'late';
             root.append(late)",
            "const live = root.querySelector('[data-slot=live]'); live.hidden = true; live.textContent = 'unseen'",
        ] {
            let missed = "return window.flexepinSpoken.missed.length";
            let before = browser.script(missed, &[]).await.as_u64();
            browser
                .script(&format!("const root = document.querySelector('flexepin-cashier').shadowRoot; {plant}"), &[])
                .await;
            until(plant, async || (browser.script(missed, &[]).await.as_u64() > before).then_some(())).await;
        }
    })
    .await;
}
