//! Where the programs of a server lie: `initdb` and `postgres`, side by side.

use std::path::{Path, PathBuf};

/// Where Debian and Ubuntu have them, in a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The programs of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Finds them: on PATH, in Debian's folders (the newest version first), in `/usr/local/bin`. `None`: not here.
    pub fn find() -> Option<Self> {
        let on_path = std::env::var_os("PATH").unwrap_or_default();
        let of_debian = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|entry| entry.path());
        let folders = std::env::split_paths(&on_path)
            .chain(newest_first(of_debian.collect()).into_iter().map(|version| version.join("bin")))
            .chain([PathBuf::from("/usr/local/bin")]);
        folders
            .map(|folder| Self { folder })
            .find(|programs| programs.initdb().is_file() && programs.postgres().is_file())
    }

    pub(crate) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }
}

fn newest_first(mut versions: Vec<PathBuf>) -> Vec<PathBuf> {
    let number = |folder: &Path| folder.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    versions.sort_by_key(|folder| std::cmp::Reverse(number(folder)));
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_comes_first() {
        let versions = ["/p/9", "/p/15", "/p/other"].map(PathBuf::from).to_vec();
        assert_eq!(newest_first(versions), ["/p/15", "/p/9", "/p/other"].map(PathBuf::from));
    }
}
