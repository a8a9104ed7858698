//! A POST, in one step: is the attempt known, may it have a try, has another open attempt the voucher; and then the try
//! is on disk as sending.

use super::rows::{holds, kept, key_of};
use super::writer::Operation;
use crate::clock::{Clock, Moment};
use crate::ledger::{Begun, Kept, Posted, State};
use async_trait::async_trait;
use sqlx::{QueryBuilder, Row, SqliteConnection};
use std::sync::Arc;

pub(super) struct Begin {
    pub(super) posted: Posted,
    pub(super) may_send: bool,
    pub(super) clock: Arc<Clock>,
    pub(super) process: String,
}

#[async_trait]
impl Operation for Begin {
    type Outcome = Begun;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<Begun> {
        // Within the step, which may have waited long for its turn: whoever finds this try after a crash counts the
        // deadline from here.
        let now = &self.clock.moment();
        let lacks = self.lacks(connection).await?;
        // The usual case, a new attempt, is one question more. With an older key there is more to ask first.
        if lacks.is_none() && self.posted.voucher.len() == 1 && self.record(connection, now).await? {
            return self.send(connection, 1, now).await;
        }
        if let Some(known) = kept(connection, self.posted.key, &self.process).await? {
            if let Some(refusal) = self.posted.refused_by(&known) {
                // Nobody can tell whether it is the same voucher.
                let untold = lacks.filter(|id| known.voucher.is_some_and(|voucher| voucher.key_id == *id));
                return Ok(untold.map_or(refusal, Begun::LacksPinKey));
            }
            if !may_have_a_try(&known) {
                return Ok(Begun::Kept(Box::new(known)));
            }
            if self.may_send {
                let update =
                    sqlx::query("UPDATE attempts SET state = 'sending', tries = ?, changed_at = ? WHERE key = ?");
                let update = update.bind(known.tries + 1).bind(now.wall_ms).bind(self.posted.key.to_string());
                update.execute(&mut *connection).await?;
            }
            return self.send(connection, known.tries + 1, now).await;
        }
        if let Some(id) = lacks {
            return Ok(Begun::LacksPinKey(id));
        }
        if let Some(in_use) = self.in_use(connection).await? {
            return Ok(in_use);
        }
        if self.record(connection, now).await? {
            self.send(connection, 1, now).await
        } else {
            Err(sqlx::Error::RowNotFound)
        }
    }
}

impl Begin {
    /// The id of a key under which an attempt holds its voucher and which this process lacks: another process on this
    /// file has it, and any voucher might be the one.
    async fn lacks(&self, connection: &mut SqliteConnection) -> sqlx::Result<Option<String>> {
        let mut query = QueryBuilder::new("SELECT id FROM pin_keys WHERE id NOT IN (");
        let mut own = query.separated(", ");
        self.posted.voucher.iter().for_each(|voucher| {
            own.push_bind(&voucher.key_id);
        });
        // Every process notes its keys at the start, so there are few to ask about.
        query.push(concat!(
            ") AND EXISTS (SELECT 1 FROM attempts WHERE hash_key = pin_keys.id AND state IN ",
            holds!(),
            ")"
        ));
        query.build_query_scalar().fetch_optional(connection).await
    }

    async fn in_use(&self, connection: &mut SqliteConnection) -> sqlx::Result<Option<Begun>> {
        // A voucher of an attempt from before a change of keys has the hash of the older key.
        for voucher in &self.posted.voucher {
            let holder = sqlx::query(concat!(
                "SELECT key, owner, transaction_id FROM attempts WHERE hash = ? AND hash_key = ? AND state IN ",
                holds!()
            ));
            let holder = holder.bind(&voucher.hash).bind(&voucher.key_id).fetch_optional(&mut *connection).await?;
            if let Some(holder) = holder {
                let key = key_of(&holder, "key")?;
                let own = holder.try_get::<String, _>("owner")? == self.posted.owner;
                let reference: Option<String> = holder.try_get("transaction_id")?;
                return Ok(Some(Begun::InUse(own.then(|| (key, reference.unwrap_or_else(|| key.to_string()))))));
            }
        }
        Ok(None)
    }

    /// Records the attempt, unless its key is known or an open attempt has its voucher under the newest key. Whether it
    /// was recorded. With a try to follow it is recorded as sending at once.
    async fn record(&self, connection: &mut SqliteConnection, now: &Moment) -> sqlx::Result<bool> {
        let Some(voucher) = self.posted.voucher.first() else { return Ok(false) };
        let insert = sqlx::query(concat!(
            "INSERT INTO attempts (key, owner, hash, hash_key, amount_minor, currency, brand, state, tries, created_at, changed_at) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10 \
             WHERE NOT EXISTS (SELECT 1 FROM attempts WHERE key = ?1) \
             AND NOT EXISTS (SELECT 1 FROM attempts WHERE hash = ?3 AND state IN ",
            holds!(),
            ")"
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
            .bind(now.wall_ms)
            .execute(connection)
            .await?;
        Ok(recorded.rows_affected() == 1)
    }

    /// Begins the try of this number of an attempt that is on disk as sending, if it may be sent.
    async fn send(&self, connection: &mut SqliteConnection, number: i64, now: &Moment) -> sqlx::Result<Begun> {
        if !self.may_send {
            return Ok(Begun::NotNow);
        }
        let insert =
            sqlx::query("INSERT INTO tries (attempt, number, sent_at, sent_uptime, process) VALUES (?, ?, ?, ?, ?)");
        let insert = insert.bind(self.posted.key.to_string()).bind(number).bind(now.wall_ms);
        insert.bind(&now.uptime).bind(&self.process).execute(connection).await?;
        Ok(Begun::Send(number))
    }
}

fn may_have_a_try(known: &Kept) -> bool {
    matches!(known.state, State::Recorded | State::Open | State::Unconfirmed) && !known.forbids_tries
}
