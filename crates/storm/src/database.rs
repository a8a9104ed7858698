//! The database of several proxies: a fresh one on a PostgreSQL server, the storm's own or somebody's. On its own the
//! storm kills the server too.

use anyhow::{Context, ensure};
use own_postgres::{End, Programs, Server};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long it may take to get hold of the tables' locks.
const LOCK: Duration = Duration::from_mins(1);
const LOCK_ALL: &str = "DO $$ DECLARE one text; BEGIN \
    FOR one IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1 LOOP \
    EXECUTE 'LOCK TABLE ' || one; END LOOP; END $$";

/// On which server the storm makes its database.
#[derive(Clone, Debug)]
pub enum Postgres {
    /// One that the storm starts, and kills.
    Own,
    /// One that is there: the address of a database on it, for a user who may make others.
    At(String),
}

/// The database.
pub(crate) struct Database {
    name: String,
    /// Where databases are made and dropped from.
    maintenance: String,
    /// The storm's own server.
    server: Option<Mutex<Server>>,
}

impl Database {
    /// Makes it, and its server if it is to be the storm's own.
    pub(crate) async fn make(on: &Postgres) -> anyhow::Result<Self> {
        let (server, maintenance) = match on {
            Postgres::Own => {
                let programs =
                    Programs::find().context("no PostgreSQL server is installed here (`initdb`, `postgres`)")?;
                let start = move || Server::start(&programs, &std::env::temp_dir());
                let server = tokio::task::spawn_blocking(start).await??;
                let url = server.url("postgres");
                (Some(Mutex::new(server)), url)
            }
            Postgres::At(url) => (None, url.clone()),
        };
        let database = Self { name: format!("cashier_storm_{:08x}", fastrand::u32(..)), maintenance, server };
        let mut client = database.maintain().await?;
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {}", database.name)))
            .execute(&mut client)
            .await
            .context("cannot make a database")?;
        Ok(database)
    }

    /// Its address.
    pub(crate) fn url(&self) -> anyhow::Result<String> {
        let (server, _) = self.maintenance.rsplit_once('/').context("the server's address names no database")?;
        Ok(format!("{server}/{}", self.name))
    }

    /// Holds the locks of all its tables for a while.
    pub(crate) async fn lock(&self, lasting: Duration) -> anyhow::Result<()> {
        let mut client = PgConnection::connect(&self.url()?).await.context("cannot reach the proxies' database")?;
        let began = Instant::now();
        let held = loop {
            let mut held = client.begin().await?;
            match sqlx::query(LOCK_ALL).execute(&mut *held).await {
                Ok(_) => break held,
                // One of those that waited for each other had to give way.
                Err(error) => ensure!(began.elapsed() < LOCK, "cannot lock the proxies' tables: {error}"),
            }
            held.rollback().await?;
        };
        tokio::time::sleep(lasting).await;
        held.rollback().await?;
        client.close().await?;
        Ok(())
    }

    /// Ends its server, and starts it again after a while. Whether it is the storm's to end.
    pub(crate) async fn end_server(&self, how: End, down: Duration) -> anyhow::Result<bool> {
        let Some(server) = &self.server else { return Ok(false) };
        let mut server = server.lock().await;
        tokio::task::block_in_place(|| server.end(how))?;
        tokio::time::sleep(down).await;
        tokio::task::block_in_place(|| server.start_again())?;
        Ok(true)
    }

    /// Drops it, where its server stays.
    pub(crate) async fn drop_it(&self) -> anyhow::Result<()> {
        if self.server.is_some() {
            return Ok(());
        }
        let mut client = self.maintain().await?;
        sqlx::query(AssertSqlSafe(format!("DROP DATABASE {} WITH (FORCE)", self.name))).execute(&mut client).await?;
        Ok(())
    }

    async fn maintain(&self) -> anyhow::Result<PgConnection> {
        PgConnection::connect(&self.maintenance).await.context("cannot reach the PostgreSQL server")
    }
}
