//! Vite's dev server over the packed module, as a merchant's developer has it: its dependency optimiser serves copies
//! of modules from a folder of its own, and the wasm must be found all the same, without any set-up.

use crate::browser::{DESKTOP, browse, until};
use crate::given;
use crate::sandbox::{issue, taken};
use crate::widget::Widget;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Starts the one of this npm package; gives its address.
async fn start(vite: &str) -> (String, Child) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hosts/dev.mjs");
    let work = format!("{}/work", given("E2E_HOSTS"));
    let mut server = Command::new("node");
    server.args([script, "--work", &work, "--vite", vite, "--port", "0", "--proxy", &given("E2E_PROXY")]);
    server.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut server = server.spawn().expect("node starts");
    let mut lines = BufReader::new(server.stdout.take().expect("it is piped")).lines();
    let listens = async {
        while let Some(line) = lines.next_line().await.expect("it writes text") {
            if let Some(url) = line.strip_prefix("listens on ") {
                return url.to_owned();
            }
        }
        panic!("the dev server ended before it listened");
    };
    let url = tokio::time::timeout(Duration::from_mins(1), listens).await.expect("the dev server listens in time");
    (url, server)
}

#[tokio::test]
async fn pages_of_vites_dev_server_find_the_wasm_of_the_packed_module() {
    // Vite 8 moves the module's `new URL` along with the module; before it nobody did, and the module looks for itself.
    for (vite, host) in [("vite", "react"), ("vite-7", "html")] {
        let (url, _server) = start(vite).await;
        let pin = issue(25.0, "EUR").await;
        browse(DESKTOP, async |browser| {
            browser.goto(&format!("{url}/{host}/module/index.html")).await;
            let widget = Widget::ready_on(browser).await;
            let look = "return performance.getEntriesByType('resource').map(({ name }) => name).join(' ')";
            let loaded = browser.script(look, &[]).await.to_string();
            assert!(loaded.contains("/.vite/deps/flexepin-cashier.js"), "the module is an optimised copy: {loaded}");
            widget.choose_amount("€25.00").await;
            widget.type_into("pin", &pin).await;
            widget.click("submit").await;
            let heard = "return document.getElementById('heard').textContent === 'REDEEMED 2500 EUR '";
            until("the app has heard", async || browser.script(heard, &[]).await.as_bool().filter(|heard| *heard))
                .await;
            assert!(taken(&pin).await.is_string());
        })
        .await;
    }
}
