//! A POST, in one step: is the attempt known, may it have a try, has another open attempt the voucher, is its session
//! spent, must its customer wait; and then the try is on disk as sending.

use super::connection::{Connection, Error, Result, Row, query};
use super::engine::Step;
use super::guesses;
use super::rows::{holds, kept, key_of};
use super::writer::Operation;
use crate::ledger::{Begun, Kept, Posted, State};
use async_trait::async_trait;
use std::time::Duration;

/// The attempt `a` spends the session of that parameter: it was redeemed, or still may be.
macro_rules! spends {
    ($session:literal) => {
        concat!(
            "a.session = ",
            $session,
            " AND (a.state IN ('recorded', 'sending', 'open', 'unconfirmed') OR EXISTS (SELECT 1 FROM outbox o WHERE o.attempt = a.key))"
        )
    };
}

/// How many invalid PINs in a row the customer of that parameter has sent, or may be sending.
macro_rules! guessed {
    ($owner:literal) => {
        concat!(
            "(SELECT count(*) FROM attempts WHERE owner = ",
            $owner,
            " AND state = 'sending') + coalesce((SELECT count FROM guesses WHERE owner = ",
            $owner,
            "), 0)"
        )
    };
}

pub(super) struct Begin {
    pub(super) posted: Posted,
    pub(super) may_send: bool,
    /// Tells this step, should it be repeated after it was committed and nobody learned of that.
    pub(super) ticket: String,
}

#[async_trait]
impl Operation for Begin {
    type Outcome = Begun;

    async fn run(&self, connection: &mut Connection, step: &Step) -> Result<Begun> {
        // The usual case, a new attempt, is one question. With an older key there is more to ask first.
        if self.posted.voucher.len() == 1 && self.record(connection, step, self.limit()).await? {
            return self.send(connection, 1, step).await;
        }
        let lacks = self.lacks(connection).await?;
        if let Some(known) = kept(connection, self.posted.key, &step.process).await? {
            if let Some(refusal) = self.posted.refused_by(&known) {
                // Nobody can tell whether it is the same voucher.
                let untold = lacks.filter(|id| known.voucher.is_some_and(|voucher| voucher.key_id == *id));
                return Ok(untold.map_or(refusal, Begun::LacksPinKey));
            }
            if self.has_begun(connection, &known).await? {
                return Ok(Begun::Send(known.tries));
            }
            if !may_have_a_try(&known) {
                return Ok(Begun::Kept(Box::new(known)));
            }
            // Nothing of it has left: its PIN is one guess more, however early it was recorded.
            if self.may_send
                && known.state == State::Recorded
                && let Some(wait) = self.wait(connection, step).await?
            {
                return Ok(Begun::Wait(wait));
            }
            if self.may_send {
                let update = query("UPDATE attempts SET state = 'sending', tries = $1, changed_at = $2 WHERE key = $3");
                let update = update.bind(known.tries + 1).bind(step.wall_ms).bind(self.posted.key.to_string());
                update.execute(&mut *connection).await?;
            }
            return self.send(connection, known.tries + 1, step).await;
        }
        if let Some(id) = lacks {
            return Ok(Begun::LacksPinKey(id));
        }
        if let Some(in_use) = self.in_use(connection).await? {
            return Ok(in_use);
        }
        if self.session_is_spent(connection).await? {
            return Ok(Begun::SessionSpent);
        }
        if let Some(wait) = self.wait(connection, step).await? {
            return Ok(Begun::Wait(wait));
        }
        if self.record(connection, step, i64::MAX).await? {
            self.send(connection, 1, step).await
        } else {
            Err(Error::NoRow)
        }
    }
}

impl Begin {
    /// How many guesses need no further question.
    fn limit(&self) -> i64 {
        if self.posted.most_guesses == 0 { i64::MAX } else { i64::from(self.posted.most_guesses) }
    }

    /// How long the customer must wait before another PIN is sent.
    async fn wait(&self, connection: &mut Connection, step: &Step) -> Result<Option<Duration>> {
        guesses::wait(connection, &self.posted.owner, self.posted.most_guesses, step).await
    }

    /// The id of a key under which an attempt holds its voucher and which this process lacks: another process has it,
    /// and any voucher might be the one.
    async fn lacks(&self, connection: &mut Connection) -> Result<Option<String>> {
        // Every process notes its keys at the start, so there are few to ask about.
        let open = query(concat!(
            "SELECT id FROM pin_keys WHERE EXISTS (SELECT 1 FROM attempts WHERE hash_key = pin_keys.id AND state IN ",
            holds!(),
            ")"
        ))
        .all(connection)
        .await?;
        let open = open.iter().map(Row::only).collect::<Result<Vec<String>>>()?;
        Ok(open.into_iter().find(|id| self.posted.voucher.iter().all(|voucher| voucher.key_id != *id)))
    }

