//! The PostgreSQL server under several proxies: one that is there, or one that is started for the measurement; and a fresh
//! database on it.

use crate::Arguments;
use anyhow::Context;
use own_postgres::Programs;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::path::Path;
use uuid::Uuid;

/// The server.
pub(crate) struct Server {
    url: String,
    /// Ends with this.
    _own: Option<own_postgres::Server>,
}

/// A database that nobody else uses.
pub(crate) struct Database<'a> {
    pub(crate) url: String,
    name: String,
    server: &'a Server,
}

impl Server {
    /// The one that was asked for, if any.
    pub(crate) fn ready(arguments: &Arguments, folder: &Path) -> anyhow::Result<Option<Self>> {
        if arguments.own_postgres {
            let programs = Programs::find().context("no PostgreSQL server is installed here (`initdb`, `postgres`)")?;
            let own = own_postgres::Server::start(&programs, folder)?;
            return Ok(Some(Self { url: own.url("postgres"), _own: Some(own) }));
        }
        Ok(arguments.postgres.clone().map(|url| Self { url, _own: None }))
    }

    pub(crate) async fn fresh_database(&self) -> anyhow::Result<Database<'_>> {
        let name = format!("cashier_bench_{}", Uuid::new_v4().simple());
        self.say(format!("CREATE DATABASE {name}")).await?;
        let (server, _) = self.url.rsplit_once('/').context("the server's address names no database")?;
        Ok(Database { url: format!("{server}/{name}"), name, server: self })
    }

    async fn say(&self, what: String) -> anyhow::Result<()> {
        let mut client = PgConnection::connect(&self.url).await.context("cannot reach the PostgreSQL server")?;
        sqlx::query(AssertSqlSafe(what)).execute(&mut client).await?;
        Ok(())
    }
}

impl Database<'_> {
    pub(crate) async fn drop_it(self) -> anyhow::Result<()> {
        self.server.say(format!("DROP DATABASE {} WITH (FORCE)", self.name)).await
    }
}
