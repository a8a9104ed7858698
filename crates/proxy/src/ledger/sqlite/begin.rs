//! A POST, in one step: is the attempt known, may it have a try, has another open attempt the voucher; and then the try
//! is on disk as sending.

use super::rows::{kept, key_of};
use super::writer::Operation;
use crate::clock::Moment;
use crate::ledger::{Begun, Kept, Posted, State};
use async_trait::async_trait;
use sqlx::{Row, SqliteConnection};

pub(super) struct Begin {
    pub(super) posted: Posted,
    pub(super) may_send: bool,
    pub(super) now: Moment,
    pub(super) process: String,
}

#[async_trait]
impl Operation for Begin {
    type Outcome = Begun;

    async fn run(&self, connection: &mut SqliteConnection) -> sqlx::Result<Begun> {
        let tries = if let Some(known) = kept(connection, self.posted.key, &self.process).await? {
            if let Some(refusal) = self.refusal(&known) {
                return Ok(refusal);
            }
            if !may_have_a_try(&known) {
                return Ok(Begun::Kept(Box::new(known)));
            }
            known.tries
        } else {
            if let Some(in_use) = self.in_use(connection).await? {
                return Ok(in_use);
            }
            self.record(connection).await?;
            0
        };
        if !self.may_send {
            return Ok(Begun::NotNow);
        }
        self.send(connection, tries + 1).await
    }
}

impl Begin {
    fn refusal(&self, known: &Kept) -> Option<Begun> {
        // Closed before it was ever posted: nobody's, and of no voucher.
        let (owner, voucher) = (known.owner.as_ref()?, known.voucher.as_ref()?);
        if *owner != self.posted.owner {
            return Some(Begun::Foreign);
        }
        let same = self.posted.voucher.contains(voucher)
            && known.amount_minor == Some(self.posted.amount_minor)
            && known.currency.as_deref() == Some(self.posted.currency.as_str());
        (!same).then_some(Begun::Mismatch)
    }

    async fn in_use(&self, connection: &mut SqliteConnection) -> sqlx::Result<Option<Begun>> {
        // A voucher of an attempt from before a change of keys has the hash of the older key.
        for voucher in &self.posted.voucher {
            let holder = sqlx::query(
                "SELECT key, owner, transaction_id FROM attempts \
                 WHERE hash = ? AND hash_key = ? AND state IN ('recorded', 'sending', 'open', 'unconfirmed')",
            );
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

    async fn record(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let Some(voucher) = self.posted.voucher.first() else { return Err(sqlx::Error::RowNotFound) };
        let insert = sqlx::query(
            "INSERT INTO attempts (key, owner, hash, hash_key, amount_minor, currency, brand, state, created_at, changed_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        );
        insert
            .bind(self.posted.key.to_string())
            .bind(&self.posted.owner)
            .bind(&voucher.hash)
            .bind(&voucher.key_id)
            .bind(self.posted.amount_minor)
            .bind(&self.posted.currency)
            .bind(&self.posted.brand)
            .bind(State::Recorded.as_str())
            .bind(self.now.wall_ms)
            .bind(self.now.wall_ms)
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn send(&self, connection: &mut SqliteConnection, number: i64) -> sqlx::Result<Begun> {
        let key = self.posted.key.to_string();
        let insert =
            sqlx::query("INSERT INTO tries (attempt, number, sent_at, sent_uptime, process) VALUES (?, ?, ?, ?, ?)");
        let insert = insert.bind(&key).bind(number).bind(self.now.wall_ms).bind(&self.now.uptime).bind(&self.process);
        insert.execute(&mut *connection).await?;
        let update = sqlx::query("UPDATE attempts SET state = 'sending', tries = ?, changed_at = ? WHERE key = ?");
        update.bind(number).bind(self.now.wall_ms).bind(&key).execute(connection).await?;
        Ok(Begun::Send(number))
    }
}

fn may_have_a_try(known: &Kept) -> bool {
    matches!(known.state, State::Recorded | State::Open | State::Unconfirmed) && !known.forbids_tries
}
