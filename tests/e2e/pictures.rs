//! Pictures of every screen, for people to look at. `cargo xtask pictures` keeps those that the documents show.

use crate::browser::{Browser, DESKTOP, Scheme, browse};
use crate::screens::{Shown, show};
use serde_json::json;
use std::path::{Path, PathBuf};

/// What the pictures are taken for: `E2E_PICTURES`, else a folder for tests.
fn folder() -> PathBuf {
    let folder =
        std::env::var("E2E_PICTURES").map_or(Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures"), PathBuf::from);
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    folder
}

/// The widget alone, in a PNG.
async fn take(browser: &Browser, file: &str) {
    // Nothing moves, no caret blinks, and no id is another one each time.
    let settle = "
        const root = document.querySelector('flexepin-cashier').shadowRoot;
        root.activeElement?.blur();
        for (const animation of root.getAnimations()) animation.cancel();
        for (const part of root.querySelectorAll('[part=reference], [part=receipt-serial], [part=receipt-transaction]'))
          part.textContent = part.textContent.replace(/[0-9a-f]/g, '0');
        for (const part of root.querySelectorAll('[part=receipt-date], [part=retry-after], [part=checked], [part=wait]')) part.textContent = part.textContent.replace(/[0-9]/g, '0');
        document.body.style.margin = '16px';
        document.body.style.background = document.querySelector('flexepin-cashier').theme === 'dark' ? '#0e131b' : '#eef2f7';
        document.body.style.fontFamily = 'system-ui, sans-serif';
        const {height} = document.querySelector('flexepin-cashier').getBoundingClientRect();
        return Math.ceil(height) + 32;
    ";
    let height = browser.script(settle, &[]).await;
    let clip = json!({"x": 0, "y": 0, "width": 480, "height": height, "scale": 1});
    let taken = browser.devtools("Page.captureScreenshot", json!({"clip": clip, "captureBeyondViewport": true})).await;
    let png = taken["data"].as_str().expect("a picture");
    let png = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, png).expect("base64");
    assert!(png.len() > 2000, "{file} shows something");
    std::fs::write(folder().join(file), png).expect("written");
}

#[tokio::test]
async fn every_screen_is_taken_light_and_dark() {
    let gallery = include_str!("../../docs/screens/README.md");
    browse(DESKTOP, async |browser| {
        for shown in Shown::ALL {
            for (theme, scheme) in [("light", Scheme::Light), ("dark", Scheme::Dark)] {
                browser.scheme(scheme).await;
                let (_shop, _widget) = show(browser, shown, &format!("theme={theme}")).await;
                let file = format!("{}-{theme}.png", shown.name());
                assert!(gallery.contains(&format!("({file})")), "docs/screens/README.md shows {file}");
                take(browser, &file).await;
                browser.accept_leaving().await;
            }
        }
    })
    .await;
}
