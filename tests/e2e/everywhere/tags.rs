//! The script and its tag: however it comes onto the page, from wherever, and however often.

use super::examples::street::integrity;
use crate::browser::{Browser, DESKTOP, browse, until};
use crate::merchant::{CDN, FIXED, Merchant, Serves};
use crate::sandbox::{issue, taken};
use crate::widget::Widget;
use serde_json::json;

const HEAD: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Shop</title><link rel=icon href=data:,>";
/// The attributes of [`FIXED`] as the one-tag form has them.
const DATA: &str = "data-endpoint=/cashier/flexepin data-amount=25.00 data-currency=EUR data-user-id=user_123 \
                    data-email=player@example.com";

fn element() -> String {
    format!("<flexepin-cashier {FIXED}>Too old</flexepin-cashier>")
}

/// What was said on the page's console at a level.
async fn said(browser: &Browser, level: &str) -> Vec<String> {
    let said =
        browser.script("return flexepinConsole.filter(said => said.level === arguments[0])", &[json!(level)]).await;
    said.as_array().into_iter().flatten().filter_map(|said| Some(said["text"].as_str()?.to_owned())).collect()
}

/// A voucher goes through, and nothing was said on the console.
async fn redeems(browser: &Browser, widget: &Widget<'_>) {
    let pin = issue(25.0, "EUR").await;
    widget.type_into("pin", &pin).await;
    widget.click("submit").await;
    widget.event("flexepin-redeemed").await;
    assert!(taken(&pin).await.is_string());
    assert_eq!(browser.console_errors().await, [""; 0]);
}

#[tokio::test]
async fn the_script_works_however_it_comes_onto_the_page() {
    let element = element();
    let pages = [
        format!("{HEAD}<head><script src=/flexepin-cashier.js></script></head><body>{element}"),
        format!("{HEAD}<head><script src=/flexepin-cashier.js async></script></head><body>{element}"),
        format!("{HEAD}<head><script src=/flexepin-cashier.js defer></script></head><body>{element}"),
        format!("{HEAD}<body>{element}<script src=/flexepin-cashier.js></script>"),
        format!(
            "{HEAD}<body>{element}<script>addEventListener('load', () => document.head.append(
            Object.assign(document.createElement('script'), {{src: '/flexepin-cashier.js'}})))</script>"
        ),
        format!(
            "{HEAD}<body><script src=/flexepin-cashier.js async></script><script>addEventListener('load', () =>
            document.body.insertAdjacentHTML('beforeend', '{element}'))</script>"
        ),
        format!("{HEAD}<body><script src={CDN}/flexepin-cashier.js async></script>{element}"),
        format!("{HEAD}<base href=/elsewhere/><body><script src=/flexepin-cashier.js async></script>{element}"),
    ];
    let shop = Merchant::open("").await;
    browse(DESKTOP, async |browser| {
        for page in pages {
            shop.set_page(&page);
            browser.goto(&shop.url).await;
            redeems(browser, &Widget::ready_on(browser).await).await;
        }
    })
    .await;
}

#[tokio::test]
async fn from_another_origin_with_its_hash_in_the_tag_and_never_with_another() {
    let (shop, cdn) = (Merchant::open("").await, Merchant::open("").await);
    let tag = |integrity: &str| {
        format!(
            "{HEAD}<body><script src={}{CDN}/flexepin-cashier.js integrity={integrity} crossorigin async></script>{}",
            cdn.url,
            element()
        )
    };
    browse(DESKTOP, async |browser| {
        shop.set_page(tag(&integrity()));
        browser.goto(&shop.url).await;
        redeems(browser, &Widget::ready_on(browser).await).await;
        assert!(
            shop.requests().iter().all(|seen| !seen.line.contains(".wasm")),
            "all files come from the other origin"
        );

        shop.set_page(tag(&integrity().replace("sha384-", "sha384-A")));
        browser.goto(&shop.url).await;
        until("the script is refused", async || {
            browser.console_errors().await.concat().contains("flexepin-cashier.js").then_some(())
        })
        .await;
        let fallback = "return document.querySelector('flexepin-cashier').innerText";
        assert_eq!(browser.script(fallback, &[]).await, "Too old", "the page's own words stay");
    })
    .await;
}

