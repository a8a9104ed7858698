//! One redeemed attempt per checkout session.

use super::*;

fn under(session: &str, key: u128) -> Posted {
    Posted { session: Some(session.to_owned()), ..posted(key, u8::try_from(key).expect("small")) }
}

#[tokio::test]
async fn a_session_redeems_one_voucher_and_may_finish_what_it_began() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        let begin = async |posted: Posted| ledger.begin(posted, true, soon()).await.expect("written");
        assert!(matches!(begin(under("a", 1)).await, Begun::Send(1)));
        assert!(matches!(begin(under("a", 2)).await, Begun::SessionSpent), "the first may still be redeemed");
        assert!(matches!(begin(under("b", 2)).await, Begun::Send(1)), "a fresh session may");
        ledger.end(ended(1, 1, Money::Unknown)).await.expect("written");
        assert!(matches!(begin(under("a", 3)).await, Begun::SessionSpent), "it is not known");
        assert!(matches!(begin(under("a", 1)).await, Begun::Send(2)), "the same attempt again");
        ledger.end(ended(1, 2, Money::Yes)).await.expect("written");
        assert!(matches!(begin(under("a", 3)).await, Begun::SessionSpent), "it was redeemed");
        assert!(matches!(begin(under("a", 1)).await, Begun::Kept(_)), "and is told so");
        assert!(matches!(begin(posted(4, 4)).await, Begun::Send(1)), "without a session nothing is spent");
    })
    .await;
}

#[tokio::test]
async fn a_session_whose_voucher_was_rejected_may_send_another() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        let no = ended(1, 1, Money::No);
        ledger.begin(under("a", 1), true, soon()).await.expect("written");
        ledger.end(Ended { said: Said { is_retried: false, ..no.said }, ..no }).await.expect("written");
        assert!(matches!(ledger.begin(under("a", 2), true, soon()).await, Ok(Begun::Send(1))));
    })
    .await;
}

#[tokio::test]
async fn of_many_vouchers_at_once_under_one_session_one_is_sent() {
    each(async |place: &Place| {
        let (one, other) = (Arc::new(place.opened().await), Arc::new(place.opened().await));
        let mut begun = JoinSet::new();
        for key in 1..=30 {
            let ledger = Arc::clone(if key % 2 == 0 { &one } else { &other });
            begun.spawn(async move { ledger.begin(under("a", key), true, soon()).await.expect("written") });
        }
        let all = begun.join_all().await;
        assert_eq!(all.iter().filter(|begun| matches!(begun, Begun::Send(_))).count(), 1, "{all:?}");
        assert_eq!(all.iter().filter(|begun| matches!(begun, Begun::SessionSpent)).count(), 29, "{all:?}");
    })
    .await;
}
