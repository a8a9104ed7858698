//! Opens the database, or says clearly why not: a ledger that cannot be trusted must not be written to, and one that is
//! lost must not be replaced by an empty one in silence.

use super::rows::holds;
use crate::pin_key::KeyedHash;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use tracing::{info, warn};

/// "FLXP" in the file's header: whose it is.
const APPLICATION_ID: i64 = 0x464C_5850;
const VERSION: i64 = 1;
const SCHEMA: &str = include_str!("schema.sql");
/// At the start somebody else's lock is waited for this long.
const START_PATIENCE: Duration = Duration::from_secs(5);

/// The database cannot be used. Says what is wrong and what to do; exit code 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenError(String);

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OpenError {}

/// How every connection is set up.
pub(super) fn options(url: &str) -> Result<SqliteConnectOptions, OpenError> {
    let unclear =
        || OpenError(format!("the database {url:?} is no file: write it such as sqlite:///var/lib/cashier/cashier.db"));
    // In memory it would be lost with the process, which is what a ledger is there to outlive.
    if !url.starts_with("sqlite:") || url.contains(":memory:") || url.contains("mode=memory") {
        return Err(unclear());
    }
    let options = SqliteConnectOptions::from_str(url).map_err(|_| unclear())?;
    Ok(options
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What was pruned is overwritten, not only let go.
        .pragma("secure_delete", "ON")
        .busy_timeout(START_PATIENCE)
        .disable_statement_logging())
}

/// Makes the file where it is missing (and may be made), checks it, and brings it to this version.
pub(super) async fn prepare(options: &SqliteConnectOptions, may_make: bool) -> Result<SqliteConnection, OpenError> {
    let file = options.get_filename().to_owned();
    let error = |error: sqlx::Error| OpenError(explain(&file, &error));
    if may_make {
        make(&file)?;
    } else {
        is_there(&file)?;
    }
    let is_new = inspect(&file, true).await?;
    let mut connection = SqliteConnection::connect_with(options).await.map_err(error)?;
    if is_new {
        create(&mut connection).await.map_err(error)?;
    }
    // A file that cannot be written is noticed now and not by the first customer.
    sqlx::raw_sql("BEGIN IMMEDIATE; UPDATE meta SET value = value WHERE name = 'observed_seconds'; COMMIT")
        .execute(&mut connection)
        .await
        .map_err(error)?;
    Ok(connection)
}

/// Says why the ledger in that file cannot be read, if it cannot. Whether the file is whole is not asked: that is the
/// proxy's to know, and takes long.
pub(super) async fn look(options: &SqliteConnectOptions) -> Result<(), OpenError> {
    let file = options.get_filename();
    is_there(file)?;
    if inspect(file, false).await? {
        return Err(OpenError(format!("the database {} is empty", file.display())));
    }
    Ok(())
}

fn is_there(file: &Path) -> Result<(), OpenError> {
    let gone = || OpenError(format!("there is no database {}: give the proxy's own by --database-url", file.display()));
    file.exists().then_some(()).ok_or_else(gone)
}

/// Looks at the file without writing to it: whose it is, of which version, and, where that is asked, whether it is
/// whole. Whether it is empty.
async fn inspect(file: &Path, wholly: bool) -> Result<bool, OpenError> {
    let error = |error: sqlx::Error| OpenError(explain(file, &error));
    let looking = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(START_PATIENCE);
    let looking = looking.disable_statement_logging();
    let mut connection = SqliteConnection::connect_with(&looking).await.map_err(error)?;
    let application_id = pragma(&mut connection, "PRAGMA application_id").await.map_err(error)?;
    let version = pragma(&mut connection, "PRAGMA user_version").await.map_err(error)?;
    let tables = pragma(&mut connection, "SELECT count(*) FROM sqlite_schema").await.map_err(error)?;
    let is_new = match (application_id, version, tables) {
        (0, 0, 0) => true,
        (APPLICATION_ID, VERSION, _) => false,
        (APPLICATION_ID, newer, _) if newer > VERSION => {
            return Err(OpenError(format!(
                "the database {} was written by a newer version (its schema is {newer}, this program knows {VERSION}): run that version, \
                 or a newer one",
                file.display()
            )));
        }
        _ => {
            return Err(OpenError(format!(
                "{} is a database of another program: give a file of its own by --database-url (or CASHIER_DATABASE_URL)",
                file.display()
            )));
        }
    };
    let whole = if wholly {
        let checked = sqlx::query("PRAGMA quick_check(1)").fetch_one(&mut connection).await.map_err(error)?;
        checked.try_get::<String, _>(0).map_err(error)? == "ok"
    } else {
        true
    };
    let _ = connection.close().await;
    if whole { Ok(is_new) } else { Err(OpenError(corrupt(file))) }
}

