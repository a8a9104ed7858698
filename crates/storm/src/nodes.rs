//! Several proxies on one PostgreSQL database, behind a balancer. A blow meets one of them, drawn from the seed, or the
//! database. Their files, and the storm's own server, are in folders that go with them.

use crate::balancer::Balancer;
use crate::database::{Database, Postgres};
use crate::process::{OUTCOMES_TOKEN, Process, set_clock};
use crate::{Blow, Dealt, Settings, Subject, held};
use anyhow::Context;
use fastrand::Rng;
use own_postgres::End;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tempfile::TempDir;

const NOT_OURS: &str = "DATABASE SERVER NOT ENDED: it is not the storm's own";

/// The proxies.
pub struct Nodes {
    url: String,
    _balancer: Balancer,
    // Before the database: what is dropped first ends first.
    proxies: Vec<Process>,
    database: Database,
    folder: TempDir,
    random: Mutex<Rng>,
}

impl Nodes {
    /// Starts so many proxies on a fresh database of that server, with their Mozarto at `mozarto` and their times shortened as
    /// the storm's.
    ///
    /// # Errors
    /// When there is no such server, or a proxy cannot be started, with what it said.
    pub async fn start(
        binary: &Path,
        mozarto: &str,
        settings: &Settings,
        server: &Postgres,
        count: usize,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("cashier-storm-").tempdir().context("no temporary folder")?;
        let database = Database::make(server).await?;
        let mut proxies = Vec::new();
        for number in 0..count {
            let home = home(folder.path(), number);
            std::fs::create_dir(&home).context("cannot make a proxy's folder")?;
            proxies.push(Process::start(binary, mozarto, settings, &database.url()?, &home).await?);
        }
        let balancer = Balancer::start(proxies.iter().map(|proxy| proxy.address).collect()).await?;
        Ok(Self {
            url: format!("http://{}", balancer.address),
            _balancer: balancer,
            proxies,
            database,
            folder,
            random: Mutex::new(Rng::with_seed(settings.seed ^ 0x40DE)),
        })
    }

    /// Who is met this time.
    fn draw(&self) -> usize {
        held(&self.random).usize(0..self.proxies.len())
    }
}

impl Subject for Nodes {
    fn url(&self) -> &str {
        &self.url
    }

    fn outcomes_token(&self) -> &str {
        OUTCOMES_TOKEN
    }

    async fn suffer(&self, blow: Blow) -> anyhow::Result<Dealt> {
        let number = self.draw();
        let node = &self.proxies[number];
        let dealt = match blow {
            Blow::Kill { down } => node.kill(down).await.map(|()| true)?,
            Blow::End => node.end().await.map(|()| true)?,
            Blow::Pause { lasting } => node.pause(lasting).await.map(|()| true)?,
            Blow::LockDatabase { lasting } => self.database.lock(lasting).await.map(|()| true)?,
            Blow::KillServer { down } => self.database.end_server(End::Kill, down).await?,
            Blow::EndServer { down } => self.database.end_server(End::Fast, down).await?,
            Blow::SetClock { days } => {
                set_clock(&home(self.folder.path(), number), days)?;
                true
            }
            Blow::FillDisk { .. } | Blow::KillWhileFull { .. } => {
                return Ok(Dealt::No("DISK NOT FILLED: these proxies have none of their own"));
            }
        };
        Ok(if dealt { Dealt::Yes } else { Dealt::No(NOT_OURS) })
    }

    fn log(&self) -> Vec<String> {
        self.proxies.iter().flat_map(Process::log).collect()
    }

    async fn stop(&self) {
        for node in &self.proxies {
            node.stop().await;
        }
        // A database that is left behind is found by its name.
        let _ = self.database.drop_it().await;
    }
}

/// Where a node has what is its own.
fn home(folder: &Path, number: usize) -> PathBuf {
    folder.join(number.to_string())
}
