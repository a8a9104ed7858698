//! Several processes on one ledger, and a database that goes away.

use super::*;

const DEADLINE: Duration = Duration::from_secs(45);

#[tokio::test]
async fn one_voucher_posted_to_two_processes_at_once_is_sent_once() {
    each(async |place: &Place| {
        let (one, other) = (Arc::new(place.opened().await), Arc::new(place.opened().await));
        let mut begun = JoinSet::new();
        for key in 1..=40 {
            let ledger = Arc::clone(if key % 2 == 0 { &one } else { &other });
            begun.spawn(async move { ledger.begin(posted(key, 1), true, soon()).await.expect("written") });
        }
        let all = begun.join_all().await;
        assert_eq!(all.iter().filter(|begun| matches!(begun, Begun::Send(_))).count(), 1, "{all:?}");
        assert_eq!(all.iter().filter(|begun| matches!(begun, Begun::InUse(Some(_)))).count(), 39, "{all:?}");
    })
    .await;
}

#[tokio::test]
async fn one_key_posted_to_two_processes_at_once_is_sent_once() {
    each(async |place: &Place| {
        let (one, other) = (Arc::new(place.opened().await), Arc::new(place.opened().await));
        let mut begun = JoinSet::new();
        for turn in 0..40 {
            let ledger = Arc::clone(if turn % 2 == 0 { &one } else { &other });
            begun.spawn(async move { ledger.begin(posted(1, 1), true, soon()).await.expect("written") });
        }
        let all = begun.join_all().await;
        assert_eq!(all.iter().filter(|begun| matches!(begun, Begun::Send(_))).count(), 1, "{all:?}");
    })
    .await;
}

#[tokio::test]
async fn the_books_are_numbered_in_the_order_in_which_they_can_be_read() {
    each(async |place: &Place| {
        let ledgers = [Arc::new(place.opened().await), Arc::new(place.opened().await)];
        let mut writing = JoinSet::new();
        for key in 1..=60_u8 {
            let ledger = Arc::clone(&ledgers[usize::from(key % 2)]);
            writing.spawn(async move {
                ledger.begin(posted(u128::from(key), key), true, soon()).await.expect("written");
                ledger.end(ended(u128::from(key), 1, Money::Yes)).await.expect("written");
            });
        }
        // A reader who asks for what comes after the last number that it has seen misses none.
        let (mut seen, mut after) = (0, 0);
        while seen < 60 {
            let lines = ledgers[0].outcomes(after, 7).await.expect("readable");
            seen += lines.len();
            after = lines.last().map_or(after, |line| line.sequence);
            assert!(!(writing.is_empty() && lines.is_empty()), "{} lines are missing", 60 - seen);
            while writing.try_join_next().is_some() {}
        }
        assert_eq!(ledgers[1].outcomes(0, 100).await.expect("readable").len(), 60);
    })
    .await;
}

#[tokio::test]
async fn a_try_of_another_process_is_an_orphan_until_its_answer_cannot_come_any_more() {
    each(async |place: &Place| {
        let (one, other) = (place.opened().await, place.opened().await);
        one.begin(posted(1, 1), true, soon()).await.expect("written");
        assert_eq!(one.orphans(DEADLINE).await, Ok(vec![]), "its own is none");
        let orphans = other.orphans(DEADLINE).await.expect("readable");
        assert_eq!(orphans.len(), 1);
        assert!(orphans[0].left > Duration::from_secs(40), "{orphans:?}");
        if !place.is_file() {
            // From the end of its lease, by the database's clock.
            assert!(orphans[0].left > DEADLINE + Duration::from_secs(10), "{orphans:?}");
            place.sql("UPDATE nodes SET leased_until_ms = leased_until_ms - 70000").await;
            assert_eq!(other.orphans(DEADLINE).await.expect("readable")[0].left, Duration::ZERO, "its lease ran out");
            one.observe().await.expect("written");
            let renewed = other.orphans(DEADLINE).await.expect("readable")[0].left;
            assert!(renewed > DEADLINE, "a sign of life renews it: {renewed:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_beginning_that_is_repeated_after_it_was_committed_is_the_same_try() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        let begin = || begin::Begin { posted: posted(1, 1), may_send: true, ticket: "a ticket".to_owned() };
        for _ in 0..2 {
            let outcome = ledger.write(begin(), None).await;
            assert!(matches!(outcome, Ok(Begun::Send(1))), "{outcome:?}");
        }
        let another = begin::Begin { ticket: "another".to_owned(), ..begin() };
        assert!(matches!(ledger.write(another, None).await, Ok(Begun::Kept(_))), "another POST of the key");
    })
    .await;
}

#[tokio::test]
async fn a_try_that_may_have_been_begun_and_was_not_sent_is_ended_as_such() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        let begin = begin::Begin { posted: posted(1, 1), may_send: true, ticket: "a ticket".to_owned() };
        ledger.write(begin, None).await.expect("written");
        for ticket in ["another", "a ticket"] {
            let not_sent = reply::never_left(Uuid::from_u128(1));
            ledger.write(abandon::Abandon { ticket: ticket.to_owned(), not_sent }, None).await.expect("written");
            let expected = if ticket == "another" { State::Sending } else { State::Open };
            assert_eq!(state(&ledger, 1).await, Some(expected), "{ticket}");
        }
        let kept = ledger.attempt(Uuid::from_u128(1)).await.expect("readable").expect("kept");
        assert!(!kept.unknown_try, "nothing has left");
        assert!(matches!(ledger.begin(posted(1, 1), true, soon()).await, Ok(Begun::Send(2))));
    })
    .await;
}

