//! Folders as their files, by name. Names have `/` between folders and are in order, whatever the disk's is.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// All files below a folder.
pub(crate) fn read(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    collect(folder, "", &mut files)?;
    Ok(files)
}

fn collect(folder: &Path, below: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().into_string().ok();
        let name = format!("{below}{}", name.with_context(|| format!("a name in {} is no text", folder.display()))?);
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            let bytes = fs::read(entry.path()).with_context(|| format!("cannot read {}", entry.path().display()))?;
            files.insert(name, bytes);
        }
    }
    Ok(())
}

/// Makes `folder` hold exactly these files. They are written beside it and moved there when all are: who reads there
/// sees all of the old or all of the new files.
pub(crate) fn replace(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    // Names beside it that are nobody else's.
    let beside = |what: &str| {
        let name = folder.file_name().context("the folder has no name")?.to_string_lossy();
        anyhow::Ok(folder.with_file_name(format!(".{name}.cashier-pack-{what}")))
    };
    let (fresh, old) = (beside("new")?, beside("old")?);
    remove(&fresh)?;
    remove(&old)?;
    for (name, bytes) in files {
        let file = fresh.join(name);
        let parent = file.parent().context("a file lies in a folder")?;
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if folder.exists() {
        ensure!(folder.is_dir(), "{} is no folder", folder.display());
        fs::rename(folder, &old).with_context(|| format!("cannot move {} aside", folder.display()))?;
    }
    fs::rename(&fresh, folder).with_context(|| format!("cannot move the new files to {}", folder.display()))?;
    remove(&old)
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_holds_what_was_put_there_last_and_nothing_lies_beside_it() {
        let place = tempfile::tempdir().expect("a place");
        let out = place.path().join("dist");
        for names in [["a.js", "locales/en.json"], ["b.js", "locales/de.json"]] {
            let files: BTreeMap<_, _> =
                names.iter().map(|name| ((*name).to_owned(), name.as_bytes().to_vec())).collect();
            replace(&out, &files).expect("written");
            assert_eq!(read(&out).expect("readable"), files);
        }
        assert_eq!(fs::read_dir(place.path()).expect("readable").count(), 1);
    }

    #[test]
    fn a_file_in_the_way_stays() {
        let place = tempfile::tempdir().expect("a place");
        let out = place.path().join("dist");
        fs::write(&out, "mine").expect("writable");
        let error = replace(&out, &BTreeMap::from([("a.js".to_owned(), Vec::new())])).expect_err("it is a file");
        assert!(error.to_string().contains("is no folder"), "{error}");
        assert_eq!(fs::read_to_string(&out).expect("readable"), "mine");
    }
}
