//! What is drawn stays whole: targets that a thumb hits, 320 px, which are 400 % of zoom, and the text spacing of WCAG
//! 1.4.12. On every screen, measured in the boxes that the browser draws.

use crate::browser::{Browser, NARROW, browse};
use crate::screens::{Shown, show};
use serde_json::{Value, json};

const MEASURE: &str = include_str!("layout/measure.js");

/// Puts [`MEASURE`] into the page as the page's own script: a driver's may be in a sandbox.
async fn bring(browser: &Browser) {
    let bring = "const script = document.createElement('script');
        script.textContent = arguments[0];
        document.head.append(script)";
    browser.script(bring, &[json!(MEASURE)]).await;
}

/// What `layout.…` finds wrong after a `change`. It must have looked at something.
async fn faults(browser: &Browser, change: &str, what: &str) -> Vec<String> {
    let found = browser.script(&format!("{change}; return JSON.stringify(window.layout.{what}())"), &[]).await;
    let found: Value = serde_json::from_str(found.as_str().expect("a text")).expect("JSON");
    assert!(found["looked"].as_u64() > Some(0), "{what} looked at nothing");
    found["faults"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_screen_is_whole_in_320_px_with_wide_text_and_its_targets_are_44_px() {
    browse(NARROW, async |browser| {
        let mut wrong = Vec::new();
        for shown in Shown::ALL {
            let (_shop, _widget) = show(browser, shown, "").await;
            bring(browser).await;
            browser.script("return window.layout.narrow()", &[]).await;
            for (change, what) in [
                ("", "targets"),
                ("", "faults"),
                ("window.layout.spacing()", "faults"),
                ("window.layout.smallRoot()", "targets"),
                ("", "faults"),
            ] {
                let faults = faults(browser, change, what).await;
                wrong.extend(faults.iter().map(|fault| format!("{shown:?} {change} {what}: {fault}")));
            }
            browser.accept_leaving().await;
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}

#[tokio::test]
async fn what_is_clipped_covered_or_small_is_seen() {
    browse(NARROW, async |browser| {
        let (_shop, _widget) = show(browser, Shown::Editing, "").await;
        bring(browser).await;
        for (css, what, fault) in [
            ("[part=pin-toggle] { min-block-size: 30px !important }", "targets", "pin-toggle is"),
            ("[part=submit] { min-inline-size: 2000px !important }", "faults", "submit is drawn beyond"),
            ("[part=title] { block-size: 10px; overflow: hidden }", "faults", "is clipped by title"),
            ("[part=note] { position: relative; inset-block-end: 60px }", "faults", "overlap"),
        ] {
            let faults = faults(browser, &format!("window.layout.adopt('{css}')"), what).await;
            assert!(faults.iter().any(|found| found.contains(fault)), "{fault}: {faults:?}");
        }
    })
    .await;
}
