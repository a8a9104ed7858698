//! The lock on guessing.

use super::*;

/// An attempt whose PIN is none.
async fn guess(ledger: &Sql, key: u128) -> Begun {
    let begun = ledger.begin(guessing(key), true, soon()).await.expect("written");
    if let Begun::Send(number) = begun {
        let no = ended(key, number, Money::No);
        let end =
            Ended { meaning: "rejected: invalid-pin".to_owned(), said: Said { is_retried: false, ..no.said }, ..no };
        ledger.end(end).await.expect("written");
    }
    begun
}

fn guessing(key: u128) -> Posted {
    Posted { most_guesses: 5, ..posted(key, u8::try_from(key % 250).expect("small")) }
}

/// Lets so many steady seconds pass.
async fn pass(place: &Place, seconds: i64) {
    place.sql(&format!("UPDATE guesses SET last_at = last_at - {seconds}")).await;
}

fn seconds(begun: &Begun) -> Option<u64> {
    if let Begun::Wait(wait) = begun { Some(wait.as_secs()) } else { None }
}

#[tokio::test]
async fn after_five_invalid_pins_a_customer_waits_longer_each_time_also_after_a_restart() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        for key in 1..=5 {
            assert!(matches!(guess(&ledger, key).await, Begun::Send(1)), "{key} is free");
        }
        let wait = seconds(&guess(&ledger, 6).await).expect("it waits");
        assert!((50..=60).contains(&wait), "{wait}");
        ledger.shut().await;
        let ledger = place.opened().await;
        assert!(seconds(&guess(&ledger, 6).await).is_some(), "in another process, too");
        pass(place, 60).await;
        assert!(matches!(guess(&ledger, 7).await, Begun::Send(1)), "one more, after the wait");
        let wait = seconds(&guess(&ledger, 8).await).expect("it waits");
        assert!((200..=240).contains(&wait), "{wait}");
        let other = Posted { owner: "another".to_owned(), ..guessing(9) };
        assert!(matches!(ledger.begin(other, true, soon()).await, Ok(Begun::Send(1))), "nobody else waits");
    })
    .await;
}

#[tokio::test]
async fn an_attempt_that_is_known_is_finished_whatever_its_customer_has_guessed() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        assert!(matches!(ledger.begin(guessing(100), true, soon()).await, Ok(Begun::Send(1))));
        ledger.end(ended(100, 1, Money::Unknown)).await.expect("written");
        for key in 1..=5 {
            guess(&ledger, key).await;
        }
        assert!(seconds(&guess(&ledger, 6).await).is_some(), "new keys wait");
        assert!(matches!(ledger.begin(guessing(100), true, soon()).await, Ok(Begun::Send(2))), "the open one does not");
    })
    .await;
}

#[tokio::test]
async fn a_redeemed_voucher_or_a_quiet_week_forgets_the_guesses_and_other_rejections_are_none() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        for key in 1..=4 {
            guess(&ledger, key).await;
        }
        assert!(matches!(ledger.begin(guessing(5), true, soon()).await, Ok(Begun::Send(1))));
        ledger.end(ended(5, 1, Money::Yes)).await.expect("written");
        for key in 6..=9 {
            assert!(matches!(guess(&ledger, key).await, Begun::Send(1)), "{key} counts from the beginning");
        }
        pass(place, 8 * 24 * 3600).await;
        for key in 10..=14 {
            assert!(matches!(guess(&ledger, key).await, Begun::Send(1)), "{key} counts from the beginning");
        }
        assert!(seconds(&guess(&ledger, 15).await).is_some());
        pass(place, 24 * 3600).await;
        // A mismatch names a voucher that there is.
        for key in 20..=29 {
            let begun = ledger.begin(guessing(key), true, soon()).await.expect("written");
            assert!(matches!(begun, Begun::Send(1)), "{begun:?}");
            let no = ended(key, 1, Money::No);
            let meaning = "rejected: mismatched-amount".to_owned();
            ledger.end(Ended { meaning, said: Said { is_retried: false, ..no.said }, ..no }).await.expect("written");
        }
    })
    .await;
}

#[tokio::test]
async fn guesses_that_are_sent_at_once_are_no_more_than_those_that_are_free() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        let mut sent = 0;
        for key in 1..=20 {
            match ledger.begin(guessing(key), true, soon()).await.expect("written") {
                Begun::Send(_) => sent += 1,
                Begun::Wait(wait) => assert_eq!(wait.as_secs(), 5, "until one of them has ended"),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(sent, 5);
        let off = Posted { most_guesses: 0, ..guessing(30) };
        assert!(matches!(ledger.begin(off, true, soon()).await, Ok(Begun::Send(1))), "0 is off");
    })
    .await;
}

#[tokio::test]
async fn attempts_that_were_recorded_while_nothing_could_be_sent_are_guesses_when_they_are() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        for key in 1..=20 {
            assert!(matches!(ledger.begin(guessing(key), false, soon()).await, Ok(Begun::NotNow)));
        }
        let mut sent = 0;
        for key in 1..=20 {
            match guess(&ledger, key).await {
                Begun::Send(_) => sent += 1,
                begun => assert!(seconds(&begun).is_some(), "{begun:?}"),
            }
        }
        assert_eq!(sent, 5);
    })
    .await;
}
