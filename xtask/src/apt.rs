//! Debian's packages: what is missing is installed where that can be done without asking, as root on Debian and Ubuntu.

use crate::steps::{command, run, step};
use crate::tools::on_path;
use anyhow::Result;

/// Whether packages can be installed here.
pub(crate) fn is_here() -> bool {
    on_path("apt-get").is_some() && rustix::process::geteuid().is_root()
}

/// Installs packages.
pub(crate) async fn install(packages: &[&str]) -> Result<()> {
    let apt = |arguments: &[&str]| {
        let mut apt = command("apt-get");
        // Another package manager may be at work: it is waited for.
        apt.env("DEBIAN_FRONTEND", "noninteractive").args(["-o", "DPkg::Lock::Timeout=300"]).args(arguments);
        apt
    };
    step(&format!("install {} (apt-get)", packages.join(" ")), async {
        for last_try in [false, true] {
            let done = async {
                run(&mut apt(&["update"])).await?;
                run(apt(&["install", "--yes", "--no-install-recommends"]).args(packages)).await
            };
            match done.await {
                Err(error) if last_try => return Err(error),
                Err(error) => println!("    {error}; once more"),
                Ok(()) => break,
            }
        }
        Ok(())
    })
    .await
}
