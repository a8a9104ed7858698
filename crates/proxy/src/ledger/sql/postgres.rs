//! Opens a ledger in `PostgreSQL`, or says clearly why not.

use super::OpenError;
use super::connection::{Connection, Error, Result, query};
use super::engine::{Engine, LOCK};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use std::str::FromStr;
use std::time::Duration;
use tokio::time::timeout;
use tracing::info;
use url::Url;

const SCHEMA: &str = include_str!("postgres_2.sql");
const VERSION: i64 = 2;
/// At the start the database is waited for this long.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// How the database is reached. Nothing of the URL is in the error: it may hold a password.
pub(super) fn options(url: &str) -> Result<PgConnectOptions, OpenError> {
    let unclear = || {
        OpenError("the database's URL is unclear: write it such as postgres://cashier:password@db.example/cashier?sslmode=verify-full".to_owned())
    };
    let parsed = Url::parse(url).map_err(|_| unclear())?;
    if parsed.path().trim_matches('/').is_empty() {
        return Err(unclear());
    }
    Ok(PgConnectOptions::from_str(url).map_err(|_| unclear())?.disable_statement_logging())
}

/// Connects, and makes the tables where that is allowed and they are missing.
pub(super) async fn prepare(engine: &Engine, may_make: bool) -> Result<Connection, OpenError> {
    let mut connection = connected(engine).await?;
    let made = migrate(&mut connection, may_make).await;
    if !matches!(made, Ok(Ok(()))) {
        let _ = connection.batch("ROLLBACK").await;
    }
    made.map_err(|error| explain(&error))??;
    Ok(connection)
}

/// Says why the ledger cannot be read, if it cannot. Waits for nobody's lock.
pub(super) async fn look(engine: &Engine) -> Result<(), OpenError> {
    let mut connection = connected(engine).await?;
    let version = version(&mut connection).await.map_err(|error| explain(&error))?;
    let _ = connection.close().await;
    checked(version, false).map(drop)
}

async fn connected(engine: &Engine) -> Result<Connection, OpenError> {
    timeout(START_PATIENCE, engine.connect(true))
        .await
        .map_err(|_| OpenError("the database does not answer: see that it runs and can be reached".to_owned()))?
        .map_err(|error| explain(&error))
}

/// Under the lock of every step, so that of several nodes that start at once one makes the tables.
async fn migrate(connection: &mut Connection, may_make: bool) -> Result<Result<(), OpenError>> {
    let begin = format!("BEGIN ISOLATION LEVEL READ COMMITTED; SELECT 1 FROM pg_advisory_xact_lock({LOCK})");
    connection.batch(&begin).await?;
    match checked(version(connection).await?, may_make) {
        Err(error) => return Ok(Err(error)),
        Ok(true) => {
            connection.batch(SCHEMA).await?;
            info!("the tables of a new ledger were made");
        }
        Ok(false) => {}
    }
    connection.batch("COMMIT").await?;
    Ok(Ok(()))
}

/// Whether the tables are to be made.
fn checked(version: Option<i64>, may_make: bool) -> Result<bool, OpenError> {
    match version {
        None if may_make => Ok(true),
        None => {
            Err(OpenError("there is no ledger in this database: give the proxy's own by --database-url".to_owned()))
        }
        Some(VERSION) => Ok(false),
        Some(newer) => Err(OpenError(format!(
            "the database was written by a newer version (its schema is {newer}, this program knows {VERSION}): run that version, or a newer one"
        ))),
    }
}

/// The version of the ledger in the database. `None`: there is no table of ours.
async fn version(connection: &mut Connection) -> Result<Option<i64>> {
    let tables = query(
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name IN ('meta', 'attempts', 'outbox')",
    )
    .one(connection)
    .await?;
    if tables.only::<i64>()? == 0 {
        return Ok(None);
    }
    query("SELECT value FROM meta WHERE name = 'schema'").one(connection).await?.only().map(Some)
}

fn explain(error: &Error) -> OpenError {
    let hint = match error {
        Error::Postgres(sqlx::Error::Database(error)) => match error.code().unwrap_or_default().as_ref() {
            "3D000" => "; make the database first",
            "28P01" | "28000" => "; see user and password in CASHIER_DATABASE_URL",
            "42501" => "; give the role the right to create tables in its schema, or make them with a role that has it",
            "42P01" | "42703" => "; it holds tables of another program: give a database of its own",
            _ => "",
        },
        Error::Postgres(sqlx::Error::Io(_)) => "; see that it runs and can be reached",
        _ => "",
    };
    OpenError(format!("the database cannot be used: {error}{hint}"))
}
