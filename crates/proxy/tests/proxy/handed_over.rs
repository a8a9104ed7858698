//! A listening socket that the service manager hands over: the next process starts on it before the last one ends, and
//! no request is lost between them.

use crate::process::{Running, complete, ended, running_of, terminate};
use crate::world::{Attempt, REDEEMED, Upstream, answer, with_pin};
use serde_json::Value;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::process::Command;

/// The program on that socket, as systemd starts it: the socket is file 3, and the variables say so.
async fn on(socket: &TcpListener, upstream: &str, folder: &Path) -> Running {
    let usual = complete(upstream, folder, &[]);
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"export LISTEN_FDS=1 LISTEN_PID=$$; exec "$0" "$@" 3<&0 0</dev/null"#])
        .arg(usual.as_std().get_program());
    command.args(usual.as_std().get_args()).env_clear();
    command.envs(usual.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
    let socket = socket.try_clone().expect("another handle");
    command.stdin(Stdio::from(OwnedFd::from(socket))).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    running_of(&mut command).await.0
}

/// Posts as a widget does: what was not sent is posted again, under the same key.
async fn redeemed_by_a_widget(attempt: &Attempt, body: &Value) {
    loop {
        match attempt.post_body(body).await.code() {
            (503, "NOT_SENT") => tokio::task::yield_now().await,
            answered => return assert_eq!(answered, (200, "")),
        }
    }
}

#[tokio::test]
async fn requests_that_come_while_one_process_follows_the_other_are_all_served() {
    let upstream = Upstream::start(vec![answer(200, "", REDEEMED)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}/cashier/flexepin", socket.local_addr().expect("an address"));
    let first = on(&socket, &upstream.url, folder.path()).await;
    let enough = Arc::new(AtomicBool::new(false));
    let customers: Vec<_> = (0..4)
        .map(|customer| {
            let (endpoint, enough) = (endpoint.clone(), Arc::clone(&enough));
            tokio::spawn(async move {
                let mut redeemed = 0_u64;
                while !enough.load(Ordering::SeqCst) || redeemed < 20 {
                    let body = with_pin(&format!("99{customer:02}{redeemed:012}"));
                    redeemed_by_a_widget(&Attempt::new(&endpoint), &body).await;
                    redeemed += 1;
                }
                redeemed
            })
        })
        .collect();
    upstream.arrived().await;
    let second = on(&socket, &upstream.url, folder.path()).await;
    terminate(&first).await;
    ended(first).await;
    enough.store(true, Ordering::SeqCst);
    let mut redeemed = 0;
    for customer in customers {
        let customer = tokio::time::timeout(Duration::from_mins(2), customer).await.expect("they come to an end");
        redeemed += customer.expect("every request was answered");
    }
    assert_eq!(upstream.requests().len() as u64, redeemed, "each voucher was sent once");
    terminate(&second).await;
    ended(second).await;
}

#[tokio::test]
async fn a_handed_over_file_that_is_no_socket_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let usual = complete("http://127.0.0.1:1", folder.path(), &[]);
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"export LISTEN_FDS=1 LISTEN_PID=$$; exec "$0" "$@" 3</dev/null"#])
        .arg(usual.as_std().get_program());
    command.args(usual.as_std().get_args()).env_clear();
    command.envs(usual.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
    let (code, _, said) = crate::process::output(&mut command).await;
    assert!(code == Some(1) && said.contains("LISTEN_FDS"), "{said}");
}