/// Refuses keys that would not recognise what is there: another key under a known id, or an id that has gone while
/// attempts under it are open. Notes new ones.
pub(super) async fn check_pin_keys(connection: &mut SqliteConnection, marks: &[KeyedHash]) -> Result<(), OpenError> {
    let read = |error: sqlx::Error| OpenError(format!("the database cannot be read: {error}"));
    for mark in marks {
        sqlx::query("INSERT INTO pin_keys (id, mark) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(&mark.key_id)
            .bind(&mark.hash)
            .execute(&mut *connection)
            .await
            .map_err(read)?;
        let kept =
            sqlx::query("SELECT mark FROM pin_keys WHERE id = ?").bind(&mark.key_id).fetch_one(&mut *connection).await;
        if kept.and_then(|row| row.try_get::<Vec<u8>, _>(0)).map_err(read)? != mark.hash {
            return Err(OpenError(format!(
                "CASHIER_PIN_KEY has another key under the id {:?} than this database was used with: give the new key a new id and keep \
                 the old one behind it, as new=…,{}=…",
                mark.key_id, mark.key_id
            )));
        }
    }
    let open =
        sqlx::query(concat!("SELECT hash_key, count(*) FROM attempts WHERE state IN ", holds!(), " GROUP BY hash_key"));
    for row in open.fetch_all(&mut *connection).await.map_err(read)? {
        let (id, count): (String, i64) = (row.try_get(0).map_err(read)?, row.try_get(1).map_err(read)?);
        if marks.iter().all(|mark| mark.key_id != id) {
            return Err(OpenError(format!(
                "CASHIER_PIN_KEY lacks the key with the id {id:?}, under which {count} attempts are open: their vouchers would not be \
                 recognised. Put it back, behind the newer ones"
            )));
        }
    }
    Ok(())
}

/// The file, readable by its owner alone; `SQLite` gives its companions the same rights.
fn make(file: &Path) -> Result<(), OpenError> {
    let mut open = std::fs::OpenOptions::new();
    open.write(true).create_new(true);
    // SQLite would begin anew and throw the log away.
    let log = PathBuf::from(format!("{}-wal", file.display()));
    let has = |file: &Path| file.metadata().is_ok_and(|metadata| metadata.len() > 0);
    if has(&log) && !has(file) {
        return Err(OpenError(format!(
            "the database {} is missing or empty, but its log {} is there: bring both back from a copy, or move the log away",
            file.display(),
            log.display()
        )));
    }
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
    match open.open(file) {
        Ok(_) => info!(file = %file.display(), "a new database was made"),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            if !has(file) {
                warn!(file = %file.display(), "the database is an empty file and is begun anew");
            }
        }
        Err(error) => {
            return Err(OpenError(format!(
                "the database {} cannot be made: {error}; give another place by --database-url (or CASHIER_DATABASE_URL)",
                file.display()
            )));
        }
    }
    Ok(())
}

async fn create(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    const BEGIN: &str = "BEGIN IMMEDIATE";
    let mut made = sqlx::raw_sql(BEGIN).execute(&mut *connection).await;
    // Another process may have been first.
    if made.is_ok() && pragma(connection, "SELECT count(*) FROM sqlite_schema").await? > 0 {
        sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await?;
        return Ok(());
    }
    if made.is_ok() {
        made = sqlx::raw_sql(SCHEMA).execute(&mut *connection).await;
    }
    made?;
    // In one transaction with the tables: a file has both or neither.
    sqlx::raw_sql("PRAGMA application_id = 0x464C5850; PRAGMA user_version = 1; COMMIT")
        .execute(&mut *connection)
        .await?;
    Ok(())
}

async fn pragma(connection: &mut SqliteConnection, query: &'static str) -> sqlx::Result<i64> {
    sqlx::query(query).fetch_one(connection).await?.try_get(0)
}

/// `SQLite`'s own number for what went wrong.
pub(super) fn code(error: &sqlx::Error) -> Option<u32> {
    let sqlx::Error::Database(error) = error else { return None };
    // The low byte is the kind, the rest the detail.
    error.code()?.parse::<u32>().ok().map(|code| code & 0xff)
}

fn explain(file: &Path, error: &sqlx::Error) -> String {
    let file_name = file.display();
    match code(error) {
        Some(5 | 6) => format!("the database {file_name} is locked by another program: end that first"),
        Some(8) => {
            format!("the database {file_name} is read-only: give this user the right to write the file and its folder")
        }
        Some(11 | 26) => corrupt(file),
        Some(13) => format!("there is no room on the disk of the database {file_name}"),
        Some(14) => {
            format!("the database {file_name} cannot be opened: {error}; the file and its folder must be writable")
        }
        _ => format!("the database {file_name} cannot be used: {error}"),
    }
}

fn corrupt(file: &Path) -> String {
    format!(
        "the database {} is corrupt, or no database at all. It was left as it is. Bring it back from a copy; begin a new one only when it is \
         known what became of every attempt in it",
        file.display()
    )
}

/// Seconds of running time that earlier processes have noted.
pub(super) async fn observed_seconds(connection: &mut SqliteConnection) -> Result<i64, OpenError> {
    let value = pragma(connection, "SELECT value FROM meta WHERE name = 'observed_seconds'").await;
    value.map_err(|error| OpenError(format!("the database cannot be read: {error}")))
}

/// The same file with other options.
pub(super) async fn renew(
    old: SqliteConnection,
    options: &SqliteConnectOptions,
) -> Result<SqliteConnection, OpenError> {
    let new = SqliteConnection::connect_with(options).await;
    let new = new.map_err(|error| OpenError(explain(options.get_filename(), &error)))?;
    // After the new one is there: the last to leave folds the log into the file.
    let _ = old.close().await;
    Ok(new)
}
