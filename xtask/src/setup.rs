// SPDX-License-Identifier: LGPL-2.0-or-later
//! System packages: looks for what is missing and installs it when it may, otherwise says exactly what to type.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::steps::{output_of, run, say};

/// What compiling with the OpenSSL backend needs on Debian and Ubuntu.
/// libclang: Sequoia's OpenSSL backend generates bindings at build time.
const FOR_BUILDING: &[&str] = &["gcc", "libc6-dev", "pkg-config", "libssl-dev", "libclang-dev", "clang"];

/// Makes sure that the workspace can be compiled.
pub(crate) fn for_building() -> Result<()> {
    packages("building Plombe", FOR_BUILDING)
}

/// Makes sure that Debian packages are installed. `purpose` completes "… is needed for".
///
/// Where there is no dpkg nothing can be checked, so it only says what is needed and goes on: the build will
/// complain by itself. Never asks anything: standard input may not be there.
pub(crate) fn packages(purpose: &str, names: &[&str]) -> Result<()> {
    if output_of("dpkg-query", &["--version"]).is_none() {
        say(&format!(
            "not a Debian system; {purpose} needs your system's equivalents of: {}",
            names.join(" ")
        ));
        return Ok(());
    }
    let missing: Vec<&str> = names.iter().copied().filter(|name| !is_installed(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    let Some(privilege) = Privilege::find() else {
        bail!(
            "{purpose} needs packages that are not installed. Please run:\n\n    \
             sudo apt-get update && sudo apt-get install --yes --no-install-recommends {list}\n"
        );
    };
    say(&format!("installing {list} (needed for {purpose})"));
    // Package lists of a fresh machine are empty or old; without this, apt finds nothing.
    run("apt-get update", privilege.apt_get().arg("--quiet=2").arg("update"))?;
    let install = ["--quiet=2", "install", "--yes", "--no-install-recommends"];
    run("apt-get install", privilege.apt_get().args(install).args(&missing))
}

fn is_installed(name: &str) -> bool {
    output_of("dpkg-query", &["--show", "--showformat=${db:Status-Abbrev}", name])
        .is_some_and(|status| status.starts_with("ii"))
}

/// How we may install packages.
enum Privilege {
    Root,
    /// `sudo` without a password prompt.
    Sudo,
}

impl Privilege {
    fn find() -> Option<Self> {
        if output_of("id", &["--user"]).is_some_and(|id| id.trim() == "0") {
            return Some(Self::Root);
        }
        output_of("sudo", &["--non-interactive", "true"]).map(|_| Self::Sudo)
    }

    fn apt_get(&self) -> Command {
        let mut command = match self {
            Self::Root => Command::new("env"),
            Self::Sudo => {
                let mut sudo = Command::new("sudo");
                sudo.args(["--non-interactive", "env"]);
                sudo
            }
        };
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).stdin(Stdio::null());
        command
    }
}
