//! Where the document's examples are laid out: a shop and the two other origins that the document knows, with the widget's
//! files where it says. Each test has its own; the folder is one for all.

use crate::browser::Browser;
use crate::given;
use crate::merchant::Merchant;
use crate::sandbox::{issue, taken};
use crate::widget::Widget;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha384};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// What the document has in the place of two origins, and of the script's hash.
pub(crate) const CDN: &str = "https://cdn.example";
const PAY: &str = "https://pay.example";
const HASH: &str = "sha384-…";

/// The shop's folder, laid out as the document says: the widget's files under their version, the script a second time
/// alone, and the answer of the shop's own server in the example of `beforeSubmit`.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples");
    let versioned = folder.join("flexepin-cashier").join(env!("CARGO_PKG_VERSION"));
    let assets = folder.join("assets");
    for place in [&versioned, &assets] {
        fs::create_dir_all(place).expect("target/ is writable");
    }
    for end in ["js", "mjs", "css", "wasm"] {
        fs::copy(shipped(end), versioned.join(format!("flexepin-cashier.{end}"))).expect("dist/ is there");
    }
    fs::copy(shipped("js"), assets.join("flexepin-cashier.js")).expect("dist/ is there");
    fs::write(folder.join("checkout-session"), r#"{"token": "t-1"}"#).expect("target/ is writable");
    folder
});

fn shipped(end: &str) -> PathBuf {
    Path::new(&given("E2E_DIST")).join(format!("flexepin-cashier.{end}"))
}

/// The hash of the script as shipped, as a tag has it.
pub(crate) fn integrity() -> String {
    format!("sha384-{}", STANDARD.encode(Sha384::digest(fs::read(shipped("js")).expect("dist/ is there"))))
}

/// The shop, and the two other origins that the document knows.
pub(crate) struct Street {
    /// Where the pages are.
    pub(crate) shop: Merchant,
    cdn: Merchant,
    /// Has an endpoint too, and pages of its own.
    pub(crate) pay: Merchant,
}

impl Street {
    /// Opens all three.
    pub(crate) async fn open() -> Self {
        let merchant = async || Merchant::of_folder(&*FOLDER).await;
        Self { shop: merchant().await, cdn: merchant().await, pay: merchant().await }
    }

    /// A text of the document with real addresses and the script's real hash.
    pub(crate) fn fill(&self, text: &str) -> String {
        text.replace(CDN, &self.cdn.url).replace(PAY, &self.pay.url).replace(HASH, &integrity())
    }

    /// Lays a page of the document out as the shop's front page.
    pub(crate) fn lay(&self, html: &str, headers: &[(&str, &str)]) {
        self.shop.add_page(
            "/",
            format!("<!doctype html><html lang=en><title>Shop</title><body>{}", self.fill(html)),
            headers,
        );
    }

    /// A POST's header, at the one endpoint that got one.
    pub(crate) fn header_of_the_post(&self, name: &str) -> Option<String> {
        let mut seen = self.shop.requests().into_iter().chain(self.pay.requests());
        seen.find(|seen| seen.line.starts_with("POST /cashier/"))?.header(name).map(str::to_owned)
    }
}

/// Redeems a voucher of 25 EUR with the page's one widget, by hand; gives what the page heard.
pub(crate) async fn redeem(browser: &Browser) -> Value {
    let widget = Widget::ready_on(browser).await;
    let pin = issue(25.0, "EUR").await;
    widget.type_into("pin", &pin).await;
    if widget.shows("amount-option").await {
        widget.choose_amount("€25.00").await;
    }
    widget.click("submit").await;
    let detail = widget.event("flexepin-redeemed").await;
    assert_eq!(taken(&pin).await, detail["transactionId"]);
    detail
}