    /// Whether this very step was committed before.
    async fn has_begun(&self, connection: &mut Connection, known: &Kept) -> Result<bool> {
        if known.state != State::Sending {
            return Ok(false);
        }
        let ticket = query("SELECT ticket FROM tries WHERE attempt = $1 AND number = $2");
        let ticket: Option<String> =
            ticket.bind(known.key.to_string()).bind(known.tries).one(connection).await?.only()?;
        Ok(ticket.is_some_and(|ticket| ticket == self.ticket))
    }

    async fn in_use(&self, connection: &mut Connection) -> Result<Option<Begun>> {
        // A voucher of an attempt from before a change of keys has the hash of the older key.
        for voucher in &self.posted.voucher {
            let holder = query(concat!(
                "SELECT key, owner, transaction_id FROM attempts WHERE hash = $1 AND hash_key = $2 AND state IN ",
                holds!()
            ));
            let holder = holder.bind(&voucher.hash).bind(&voucher.key_id).first(&mut *connection).await?;
            if let Some(holder) = holder {
                let key = key_of(&holder, "key")?;
                let own = holder.get::<String>("owner")? == self.posted.owner;
                let reference: Option<String> = holder.get("transaction_id")?;
                return Ok(Some(Begun::InUse(own.then(|| (key, reference.unwrap_or_else(|| key.to_string()))))));
            }
        }
        Ok(None)
    }

    async fn session_is_spent(&self, connection: &mut Connection) -> Result<bool> {
        let spent = query(concat!("SELECT key FROM attempts a WHERE ", spends!("$1"), " LIMIT 1"));
        Ok(spent.bind(&self.posted.session).first(connection).await?.is_some())
    }

    /// Records the attempt, unless its key is known, an open attempt has its voucher under the newest key (or, where
    /// that is the only one, any under another), its session is spent, or its customer has guessed `most_guesses` times. Whether it was recorded. With a try to follow it is
    /// recorded as sending at once.
    async fn record(&self, connection: &mut Connection, step: &Step, most_guesses: i64) -> Result<bool> {
        let Some(voucher) = self.posted.voucher.first() else { return Ok(false) };
        let insert = query(concat!(
            "INSERT INTO attempts (key, owner, hash, hash_key, amount_minor, currency, brand, state, tries, created_at, changed_at, \
             session, forgotten, unknown_try) \
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, forgotten, forgotten \
             FROM (SELECT CASE WHEN value > $13 THEN 1 ELSE 0 END AS forgotten FROM meta WHERE name = 'forgotten_until') AS ledger \
             WHERE NOT EXISTS (SELECT 1 FROM attempts WHERE key = $1) \
             AND NOT EXISTS (SELECT 1 FROM attempts a WHERE ",
            spends!("$11"),
            ") AND ",
            guessed!("$2"),
            " < $12 AND NOT EXISTS (SELECT 1 FROM attempts WHERE hash = $3 AND state IN ",
            holds!(),
            ") AND ($14 > 1 OR NOT EXISTS (SELECT 1 FROM pin_keys WHERE id <> $4 AND EXISTS \
             (SELECT 1 FROM attempts WHERE hash_key = pin_keys.id AND state IN ",
            holds!(),
            ")))"
        ));
        let state = if self.may_send { State::Sending } else { State::Recorded };
        let recorded = insert
            .bind(self.posted.key.to_string())
            .bind(&self.posted.owner)
            .bind(&voucher.hash)
            .bind(&voucher.key_id)
            .bind(self.posted.amount_minor)
            .bind(&self.posted.currency)
            .bind(&self.posted.brand)
            .bind(state.as_str())
            .bind(i64::from(self.may_send))
            .bind(step.wall_ms)
            .bind(&self.posted.session)
            .bind(most_guesses)
            .bind(step.steady)
            .bind(i64::try_from(self.posted.voucher.len()).unwrap_or(i64::MAX))
            .execute(connection)
            .await?;
        Ok(recorded == 1)
    }

    /// Begins the try of this number of an attempt that is on disk as sending, if it may be sent.
    async fn send(&self, connection: &mut Connection, number: i64, step: &Step) -> Result<Begun> {
        if !self.may_send {
            return Ok(Begun::NotNow);
        }
        // Dated within the step, which may have waited long for its turn: whoever finds this try after a crash counts
        // the deadline from here.
        query(
            "INSERT INTO tries (attempt, number, sent_at, sent_uptime, process, ticket) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(self.posted.key.to_string())
        .bind(number)
        .bind(step.wall_ms)
        .bind(&step.uptime)
        .bind(&step.process)
        .bind(&self.ticket)
        .execute(connection)
        .await?;
        Ok(Begun::Send(number))
    }
}

fn may_have_a_try(known: &Kept) -> bool {
    matches!(known.state, State::Recorded | State::Open | State::Unconfirmed) && !known.forbids_tries
}
