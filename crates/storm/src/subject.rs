//! The proxy that the storm is over: anything that does hop 1 and hop 3 of the contract and can be dealt blows.

use std::time::Duration;

/// Something that befalls a proxy from outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Blow {
    /// It is killed without a word, and started again after a while.
    Kill {
        /// How long it is down.
        down: Duration,
    },
    /// It is told to end, does so when its tries have ended, and is started again.
    End,
    /// It stands still, with all its connections, and goes on where it was.
    Pause {
        /// How long.
        lasting: Duration,
    },
    /// The server of its database is killed without a word, and started again after a while.
    KillServer {
        /// How long it is down.
        down: Duration,
    },
    /// The server of its database is ended in order, with every connection cut, and started again after a while.
    EndServer {
        /// How long it is down.
        down: Duration,
    },
    /// Somebody else holds the lock of its database.
    LockDatabase {
        /// How long.
        lasting: Duration,
    },
    /// Not a byte can be written to any file.
    FillDisk {
        /// How long.
        lasting: Duration,
    },
    /// Not a byte can be written to any file, and at the end of it it is killed: what it held back is lost.
    KillWhileFull {
        /// How long before it is killed.
        lasting: Duration,
    },
    /// The wall clock jumps.
    SetClock {
        /// So many days off the right time from now on; 0 is right again.
        days: i64,
    },
}

impl Blow {
    /// What it is called in the report.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Kill { .. } => "killed and restarted",
            Self::End => "told to end, and started again",
            Self::Pause { .. } => "stood still",
            Self::KillServer { .. } => "database server killed and restarted",
            Self::EndServer { .. } => "database server ended and started again",
            Self::LockDatabase { .. } => "database locked",
            Self::FillDisk { .. } => "disk full",
            Self::KillWhileFull { .. } => "killed while its disk was full",
            Self::SetClock { .. } => "clock jumped",
        }
    }
}

/// What became of a blow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dealt {
    /// It was dealt, and is over.
    Yes,
    /// It cannot be dealt here; why.
    No(&'static str),
}

/// A proxy in the storm, or several that are one to their customers.
pub trait Subject: Send + Sync + 'static {
    /// Where it listens, such as `http://127.0.0.1:8082`; the same before and after a blow.
    fn url(&self) -> &str;

    /// The bearer token of `GET /outcomes`.
    fn outcomes_token(&self) -> &str;

    /// Deals a blow, and comes back when it is over.
    ///
    /// # Errors
    /// When the proxy cannot be brought back.
    fn suffer(&self, blow: Blow) -> impl Future<Output = anyhow::Result<Dealt>> + Send;

    /// The last lines of its log, if it has one.
    fn log(&self) -> Vec<String> {
        Vec::new()
    }

    /// Ends it for good, as it is.
    fn stop(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}
