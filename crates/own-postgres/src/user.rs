//! As whom the server runs: PostgreSQL refuses to run as root.

use anyhow::Context;
use std::path::Path;
use std::process::Command;

/// Another user of this system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct User {
    id: u32,
    group: u32,
}

impl User {
    /// Who is to run it: `postgres`, else `nobody`, where this is root. `None`: whoever this is.
    ///
    /// # Errors
    /// When this is root and there is neither.
    pub(crate) fn of_the_server() -> anyhow::Result<Option<Self>> {
        if !is_root() {
            return Ok(None);
        }
        let users = std::fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let found = ["postgres", "nobody"].into_iter().find_map(|name| Self::named(name, &users));
        found.map(Some).context("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`")
    }

    /// From lines such as `postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash`.
    fn named(name: &str, users: &str) -> Option<Self> {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let is_it = fields.next()? == name;
            let (id, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            is_it.then_some(Self { id, group })
        })
    }
}

/// A folder that this user owns.
#[cfg(unix)]
pub(crate) fn give(folder: &Path, user: User) -> anyhow::Result<()> {
    std::os::unix::fs::chown(folder, Some(user.id), Some(user.group)).context("cannot give a folder to another user")
}

/// Whether every other user may go through this folder to one inside it.
#[cfg(unix)]
pub(crate) fn is_open(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let Ok(folder) = folder.canonicalize() else { return false };
    let may_enter = |folder: &Path| folder.metadata().is_ok_and(|data| data.permissions().mode() & 0o001 != 0);
    folder.ancestors().all(may_enter)
}

/// The command, run as this user, and out of reach of the terminal's ctrl-c: its owner decides when it ends.
#[cfg(unix)]
pub(crate) fn run_as(command: &mut Command, user: Option<User>) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
    if let Some(User { id, group }) = user {
        command.uid(id).gid(group);
    }
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
pub(crate) fn give(_: &Path, _: User) -> anyhow::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn is_open(_: &Path) -> bool {
    true
}

#[cfg(not(unix))]
pub(crate) fn run_as(_: &mut Command, _: Option<User>) {}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_the_whole_name() {
        let users = "root:x:0:0:root:/root:/bin/bash\npostgres2:x:9:9::/:\npostgres:x:101:104:Pg,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(User::named("postgres", users), Some(User { id: 101, group: 104 }));
        assert_eq!(User::named("nobody", users), None);
    }
}
