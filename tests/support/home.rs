// SPDX-License-Identifier: LGPL-2.0-or-later
//! A scratch home with the cast in it, and how to run `plombe` there.

use std::{ffi::OsStr, path::Path, process::Command};

use crate::{Ran, Scratch, plombe, run};

/// Sends mail.
pub const ALICE: &str = "alice@example.test";
/// Receives it.
pub const BOB: &str = "bob@example.test";
/// Should not be able to read it, nor to pass for Alice.
pub const MALLORY: &str = "mallory@example.test";

/// One person's machine: `PLOMBE_HOME` in a temporary folder, nothing inherited from who runs the test.
pub struct Home {
    scratch: Scratch,
}

impl Home {
    /// An empty one.
    pub fn new() -> Self {
        Self { scratch: Scratch::new() }
    }

    /// One in which `owner` has just generated a TSK without a passphrase.
    #[track_caller]
    pub fn of(owner: &str) -> Self {
        let home = Self::new();
        home.run(["key", "generate", owner, "--no-passphrase"], b"").ok();
        home
    }

    /// The folder that `PLOMBE_HOME` names. Files for a test go into a [`Scratch`] of their own.
    pub fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// `plombe` with this home and an otherwise bare environment: no locale, no terminal colours, no agent.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(plombe());
        command.env_clear().env("PLOMBE_HOME", self.path()).env("HOME", self.path()).args(arguments);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
    }

    /// Runs `plombe` with `input` on standard input.
    #[track_caller]
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>, input: &[u8]) -> Ran {
        run(&mut self.command(arguments), input)
    }

    /// Armored certificate of `whom`.
    #[track_caller]
    pub fn certificate(&self, whom: &str) -> Vec<u8> {
        self.run(["key", "export", whom], b"").ok()
    }

    /// Armored TSK of `whom`.
    #[track_caller]
    pub fn tsk(&self, whom: &str) -> Vec<u8> {
        self.run(["key", "export", "--secret", whom], b"").ok()
    }

    /// Imports certificates or TSKs.
    #[track_caller]
    pub fn import(&self, bytes: &[u8]) {
        let scratch = Scratch::new();
        let file = scratch.write("key.pgp", bytes);
        self.run([OsStr::new("key"), OsStr::new("import"), file.as_os_str()], b"").ok();
    }

    /// Two homes whose owners have each other's certificate.
    #[track_caller]
    pub fn pair(one: &str, other: &str) -> (Self, Self) {
        let (first, second) = (Self::of(one), Self::of(other));
        first.import(&second.certificate(other));
        second.import(&first.certificate(one));
        (first, second)
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}
