//! The program: its exit codes, its table and its JSON.

use crate::model::{self, Flaw, ORIGIN};
use crate::world::{TIMES, made};
use serde_json::Value;
use std::process::{Output, Stdio};
use tokio::net::TcpListener;
use tokio::process::Command;

async fn program(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flexepin-conformance"));
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true).output().await.expect("it ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A port that nobody listens on now.
async fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    listener.local_addr().expect("an address").to_string()
}

/// The program against a model; gives exit code and standard output.
async fn checked(flaw: Option<Flaw>, more: &[&str]) -> (Option<i32>, String) {
    // Fails where another test was first, and then it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mozarto = free_port().await;
    let endpoint = model::start(made(&format!("http://{mozarto}"), flaw)).await;
    let [within, deadline] =
        [TIMES.answer_within, TIMES.upstream_deadline].map(|duration| duration.as_millis().to_string());
    let mut arguments = vec!["--upstream-listen", &mozarto, "--header", "Authorization: Bearer alice"];
    arguments.extend(["--other-header", "Authorization: Bearer bob", "--origin", ORIGIN]);
    arguments.extend(["--test-answer-within-ms", &within, "--test-upstream-deadline-ms", &deadline]);
    arguments.extend(more);
    arguments.push(&endpoint);
    let output = program(&arguments).await;
    assert!(text(&output.stderr).contains(&format!("http://{mozarto}")), "{}", text(&output.stderr));
    (output.status.code(), text(&output.stdout))
}

#[tokio::test]
async fn a_right_proxy_ends_with_0_and_a_broken_one_with_1() {
    let (code, said) = checked(None, &[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("keeps attempts: yes") && said.ends_with(" passed, 0 failed, 0 not supported\n"), "{said}");
    let (code, said) = checked(Some(Flaw::GetWritesAnew), &["--only", "get"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("fail") && said.contains("CONTRACT.md, Hop 1") && said.contains("3 passed, 1 failed"),
        "{said}"
    );
}

#[tokio::test]
async fn json_has_each_rule_with_verdict_and_why() {
    let (code, said) = checked(Some(Flaw::GetWritesAnew), &["--json", "--only", "get", "--only", "key.case"]).await;
    assert_eq!(code, Some(1), "{said}");
    let report: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((&report["keepsAttempts"], &report["passed"], &report["failed"]), (&true.into(), &4.into(), &1.into()));
    let checks = report["checks"].as_array().expect("a list");
    let ids: Vec<&str> = checks.iter().filter_map(|check| check["id"].as_str()).collect();
    assert_eq!(ids, ["key.case", "get.unknown", "get.stored", "get.open", "get.query"]);
    let failed = checks.iter().find(|check| check["verdict"] == "fail").expect("one failed");
    assert_eq!(failed["id"], "get.stored");
    assert!(["title", "rule", "why"].iter().all(|name| failed[name].as_str().is_some_and(|text| !text.is_empty())));
}

#[tokio::test]
async fn what_cannot_be_checked_ends_with_2_and_a_remedy() {
    let nobody = format!("http://{}/cashier/flexepin", free_port().await);
    let elsewhere = model::start(made("http://127.0.0.1:1", None)).await;
    let other = free_port().await;
    let session = ["--header", "Authorization: Bearer alice", "--upstream-listen", &other, "--wait", "1"];
    for (arguments, says) in [
        (vec![], "<ENDPOINT>"),
        (vec!["ftp://127.0.0.1/"], "is no endpoint"),
        (vec!["--amount", "0", nobody.as_str()], "--amount"),
        (vec!["--currency", "EUX", nobody.as_str()], "--currency"),
        (vec!["--header", "no colon", nobody.as_str()], "'Name: value'"),
        (vec!["--only", "nonsense", nobody.as_str()], "no rule begins with"),
        (vec!["--wait", "0", nobody.as_str()], "start the proxy"),
        ([&session[..], &[elsewhere.as_str()]].concat(), "is its Mozarto base URL"),
        (vec!["--upstream-listen", &other, "--wait", "1", elsewhere.as_str()], "--header"),
        (vec!["--sandbox", "--upstream-listen", &other, nobody.as_str()], "cannot be used with"),
    ] {
        let output = program(&arguments).await;
        let said = text(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn the_rules_can_be_listed_and_help_says_how_to_begin() {
    let list = program(&["--list"]).await;
    assert_eq!(text(&list.stdout).lines().count(), flexepin_conformance::RULES.len());
    let help = text(&program(&["--help"]).await.stdout);
    assert!(help.contains("--upstream-listen") && !help.contains("--test-"), "{help}");
}
