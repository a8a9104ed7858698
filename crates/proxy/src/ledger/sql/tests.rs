//! What an engine promises, asked of both: steps that nothing comes between, on disk when they are answered. A test runs
//! on `SQLite`, and on `PostgreSQL` where `CASHIER_TEST_POSTGRES_URL` names a server.

mod deliveries;
mod guesses;
mod migrations;
mod nodes;
mod place;
mod restored;
mod sessions;
mod writing;

use super::writer::Operation;
use super::*;
use crate::ledger::{RedeemedAs, Settled, State, StoredAnswer};
use crate::pin_key::KeyedHash;
use crate::truth::Said;
use mozarto::{Answer, Money, Signal};
use place::{Place, each};
use tokio::task::JoinSet;

fn soon() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

fn posted(key: u128, voucher: u8) -> Posted {
    Posted {
        key: Uuid::from_u128(key),
        owner: "user".to_owned(),
        voucher: vec![KeyedHash { key_id: "1".to_owned(), hash: vec![voucher; 32] }],
        amount_minor: 2500,
        currency: "EUR".to_owned(),
        brand: None,
        session: None,
        most_guesses: 0,
    }
}

fn ended(key: u128, number: i64, money: Money) -> Ended {
    let lost = Answer::none().meaning();
    Ended {
        key: Uuid::from_u128(key),
        number,
        answer: StoredAnswer { status: 200, retry_after: None, body: Some("{}".to_owned()) },
        said: Said { money, is_retried: money == Money::Unknown, ..Said::from(&Signal::UnknownError) },
        meaning: lost.signal.to_string(),
        transaction_id: None,
        redeemed: Some(RedeemedAs::default()).filter(|_| money == Money::Yes),
        presumed: false,
    }
}

async fn state(ledger: &Sql, key: u128) -> Option<State> {
    ledger.attempt(Uuid::from_u128(key)).await.expect("readable").map(|kept| kept.state)
}

#[tokio::test]
async fn a_recorded_attempt_holds_its_voucher_and_waits_for_its_next_post() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        let not_now = ledger.begin(posted(1, 1), false, soon()).await.expect("written");
        assert!(matches!(not_now, Begun::NotNow), "{not_now:?}");
        ledger.shut().await;
        let ledger = place.opened().await;
        assert_eq!(state(&ledger, 1).await, Some(State::Recorded));
        let other = ledger.begin(posted(2, 1), true, soon()).await.expect("written");
        assert!(matches!(other, Begun::InUse(Some((key, _))) if key == Uuid::from_u128(1)), "{other:?}");
        assert!(matches!(ledger.begin(posted(1, 1), true, soon()).await.expect("written"), Begun::Send(1)));
        assert_eq!(state(&ledger, 1).await, Some(State::Sending));
        let closed = ledger.close(Uuid::from_u128(1), None).await.expect("written");
        assert!(matches!(closed, Closed::Kept(_)), "closing excludes sending");
    })
    .await;
}

#[tokio::test]
async fn a_recorded_attempt_can_be_closed() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        ledger.begin(posted(1, 1), false, soon()).await.expect("written");
        assert!(matches!(ledger.close(Uuid::from_u128(1), None).await.expect("written"), Closed::Untouched));
        assert_eq!(state(&ledger, 1).await, Some(State::Closed));
        assert!(matches!(ledger.begin(posted(2, 1), true, soon()).await.expect("written"), Begun::Send(1)));
    })
    .await;
}

#[tokio::test]
async fn an_attempt_is_closed_for_its_own_customer_alone() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        ledger.begin(posted(1, 1), false, soon()).await.expect("written");
        let closed = async |who: &str| ledger.close(Uuid::from_u128(1), Some(who.to_owned())).await.expect("written");
        assert!(matches!(closed("another").await, Closed::Foreign));
        assert_eq!(state(&ledger, 1).await, Some(State::Recorded), "it was left as it is");
        assert!(matches!(closed("user").await, Closed::Untouched));
        assert!(matches!(closed("another").await, Closed::Foreign), "whether it is closed is not theirs to know");
    })
    .await;
}

