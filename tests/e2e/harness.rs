//! What the harness can do in Chromium alone.

use crate::browser::{Browser, DESKTOP, PHONE, Scheme, browse};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::oneshot;

#[tokio::test]
async fn the_page_has_the_size_and_the_scheme_that_were_asked_for() {
    for (screen, width) in [(PHONE, 360), (DESKTOP, 1280)] {
        browse(screen, async |browser| {
            browser.goto("data:text/html,<meta name=viewport content=width=device-width>").await;
            assert_eq!(browser.script("return innerWidth", &[]).await, width);
            let is_dark = "return matchMedia('(prefers-color-scheme: dark)').matches";
            assert_eq!(browser.script(is_dark, &[]).await, false);
            browser.scheme(Scheme::Dark).await;
            browser.reload().await;
            assert_eq!(browser.script(is_dark, &[]).await, true);
            assert!(browser.screenshot().await.starts_with(b"\x89PNG"));
        })
        .await;
    }
}

#[tokio::test]
async fn the_browser_closes_also_when_the_test_panics() {
    let (tell, told) = oneshot::channel();
    let failing = tokio::task::LocalSet::new();
    let outcome = failing.run_until(async {
        tokio::task::spawn_local(browse(DESKTOP, async |browser: &Browser| {
            tell.send(browser.address().await).expect("it is awaited");
            std::panic::resume_unwind(Box::new("on purpose"));
        }))
        .await
    });
    let panic = outcome.await.expect_err("the panic goes on").into_panic();
    assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
    let look = format!("{}/url", told.await.expect("it was told")).parse().expect("an address");
    let client: Client<_, axum::body::Body> = Client::builder(TokioExecutor::new()).build_http();
    assert_eq!(client.get(look).await.expect("the driver answers").status(), 404, "the session is still there");
}
