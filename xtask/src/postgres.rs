//! The PostgreSQL server of the tests: found or installed, started with data of its own, ended with the tests.
//!
//! On Debian and Ubuntu as root it is installed. Where it cannot be had the tests on it are left out: said in the table, and
//! under CI a failure. Left to `own-postgres`: how it is started and ended.

use crate::apt;
use crate::steps::{step, target_dir};
use anyhow::{Context, Result, bail};
use own_postgres::{Programs, Server};

/// The variable by which tests know it: the address of a database, for a superuser.
pub(crate) const URL: &str = "CASHIER_TEST_POSTGRES_URL";

const MISSING: &str = "NO POSTGRESQL SERVER HERE (`initdb` and `postgres`): its tests and its storm are left out.
  Debian, Ubuntu: apt-get install postgresql (this command does it by itself as root)
  Fedora:         dnf install postgresql-server
  macOS:          brew install postgresql, and have it on PATH";

/// Its programs, installed where they are missing. `None` where that cannot be done, unless this is CI.
pub(crate) async fn programs() -> Result<Option<Programs>> {
    if let Some(found) = Programs::find() {
        return Ok(Some(found));
    }
    if apt::is_here() {
        apt::install(&["postgresql"]).await.context(MISSING)?;
        return Programs::find().context(MISSING).map(Some);
    }
    if std::env::var_os("CI").is_some_and(|ci| ci == "true") {
        bail!("{MISSING}");
    }
    println!("\n!!! {}", MISSING.replace('\n', "\n!!! "));
    Ok(None)
}

/// A running one. It ends when it is dropped.
pub(crate) async fn server(programs: &Programs) -> Result<Server> {
    let folder = target_dir()?.join("postgres");
    std::fs::create_dir_all(&folder).context("cannot make the folder of PostgreSQL's data")?;
    let (programs, start) = (programs.clone(), "start PostgreSQL");
    step(start, async { tokio::task::spawn_blocking(move || Server::start(&programs, &folder)).await? }).await
}
