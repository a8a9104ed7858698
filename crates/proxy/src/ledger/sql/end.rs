//! The end of a try, in one step: its answer, what the attempt means now, and the line in the merchant's books.

use super::connection::{Connection, Result, Row, query};
use super::engine::Step;
use super::guesses;
use super::outbox::{self, Line};
use super::rows::{flag, kept, money_of};
use super::writer::Operation;
use crate::ledger::{Ended, Kept, Settled, State};
use crate::truth::{Said, Try, Verdict, verdict};
use async_trait::async_trait;
use mozarto::Money;
use tracing::error;

/// The only answer that counts as a guess, in `mozarto`'s word.
const INVALID_PIN: &str = "rejected: invalid-pin";

pub(super) struct End {
    pub(super) ended: Ended,
}

#[async_trait]
impl Operation for End {
    type Outcome = Option<Kept>;

    async fn run(&self, connection: &mut Connection, step: &Step) -> Result<Option<Kept>> {
        let Some(before) = kept(connection, self.ended.key, &step.process).await? else { return Ok(None) };
        let mut is_news = self.write_try(connection, step).await?;
        let was_lost = !is_news && self.restore_try(connection, step).await?;
        if was_lost {
            is_news = self.write_try(connection, step).await?;
        }
        if is_news
            && self.ended.meaning == INVALID_PIN
            && let Some(owner) = &before.owner
        {
            guesses::count(connection, owner, step).await?;
        }
        let is_only_try = is_news && before.tries == 1 && !was_lost;
        let tries = if is_only_try { vec![Try::Ended(self.ended.said)] } else { self.tries(connection).await? };
        let verdict = verdict(&tries, before.forgotten);
        let redeemed = tries.iter().copied().any(is_redeemed);
        if before.state.is_ended() && !redeemed {
            // What was ended before stays so: no answer but a success overrides it.
            return Ok(Some(before));
        }
        if tries.iter().filter(|one| is_redeemed(**one)).count() > 1 {
            error!(attempt = %self.ended.key, "ALARM: two tries of one attempt were redeemed; it is credited once");
        }
        if matches!(before.state, State::Settled | State::Closed) {
            error!(attempt = %self.ended.key, state = before.state.as_str(), settled = before.settled.map(Settled::as_str),
                "ALARM: redeemed after it was settled, or closed as untouched");
        }
        self.write_attempt(connection, verdict, step).await?;
        if redeemed {
            let line = Line {
                attempt: self.ended.key,
                transaction_id: self.ended.transaction_id.as_deref(),
                user_id: before.owner.as_deref(),
                redeemed: self.ended.redeemed.clone().unwrap_or_default(),
                attempt_currency: before.currency.as_deref(),
                at: step.wall_ms,
            };
            outbox::add(connection, &line).await?;
            if let Some(owner) = before.owner.as_ref().filter(|_| before.guesses > 0) {
                guesses::forget(connection, owner).await?;
            }
        }
        // The usual case is known without asking.
        if is_only_try {
            Ok(Some(self.after(before, verdict, step)))
        } else {
            kept(connection, self.ended.key, &step.process).await
        }
    }
}

impl End {
    /// The attempt after its only try has ended: that try's answer is its answer.
    fn after(&self, before: Kept, verdict: Verdict, step: &Step) -> Kept {
        let Ended { answer, meaning, transaction_id, redeemed, .. } = self.ended.clone();
        Kept {
            state: State::from(verdict.standing),
            meaning: verdict.answer.map(|_| meaning),
            unknown_try: verdict.unknown_try,
            forbids_tries: verdict.forbids_tries,
            transaction_id: transaction_id.or(before.transaction_id),
            settled: None,
            answer: verdict.answer.map(|_| answer),
            money: verdict.answer.map(|_| self.ended.said.money),
            answered_at: verdict.answer.map(|_| step.wall_ms),
            running: None,
            redeemed: before.redeemed.or(redeemed),
            guesses: if verdict.answer.is_some() && self.ended.said.money == Money::Yes { 0 } else { before.guesses },
            ..before
        }
    }

