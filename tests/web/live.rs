//! What the live region says to who cannot see the screen: what came, once, and nothing that is not true any more.

use crate::page::{Page, SUCCESS, answer, body_of, options, play_fetch, until};
use js_sys::{Array, Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

const NOTHING: &str = "<!doctype html>";

/// Takes down what the region of this page says from now on.
fn log(page: &Page) -> Array {
    let watch = Function::new_with_args(
        "region",
        "const said = [];
         const note = () => said.push(region.textContent);
         new MutationObserver(note).observe(region, {childList: true, characterData: true, subtree: true});
         return said;",
    );
    let region = page.root.query_selector("[data-slot=live]").expect("a selector").expect("a region");
    watch.call1(&JsValue::UNDEFINED, &region).expect("it is watched").unchecked_into()
}

fn says(said: &Array, words: &str) -> bool {
    said.iter().any(|text| text.as_string().is_some_and(|text| text.contains(words)))
}

/// A page that has asked three times in vain, and knows nothing; the next ask is answered with this body.
async fn unconfirmed(then: String) -> Page {
    let requests = play_fetch(|_| Promise::reject(&"no network".into()));
    let lost = Page::mount(&options("{}"));
    lost.redeem();
    until("waiting", || lost.phase() == "waiting").await;
    let key = requests.borrow()[0].headers().get("idempotency-key").expect("a name").expect("a key");
    drop(lost);
    let headers = format!(r#"{{"Attempt-Key": "{key}"}}"#);
    play_fetch(move |number| if number <= 3 { answer(200, "{}", NOTHING) } else { answer(200, &headers, &then) });
    let page = Page::mount_again(&options("{}"));
    page.hears("flexepin-unconfirmed").await;
    page
}

#[wasm_bindgen_test]
async fn a_check_that_finds_the_end_is_not_said_to_have_been_in_vain() {
    let page = unconfirmed(body_of(SUCCESS)).await;
    let said = log(&page);
    page.press("check").await;
    page.hears("flexepin-redeemed").await;
    page.shows("receipt", "redeemed").await;
    assert!(says(&said, "Checking") && !says(&said, "no clear answer"), "{said:?}");
    let region = page.root.query_selector("[data-slot=live]").expect("a selector").expect("a region");
    assert_eq!(region.text_content().as_deref(), Some(""), "nothing of it stays");
}

#[wasm_bindgen_test]
async fn a_check_in_vain_is_said_with_its_time_and_shown() {
    let page = unconfirmed(NOTHING.to_owned()).await;
    let said = log(&page);
    page.press("check").await;
    until("in vain", || says(&said, "There is no clear answer yet")).await;
    assert!(says(&said, "Checking"));
    page.shows("checked", "There is no clear answer yet").await;
}

#[wasm_bindgen_test]
async fn an_error_that_comes_again_is_said_again() {
    let page = Page::mount(&options("{}"));
    let said = log(&page);
    page.type_into("pin", "1234");
    assert!(!page.handle.submit());
    until("said", || says(&said, "You have entered 4 digits")).await;
    page.type_into("pin", "123");
    until("taken back", || {
        !page.root.query_selector("[data-slot=live]").is_ok_and(|region| {
            region.and_then(|region| region.text_content()).is_some_and(|text| text.contains("digits"))
        })
    })
    .await;
    page.type_into("pin", "1234");
    said.set_length(0);
    assert!(!page.handle.submit());
    until("said again", || says(&said, "You have entered 4 digits")).await;
}

#[wasm_bindgen_test]
async fn a_wait_of_a_day_names_the_day() {
    let busy = r#"{"isSuccess": false, "errorCode": "PSP_RATE_LIMITED", "message": "Too many requests"}"#;
    play_fetch(move |_| answer(429, r#"{"Retry-After": "86400"}"#, busy));
    let page = Page::mount(&options("{}"));
    page.redeem();
    page.hears("flexepin-failed").await;
    let tomorrow = js_sys::Date::new(&(js_sys::Date::now() + 86_400_000.0).into());
    page.shows("retry-after", &format!("{}, {}", tomorrow.get_date(), tomorrow.get_full_year())).await;
}
