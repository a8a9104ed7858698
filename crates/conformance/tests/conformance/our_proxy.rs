//! Our own proxy keeps every rule that can be checked.

use crate::model::ORIGIN;
use crate::world::{TIMES, named, setup, upstream};
use clap::Parser;
use flexepin_cashier_proxy::{Args, Proxy, Secrets, Settings, serve};
use flexepin_conformance::{Behind, RULES, Verdict, check};
use std::path::Path;
use tokio::net::TcpListener;

/// It has no sessions and no limits of its own yet; so these are not asked.
const NOT_ASKED: [&str; 5] = ["session.required", "session.decides", "limit.new-keys", "foreign.get", "foreign.delete"];

fn settings(upstream: &str, folder: &Path) -> Settings {
    let database = format!("--database-url=sqlite://{}", folder.join("cashier.db").display());
    let flags = [
        "proxy",
        "--insecure-no-sessions",
        "--limit-address=0",
        "--limit-customer=0",
        "--guesses=0",
        "--mozarto-url",
        upstream,
        "--allow-origin",
        ORIGIN,
        &database,
    ];
    let secrets = Secrets {
        company_token: Some("company-token-canary".into()),
        pin_key: Some("pin-key-canary-of-the-kits-tests".into()),
        ..Secrets::default()
    };
    let mut settings = Settings::new(Args::parse_from(flags), secrets).expect("complete settings");
    settings.times.answer_within = TIMES.answer_within;
    settings.times.upstream_deadline = TIMES.upstream_deadline;
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_every_rule() {
    let (upstream, folder) = (upstream().await, tempfile::tempdir().expect("a folder"));
    let proxy = Proxy::open(settings(&upstream.url(), folder.path())).await.expect("it opens");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}/cashier/flexepin", listener.local_addr().expect("an address"));
    tokio::spawn(serve(listener, proxy, std::future::pending()));
    let mut setup = setup(&endpoint, Behind::Kit(upstream));
    (setup.customer, setup.other) = (named("kit-1"), Some(named("kit-2")));
    let report = check(setup).await.expect("it can be checked");
    assert!(report.keeps_attempts, "{report}");
    assert_eq!(report.names(Verdict::Fail), [""; 0], "{report}");
    assert_eq!(report.names(Verdict::NotSupported), NOT_ASKED, "{report}");
    assert_eq!(report.count(Verdict::Pass), RULES.len() - NOT_ASKED.len(), "{report}");
}