#[tokio::test]
async fn one_tag_is_a_cashier_behind_itself_or_in_its_target_however_late_that_comes() {
    let filler = "<p>a shop</p>".repeat(3000);
    let script = |more: &str| format!("<script src=/flexepin-cashier.js {DATA} {more} async></script>");
    let here = "return document.currentScript === null && document.querySelector('script[data-endpoint]').nextElementSibling?.localName";
    let there = "return document.querySelector('#checkout > flexepin-cashier')?.localName";
    let pages = [
        (format!("{HEAD}<body><main>{}</main>", script("")), here),
        (format!("{HEAD}<body><div id=checkout></div>{}", script("data-target=#checkout")), there),
        (format!("{HEAD}<head>{}</head><body>{filler}<div id=checkout></div>", script("data-target=#checkout")), there),
        (format!("{HEAD}<body>{}", script(&format!("data-base={CDN}")).replace(" async", "")), here),
        (
            format!(
                "{HEAD}<body><div id=checkout></div><script>
                const late = Object.assign(document.createElement('script'), {{src: '/flexepin-cashier.js'}});
                Object.assign(late.dataset, {{endpoint: '/cashier/flexepin', amount: '25.00', currency: 'EUR', userId: 'u',
                    email: 'a@example.com', target: '#checkout'}});
                document.head.append(late)</script>"
            ),
            there,
        ),
    ];
    let shop = Merchant::open("").await;
    browse(DESKTOP, async |browser| {
        for (page, place) in pages {
            shop.set_page(&page);
            browser.goto(&shop.url).await;
            let widget = Widget::ready_on(browser).await;
            assert_eq!(browser.script(place, &[]).await, "flexepin-cashier", "{page}");
            redeems(browser, &widget).await;
        }
        let moved = shop.requests().iter().any(|seen| seen.line == format!("GET {CDN}/flexepin-cashier.wasm"));
        assert!(moved, "data-base moves what is loaded");
    })
    .await;
}

#[tokio::test]
async fn a_tag_that_has_no_place_says_so_with_the_remedy_and_a_wrong_option_is_a_set_up_error() {
    let tag = |more: &str| format!("<script src=/flexepin-cashier.js data-endpoint=/cashier/flexepin {more}></script>");
    let shop = Merchant::open("").await;
    browse(DESKTOP, async |browser| {
        for (page, says) in [
            (format!("{HEAD}<head>{}</head><body>", tag("data-currency=EUR")), "give it data-target"),
            (
                format!("{HEAD}<body>{}", tag("data-currency=EUR data-target=#nowhere")),
                "data-target \"#nowhere\" is not on the page",
            ),
            (format!("{HEAD}<body>{}", tag("data-currency=EUR data-target=#")), "data-target \"#\" is not on the page"),
            (format!("{HEAD}<body>{}", tag("data-currency=euro")), "currency must be"),
            (format!("{HEAD}<body>{}", tag("data-nonsense=1")), "currency is required"),
        ] {
            shop.set_page(&page);
            browser.goto(&shop.url).await;
            until(says, async || said(browser, "error").await.concat().contains(says).then_some(())).await;
        }
        let warned = browser
            .script("return flexepinConsole.filter(said => said.level === 'warn').map(said => said.text)", &[])
            .await;
        assert_eq!(warned, json!(["flexepin-cashier: there is no option data-nonsense."]));
        assert_eq!(Widget::present_on(browser).await.event("flexepin-failed").await["code"], "config");
    })
    .await;
}

#[tokio::test]
async fn a_script_that_comes_twice_is_one_and_a_second_version_keeps_the_first_and_warns() {
    let element = element();
    let twice = "<script src=/flexepin-cashier.js async></script>".repeat(2);
    let other = "<script>addEventListener('load', async () => {
        const text = await (await fetch('/flexepin-cashier.js')).text();
        const version = FlexepinCashier.version;
        const other = document.createElement('script');
        other.textContent = text.replaceAll(version, '9.9.9');
        document.head.append(other);
        window.kept = FlexepinCashier.version === version;
    })</script>";
    let shop = Merchant::open("").await;
    browse(DESKTOP, async |browser| {
        shop.set_page(format!("{HEAD}<head>{twice}</head><body>{element}"));
        browser.goto(&shop.url).await;
        redeems(browser, &Widget::ready_on(browser).await).await;
        assert_eq!(said(browser, "warn").await, [""; 0]);
        let wasm = shop.requests().iter().filter(|seen| seen.line == "GET /flexepin-cashier.wasm").count();
        assert_eq!(wasm, 1, "what is loaded is loaded once");

        shop.set_page(format!("{HEAD}<head>{twice}{other}</head><body>{element}"));
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        until("the other version is there", async || browser.script("return window.kept", &[]).await.as_bool()).await;
        assert_eq!(browser.script("return window.kept", &[]).await, true);
        let warned = said(browser, "warn").await.concat();
        assert!(warned.contains("9.9.9") && warned.contains("that one is kept"), "{warned}");
        redeems(browser, &widget).await;
    })
    .await;
}