    /// A ledger that was changed for an older one, such as by a standby that took over, may lack the beginning of a try
    /// that has ended now. What came of it counts all the same. Whether it was so.
    async fn restore_try(&self, connection: &mut Connection, step: &Step) -> Result<bool> {
        let insert = query(
            "INSERT INTO tries (attempt, number, sent_at, sent_uptime, process) SELECT $1, $2, $3, $4, $5 \
             WHERE NOT EXISTS (SELECT 1 FROM tries WHERE attempt = $1 AND number = $2)",
        );
        let key = self.ended.key.to_string();
        let insert =
            insert.bind(&key).bind(self.ended.number).bind(step.wall_ms).bind(&step.uptime).bind(&step.process);
        if insert.execute(&mut *connection).await? == 0 {
            return Ok(false);
        }
        error!(attempt = %key, number = self.ended.number, "ALARM: the ledger had lost a try; was an older one put in its place?");
        let count = query("UPDATE attempts SET tries = $2 WHERE key = $1 AND tries < $2");
        count.bind(&key).bind(self.ended.number).execute(connection).await?;
        Ok(true)
    }

    /// A try that has ended is not changed, unless its end was only presumed. Whether it was changed.
    async fn write_try(&self, connection: &mut Connection, step: &Step) -> Result<bool> {
        let update = query(
            "UPDATE tries SET ended_at = $1, presumed = $2, status = $3, retry_after = $4, body = $5, meaning = $6, money = $7, \
             proves_untouched = $8, is_retried = $9, forbids_tries = $10, transaction_id = $11 \
             WHERE attempt = $12 AND number = $13 AND (ended_at IS NULL OR (presumed = 1 AND $2 = 0))",
        );
        let Ended { answer, said, .. } = &self.ended;
        update
            .bind(step.wall_ms)
            .bind(i64::from(self.ended.presumed))
            .bind(i64::from(answer.status))
            .bind(&answer.retry_after)
            .bind(&answer.body)
            .bind(&self.ended.meaning)
            .bind(said.money.as_str())
            .bind(i64::from(said.proves_untouched))
            .bind(i64::from(said.is_retried))
            .bind(i64::from(said.forbids_tries))
            .bind(&self.ended.transaction_id)
            .bind(self.ended.key.to_string())
            .bind(self.ended.number)
            .execute(connection)
            .await
            .map(|done| done == 1)
    }

    async fn tries(&self, connection: &mut Connection) -> Result<Vec<Try>> {
        let rows = query(
            "SELECT money, proves_untouched, is_retried, forbids_tries FROM tries WHERE attempt = $1 ORDER BY number",
        );
        rows.bind(self.ended.key.to_string()).all(connection).await?.iter().map(try_of).collect()
    }

    async fn write_attempt(&self, connection: &mut Connection, verdict: Verdict, step: &Step) -> Result<()> {
        let state = State::from(verdict.standing);
        let answer_try = verdict.answer.and_then(|at| i64::try_from(at).ok()).map(|at| at + 1);
        // The reference that customer and support have: the answering try's, else the latest there was.
        let update = query(
            "UPDATE attempts SET state = $2, unknown_try = $3, forbids_tries = $4, answer_try = $5, changed_at = $6, ended_observed = $7, \
             settled = NULL, \
             meaning = (SELECT meaning FROM tries WHERE attempt = $1 AND number = $5), \
             transaction_id = coalesce((SELECT transaction_id FROM tries WHERE attempt = $1 AND number = $5), $8, transaction_id) \
             WHERE key = $1",
        );
        update
            .bind(self.ended.key.to_string())
            .bind(state.as_str())
            .bind(i64::from(verdict.unknown_try))
            .bind(i64::from(verdict.forbids_tries))
            .bind(answer_try)
            .bind(step.wall_ms)
            .bind(Some(step.steady).filter(|_| state.is_ended()))
            .bind(&self.ended.transaction_id)
            .execute(connection)
            .await?;
        Ok(())
    }
}

fn is_redeemed(one: Try) -> bool {
    matches!(one, Try::Ended(said) if said.money == Money::Yes)
}

fn try_of(row: &Row) -> Result<Try> {
    let Some(money) = row.get::<Option<String>>("money")? else { return Ok(Try::Running) };
    Ok(Try::Ended(Said {
        money: money_of(&money),
        proves_untouched: flag(row, "proves_untouched")?,
        is_retried: flag(row, "is_retried")?,
        forbids_tries: flag(row, "forbids_tries")?,
    }))
}
