//! What is left of a widget that was destroyed: no host, listener, timer, style sheet or request, and no memory that
//! grows with the number of widgets. Chromium's own protocol counts; the page's script (`leaks/lives.js`) has widgets
//! come and go.

use crate::browser::{Browser, DESKTOP, browse};
use crate::merchant::Merchant;
use serde_json::{Value, json};

/// A page of lives.
fn page() -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Shop</title><link rel=icon href=data:,>\n\
         <script>{}</script><script src=/flexepin-cashier.js></script><main></main>\n",
        include_str!("leaks/lives.js")
    )
}

/// What there is of something in the page, after a thorough cleaning.
#[derive(Debug)]
struct Left {
    hosts: u64,
    sheets: u64,
    timers: u64,
    requests: u64,
    /// Those of the window, the document and media queries, by their kinds.
    listeners: Vec<String>,
    /// Every function that somebody could still call: a listener's closure that Rust has forgotten is one.
    functions: u64,
    nodes: u64,
    heap_bytes: u64,
    wasm_bytes: u64,
}

impl Left {
    async fn on(browser: &Browser) -> Self {
        // What is found only dead the first time may have held something else.
        for _ in 0..3 {
            browser.devtools("HeapProfiler.collectGarbage", json!({})).await;
        }
        let heap = browser.devtools("Runtime.getHeapUsage", json!({})).await;
        let dom = browser.devtools("Memory.getDOMCounters", json!({})).await;
        let mut listeners = Vec::new();
        for target in ["window", "document"] {
            listeners.extend(kinds(browser, &object(browser, target).await).await);
        }
        let queries = objects(browser, "MediaQueryList.prototype").await;
        for at in 0..length(browser, &queries).await {
            listeners.extend(
                kinds(browser, &call(browser, &queries, &format!("return this[{at}]"), false).await["objectId"]).await,
            );
        }
        let memories = objects(browser, "WebAssembly.Memory.prototype").await;
        let left = Self {
            hosts: length(browser, &objects(browser, "customElements.get('flexepin-cashier').prototype").await).await,
            sheets: length(browser, &objects(browser, "CSSStyleSheet.prototype").await).await,
            timers: number(&browser.script("return timers.size", &[]).await),
            requests: number(&browser.script("return requests.size", &[]).await),
            listeners,
            functions: length(browser, &objects(browser, "Function.prototype").await).await,
            nodes: number(&dom["nodes"]),
            heap_bytes: number(&heap["usedSize"]),
            wasm_bytes: told(browser, &memories, "return this.reduce((sum, each) => sum + each.buffer.byteLength, 0)")
                .await,
        };
        browser.devtools("Runtime.releaseObjectGroup", json!({"objectGroup": "leaks"})).await;
        left
    }

    /// Nothing is there that was not there `before`; `name` is said when there is.
    fn is_nothing_but(&self, before: &Self, name: &str) {
        let exactly = |left: &Self| (left.hosts, left.sheets, left.timers, left.requests, left.listeners.clone());
        assert_eq!(exactly(self), exactly(before), "{name}: hosts, sheets, timers, requests, listeners");
        // The browser's own caches come and go.
        assert!(self.functions <= before.functions + 20, "{name}: functions: {before:?} became {self:?}");
        assert!(self.nodes <= before.nodes + 40, "{name}: nodes: {before:?} became {self:?}");
        assert!(self.wasm_bytes <= before.wasm_bytes + 65_536, "{name}: wasm: {before:?} became {self:?}");
    }
}

#[tokio::test]
async fn a_thousand_widgets_leave_no_host_and_no_growing_memory() {
    let shop = Merchant::open(page()).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        live(browser, "ready", 200).await;
        let early = Left::on(browser).await;
        assert_eq!((early.hosts, early.timers, early.requests), (0, 0, 0));
        live(browser, "ready", 800).await;
        let late = Left::on(browser).await;
        late.is_nothing_but(&early, "800 more");
        // About 70 bytes a widget are the engine's own, and end after some thousands.
        let grown = late.heap_bytes.saturating_sub(early.heap_bytes);
        assert!(grown < 800 * 250, "{grown} bytes more: {early:?} became {late:?}");
    })
    .await;
}

#[tokio::test]
async fn whatever_a_widget_was_doing_nothing_of_it_is_left() {
    let shop = Merchant::open(page()).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let lives =
            ["not yet ready", "redeemed", "waiting", "asking", "with a press under way", "put elsewhere and back"];
        for life in lives {
            live(browser, life, 10).await;
            let early = Left::on(browser).await;
            assert_eq!((early.hosts, early.timers, early.requests), (0, 0, 0), "{life}");
            live(browser, life, 50).await;
            Left::on(browser).await.is_nothing_but(&early, life);
        }
    })
    .await;
}

#[tokio::test]
async fn a_request_that_has_left_goes_on_alone_and_is_let_go_of_with_its_answer() {
    let shop = Merchant::open(page()).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        live(browser, "redeemed", 5).await;
        let before = Left::on(browser).await;
        live(browser, "redeeming", 5).await;
        let meanwhile = Left::on(browser).await;
        // The widget is told what came of it; nothing else of it is there.
        assert_eq!((meanwhile.hosts, meanwhile.requests), (5, 5));
        assert_eq!((meanwhile.timers, &meanwhile.listeners), (0, &before.listeners));
        browser.script("for (const answer of requests.values()) answer(); return live('ready', 5)", &[]).await;
        Left::on(browser).await.is_nothing_but(&before, "answered");
    })
    .await;
}

/// Has so many widgets come and go, in portions that a driver waits for.
async fn live(browser: &Browser, life: &str, times: u32) {
    for _ in 0..times / 5 {
        browser.script("return live(arguments[0], 5)", &[json!(life)]).await;
    }
}

/// The id of what an expression gives.
async fn object(browser: &Browser, expression: &str) -> Value {
    let found = json!({"expression": expression, "objectGroup": "leaks"});
    browser.devtools("Runtime.evaluate", found).await["result"]["objectId"].clone()
}

/// The id of a list of all living objects with this prototype.
async fn objects(browser: &Browser, prototype: &str) -> Value {
    let found = json!({"prototypeObjectId": object(browser, prototype).await, "objectGroup": "leaks"});
    browser.devtools("Runtime.queryObjects", found).await["objects"]["objectId"].clone()
}

async fn length(browser: &Browser, list: &Value) -> u64 {
    told(browser, list, "return this.length").await
}

/// The number that a function's body returns of an object.
async fn told(browser: &Browser, object: &Value, body: &str) -> u64 {
    number(&call(browser, object, body, true).await["value"])
}

/// What a function's body returns of an object: a value, or the id of another object.
async fn call(browser: &Browser, object: &Value, body: &str, by_value: bool) -> Value {
    let function = format!("function () {{ {body} }}");
    let call =
        json!({"objectId": object, "functionDeclaration": function, "returnByValue": by_value, "objectGroup": "leaks"});
    browser.devtools("Runtime.callFunctionOn", call).await["result"].clone()
}

/// What is listened to on an object.
async fn kinds(browser: &Browser, target: &Value) -> Vec<String> {
    let found = browser.devtools("DOMDebugger.getEventListeners", json!({"objectId": target})).await;
    let found = found["listeners"].as_array().expect("a list");
    found.iter().map(|listener| listener["type"].to_string()).collect()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no count"))
}
