//! A ledger of an earlier or a later version, and several processes that make one at once.

use super::*;

#[tokio::test]
async fn processes_that_start_at_once_on_nothing_share_one_ledger() {
    each(async |place: &Place| {
        let mut opening = JoinSet::new();
        for _ in 0..6 {
            let (url, clock) = (place.url.clone(), place.clock());
            opening.spawn(async move { Sql::open(&url, &place::pin_keys(), clock, place::LEASE).await.map(Arc::new) });
        }
        let opened: Vec<_> = opening.join_all().await.into_iter().collect::<Result<_, _>>().expect("each opens it");
        assert!(matches!(opened[0].begin(posted(1, 1), true, soon()).await, Ok(Begun::Send(1))));
        for ledger in &opened {
            assert_eq!(state(ledger, 1).await, Some(State::Sending));
        }
    })
    .await;
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_as_it_is() {
    each(async |place: &Place| {
        place.opened().await.shut().await;
        let newer =
            if place.is_file() { "PRAGMA user_version = 3" } else { "UPDATE meta SET value = 3 WHERE name = 'schema'" };
        place.sql(newer).await;
        let refused = Sql::open(&place.url, &place::pin_keys(), place.clock(), place::LEASE)
            .await
            .map(drop)
            .expect_err("it is newer");
        assert!(refused.0.contains("newer version"), "{refused}");
        let read = Sql::open_to_read(&place.url, place.clock()).await.map(drop).expect_err("it is newer");
        assert!(read.0.contains("newer version"), "{read}");
    })
    .await;
}

#[tokio::test]
async fn a_database_without_a_ledger_is_made_by_the_proxy_and_by_nobody_who_looks() {
    each(async |place: &Place| {
        for looked in [
            Sql::open_to_read(&place.url, place.clock()).await.map(drop),
            Sql::open_beside(&place.url, place.clock()).await.map(drop),
        ] {
            let error = looked.expect_err("there is none");
            assert!(error.0.contains("there is no"), "{error}");
        }
        place.opened().await;
        assert!(Sql::open_to_read(&place.url, place.clock()).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_file_of_the_first_version_is_brought_up_to_date_with_all_that_is_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("cashier.db").display());
    std::fs::File::create(folder.path().join("cashier.db")).expect("a file");
    let file = folder.path().join("cashier.db");
    let mut first = Connection::file(&file, true).expect("a database");
    for statements in [
        include_str!("../sqlite_1.sql"),
        "PRAGMA journal_mode = WAL; PRAGMA application_id = 0x464C5850; PRAGMA user_version = 1",
        "INSERT INTO attempts (key, owner, hash, hash_key, amount_minor, currency, state, tries, created_at, changed_at) \
         VALUES ('00000000-0000-0000-0000-000000000001', 'user', x'0101', '1', 2500, 'EUR', 'open', 1, 1, 1)",
        "INSERT INTO tries (attempt, number, sent_at, sent_uptime, process, ended_at, status, body, meaning, money, proves_untouched, is_retried, forbids_tries) \
         VALUES ('00000000-0000-0000-0000-000000000001', 1, 1, '', 'gone', 2, 504, '{}', 'no-answer', 'unknown', 0, 1, 0)",
        "INSERT INTO outbox (attempt, user_id, outcome, at) VALUES ('00000000-0000-0000-0000-000000000001', 'user', 'redeemed', 1)",
        "UPDATE meta SET value = 77",
    ] {
        first.batch(statements).await.expect(statements);
    }
    first.close().await.expect("closed");
    let clock = || Arc::new(Clock::new(None));
    let looked = Sql::open_to_read(&url, clock()).await.map(drop).expect_err("it is older");
    assert!(looked.0.contains("older version"), "{looked}");
    let ledger = Sql::open(&url, &place::pin_keys(), clock(), place::LEASE).await.expect("it opens");
    let kept = ledger.attempt(Uuid::from_u128(1)).await.expect("readable").expect("kept");
    assert_eq!((kept.state, kept.tries, kept.forgotten), (State::Open, 1, false));
    assert_eq!(ledger.outcomes(0, 10).await.expect("readable").len(), 1);
    assert!(ledger.engine.now(&mut Connection::file(&file, false).expect("it")).await.expect("now").steady >= 77);
    assert!(matches!(ledger.begin(posted(2, 2), true, soon()).await, Ok(Begun::Send(1))));
}

#[tokio::test]
async fn whoever_looks_waits_for_nobodys_lock() {
    each(async |place: &Place| {
        place.opened().await.shut().await;
        let mut beside = place.beside().await;
        beside.batch(place.lock()).await.expect("locked");
        let looking = Sql::open_to_read(&place.url, place.clock()).await.expect("it opens");
        assert_eq!(state(&looking, 1).await, None, "and is read");
        beside.batch("ROLLBACK").await.expect("unlocked");
    })
    .await;
}
