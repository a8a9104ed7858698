//! One proxy with a ledger of its own: a `SQLite` file, in a folder that goes with it. One process at a time, killed and
//! started again on the same port and file.

use crate::process::{OUTCOMES_TOKEN, Process, set_clock};
use crate::{Blow, Dealt, Settings, Subject};
use anyhow::{Context, ensure};
use rusqlite::Connection;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long it may take to get hold of its database's lock.
const LOCK: Duration = Duration::from_mins(1);

/// The proxy's program.
pub struct Program {
    url: String,
    // Before the folder: what is dropped first ends first.
    process: Process,
    folder: TempDir,
}

impl Program {
    /// Starts the program for the first time, with its Mozarto at `mozarto` and its times shortened as the storm's.
    ///
    /// # Errors
    /// When it cannot be started, with what it said.
    pub async fn start(binary: &Path, mozarto: &str, settings: &Settings) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("cashier-storm-").tempdir().context("no temporary folder")?;
        let database = format!("sqlite://{}", folder.path().join("ledger.db").display());
        let process = Process::start(binary, mozarto, settings, &database, folder.path()).await?;
        Ok(Self { url: format!("http://{}", process.address), process, folder })
    }

    async fn lock_database(&self, lasting: Duration) -> anyhow::Result<()> {
        let file = self.folder.path().join("ledger.db");
        let other = Connection::open(file).context("cannot open the proxy's database")?;
        other.busy_timeout(Duration::ZERO)?;
        // A busy proxy leaves short gaps only: SQLite's own waiting, which gets longer and longer, may never meet one.
        let began = Instant::now();
        while let Err(error) = other.execute_batch("BEGIN EXCLUSIVE") {
            ensure!(began.elapsed() < LOCK, "cannot lock the proxy's database: {error}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(lasting).await;
        other.execute_batch("ROLLBACK")?;
        Ok(())
    }
}

impl Subject for Program {
    fn url(&self) -> &str {
        &self.url
    }

    fn outcomes_token(&self) -> &str {
        OUTCOMES_TOKEN
    }

    async fn suffer(&self, blow: Blow) -> anyhow::Result<Dealt> {
        match blow {
            Blow::Kill { down } => self.process.kill(down).await?,
            Blow::LockDatabase { lasting } => self.lock_database(lasting).await?,
            Blow::FillDisk { lasting } | Blow::KillWhileFull { lasting } => {
                if !self.process.let_write(false).await? {
                    return Ok(Dealt::No("DISK NOT FILLED: this system does not limit the files of a running program"));
                }
                tokio::time::sleep(lasting).await;
                match blow {
                    // The limit goes with the process.
                    Blow::KillWhileFull { .. } => self.process.kill(Duration::ZERO).await?,
                    _ => ensure!(self.process.let_write(true).await?, "the proxy's disk stays full"),
                }
            }
            Blow::SetClock { days } => set_clock(self.folder.path(), days)?,
            Blow::End | Blow::Pause { .. } | Blow::KillServer { .. } | Blow::EndServer { .. } => {
                return Ok(Dealt::No("NOT DEALT: one proxy has neither other nodes nor a server"));
            }
        }
        Ok(Dealt::Yes)
    }

    fn log(&self) -> Vec<String> {
        self.process.log()
    }

    async fn stop(&self) {
        self.process.stop().await;
    }
}
