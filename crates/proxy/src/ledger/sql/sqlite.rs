//! Opens a ledger in a file, or says clearly why not: a ledger that cannot be trusted must not be written to, and one
//! that is lost must not be replaced by an empty one in silence.

use super::OpenError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use tracing::{info, warn};

/// "FLXP" in the file's header: whose it is.
const APPLICATION_ID: i64 = 0x464C_5850;
/// The steps from one version to the next; the place is the version that a file has before.
const MIGRATIONS: [&str; 2] = [include_str!("sqlite_1.sql"), include_str!("sqlite_2.sql")];
const VERSION: i64 = 2;
/// Up to this size a file is checked for being whole before the start; a larger one while it serves: that takes seconds.
const CHECKED_FIRST_BYTES: u64 = 32 * 1024 * 1024;
/// At the start somebody else's lock is waited for this long.
const START_PATIENCE: Duration = Duration::from_secs(5);

/// How the file is opened.
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
        .busy_timeout(START_PATIENCE)
        .disable_statement_logging())
}

/// Makes the file where it is missing (and may be made), checks it, and brings it to this version. Gives a connection
/// that is to be closed when another is open (the last to leave folds the log into the file), and the seconds of running
/// time that earlier processes have noted.
pub(super) async fn prepare(
    options: &SqliteConnectOptions,
    may_make: bool,
) -> Result<(SqliteConnection, i64), OpenError> {
    let file = options.get_filename().to_owned();
    let error = |error: sqlx::Error| OpenError(explain(&file, &error));
    if may_make {
        make(&file)?;
    } else {
        is_there(&file)?;
    }
    let is_small = file.metadata().is_ok_and(|metadata| metadata.len() <= CHECKED_FIRST_BYTES);
    let version = inspect(&file, may_make && is_small).await?;
    let mut connection = SqliteConnection::connect_with(options).await.map_err(error)?;
    if version < VERSION {
        migrate(&mut connection).await.map_err(error)?;
    }
    // A file that cannot be written is noticed now and not by the first customer.
    sqlx::raw_sql("BEGIN IMMEDIATE; UPDATE meta SET value = value WHERE name = 'observed_seconds'; COMMIT")
        .execute(&mut connection)
        .await
        .map_err(error)?;
    let observed = pragma(&mut connection, "SELECT value FROM meta WHERE name = 'observed_seconds'").await;
    let observed = observed.map_err(error)?;
    Ok((connection, observed))
}

/// Says why the ledger in that file cannot be read, if it cannot. Whether the file is whole is not asked: that is the
/// proxy's to know, and takes long.
pub(super) async fn look(options: &SqliteConnectOptions) -> Result<(), OpenError> {
    let file = options.get_filename();
    is_there(file)?;
    match inspect(file, false).await? {
        0 => Err(OpenError(format!("the database {} is empty", file.display()))),
        VERSION => Ok(()),
        _ => Err(OpenError(format!(
            "the database {} was written by an older version: start this version's proxy once, which brings it up to date",
            file.display()
        ))),
    }
}

fn is_there(file: &Path) -> Result<(), OpenError> {
    let gone = || OpenError(format!("there is no database {}: give the proxy's own by --database-url", file.display()));
    file.exists().then_some(()).ok_or_else(gone)
}

/// Looks at the file without writing to it: whose it is, of which version, and, where that is asked, whether it is
/// whole. Its version, 0 where it is empty.
async fn inspect(file: &Path, wholly: bool) -> Result<i64, OpenError> {
    let error = |error: sqlx::Error| OpenError(explain(file, &error));
    let looking = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(START_PATIENCE);
    let looking = looking.disable_statement_logging();
    let mut connection = SqliteConnection::connect_with(&looking).await.map_err(error)?;
    // As it is at one moment: another process may be making it.
    sqlx::raw_sql("BEGIN").execute(&mut connection).await.map_err(error)?;
    let application_id = pragma(&mut connection, "PRAGMA application_id").await.map_err(error)?;
    let version = pragma(&mut connection, "PRAGMA user_version").await.map_err(error)?;
    let tables = pragma(&mut connection, "SELECT count(*) FROM sqlite_schema").await.map_err(error)?;
    sqlx::raw_sql("COMMIT").execute(&mut connection).await.map_err(error)?;
    let version = match (application_id, version, tables) {
        (0, 0, 0) => 0,
        (APPLICATION_ID, known @ 1..=VERSION, _) => known,
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
    let whole = !wholly || is_whole(&mut connection).await.map_err(error)?;
    let _ = connection.close().await;
    if whole { Ok(version) } else { Err(OpenError(corrupt(file))) }
}

async fn is_whole(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    let checked = sqlx::query("PRAGMA quick_check(1)").fetch_one(connection).await?;
    Ok(checked.try_get::<String, _>(0)? == "ok")
}

/// Looks beside a running proxy whether a large file is whole: why not, if it is not.
pub(super) async fn check_beside(options: &SqliteConnectOptions) -> Option<String> {
    let file = options.get_filename();
    if file.metadata().is_ok_and(|metadata| metadata.len() <= CHECKED_FIRST_BYTES) {
        return None;
    }
    let looking = options.clone().read_only(true);
    let mut connection = SqliteConnection::connect_with(&looking).await.ok()?;
    let checked = is_whole(&mut connection).await;
    let is_broken = checked.as_ref().is_ok_and(|whole| !whole)
        // Busy, or gone: who writes meets that, too.
        || checked.as_ref().is_err_and(|error| matches!(code(error), Some(11 | 26)));
    let _ = connection.close().await;
    is_broken.then(|| corrupt(file))
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

/// From whatever version the file has, in one transaction: it has all of it or nothing.
async fn migrate(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    // Another process may have been first.
    let version = pragma(connection, "PRAGMA user_version").await?;
    for migration in MIGRATIONS.iter().skip(usize::try_from(version).unwrap_or(usize::MAX)) {
        sqlx::raw_sql(*migration).execute(&mut *connection).await?;
    }
    sqlx::raw_sql("PRAGMA application_id = 0x464C5850; PRAGMA user_version = 2; COMMIT")
        .execute(&mut *connection)
        .await?;
    if (1..VERSION).contains(&version) {
        info!(from = version, to = VERSION, "the database was brought up to date");
    }
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

pub(super) fn explain(file: &Path, error: &sqlx::Error) -> String {
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
