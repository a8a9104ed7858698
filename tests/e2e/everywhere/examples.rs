//! The examples of docs/merchant.md, as a merchant would paste them: each page redeems a voucher, each policy is sent as the
//! header that it is and nothing is reported. And the tag that the playground writes. Left to `document`: which examples
//! there are, and what needs no browser.

mod pins;
pub(super) mod street;

use crate::browser::{DESKTOP, browse, until};
use crate::document::{Block, blocks, page};
use crate::given;
use crate::merchant::REPORTS;
use crate::sandbox::outcomes;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use street::{CDN, Street, integrity, redeem};

/// The page that a block makes.
fn page_of(block: &Block) -> String {
    let text = &block.text;
    match (block.language.as_str(), block.mark("on")) {
        ("html", _) => text.clone(),
        ("js", Some(on)) => format!("{}<script type=module>\n{text}</script>", page(on)),
        ("css", Some(on)) => format!("{}<style>\n{text}</style>", page(on)),
        // What a bundler does, or an import map: the package's name is the module's address.
        ("js", None) => format!(
            "<div id=checkout></div><script type=importmap>{}</script><script type=module>\n{text}</script>",
            json!({"imports": {"flexepin-cashier": format!("/flexepin-cashier/{}/flexepin-cashier.mjs", env!("CARGO_PKG_VERSION"))}})
        ),
        (language, _) => panic!("{language} is no page"),
    }
}

/// Pages whose voucher is redeemed elsewhere, or not at all.
const ELSEWHERE: [&str; 2] = ["script-error", "frame"];

/// What else is true of a page when its voucher is redeemed.
const ALSO: [(&str, &str); 4] = [
    ("one-tag", "return document.querySelector('script[data-endpoint] + flexepin-cashier') !== null"),
    ("one-tag-target", "return document.querySelector('#checkout > flexepin-cashier') !== null"),
    ("events", "return document.title.startsWith('Thank you: 25 EUR')"),
    (
        "theme",
        "const pin = document.querySelector('flexepin-cashier').shadowRoot.querySelector('[part=pin]');
         return getComputedStyle(pin).borderTopLeftRadius === '0px'",
    ),
];

/// The blocks with a page's name, in these languages.
fn pages(languages: &[&str]) -> Vec<Block> {
    let blocks = blocks().into_iter().filter(|block| block.mark("page").is_some_and(|name| !ELSEWHERE.contains(&name)));
    blocks.filter(|block| languages.contains(&block.language.as_str())).collect()
}

/// Redeems a voucher on each page; nobody has a reason to complain on the console.
async fn redeem_on_each(pages: &[Block]) {
    assert!(!pages.is_empty());
    browse(DESKTOP, async |browser| {
        for block in pages {
            let name = block.mark("page").unwrap_or_default();
            println!("the page {name}");
            let street = Street::open().await;
            street.lay(&page_of(block), &[]);
            browser.goto(&street.shop.url).await;
            redeem(browser).await;
            for (_, look) in ALSO.iter().filter(|(of, _)| *of == name) {
                assert_eq!(browser.script(look, &[]).await, true, "{name}: {look}");
            }
            let token = (name == "before-submit").then_some("Bearer t-1");
            assert_eq!(street.header_of_the_post("authorization").as_deref(), token, "{name}");
            let said: Vec<_> = browser.console().await.into_iter().filter(|said| said["level"] != "log").collect();
            assert!(said.is_empty(), "{name}: {said:?}");
        }
    })
    .await;
}

#[test]
fn each_page_has_a_name_of_its_own() {
    let names: Vec<String> = blocks().iter().filter_map(|block| block.mark("page")).map(str::to_owned).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    for name in ALSO.map(|(name, _)| name).iter().chain(&ELSEWHERE) {
        assert!(names.iter().any(|page| page == name), "there is no page {name}");
    }
}

#[tokio::test]
async fn each_page_of_the_document_redeems_a_voucher() {
    redeem_on_each(&pages(&["html"])).await;
}

#[tokio::test]
async fn each_script_and_style_sheet_of_the_document_works_on_its_page() {
    redeem_on_each(&pages(&["js", "css"])).await;
}

/// What a policy forbade, but for the icon that browsers ask for by themselves.
fn without_icon(told: Vec<Value>) -> Vec<Value> {
    told.into_iter().filter(|told| !told.to_string().contains("/favicon.ico")).collect()
}