#[tokio::test]
async fn the_module_and_the_script_share_a_page_and_mount_gives_the_element_at_once() {
    let page = format!(
        "{HEAD}<body><script src=/flexepin-cashier.js></script><script type=module>
        import {{ mount, version }} from '/flexepin-cashier.mjs';
        const options = {{ endpoint: '/cashier/flexepin', amount: '25.00', currency: 'EUR', userId: 'u', email: 'a@example.com' }};
        window.widget = mount(document.body, options);
        window.same = widget instanceof customElements.get('flexepin-cashier') && version === FlexepinCashier.version;
        window.refused = [() => mount('#nowhere', options), () => mount(document.body, {{ ...options, currency: 'euro' }})].map(act => {{
          try {{ act() }} catch (error) {{ return error.name + ': ' + error.message }} }});
        </script>"
    );
    let shop = Merchant::open(page).await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        assert_eq!(
            browser.script("return [same, document.querySelectorAll('flexepin-cashier').length]", &[]).await,
            json!([true, 1])
        );
        let refused = browser.script("return refused", &[]).await;
        assert_eq!(refused[0], "TypeError: flexepin-cashier: there is no target \"#nowhere\"");
        assert!(
            refused[1].as_str().is_some_and(|text| text.starts_with("TypeError: flexepin-cashier: currency must be"))
        );
        redeems(browser, &widget).await;
    })
    .await;
}

#[tokio::test]
async fn why_it_cannot_load_is_told_by_its_cause_and_the_retry_succeeds_with_what_was_typed() {
    let policy = |policy: &'static str| vec![("content-security-policy", policy)];
    let no_wasm = policy("script-src 'self' 'unsafe-inline'");
    let no_fetch = policy("connect-src 'none'");
    let page = format!("{HEAD}<body><script src=/flexepin-cashier.js async></script>{}", element());
    let shop = Merchant::open("").await;
    browse(DESKTOP, async |browser| {
        for (serves, headers, cause, remedy) in [
            (Serves::Missing, vec![], "network", "Check your connection"),
            (Serves::Cut, vec![], "network", "Check your connection"),
            (Serves::Altered, vec![], "integrity", "Please tell the shop"),
            (Serves::AsBuilt, no_wasm, "wasm-blocked", "Please tell the shop"),
            (Serves::AsBuilt, no_fetch, "blocked", "Please tell the shop"),
        ] {
            shop.set_wasm(Serves::Held);
            shop.add_page("/", &page, &headers);
            browser.goto(&shop.url).await;
            let widget = if headers.is_empty() { Widget::on(browser).await } else { Widget::present_on(browser).await };
            if headers.is_empty() {
                widget.type_into("pin", "12345678").await;
            }
            shop.set_wasm(serves);
            assert_eq!(widget.event("flexepin-loaderror").await, json!({ "cause": cause }));
            let said = widget.text_with("notice", remedy).await;
            assert!(said.contains("could not be loaded") && said.contains("Your voucher is untouched"), "{said}");
            assert!(!widget.shows("submit").await);
            if headers.is_empty() {
                shop.set_wasm(Serves::AsBuilt);
                widget.click("retry").await;
                widget.event("flexepin-ready").await;
                assert_eq!(widget.pin_and_caret().await.0, "1234 5678");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_browser_without_webassembly_shows_the_words_between_the_tags_and_says_why() {
    let shop = Merchant::open(format!(
        "{HEAD}<script>delete window.WebAssembly</script><script src=/flexepin-cashier.js async></script><body>{}
         <flexepin-cashier id=bare></flexepin-cashier>",
        element()
    ))
    .await;
    browse(DESKTOP, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::present_on(browser).await;
        assert_eq!(widget.event("flexepin-loaderror").await, json!({"cause": "unsupported"}));
        let texts = "return [...document.querySelectorAll('flexepin-cashier')].map(element => element.innerText)";
        let bare = "This browser is too old for the payment form. Please use a newer browser.";
        assert_eq!(browser.script(texts, &[]).await, json!(["Too old", bare]));
    })
    .await;
}
