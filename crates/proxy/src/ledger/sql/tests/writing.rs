//! What the one writer promises: what waits together, fails alone, comes too late or ends it.

use super::super::writer::MOST_WAITING;
use super::*;

#[tokio::test]
async fn more_than_can_wait_is_refused_at_once() {
    each(async |place: &Place| {
        let ledger = Arc::new(place.opened().await);
        let mut beside = place.beside().await;
        beside.batch(place.lock()).await.expect("locked");
        let mut begun = JoinSet::new();
        for key in 0..3 * MOST_WAITING {
            let ledger = Arc::clone(&ledger);
            let key = u128::try_from(key).expect("a number");
            begun.spawn(async move { ledger.begin(posted(key, 1), true, soon()).await });
        }
        // While the lock lasts nothing else is answered.
        for _ in 0..MOST_WAITING / 2 {
            let refused =
                tokio::time::timeout(Duration::from_secs(20), begun.join_next()).await.expect("it is refused");
            let unavailable = refused.expect("one of them").expect("no panic").expect_err("it is locked");
            assert!(unavailable.why.contains("too much"), "{unavailable}");
        }
    })
    .await;
}

/// A defect.
struct Panicking;

#[async_trait]
impl Operation for Panicking {
    type Outcome = ();

    async fn run(&self, _: &mut Connection, _: &engine::Step) -> Result<()> {
        panic!("a defect that a test has asked for")
    }
}

#[tokio::test]
async fn a_writer_that_has_ended_is_told_and_is_not_said_to_be_busy() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        assert!(tokio::time::timeout(Duration::ZERO, ledger.stopped()).await.is_err(), "it writes");
        assert!(ledger.write(Panicking, None).await.is_err());
        tokio::time::timeout(Duration::from_secs(20), ledger.stopped()).await.expect("it is told");
        let after = ledger.begin(posted(1, 1), true, soon()).await.expect_err("nothing is written any more");
        assert!(after.why.contains("has ended"), "{after}");
    })
    .await;
}

/// A beginning whose commit takes long.
struct Slowly(begin::Begin);

#[async_trait]
impl Operation for Slowly {
    type Outcome = Begun;

    async fn run(&self, connection: &mut Connection, step: &engine::Step) -> Result<Begun> {
        let begun = self.0.run(connection, step).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok(begun)
    }
}

#[tokio::test]
async fn a_beginning_that_is_on_disk_too_late_is_ended_as_not_sent() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        let (key, ticket) = (Uuid::from_u128(1), "a ticket".to_owned());
        let begin = begin::Begin { posted: posted(1, 1), may_send: true, ticket: ticket.clone() };
        let given_up = ledger.write(Slowly(begin), Some(Instant::now() + Duration::from_millis(300))).await;
        assert!(given_up.expect_err("nobody waits so long").may_stand);
        ledger.abandon(key, ticket);
        // Behind it in the writer's queue, and so are those that ask now.
        let closed = async {
            while !matches!(ledger.close(key, None).await, Ok(Closed::Untouched)) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), closed).await.expect("nothing was sent");
        let shown = ledger.show(key).await.expect("readable").expect("kept");
        assert_eq!(shown.tries.len(), 1, "it was begun, and ended as not sent");
    })
    .await;
}

/// Fails after it has written something.
struct Failing;

#[async_trait]
impl Operation for Failing {
    type Outcome = ();

    async fn run(&self, connection: &mut Connection, _: &engine::Step) -> Result<()> {
        query("DELETE FROM meta").execute(&mut *connection).await?;
        Err(Error::NoRow)
    }
}

#[tokio::test]
async fn an_operation_that_fails_spoils_no_other_and_leaves_nothing_behind() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        // Polled in turn on one thread, they wait together for one transaction.
        let (before, failed, after) = tokio::join!(
            ledger.begin(posted(1, 1), true, soon()),
            ledger.write(Failing, None),
            ledger.begin(posted(2, 2), true, soon())
        );
        assert!(matches!((before, after), (Ok(Begun::Send(1)), Ok(Begun::Send(1)))));
        assert!(failed.is_err());
        let kept: i64 = query("SELECT count(*) FROM meta")
            .one(&mut place.beside().await)
            .await
            .expect("readable")
            .only()
            .expect("a number");
        assert!(kept > 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_late_is_not_begun() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        assert!(ledger.begin(posted(1, 1), true, Instant::now()).await.is_err());
        assert_eq!(state(&ledger, 1).await, None);
    })
    .await;
}