#[tokio::test]
async fn under_each_policy_of_the_document_a_voucher_is_redeemed_and_nothing_is_reported() {
    let blocks: Vec<Block> = blocks().into_iter().filter(|block| block.mark("policy").is_some()).collect();
    assert_eq!(blocks.len(), 3);
    browse(DESKTOP, async |browser| {
        for block in &blocks {
            let name = block.mark("policy").unwrap_or_default();
            println!("the policy {name}");
            let street = Street::open().await;
            let (header, policy) = block.text.trim().split_once(": ").expect("a header");
            let policy = format!("{}; report-uri {REPORTS}", street.fill(policy));
            let html = page(block.mark("on").unwrap_or_default());
            // The recorder comes by the way that the policy leaves open, as the widget does.
            let recorder = match name {
                "nonce" => {
                    let nonce = html.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a nonce");
                    format!("<script nonce={nonce} src=/recorder.js></script>")
                }
                "cross-origin" => format!("<script src={CDN}/recorder.js></script>"),
                _ => "<script src=/recorder.js></script>".to_owned(),
            };
            street.lay(&format!("{recorder}{html}"), &[(header, policy.as_str())]);
            browser.goto(&street.shop.url).await;
            redeem(browser).await;
            let (told, reported) = (without_icon(browser.violations().await), without_icon(street.shop.reports()));
            assert_eq!((told, reported), (vec![], vec![]), "{name}");
            // That it would have been told: an inline style is forbidden.
            browser
                .script(
                    "document.body.append(document.createElement('style'))
                document.querySelector('style').textContent = 'p { color: red }'",
                    &[],
                )
                .await;
            until("a violation is told", async || (!browser.violations().await.is_empty()).then_some(())).await;
        }
    })
    .await;
}

#[tokio::test]
async fn in_the_documents_frame_a_voucher_is_redeemed() {
    let street = Street::open().await;
    street.pay.add_page(
        "/cashier",
        format!("<!doctype html><title>Pay</title><body>{}", street.fill(&page("paste"))),
        &[],
    );
    street.lay(&page("frame"), &[]);
    browse(DESKTOP, async |browser| {
        browser.goto(&street.shop.url).await;
        let frame = browser.element("return document.querySelector('iframe')", &[]).await.expect("the frame");
        frame.enter_frame().await.expect("the driver enters it");
        redeem(browser).await;
        assert!(street.shop.posts().is_empty() && street.pay.posts().len() == 1);
    })
    .await;
}

#[tokio::test]
async fn where_the_script_does_not_come_the_page_of_the_document_says_so() {
    let street = Street::open().await;
    street.lay(&page("script-error"), &[]);
    browse(DESKTOP, async |browser| {
        browser.goto(&street.shop.url).await;
        let shown = "return document.querySelector('#no-form').hidden ? null : true";
        until("the page says so", async || browser.script(shown, &[]).await.as_bool()).await;
    })
    .await;
}

#[tokio::test]
async fn the_books_have_the_redemption_in_the_form_that_the_document_shows() {
    let example = |language: &str| {
        let mut blocks = blocks().into_iter().filter(|block| block.mark("example") == Some("outcomes"));
        blocks.find(|block| block.language == language).expect("it is in the document").text
    };
    assert!(
        example("sh").contains("-H \"Authorization: Bearer $CASHIER_OUTCOMES_TOKEN\"")
            && example("sh").contains("/outcomes?after=0\"")
    );
    let shown: Value = serde_json::from_str(&example("json")).expect("JSON");
    let street = Street::open().await;
    street.lay(&page("paste"), &[]);
    browse(DESKTOP, async |browser| {
        browser.goto(&street.shop.url).await;
        let detail = redeem(browser).await;
        let rows = outcomes().await;
        let row = rows.iter().find(|row| row["attempt"] == detail["attempt"]).expect("it is in the books");
        let keys = |row: &Value| row.as_object().expect("a row").keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(keys(row), keys(&shown["outcomes"][0]));
        for (key, value) in [
            ("userId", json!("user_123")),
            ("currency", json!("EUR")),
            ("value", json!(25.0)),
            ("outcome", json!("redeemed")),
        ] {
            assert_eq!((&row[key], &shown["outcomes"][0][key]), (&value, &value), "{key}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_tag_that_the_playground_writes_has_the_scripts_hash_and_works_as_it_is() {
    let choose = "document.querySelector(`#forms [value=${arguments[0]}]`).click()";
    browse(DESKTOP, async |browser| {
        for (form, email) in [("element", "player@example.com"), ("one-tag", "another@example.com")] {
            browser.goto(&given("E2E_DEMO")).await;
            let tag =
                "const tag = document.querySelector('#tag').textContent; return tag.includes('sha384-') ? tag : null";
            until("the hash is known", async || browser.script(tag, &[]).await.as_str().map(str::to_owned)).await;
            let change = "const field = document.querySelector('#options [name=email]');
                field.value = arguments[0];
                field.dispatchEvent(new Event('change'))";
            browser.script(change, &[json!(email)]).await;
            browser.script(choose, &[json!(form)]).await;
            let tag = browser.script("return document.querySelector('#tag').textContent", &[]).await;
            let tag = tag.as_str().expect("a text");
            assert!(tag.contains(&format!("integrity=\"{}\" crossorigin", integrity())), "{tag}");
            let street = Street::open().await;
            street.lay(tag, &[]);
            browser.goto(&street.shop.url).await;
            redeem(browser).await;
            let body = street
                .shop
                .requests()
                .into_iter()
                .find(|seen| seen.line.starts_with("POST /cashier/"))
                .expect("a POST")
                .body;
            assert!(body.contains(email), "the options of the moment are in the tag");
        }
    })
    .await;
}
