//! A ledger that is brought back from a copy: noticed at the start, and honest about what it has forgotten.

use crate::database::{change, database_in};
use crate::process::{complete, ended, output, program, running, terminate};
use crate::world::{Attempt, Play, REDEEMED, Upstream, answer};
use std::path::Path;

/// `attempts …` on the ledger in that folder.
async fn attempts(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = program(&["attempts"]);
    output(command.args(arguments).env("CASHIER_DATABASE_URL", database_in(folder))).await
}

#[tokio::test]
async fn a_copy_that_is_brought_back_is_noticed_and_calls_nothing_untouched_that_it_may_have_forgotten() {
    let upstream = Upstream::start(vec![answer(200, "", REDEEMED), Play::Cut]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (file, copy) = (folder.path().join("cashier.db"), folder.path().join("copy.db"));
    let (child, endpoint) = running(&upstream.url, folder.path(), &[]).await;
    // As an operator makes a copy while the proxy runs: a moment before the voucher is taken.
    change(folder.path(), &format!("VACUUM INTO '{}'", copy.display())).await;
    let forgotten = Attempt::new(&endpoint);
    assert_eq!(forgotten.post().await.status, 200);
    terminate(&child).await;
    ended(child).await;
    std::fs::copy(&copy, &file).expect("brought back");

    let (code, line, said) = output(complete(&upstream.url, folder.path(), &[]).env("RUST_LOG", "warn")).await;
    assert_eq!((code, line.as_str()), (Some(1), ""), "{said}");
    assert!(said.contains("restored from a copy") && said.contains("attempts restored --since"), "{said}");

    let (code, _, said) = attempts(folder.path(), &["restored", "--since", "yesterday", "--by", "Ann"]).await;
    assert!(code == Some(1) && said.contains("must be a time"), "{said}");
    let (code, told, said) = attempts(folder.path(), &["restored", "--since", "2026-06-09", "--by", "Ann"]).await;
    assert!(code == Some(0) && told.contains("30 days"), "{told}{said}");

    let (child, endpoint) = running(&upstream.url, folder.path(), &[]).await;
    let forgotten = Attempt { endpoint: endpoint.clone(), ..forgotten };
    assert_eq!(forgotten.get().await.code(), (202, "ATTEMPT_UNCONFIRMED"), "it may have left");
    assert_eq!(forgotten.delete().await.code(), (202, "ATTEMPT_UNCONFIRMED"), "it is not untouched");
    // A new attempt is one like any other, as long as it proves something.
    assert_eq!(Attempt::new(&endpoint).post().await.status, 504);
    terminate(&child).await;
    ended(child).await;
}
