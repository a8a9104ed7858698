//! The mark that is kept outside the database: by it a ledger that was restored from a copy is noticed. Such a ledger has
//! forgotten what came after the copy, and would call vouchers untouched that are not.

use crate::ledger::Mark;
use std::fs::{File, rename};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tracing::{info, warn};

/// A file of one line: the ledger's number and its generation.
#[derive(Debug)]
pub(crate) struct MarkFile {
    path: PathBuf,
    /// The last that the ledger gave to this process.
    last: Mutex<Option<Mark>>,
}

/// What the file says: a ledger's number and its generation.
pub(crate) type Noted = Option<(i64, i64)>;

impl MarkFile {
    /// The mark of that path.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, last: Mutex::default() }
    }

    /// What is noted, to be compared with what the ledger says *after* this was read: another process may raise both.
    ///
    /// # Errors
    /// When the file cannot be read, or is no mark.
    pub(crate) fn noted(&self) -> Result<Noted, String> {
        let path = self.path.display();
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("the ledger's mark {path} cannot be read: {error}")),
        };
        let mut numbers = text.split_whitespace().map(str::parse);
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(ledger)), Some(Ok(generation)), None) => Ok(Some((ledger, generation))),
            _ => Err(format!("{path} is no mark of a ledger: give another file by --mark-file")),
        }
    }

    /// Compares what was noted with the mark of the ledger that was opened, before this process has raised it.
    ///
    /// # Errors
    /// When the ledger is older than the mark, or another one, and nobody has said so. The text says what to do.
    pub(crate) fn check(&self, noted: Noted, now: Mark) -> Result<(), String> {
        let path = self.path.display();
        match noted {
            None => info!(mark = %path, "a mark of the ledger is kept from now on"),
            Some((ledger, generation)) if ledger == now.ledger && generation > now.generation => {
                return Err(format!(
                    "the ledger is older than its mark {path}: it was restored from a copy, and what came after the copy is forgotten. Say so \
                     before it serves: flexepin-cashier-proxy attempts restored --since <time of the copy> --by <name>"
                ));
            }
            Some((ledger, _)) if ledger != now.ledger && !now.forgets => {
                return Err(format!(
                    "the mark {path} is of another ledger. If this one takes the place of one that was lost, say so: flexepin-cashier-proxy \
                     attempts restored --since <when the lost one began> --by <name>. If it is meant to be another, remove the mark or give \
                     --mark-file"
                ));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Notes what the ledger says now. Where that cannot be written the older one stays, which notices less.
    ///
    /// # Errors
    /// When the ledger has gone back since this process last asked: it was changed for an older one under it.
    pub(crate) fn raise(&self, mark: Mark) -> Result<(), String> {
        let before = self.last.lock().map_or(None, |mut last| last.replace(mark));
        if before.is_some_and(|before| mark.ledger != before.ledger || mark.generation <= before.generation) {
            return Err("the database was changed for an older one while the proxy served: end all proxies on it, and see `attempts restored`".to_owned());
        }
        // Another process on this ledger may be further.
        let is_behind =
            |noted: Noted| noted.is_none_or(|(ledger, noted)| ledger != mark.ledger || noted < mark.generation);
        if self.noted().is_ok_and(is_behind)
            && let Err(error) = replace(&self.path, &format!("{} {}\n", mark.ledger, mark.generation))
        {
            warn!(%error, mark = %self.path.display(), "the ledger's mark cannot be written: a copy that is restored may not be noticed");
        }
        Ok(())
    }
}

/// All of it or nothing, on disk.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let mut open = File::options();
    open.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
    let mut file = open.open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: Mark = Mark { ledger: 7, generation: 5, forgets: false };

    /// As a process starts on a ledger with that mark, and gives its first sign of life.
    fn started(path: &Path, mark: Mark) -> Result<MarkFile, String> {
        let file = MarkFile::new(path.to_owned());
        file.check(file.noted()?, mark)?;
        file.raise(Mark { generation: mark.generation + 1, ..mark })?;
        Ok(file)
    }

    #[test]
    fn a_ledger_that_is_older_or_another_is_refused_until_staff_have_said_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cashier.mark");
        for generation in [5, 6, 7, 1_000_000_000] {
            started(&path, Mark { generation, ..MARK }).expect("it goes on from where it was");
        }
        let older = started(&path, Mark { generation: 1_000_000_000, ..MARK }).expect_err("one step is enough");
        assert!(older.contains("attempts restored --since"), "{older}");
        let other = Mark { ledger: 8, generation: i64::MAX - 1, forgets: false };
        let error = started(&path, other).expect_err("it is another");
        assert!(error.contains("of another ledger"), "{error}");
        started(&path, Mark { forgets: true, ..other }).expect("staff have said so");
        assert!(started(&path, MARK).is_err(), "from then on the other one is its ledger");
    }

    #[test]
    fn two_processes_share_a_mark_and_neither_lowers_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cashier.mark");
        let (one, other) = (MarkFile::new(path.clone()), MarkFile::new(path));
        one.raise(Mark { generation: 10, ..MARK }).expect("noted");
        other.raise(Mark { generation: 12, ..MARK }).expect("noted");
        one.raise(Mark { generation: 11, ..MARK }).expect("it asked before the other");
        assert_eq!(one.noted(), Ok(Some((7, 12))));
    }

    #[test]
    fn a_database_that_is_changed_for_an_older_one_while_it_is_used_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        for changed in [
            Mark { generation: 10, ..MARK },
            Mark { generation: 3, ..MARK },
            Mark { ledger: 8, generation: 99, ..MARK },
        ] {
            let file = MarkFile::new(folder.path().join("cashier.mark"));
            file.raise(Mark { generation: 10, ..MARK }).expect("noted");
            let error = file.raise(changed).expect_err("it went back");
            assert!(error.contains("an older one"), "{error}");
            assert_eq!(file.noted(), Ok(Some((7, 10))), "the mark stays");
        }
    }

    #[test]
    fn a_file_that_is_no_mark_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cashier.mark");
        for text in ["", "7", "7 x", "7 5 3", "the books"] {
            std::fs::write(&path, text).expect("written");
            let error = started(&path, MARK).expect_err(text);
            assert!(error.contains("--mark-file"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).expect("a file"), text);
        }
    }
}