#[tokio::test]
async fn connections_that_the_database_ends_lose_nothing() {
    each(async |place: &Place| {
        if place.is_file() {
            return;
        }
        let ledger = place.opened().await;
        for key in 1..=20_u8 {
            let kill = "SELECT 1 FROM pg_stat_activity, pg_terminate_backend(pid) WHERE datname = current_database() AND pid <> pg_backend_pid()";
            let (begun, ()) =
                tokio::join!(ledger.begin(posted(u128::from(key), key), true, soon()), place.sql(kill));
            assert!(matches!(begun, Ok(Begun::Send(1))), "{begun:?}");
            let (kept, ()) = tokio::join!(ledger.end(ended(u128::from(key), 1, Money::Yes)), place.sql(kill));
            assert_eq!(kept.expect("written").expect("kept").state, State::Final);
        }
        let mut beside = place.beside().await;
        let tries: i64 = query("SELECT count(*) FROM tries").one(&mut beside).await.expect("a count").only().expect("a number");
        assert_eq!(tries, 20, "none was begun twice");
        beside.close().await.expect("closed");
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_database_that_is_gone_ends_in_time_and_is_not_begun_later() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        let mut beside = place.beside().await;
        beside.batch(place.lock()).await.expect("locked");
        let by = Instant::now() + Duration::from_millis(300);
        let refused = ledger.begin(posted(1, 1), true, by).await.expect_err("it cannot be written");
        assert!(!refused.may_stand, "{refused}");
        beside.batch("ROLLBACK").await.expect("unlocked");
        assert!(matches!(ledger.begin(posted(2, 2), true, soon()).await, Ok(Begun::Send(1))));
        assert_eq!(state(&ledger, 1).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_full_begins_nothing_and_goes_on_when_there_is_room() {
    each(async |place: &Place| {
        if place.is_file() {
            // A full disk under a file is a test of the program's.
            return;
        }
        let ledger = place.opened().await;
        ledger.begin(posted(1, 1), true, soon()).await.expect("written");
        place
            .sql(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$; \
                 CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON tries EXECUTE FUNCTION full_disk()",
            )
            .await;
        let refused = ledger.begin(posted(2, 2), true, soon()).await.expect_err("it is full");
        assert!(refused.why.contains("no space left") && !refused.may_stand, "{refused}");
        assert!(ledger.end(ended(1, 1, Money::Yes)).await.is_err(), "the end is held by who has it");
        assert_eq!((state(&ledger, 1).await, state(&ledger, 2).await), (Some(State::Sending), None));
        place.sql("DROP TRIGGER full_disk ON tries").await;
        ledger.end(ended(1, 1, Money::Yes)).await.expect("written");
        assert!(matches!(ledger.begin(posted(2, 2), true, soon()).await, Ok(Begun::Send(1))));
    })
    .await;
}

#[tokio::test]
async fn a_process_that_hangs_within_a_step_is_thrown_out_and_the_others_go_on() {
    each(async |place: &Place| {
        if place.is_file() {
            // There a lock lasts as long as its process; see the program's tests.
            return;
        }
        let (hangs, other) = (place.opened().await, place.opened().await);
        let mut connection = hangs.engine.connect(true).await.expect("a connection");
        hangs.engine.begin(&mut connection).await.expect("the lock");
        assert!(matches!(other.begin(posted(1, 1), true, soon()).await, Ok(Begun::Send(1))), "after some seconds");
        assert!(connection.batch("COMMIT").await.is_err(), "its step is no more");
        assert!(
            matches!(hangs.begin(posted(2, 2), true, soon()).await, Ok(Begun::Send(1))),
            "the process itself goes on"
        );
    })
    .await;
}

#[tokio::test]
async fn whatever_isolation_is_usual_in_the_database_a_step_sees_what_others_have_committed() {
    each(async |place: &Place| {
        if place.is_file() {
            return;
        }
        place.opened().await.shut().await;
        place
            .sql(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = ''repeatable read''', current_database()); END $$",
            )
            .await;
        let (one, other) = (Arc::new(place.opened().await), Arc::new(place.opened().await));
        let mut begun = JoinSet::new();
        for key in 1..=40_u8 {
            let ledger = Arc::clone(if key % 2 == 0 { &one } else { &other });
            let posted = Posted { session: Some("shop 1".to_owned()), ..posted(u128::from(key), key) };
            begun.spawn(async move { ledger.begin(posted, true, soon()).await.expect("written") });
        }
        let all = begun.join_all().await;
        assert_eq!(all.iter().filter(|begun| matches!(begun, Begun::Send(_))).count(), 1, "one session: {all:?}");
    })
    .await;
}

#[tokio::test]
async fn the_end_of_a_try_whose_beginning_the_ledger_has_lost_counts_all_the_same() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        ledger.begin(posted(1, 1), true, soon()).await.expect("written");
        ledger.end(ended(1, 1, Money::Unknown)).await.expect("written");
        assert!(matches!(ledger.begin(posted(1, 1), true, soon()).await, Ok(Begun::Send(2))));
        // As on a standby that took over without the last step.
        place.sql("DELETE FROM tries WHERE number = 2; UPDATE attempts SET state = 'open', tries = 1").await;
        let kept = ledger.end(ended(1, 2, Money::Yes)).await.expect("written").expect("kept");
        assert_eq!((kept.state, kept.tries), (State::Final, 2));
        assert_eq!(ledger.outcomes(0, 10).await.expect("readable").len(), 1, "the merchant is told");
        // Of an attempt that is not known nothing can be written.
        assert_eq!(ledger.end(ended(9, 1, Money::Yes)).await, Ok(None));
    })
    .await;
}

/// A way to the server on which nothing comes back once it is told to be silent.
async fn silent_way(place: &Place, silent: CancellationToken) -> String {
    let mut url = url::Url::parse(&place.url).expect("a URL");
    let server = (url.host_str().expect("a host").to_owned(), url.port().unwrap_or(5432));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    url.set_host(Some("127.0.0.1")).expect("a host");
    url.set_port(Some(listener.local_addr().expect("an address").port())).expect("a port");
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = tokio::net::TcpStream::connect(&server).await.expect("the server");
            let silent = silent.clone();
            tokio::spawn(async move {
                let ((mut from, mut to), (mut back, mut answers)) = (client.into_split(), server.into_split());
                tokio::spawn(async move { tokio::io::copy(&mut from, &mut answers).await });
                tokio::select! {
                    _ = tokio::io::copy(&mut back, &mut to) => {}
                    () = silent.cancelled() => std::future::pending().await,
                }
            });
        }
    });
    url.into()
}

/// The ledger over such a way, and what makes it silent.
async fn opened_by_a_silent_way(place: &Place) -> (Sql, CancellationToken) {
    place.opened().await.shut().await;
    let silent = CancellationToken::new();
    let url = silent_way(place, silent.clone()).await;
    let ledger = Sql::open(&url, &place::pin_keys(), place.clock(), place::LEASE).await.expect("it opens");
    (ledger, silent)
}

#[tokio::test]
async fn a_server_that_says_nothing_any_more_holds_no_reader_for_ever() {
    each(async |place: &Place| {
        if place.is_file() {
            return;
        }
        let (ledger, silent) = opened_by_a_silent_way(place).await;
        // As a reading is on its way.
        let waiting = ledger.read(move |reader| {
            Box::pin(async move {
                silent.cancel();
                query("SELECT 1").one(reader).await.map(drop)
            })
        });
        assert!(tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it ends").is_err());
    })
    .await;
}

/// A step within which the server falls silent.
struct Silencing(CancellationToken);

#[async_trait]
impl Operation for Silencing {
    type Outcome = ();

    async fn run(&self, connection: &mut Connection, _: &engine::Step) -> Result<()> {
        self.0.cancel();
        query("SELECT 1").one(connection).await.map(drop)
    }
}

#[tokio::test]
async fn a_step_that_a_silent_server_holds_is_given_up_in_time_and_may_stand_only_if_it_was_begun() {
    each(async |place: &Place| {
        if place.is_file() {
            return;
        }
        let (ledger, silent) = opened_by_a_silent_way(place).await;
        let by = Some(Instant::now() + Duration::from_millis(300));
        let both = async {
            let held = ledger.write(Silencing(silent.clone()), by);
            let behind = async {
                silent.cancelled().await;
                ledger.begin(posted(1, 1), true, Instant::now()).await
            };
            tokio::join!(held, behind)
        };
        // Before the limit of the step itself.
        let (held, behind) = tokio::time::timeout(Duration::from_secs(6), both).await.expect("in time");
        assert!(held.expect_err("no answer came").may_stand);
        assert!(!behind.expect_err("it was never begun").may_stand);
    })
    .await;
}
