//! Opens a ledger in a file, or says clearly why not: a ledger that cannot be trusted must not be written to, and one
//! that is lost must not be replaced by an empty one in silence.

use super::OpenError;
use super::connection::Error;
use percent_encoding::percent_decode_str;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::{Path, PathBuf};
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

/// The file of a URL such as `sqlite:///var/lib/cashier/cashier.db`.
pub(super) fn file(url: &str) -> Result<PathBuf, OpenError> {
    let unclear = || {
        // A URL of another kind may hold a password.
        let named = if url.starts_with("sqlite:") { format!(" {url:?}") } else { String::new() };
        OpenError(format!("the database{named} is no file: write it such as sqlite:///var/lib/cashier/cashier.db"))
    };
    let path = url.strip_prefix("sqlite:").ok_or_else(unclear)?;
    let path = percent_decode_str(path.strip_prefix("//").unwrap_or(path)).decode_utf8().map_err(|_| unclear())?;
    // In memory it would be lost with the process, which is what a ledger is there to outlive.
    if path.is_empty() || path.contains(":memory:") || path.contains(['?', '\0']) {
        return Err(unclear());
    }
    Ok(PathBuf::from(path.into_owned()))
}

/// Makes the file where it is missing (and may be made), checks it, and brings it to this version. Gives a connection
/// that is to be closed when another is open (the last to leave folds the log into the file), and the seconds of running
/// time that earlier processes have noted.
pub(super) fn prepare(file: &Path, may_make: bool) -> Result<(Connection, i64), OpenError> {
    if may_make {
        make(file)?;
    } else {
        is_there(file)?;
    }
    let is_small = file.metadata().is_ok_and(|metadata| metadata.len() <= CHECKED_FIRST_BYTES);
    let version = inspect(file, may_make && is_small)?;
    let prepared = || {
        let mut connection = open(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")?;
        if version < VERSION {
            migrate(&mut connection)?;
        }
        // A file that cannot be written is noticed now and not by the first customer.
        connection
            .execute_batch("BEGIN IMMEDIATE; UPDATE meta SET value = value WHERE name = 'observed_seconds'; COMMIT")?;
        let observed = number(&connection, "SELECT value FROM meta WHERE name = 'observed_seconds'")?;
        Ok((connection, observed))
    };
    prepared().map_err(|error: rusqlite::Error| OpenError(explain(file, &error.into())))
}

fn open(file: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(START_PATIENCE)?;
    Ok(connection)
}

/// Says why the ledger in that file cannot be read, if it cannot. Whether the file is whole is not asked: that is the
/// proxy's to know, and takes long.
pub(super) fn look(file: &Path) -> Result<(), OpenError> {
    is_there(file)?;
    match inspect(file, false)? {
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
fn inspect(file: &Path, wholly: bool) -> Result<i64, OpenError> {
    let looked = || {
        let mut looking = open(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        // As it is at one moment: another process may be making it.
        let moment = looking.transaction()?;
        let application_id = number(&moment, "PRAGMA application_id")?;
        let version = number(&moment, "PRAGMA user_version")?;
        let tables = number(&moment, "SELECT count(*) FROM sqlite_schema")?;
        moment.commit()?;
        Ok((looking, application_id, version, tables))
    };
    let error = |error: rusqlite::Error| OpenError(explain(file, &error.into()));
    let (looking, application_id, version, tables) = looked().map_err(error)?;
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
    let whole = !wholly || is_whole(&looking).map_err(error)?;
    if whole { Ok(version) } else { Err(OpenError(corrupt(file))) }
}

fn is_whole(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA quick_check(1)", (), |row| Ok(row.get::<_, String>(0)? == "ok"))
}

/// Looks beside a running proxy whether a large file is whole: why not, if it is not.
pub(super) fn check_beside(file: &Path) -> Option<String> {
    if file.metadata().is_ok_and(|metadata| metadata.len() <= CHECKED_FIRST_BYTES) {
        return None;
    }
    let looking = open(file, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    let is_broken = match is_whole(&looking) {
        Ok(whole) => !whole,
        // Busy, or gone: who writes meets that, too.
        Err(error) => matches!(code(&error.into()), Some(11 | 26)),
    };
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
fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been first.
    let version = number(&step, "PRAGMA user_version")?;
    for migration in MIGRATIONS.iter().skip(usize::try_from(version).unwrap_or(usize::MAX)) {
        step.execute_batch(migration)?;
    }
    step.execute_batch("PRAGMA application_id = 0x464C5850; PRAGMA user_version = 2")?;
    step.commit()?;
    if (1..VERSION).contains(&version) {
        info!(from = version, to = VERSION, "the database was brought up to date");
    }
    Ok(())
}

fn number(connection: &Connection, query: &str) -> rusqlite::Result<i64> {
    connection.query_row(query, (), |row| row.get(0))
}

/// `SQLite`'s own number for what went wrong.
pub(super) fn code(error: &Error) -> Option<i32> {
    let Error::Sqlite(rusqlite::Error::SqliteFailure(error, _)) = error else { return None };
    // The low byte is the kind, the rest the detail.
    Some(error.extended_code & 0xff)
}

pub(super) fn explain(file: &Path, error: &Error) -> String {
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
