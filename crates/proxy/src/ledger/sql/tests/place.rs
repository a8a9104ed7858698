//! Where a ledger of a test is: a file of its own, or a database of its own on a server.

use super::super::connection::Connection;
use super::super::{Sql, postgres, sqlite};
use crate::clock::Clock;
use crate::pin_key::PinKeys;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

async fn connected(server: &str) -> Connection {
    Connection::server(&postgres::options(server).expect("a URL"))
        .await
        .expect("the server of CASHIER_TEST_POSTGRES_URL")
}

/// A place for one ledger.
pub(super) struct Place {
    pub(super) url: String,
    /// A file by whose seconds the wall clock of the proxy is off. `PostgreSQL` has a clock of its own.
    pub(super) offset: PathBuf,
    _folder: TempDir,
}

impl Place {
    fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("cashier.db").display());
        Self { url, offset: folder.path().join("offset"), _folder: folder }
    }

    async fn postgres(server: &str) -> Self {
        let name = format!("ledger_{}", Uuid::new_v4().simple());
        let mut connection = connected(server).await;
        connection.batch(&format!("CREATE DATABASE {name}")).await.expect("the right to make a database");
        let mut url = url::Url::parse(server).expect("a URL");
        url.set_path(&name);
        let folder = tempfile::tempdir().expect("a folder");
        Self { url: url.into(), offset: folder.path().join("offset"), _folder: folder }
    }

    pub(super) fn is_file(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    pub(super) fn clock(&self) -> Arc<Clock> {
        Arc::new(Clock::new(Some(self.offset.clone())))
    }

    /// The ledger, as a process of its own would open it.
    pub(super) async fn opened(&self) -> Sql {
        Sql::open(&self.url, &pin_keys(), self.clock(), LEASE).await.expect("it opens")
    }

    /// A connection beside the ledger's own.
    pub(super) async fn beside(&self) -> Connection {
        if self.is_file() {
            Connection::file(&sqlite::file(&self.url).expect("a file"), true).expect("a database")
        } else {
            connected(&self.url).await
        }
    }

    /// Runs SQL beside the ledger.
    pub(super) async fn sql(&self, statements: &str) {
        let mut connection = self.beside().await;
        connection.batch(statements).await.expect("it is done");
        connection.close().await.expect("closed");
    }

    /// What somebody does who keeps all others from writing.
    pub(super) fn lock(&self) -> &'static str {
        if self.is_file() {
            "BEGIN IMMEDIATE"
        } else {
            "BEGIN; SELECT 1 FROM pg_advisory_xact_lock(7380385457125747054)"
        }
    }
}

pub(super) const LEASE: Duration = Duration::from_secs(15);

pub(super) fn pin_keys() -> PinKeys {
    PinKeys::parse("a key of the ledger's tests, 32 bytes.").expect("a key")
}

/// Runs a test in each kind of place that there is.
pub(super) async fn each(test: impl AsyncFn(&Place)) {
    test(&Place::sqlite()).await;
    if let Ok(server) = std::env::var("CASHIER_TEST_POSTGRES_URL") {
        test(&Place::postgres(&server).await).await;
    }
}
