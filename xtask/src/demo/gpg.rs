// SPDX-License-Identifier: LGPL-2.0-or-later
//! GnuPG as the other program that Bob may use.

use std::{
    env, fs,
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{self, Command, Output, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::steps::output_of;

/// `gpg (GnuPG) 2.2.40`, when it is there.
pub(crate) fn version() -> Option<String> {
    output_of("gpg", &["--version"])?.lines().next().map(str::to_owned)
}

/// What GnuPG made of a message.
pub(crate) struct Opened {
    pub(crate) content: Vec<u8>,
    /// What it says about the signature.
    pub(crate) signature: String,
}

/// Imports the keys into a home that is thrown away afterwards, and opens the message.
pub(crate) fn open(keys: &[&[u8]], message: &[u8]) -> Result<Opened> {
    let home = Home::new()?;
    for key in keys {
        home.gpg(&["--import"], key)?;
    }
    let output = home.gpg(&["--decrypt"], message)?;
    let said = String::from_utf8_lossy(&output.stderr);
    let signature =
        said.lines().filter(|line| line.contains("signature from")).collect::<Vec<_>>().join("\n");
    Ok(Opened { content: output.stdout, signature })
}

struct Home(PathBuf);

impl Home {
    /// Not under `target/`: gpg-agent's socket lies in here, and the path of a socket must be short.
    fn new() -> Result<Self> {
        let path = env::temp_dir().join(format!("plombe-demo-{}", process::id()));
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    fn gpg(&self, args: &[&str], input: &[u8]) -> Result<Output> {
        let mut child = self
            .command("gpg")
            .args(["--batch", "--no-tty"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start gpg")?;
        child.stdin.take().context("gpg has no standard input")?.write_all(input)?;
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("gpg {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(output)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("GNUPGHOME", self.path()).env("LC_ALL", "C");
        command
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // The agent that gpg started for this home ends with it. Failing to clean up is no reason to fail.
        let _ = self.command("gpgconf").args(["--kill", "all"]).stderr(Stdio::null()).status();
        let _ = fs::remove_dir_all(self.path());
    }
}
