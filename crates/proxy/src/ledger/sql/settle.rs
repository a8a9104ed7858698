//! Staff say what became of an attempt: its settlement, who answers for it, and the line in the merchant's books, in
//! one step. An attempt that is being sent cannot be settled: its answer is still to come.

use super::connection::{Connection, Error, Result, query};
use super::engine::Step;
use super::outbox::{self, Line};
use super::rows::kept;
use super::writer::Operation;
use crate::ledger::{Kept, RedeemedAs, Settled, Settlement, SettlementRefused, State};
use async_trait::async_trait;

pub(super) struct Settle {
    pub(super) settlement: Settlement,
}

#[async_trait]
impl Operation for Settle {
    type Outcome = Result<Kept, SettlementRefused>;

    async fn run(&self, connection: &mut Connection, step: &Step) -> Result<Self::Outcome> {
        let Settlement { key, settled, by, reason, transaction_id, value } = &self.settlement;
        let Some(before) = kept(connection, *key, &step.process).await? else {
            return Ok(Err(SettlementRefused::Unknown));
        };
        // Of a recorded attempt nothing has left, so nothing was redeemed.
        let may_be = match settled {
            Settled::Redeemed => matches!(before.state, State::Open | State::Unconfirmed),
            Settled::Untouched => matches!(before.state, State::Recorded | State::Open | State::Unconfirmed),
        };
        if !may_be {
            return Ok(Err(SettlementRefused::State(before.state)));
        }
        let update = query(
            "UPDATE attempts SET state = 'settled', settled = $1, meaning = $2, transaction_id = coalesce($3, transaction_id), \
             answer_try = NULL, changed_at = $4, ended_observed = $5 WHERE key = $6",
        );
        update
            .bind(settled.as_str())
            .bind(format!("settled: {}", settled.as_str()))
            .bind(transaction_id)
            .bind(step.wall_ms)
            .bind(step.steady)
            .bind(key.to_string())
            .execute(&mut *connection)
            .await?;
        let audit = query("INSERT INTO audit (attempt, at, by, action, reason) VALUES ($1, $2, $3, $4, $5)");
        let action = format!("settled as {}, was {}", settled.as_str(), before.state.as_str());
        audit
            .bind(key.to_string())
            .bind(step.wall_ms)
            .bind(by)
            .bind(action)
            .bind(reason)
            .execute(&mut *connection)
            .await?;
        if *settled == Settled::Redeemed {
            let line = Line {
                attempt: *key,
                transaction_id: transaction_id.as_deref().or(before.transaction_id.as_deref()),
                user_id: before.owner.as_deref(),
                redeemed: RedeemedAs { value: value.clone(), currency: None },
                attempt_currency: before.currency.as_deref(),
                at: step.wall_ms,
            };
            outbox::add(connection, &line).await?;
        }
        kept(connection, *key, &step.process).await?.map(Ok).ok_or(Error::NoRow)
    }
}
