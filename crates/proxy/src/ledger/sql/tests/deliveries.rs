//! Which lines of the books are due to be delivered.

use super::*;

async fn redeem(ledger: &Sql, key: u128, owner: &str) {
    let posted = Posted { owner: owner.to_owned(), ..posted(key, u8::try_from(key).expect("small")) };
    ledger.begin(posted, true, soon()).await.expect("written");
    ledger.end(ended(key, 1, Money::Yes)).await.expect("written");
}

async fn claimed(ledger: &Sql) -> Vec<(String, u32)> {
    let claimed = ledger.claim_deliveries(10, Duration::from_mins(1)).await.expect("written");
    claimed.into_iter().map(|one| (one.entry.user_id.expect("an owner"), one.failures)).collect()
}

fn lines(lines: &[(&str, u32)]) -> Vec<(String, u32)> {
    lines.iter().map(|(owner, failures)| ((*owner).to_owned(), *failures)).collect()
}

#[tokio::test]
async fn each_customers_lines_are_delivered_in_order_and_nobody_waits_for_another_customer() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        for (key, owner) in [(1, "ann"), (2, "ann"), (3, "bob")] {
            redeem(&ledger, key, owner).await;
        }
        let first = ledger.outcomes(0, 10).await.expect("readable")[0].sequence;
        assert_eq!(claimed(&ledger).await, lines(&[("ann", 0), ("bob", 0)]), "of each the earliest");
        assert_eq!(claimed(&ledger).await, [], "they are claimed, and ann's second waits");
        ledger.not_delivered(first, Duration::ZERO).await.expect("written");
        assert_eq!(claimed(&ledger).await, lines(&[("ann", 1)]), "again, and it is told how often it failed");
        ledger.delivered(first).await.expect("written");
        assert_eq!(claimed(&ledger).await, lines(&[("ann", 0)]), "then her second");
        ledger.not_delivered(first, Duration::ZERO).await.expect("written");
        assert_eq!(claimed(&ledger).await, [], "what was delivered stays so");
    })
    .await;
}

#[tokio::test]
async fn of_two_processes_one_delivers_and_a_claim_that_runs_out_is_the_others() {
    each(async |place: &Place| {
        let (one, other) = (place.opened().await, place.opened().await);
        redeem(&one, 1, "ann").await;
        assert_eq!(claimed(&one).await.len() + claimed(&other).await.len(), 1);
        place.sql("UPDATE outbox SET due_at = due_at - 61").await;
        assert_eq!(claimed(&other).await, lines(&[("ann", 0)]));
    })
    .await;
}

#[tokio::test]
async fn staff_have_lines_delivered_again() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        for (key, owner) in [(1, "ann"), (2, "bob"), (3, "cat")] {
            redeem(&ledger, key, owner).await;
        }
        let outcomes = ledger.outcomes(0, 10).await.expect("readable");
        for outcome in &outcomes {
            ledger.delivered(outcome.sequence).await.expect("written");
        }
        assert_eq!(claimed(&ledger).await, []);
        assert_eq!(ledger.redeliver(Redeliver::Attempt(Uuid::from_u128(2))).await, Ok(1));
        assert_eq!(claimed(&ledger).await, lines(&[("bob", 0)]));
        assert_eq!(ledger.redeliver(Redeliver::After(outcomes[0].sequence)).await, Ok(2));
        assert_eq!(claimed(&ledger).await, lines(&[("bob", 0), ("cat", 0)]));
        assert_eq!(ledger.redeliver(Redeliver::Attempt(Uuid::from_u128(9))).await, Ok(0));
    })
    .await;
}

#[tokio::test]
async fn operators_see_what_is_open_unknown_and_undelivered() {
    each(async |place: &Place| {
        let ledger = place.opened().await;
        assert_eq!(ledger.figures().await, Ok(Figures::default()));
        redeem(&ledger, 1, "ann").await;
        ledger.begin(posted(2, 2), true, soon()).await.expect("written");
        ledger.end(ended(2, 1, Money::Unknown)).await.expect("written");
        ledger.begin(posted(3, 3), true, soon()).await.expect("written");
        place.sql("UPDATE attempts SET created_at = created_at - 90000; UPDATE outbox SET at = at - 30000").await;
        let mut figures = ledger.figures().await.expect("readable");
        figures.attempts.sort_by_key(|(state, _)| state.as_str());
        assert_eq!(figures.attempts, [(State::Open, 1), (State::Sending, 1)]);
        assert_eq!((figures.unknown, figures.undelivered), (1, 1));
        assert!((90..200).contains(&figures.oldest_unknown_seconds), "{figures:?}");
        assert!((30..140).contains(&figures.oldest_undelivered_seconds), "{figures:?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_due_is_found_without_a_look_at_all_that_was_ever_delivered() {
    each(async |place: &Place| {
        if !place.is_file() {
            // A server plans by what is in the table.
            return;
        }
        let ledger = place.opened().await;
        let mut beside = place.beside().await;
        let plan = format!("EXPLAIN QUERY PLAN {}", super::super::deliveries::DUE);
        let plan = query(plan).bind(0_i64).bind(1_i64).all(&mut beside).await.expect("a plan");
        let steps: Vec<String> = plan.iter().map(|row| row.get("detail").expect("a step")).collect();
        assert!(steps.iter().any(|step| step.starts_with("SCAN o USING INDEX")), "{steps:?}");
        ledger.shut().await;
    })
    .await;
}
