//! The ledger's database as somebody else reaches it: beside the proxy, or while none runs.

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

/// The ledger that belongs to `folder`: a file in it; with `CASHIER_TESTS_ON` a database of its own on the server of that
/// URL, so that the same tests are run on `PostgreSQL`.
pub(crate) fn database_in(folder: &Path) -> String {
    static MADE: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let Some(server) = server() else {
        return format!("sqlite://{}", folder.join("cashier.db").display());
    };
    let digits = folder.to_string_lossy().bytes().fold(String::from("t_"), |name, byte| format!("{name}{byte:02x}"));
    // The end tells one folder from another, and a name has 63 bytes.
    let name = format!("t_{}", &digits[digits.len().saturating_sub(40)..]);
    if MADE.lock().expect("not poisoned").insert(name.clone()) {
        let (server, create) = (server.clone(), format!("CREATE DATABASE {name}"));
        // Asked for by tests that are async and by those that are not.
        let making = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(async {
                Database::Server(connected(&server).await).run(&create).await;
            });
        });
        making.join().expect("it is made");
    }
    let mut url = url::Url::parse(&server).expect("a URL");
    url.set_path(&name);
    url.into()
}

fn server() -> Option<String> {
    std::env::var("CASHIER_TESTS_ON").ok()
}

async fn connected(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("a database")
}

/// A connection of its own.
pub(crate) enum Database {
    File(rusqlite::Connection),
    Server(PgConnection),
}

impl Database {
    /// The database in `folder`.
    pub(crate) async fn of(folder: &Path) -> Self {
        if server().is_some() {
            return Self::Server(connected(&database_in(folder)).await);
        }
        let connection = rusqlite::Connection::open(folder.join("cashier.db")).expect("a database");
        connection.busy_timeout(Duration::from_secs(5)).expect("set");
        Self::File(connection)
    }

    /// Runs SQL, of several statements.
    pub(crate) async fn run(&mut self, statements: &str) {
        match self {
            Self::File(connection) => connection.execute_batch(statements).expect(statements),
            Self::Server(connection) => {
                sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await.expect(statements);
            }
        }
    }

    /// The number that a query gives.
    pub(crate) async fn number(&mut self, query: &'static str) -> i64 {
        match self {
            Self::File(connection) => connection.query_row(query, (), |row| row.get(0)).expect(query),
            Self::Server(connection) => sqlx::query_scalar(query).fetch_one(connection).await.expect(query),
        }
    }

    /// Keeps everybody else from writing, until `ROLLBACK`.
    pub(crate) async fn lock(&mut self) {
        let lock = match self {
            Self::File(_) => "BEGIN EXCLUSIVE",
            Self::Server(_) => "BEGIN; SELECT 1 FROM pg_advisory_xact_lock(7380385457125747054)",
        };
        self.run(lock).await;
    }
}

/// Runs SQL on a database that nothing else has open.
pub(crate) async fn change(folder: &Path, statements: &str) {
    Database::of(folder).await.run(statements).await;
}
