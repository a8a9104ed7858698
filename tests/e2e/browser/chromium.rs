//! What only Chromium's own protocol can do. Tests that need it are not in `everywhere/`: elsewhere each of these panics.

use super::{Browser, Command, Engine, Scheme};
use fantoccini::error::CmdError;
use serde_json::{Value, json};

impl Browser {
    /// The renderer of the tab in hand dies.
    pub(crate) async fn crash(&self) {
        self.needs_chromium("crash");
        let crash = Command { path: "goog/cdp/execute", body: json!({"cmd": "Page.crash", "params": {}}) };
        // The driver answers that its tab has crashed.
        let _ = self.client.issue_cmd(crash).await;
    }

    /// Takes the network away, or gives it back.
    pub(crate) async fn offline(&self, offline: bool) {
        self.devtools("Network.enable", json!({})).await;
        let conditions = json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        self.devtools("Network.emulateNetworkConditions", conditions).await;
    }

    /// Sets what the system prefers; it prefers light without.
    pub(crate) async fn scheme(&self, scheme: Scheme) {
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let features = json!([{"name": "prefers-color-scheme", "value": value}]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features})).await;
    }

    /// Runs a script in the page before the page's own, at each load of this tab from now on.
    pub(crate) async fn before_each_page(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": script})).await;
    }

    /// A command of the browser's own protocol (CDP).
    pub(crate) async fn devtools(&self, name: &str, parameters: Value) -> Value {
        self.needs_chromium(name);
        self.command("goog/cdp/execute", json!({"cmd": name, "params": parameters})).await
    }

    /// The errors in the browser's log since the last call.
    pub(super) async fn log_of_errors(&self) -> Result<Vec<String>, CmdError> {
        let entries = self.client.issue_cmd(Command { path: "se/log", body: json!({"type": "browser"}) }).await?;
        let errors = entries.as_array().into_iter().flatten().filter(|entry| entry["level"] == "SEVERE");
        Ok(errors.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect())
    }

    /// Everything in the browser's log since the last call.
    pub(crate) async fn whole_log(&self) -> Vec<String> {
        let entries = self.command("se/log", json!({"type": "browser"})).await;
        entries.as_array().into_iter().flatten().map(Value::to_string).collect()
    }

    fn needs_chromium(&self, what: &str) {
        let engine = self.engine;
        assert_eq!(
            engine,
            Engine::Chromium,
            "{what} is of Chromium's own protocol: a test that needs it is not for everywhere/"
        );
    }
}
