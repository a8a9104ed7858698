//! What is measured on: the disk under the databases; and what a process takes of the memory.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// A process's memory, in megabytes; unknown where there is no `/proc`.
pub(crate) struct Memory {
    now: Option<f64>,
    at_most: Option<f64>,
}

impl Memory {
    pub(crate) fn of(process: Option<u32>) -> Self {
        let status =
            process.and_then(|id| std::fs::read_to_string(format!("/proc/{id}/status")).ok()).unwrap_or_default();
        // Such as `VmRSS:     12345 kB`.
        let mb = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u32>().ok().map(|kb| f64::from(kb) / 1024.0)
        };
        Self { now: mb("VmRSS:"), at_most: mb("VmHWM:") }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.now, self.at_most) {
            (Some(now), Some(at_most)) => write!(f, "{now:.1} MB resident, at most {at_most:.1} MB so far"),
            _ => f.write_str("unknown here"),
        }
    }
}

/// The file system of a folder, and how long it takes to put 4 KB on it for sure.
pub(crate) fn disk(folder: &Path) -> String {
    let folder_path = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let mounted = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (device, at, kind) = (words.next()?, words.next()?, words.next()?);
        folder_path.starts_with(at).then(|| (at.len(), format!("{device} at {at} ({kind})")))
    });
    let name = mounted.max_by_key(|(length, _)| *length).map_or_else(|| "unknown".to_owned(), |(_, name)| name);
    let sync = sync_time(&folder.join("sync"))
        .map_or_else(|error| error.to_string(), |time| format!("{:.2} ms", time.as_secs_f64() * 1000.0));
    format!("{name}; 4 KB written and synced: {sync} at the median")
}

fn sync_time(file: &Path) -> std::io::Result<Duration> {
    let mut open = std::fs::File::create(file)?;
    let mut times = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        open.write_all(&[0; 4096])?;
        open.sync_data()?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}
