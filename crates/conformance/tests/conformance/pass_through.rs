//! Proxies that keep no attempts: what they are asked, and how they are told from others.

use crate::world::run;
use flexepin_conformance::{RULES, Verdict};

#[tokio::test]
async fn a_pass_through_is_asked_what_binds_every_proxy() {
    let report = run(|made, _| made.keeps_attempts = false).await.expect("it can be checked");
    assert!(!report.keeps_attempts);
    assert_eq!(report.names(Verdict::Fail), [""; 0], "{report}");
    for checked in &report.checked {
        let wanted = if checked.rule.is_about_attempts() { Verdict::NotSupported } else { Verdict::Pass };
        assert_eq!(checked.verdict, wanted, "{}: {}", checked.rule.id, checked.why);
    }
    assert!(report.to_string().contains("keeps attempts: no"));
}

/// Such a page answers 200 to any GET and DELETE, which must never pass for a status.
#[tokio::test]
async fn a_single_page_apps_fallback_keeps_no_attempts() {
    let report = run(|made, _| (made.keeps_attempts, made.page) = (false, true)).await.expect("it can be checked");
    assert!(!report.keeps_attempts);
    let binding = RULES.iter().filter(|rule| !rule.is_about_attempts()).count();
    assert_eq!((report.count(Verdict::Fail), report.count(Verdict::Pass)), (0, binding), "{report}");
}

#[tokio::test]
async fn without_a_mozarto_of_its_own_the_kit_asks_what_is_never_sent() {
    let report = run(|_, setup| setup.behind = flexepin_conformance::Behind::Unseen).await.expect("it can be checked");
    assert_eq!(report.count(Verdict::Fail), 0, "{report}");
    let passed = [
        "method.others",
        "body.pin",
        "body.amount",
        "body.currency",
        "body.unknown-field",
        "body.duplicate-field",
        "body.too-long",
        "body.refusal",
        "session.required",
        "session.decides",
        "answer.codes",
        "cors.preflight",
        "cors.exposed",
        "attempt-key",
        "no-store",
        "key.required",
        "key.uuid",
        "delete.unknown",
        "delete.closes",
        "get.unknown",
        "get.query",
    ];
    assert_eq!(report.names(Verdict::Pass), passed, "{report}");
}