#[tokio::test]
async fn of_many_keys_for_one_voucher_at_once_one_is_sent() {
    each(async |place: &Place| {
        let ledger = Arc::new(place.opened().await);
        let begun = (1..=50).map(|key| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move { ledger.begin(posted(key, 1), true, soon()).await })
        });
        let mut sent = 0;
        for begun in begun.collect::<Vec<_>>() {
            match begun.await.expect("no panic").expect("written") {
                Begun::Send(_) => sent += 1,
                Begun::InUse(Some(_)) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(sent, 1);
    })
    .await;
}

#[tokio::test]
async fn what_the_end_of_a_try_gives_is_what_is_then_kept() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        for (key, money) in [(1, Money::Yes), (2, Money::Unknown), (3, Money::No)] {
            ledger.begin(posted(key, u8::try_from(key).expect("small")), true, soon()).await.expect("written");
            let value = Some(RedeemedAs { value: Some("25.5".to_owned()), currency: Some("EUR".to_owned()) });
            let end = Ended { transaction_id: Some(format!("t-{key}")), ..ended(key, 1, money) };
            let given =
                ledger.end(Ended { redeemed: value.filter(|_| money == Money::Yes), ..end }).await.expect("written");
            assert_eq!(given, ledger.attempt(Uuid::from_u128(key)).await.expect("readable"), "{money:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_end_of_a_try_can_be_written_twice_and_changes_nothing_the_second_time() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        ledger.begin(posted(1, 1), true, soon()).await.expect("written");
        for _ in 0..2 {
            let kept = ledger.end(ended(1, 1, Money::Yes)).await.expect("written").expect("an attempt");
            assert_eq!(kept.state, State::Final);
        }
        // A late "not known" of the same try is none: it has ended.
        ledger.end(ended(1, 1, Money::Unknown)).await.expect("written");
        assert_eq!(state(&ledger, 1).await, Some(State::Final));
        assert_eq!(ledger.outcomes(0, 10).await.expect("readable").len(), 1);
        assert!(ledger.end(ended(9, 1, Money::Yes)).await.expect("written").is_none(), "no such attempt");
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_comes_after_its_try_was_given_up_still_counts() {
    for (after, expected) in [(Money::Yes, State::Final), (Money::Unknown, State::Open)] {
        each(async |place: &Place| {
            let ledger = place.opened().await;
            ledger.begin(posted(1, 1), true, soon()).await.expect("written");
            let presumed = Ended { presumed: true, ..ended(1, 1, Money::Unknown) };
            assert_eq!(ledger.end(presumed.clone()).await.expect("written").expect("an attempt").state, State::Open);
            ledger.end(ended(1, 1, after)).await.expect("written");
            ledger.end(presumed).await.expect("written");
            assert_eq!(state(&ledger, 1).await, Some(expected), "a presumption overrides no answer");
        })
        .await;
    }
}

#[tokio::test]
async fn a_success_after_a_settlement_is_in_the_books_once() {
    for (settled, before) in [(Settled::Untouched, 0), (Settled::Redeemed, 1)] {
        each(async |place: &Place| {
            let ledger = place.opened().await;
            ledger.begin(posted(1, 1), true, soon()).await.expect("written");
            ledger.end(Ended { presumed: true, ..ended(1, 1, Money::Unknown) }).await.expect("written");
            let (by, reason) = ("Ann".to_owned(), "mail".to_owned());
            let settlement =
                Settlement { key: Uuid::from_u128(1), settled, by, reason, transaction_id: None, value: None };
            ledger.settle(settlement).await.expect("written").expect("it may be settled");
            assert_eq!(ledger.outcomes(0, 10).await.expect("readable").len(), before);
            ledger.end(ended(1, 1, Money::Yes)).await.expect("written");
            assert_eq!(state(&ledger, 1).await, Some(State::Final));
            assert_eq!(ledger.outcomes(0, 10).await.expect("readable").len(), 1);
        })
        .await;
    }
}

#[tokio::test]
async fn a_try_is_dated_by_its_step_and_not_by_the_beginning_of_its_wait() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        let mut beside = place.beside().await;
        beside.batch(place.lock()).await.expect("locked");
        let asked = ledger.engine.now(&mut place.beside().await).await.expect("the time").wall_ms;
        // Polled in turn: it waits for the lock before the clock goes on.
        let (begun, ()) = tokio::join!(ledger.begin(posted(1, 1), true, soon()), async {
            if place.is_file() {
                std::fs::write(&place.offset, "1000").expect("written");
            } else {
                beside.batch("SELECT 1 FROM pg_sleep(1)").await.expect("a second");
            }
            beside.batch("ROLLBACK").await.expect("unlocked");
        });
        assert!(matches!(begun, Ok(Begun::Send(1))), "{begun:?}");
        let shown = ledger.show(Uuid::from_u128(1)).await.expect("readable").expect("kept");
        assert!(shown.tries[0].sent_at >= asked + 1_000, "{:?}", shown.tries);
    })
    .await;
}

