//! The mark that is kept outside the database: by it a ledger that was restored from a copy is noticed. Such a ledger has
//! forgotten what came after the copy, and would call vouchers untouched that are not.

use crate::ledger::Mark;
use std::fs::{File, rename};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use tracing::{info, warn};

/// A file of one line: the ledger's number and its generation.
#[derive(Clone, Debug)]
pub(crate) struct MarkFile(PathBuf);

impl MarkFile {
    /// The mark of that path.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Compares the mark with that of the ledger that was opened, and notes the ledger's.
    ///
    /// # Errors
    /// When the ledger is older than the mark, or another one, and nobody has said so. The text says what to do.
    pub(crate) fn check(&self, now: Mark) -> Result<(), String> {
        let path = self.0.display();
        match self.read()? {
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
        self.write(now);
        Ok(())
    }

    /// Notes the ledger's mark. Where that fails the older one stays, which notices less.
    pub(crate) fn write(&self, mark: Mark) {
        if let Err(error) = replace(&self.0, &format!("{} {}\n", mark.ledger, mark.generation)) {
            warn!(%error, mark = %self.0.display(), "the ledger's mark cannot be written: a copy that is restored may not be noticed");
        }
    }

    fn read(&self) -> Result<Option<(i64, i64)>, String> {
        let text = match std::fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("the ledger's mark {} cannot be read: {error}", self.0.display())),
        };
        let mut numbers = text.split_whitespace().map(str::parse);
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(ledger)), Some(Ok(generation)), None) => Ok(Some((ledger, generation))),
            _ => Err(format!("{} is no mark of a ledger: give another file by --mark-file", self.0.display())),
        }
    }
}

/// All of it or nothing, on disk.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
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

    #[test]
    fn a_ledger_that_is_older_or_another_is_refused_until_staff_have_said_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = MarkFile::new(folder.path().join("cashier.mark"));
        assert_eq!(file.check(MARK), Ok(()), "the first time");
        for generation in [5, 6, 1_000_000_000] {
            assert_eq!(file.check(Mark { generation, ..MARK }), Ok(()), "{generation}");
        }
        let older = file.check(MARK).expect_err("it is older");
        assert!(older.contains("attempts restored --since"), "{older}");
        let other = Mark { ledger: 8, generation: i64::MAX, forgets: false };
        let error = file.check(other).expect_err("it is another");
        assert!(error.contains("of another ledger"), "{error}");
        assert_eq!(file.check(Mark { forgets: true, ..other }), Ok(()), "staff have said so");
        assert!(file.check(MARK).is_err(), "from then on the other one is its ledger");
    }

    #[test]
    fn a_file_that_is_no_mark_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cashier.mark");
        for text in ["", "7", "7 x", "7 5 3", "the books"] {
            std::fs::write(&path, text).expect("written");
            let error = MarkFile::new(path.clone()).check(MARK).expect_err(text);
            assert!(error.contains("--mark-file"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).expect("a file"), text);
        }
    }
}
