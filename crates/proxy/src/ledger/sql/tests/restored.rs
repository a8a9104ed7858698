//! A ledger that was restored from a copy proves nothing that it may have forgotten.

use super::*;
use crate::mark::MarkFile;

fn restored() -> Restored {
    Restored { since: "2026-06-09T12:00:00Z".to_owned(), by: "Ann".to_owned() }
}

#[tokio::test]
async fn what_it_does_not_know_or_had_open_is_no_longer_untouched() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        ledger.begin(posted(1, 1), false, soon()).await.expect("written");
        ledger.begin(posted(2, 2), true, soon()).await.expect("written");
        let not_taken = ended(2, 1, Money::No);
        ledger.end(Ended { said: Said { is_retried: true, ..not_taken.said }, ..not_taken }).await.expect("written");
        ledger.begin(posted(3, 3), true, soon()).await.expect("written");
        ledger.end(ended(3, 1, Money::Yes)).await.expect("written");
        let last = ledger.outcomes(0, 10).await.expect("readable")[0].sequence;
        assert!(!ledger.forgets());
        assert_eq!(ledger.restored(restored()).await, Ok(2));
        assert!(ledger.observe().await.expect("written").forgets && ledger.forgets());
        for key in [1, 2] {
            let closed = ledger.close(Uuid::from_u128(key), None).await.expect("written");
            assert!(matches!(closed, Closed::Kept(_)), "{key}: {closed:?}");
        }
        assert!(matches!(ledger.close(Uuid::from_u128(9), None).await, Ok(Closed::Forgotten)));
        assert!(matches!(ledger.begin(posted(9, 9), true, soon()).await, Ok(Begun::Send(1))), "it is not recorded");
        // A voucher that is said to be used may have been used by a try that is forgotten.
        let used = ended(9, 1, Money::No);
        let said = Said { is_retried: false, forbids_tries: true, ..used.said };
        let kept = ledger.end(Ended { said, ..used }).await.expect("written").expect("kept");
        assert_eq!((kept.state, kept.answer), (State::Unconfirmed, None));
        assert_eq!(ledger.attempt(Uuid::from_u128(9)).await.expect("readable").map(|kept| kept.answer), Some(None));
        ledger.begin(posted(10, 10), true, soon()).await.expect("written");
        ledger.end(ended(10, 1, Money::Yes)).await.expect("written");
        let next = ledger.outcomes(last, 10).await.expect("readable")[0].sequence;
        assert!(next > last + 1000, "numbers that the merchant may have seen are not used again: {next}");
        let shown = ledger.show(Uuid::from_u128(1)).await.expect("readable").expect("kept");
        assert_eq!(shown.audit[0].by, "Ann");
    })
    .await;
}

#[tokio::test]
async fn it_is_noticed_by_its_mark_and_taken_when_staff_have_said_so() {
    each(async |place: &Place| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cashier.mark");
        let started = async |ledger: &Sql| {
            let file = MarkFile::new(path.clone());
            file.check(file.noted()?, ledger.mark().await.expect("readable"))?;
            file.raise(ledger.observe().await.expect("written"))
        };
        let ledger = place.opened().await;
        for _ in 0..3 {
            started(&ledger).await.expect("it goes on from where it was");
        }
        // A copy of a moment ago is brought back.
        place.sql("UPDATE meta SET value = value - 1 WHERE name = 'generation'").await;
        let error = started(&ledger).await.expect_err("it is older");
        assert!(error.contains("attempts restored"), "{error}");
        ledger.restored(restored()).await.expect("written");
        started(&ledger).await.expect("staff have said so");
    })
    .await;
}

#[tokio::test]
async fn after_thirty_days_it_is_as_any_other() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        ledger.restored(restored()).await.expect("written");
        place.sql("UPDATE meta SET value = value - 2592001 WHERE name = 'forgotten_until'").await;
        assert!(!ledger.observe().await.expect("written").forgets);
        assert!(matches!(ledger.close(Uuid::from_u128(1), None).await, Ok(Closed::Untouched)));
        ledger.begin(posted(2, 2), true, soon()).await.expect("written");
        let kept = ledger.attempt(Uuid::from_u128(2)).await.expect("readable").expect("kept");
        assert!(!kept.forgotten && !kept.unknown_try);
    })
    .await;
}

#[tokio::test]
async fn a_copy_that_is_brought_back_twice_uses_no_number_a_second_time() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        let of_the_copy = ledger.observe().await.expect("written").generation;
        let mut seen: Vec<(i64, i64)> = Vec::new();
        for key in 1..=2_u8 {
            ledger.restored(restored()).await.expect("written");
            ledger.begin(posted(u128::from(key), key), true, soon()).await.expect("written");
            ledger.end(ended(u128::from(key), 1, Money::Yes)).await.expect("written");
            let sequence = ledger.outcomes(0, 10).await.expect("readable")[0].sequence;
            seen.push((sequence, ledger.observe().await.expect("written").generation));
            // The copy had no outcome yet.
            let generation = format!("UPDATE meta SET value = {of_the_copy} WHERE name = 'generation'");
            place.sql(&format!("DELETE FROM outbox; {generation}")).await;
            if place.is_file() {
                place.sql("DELETE FROM sqlite_sequence WHERE name = 'outbox'").await;
            }
        }
        assert!(seen[1].0 > seen[0].0 && seen[1].1 > seen[0].1, "{seen:?}");
    })
    .await;
}