#[tokio::test]
async fn a_recorded_attempt_can_be_settled_as_untouched_alone_and_lets_its_voucher_go() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        ledger.begin(posted(1, 1), false, soon()).await.expect("written");
        let settlement = |settled| {
            let (by, reason) = ("Ann".to_owned(), "never sent".to_owned());
            Settlement { key: Uuid::from_u128(1), settled, by, reason, transaction_id: None, value: None }
        };
        let redeemed = ledger.settle(settlement(Settled::Redeemed)).await.expect("written");
        assert_eq!(redeemed, Err(SettlementRefused::State(State::Recorded)));
        ledger.settle(settlement(Settled::Untouched)).await.expect("written").expect("it may be settled");
        assert!(matches!(ledger.begin(posted(2, 1), true, soon()).await, Ok(Begun::Send(1))), "the voucher is free");
    })
    .await;
}

const THIRTY_DAYS: i64 = 30 * 24 * 3600;

/// The bodies that are left of three attempts: final, unconfirmed, and closed after a try. `later` is how many steady
/// seconds are added, and `clock_off` by how much the wall clock jumps.
async fn bodies_after(place: &Place, later: i64, clock_off: &str) -> Vec<bool> {
    let ledger = place.opened().await;
    for (key, money) in [(1, Money::Yes), (2, Money::Unknown), (3, Money::No)] {
        ledger.begin(posted(key, u8::try_from(key).expect("small")), true, soon()).await.expect("written");
        let is_retried = money != Money::Yes;
        let end = ended(key, 1, money);
        ledger.end(Ended { said: Said { is_retried, ..end.said }, ..end }).await.expect("written");
    }
    ledger.close(Uuid::from_u128(3), None).await.expect("written");
    place.sql(&format!("UPDATE attempts SET ended_observed = ended_observed - {later}")).await;
    ledger.shut().await;
    std::fs::write(&place.offset, clock_off).expect("written");
    let ledger = place.opened().await;
    assert_eq!(ledger.prune(THIRTY_DAYS).await, Ok(false), "there is no more");
    let mut left = Vec::new();
    for key in 1..=3 {
        let shown = ledger.show(Uuid::from_u128(key)).await.expect("readable").expect("kept for good");
        assert_eq!(shown.kept.owner.as_deref(), Some("user"), "kept for good");
        assert!(shown.kept.voucher.is_some() && shown.tries[0].meaning.is_some(), "kept for good");
        left.push(shown.tries[0].answer.as_ref().is_some_and(|answer| answer.body.is_some()));
    }
    left
}

#[tokio::test]
async fn bodies_are_pruned_by_steady_time_alone_and_open_attempts_never() {
    for (later, clock_off, left) in [
        (0, "0", vec![true, true, true]),
        (THIRTY_DAYS - 100, "0", vec![true, true, true]),
        (0, "31536000", vec![true, true, true]),
        (0, "-31536000", vec![true, true, true]),
        (THIRTY_DAYS, "0", vec![false, true, false]),
        (THIRTY_DAYS, "-31536000", vec![false, true, false]),
    ] {
        each(async |place: &Place| {
            let bodies = bodies_after(place, later, clock_off).await;
            assert_eq!(bodies, left, "{later} s, the clock is off by {clock_off} s");
        })
        .await;
    }
}

#[tokio::test]
async fn the_running_time_counts_on_after_a_restart() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        ledger.observe().await.expect("written");
        place.sql("UPDATE meta SET value = value + 1000 WHERE name = 'observed_seconds'").await;
        ledger.shut().await;
        let ledger = place.opened().await;
        let steady = ledger.engine.now(&mut place.beside().await).await.expect("the time").steady;
        assert!(steady >= 1000, "it never goes back: {steady}");
    })
    .await;
}
