//! A proxy that calls the project's sandbox: its scripted PINs provoke what they can.

use crate::model::{self, Flaw};
use crate::world::{made, setup};
use flexepin_conformance::{Behind, Report, Verdict, check};
use mozarto_sandbox::Sandbox;
use tokio::net::TcpListener;

async fn run(flaw: Option<Flaw>) -> Report {
    // Fails where another test was first, and then it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let sandbox = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(mozarto_sandbox::serve(listener, Sandbox::default(), std::future::pending()));
    let mut made = made(&sandbox, flaw);
    made.company_token = "sandbox-company";
    check(setup(&model::start(made).await, Behind::Sandbox)).await.expect("it can be checked")
}

#[tokio::test]
async fn a_right_proxy_passes_what_the_sandbox_can_play() {
    let report = run(None).await;
    assert_eq!(report.count(Verdict::Fail), 0, "{report}");
    let unseen = [
        "body.built",
        "token.company",
        "token.user",
        "token.leak",
        "pin.headers",
        "answer.unchanged",
        "answer.408",
        "answer.too-long",
        "answer.redirect",
        "answer.proxys-words",
        "answer.deadline",
        "try.408",
        "not-sent.said",
        "not-sent.again",
        "not-sent.delete",
        "limit.new-keys",
        "replay.unsent",
        "pending.within",
        "pending.get",
        "pending.late",
        "pending.second",
        "delete.sending",
        "delete.unknown-try",
        "unknown.invalid-pin",
        "unknown.retried",
        "unconfirmed.unsent",
        "unconfirmed.new-try",
        "accepted.unsent",
    ];
    assert_eq!(report.names(Verdict::NotSupported), unseen, "{report}");
    let said = report.checked.iter().find(|checked| checked.rule.id == "in-use.same").expect("it was checked");
    assert!(said.why.contains("is not seen"), "{}", said.why);
}

#[tokio::test]
async fn a_broken_rule_is_found_by_the_sandbox_too() {
    for (flaw, rule) in [
        (Flaw::EchoesThePin, "pin.echo"),
        (Flaw::AlreadyRedeemedAfterUnknownPasses, "unconfirmed.post"),
        (Flaw::InUseNotForTheSame, "in-use.same"),
        (Flaw::DeleteOfRedeemed, "delete.redeemed"),
    ] {
        let report = run(Some(flaw)).await;
        assert_eq!(report.names(Verdict::Fail), [rule], "{report}");
    }
}
