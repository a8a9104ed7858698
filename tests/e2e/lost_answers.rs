//! Losses that only Chromium can be made to have: a crashed tab, no network, and a POST that it repeats by itself.

use crate::browser::{DESKTOP, PHONE, browse, until};
use crate::everywhere::lost_answers::{submitted, told};
use crate::merchant::{FIXED, Merchant, Road};
use crate::sandbox::{issue, taken, tries};
use crate::widget::Widget;

/// Counts the POSTs that a page's own scripts send.
const COUNT_POSTS: &str = "
    const sends = window.fetch;
    window.posts = 0;
    window.fetch = (...all) => { window.posts += (all[0].method ?? all[1]?.method) === 'POST'; return sends(...all) };
";

#[tokio::test]
async fn a_crashed_tabs_redemption_is_told_by_the_next_one() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = issue(25.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        shop.set_road(Road::HoldsAnswers);
        submitted(browser, &shop, &pin).await;
        until("taken", async || taken(&pin).await.as_str().map(str::to_owned)).await;
        let crashing = browser.window().await;
        browser.open_tab().await;
        let next = browser.window().await;
        browser.switch_to(&crashing).await;
        browser.crash().await;
        browser.switch_to(&next).await;
        browser.goto(&shop.url).await;
        let widget = Widget::present_on(browser).await;
        let detail = widget.event("flexepin-redeemed").await;
        assert_eq!((&detail["transactionId"], tries(&pin).await), (&taken(&pin).await, 1));
    })
    .await;
}

#[tokio::test]
async fn a_browser_that_was_offline_sends_at_once_when_it_is_online_again() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = issue(25.0, "EUR").await;
    browse(PHONE, async |browser| {
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        widget.type_into("pin", &pin).await;
        browser.offline(true).await;
        widget.click("submit").await;
        widget.reaches("waiting").await;
        assert_eq!(tries(&pin).await, 0);
        browser.offline(false).await;
        widget.event("flexepin-redeemed").await;
        assert_eq!((told(&widget).await, tries(&pin).await), (vec!["flexepin-redeemed".to_owned()], 1));
    })
    .await;
}

#[tokio::test]
async fn chromium_repeats_a_post_by_itself_and_it_does_no_harm() {
    let shop = Merchant::with_widget(FIXED).await;
    let pin = issue(25.0, "EUR").await;
    browse(DESKTOP, async |browser| {
        browser.before_each_page(COUNT_POSTS).await;
        browser.goto(&shop.url).await;
        let widget = Widget::ready_on(browser).await;
        // A connection that was used before and dies before the answer: Chromium sends again, and no script is told.
        shop.set_road(Road::CutsOneAnswer);
        widget.type_into("pin", &pin).await;
        widget.click("submit").await;
        let detail = widget.event("flexepin-redeemed").await;
        assert_eq!(detail["transactionId"], taken(&pin).await);
        let posts = shop.posts();
        let key = detail["attempt"].as_str().expect("a key");
        assert_eq!(browser.script("return window.posts", &[]).await, 1, "the widget has sent one");
        assert!(posts.len() == 2 && posts.iter().all(|posted| posted == key), "on the wire: {posts:?}");
        assert_eq!(tries(&pin).await, 1);
    })
    .await;
}
