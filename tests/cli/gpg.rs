// SPDX-License-Identifier: LGPL-2.0-or-later
//! gpg makes what Plombe refuses to make: weak keys, weak signatures, old ciphers.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use plombe_tests::{Ran, Scratch, peers, run};

/// A gpg with a home of its own.
pub(crate) struct Gpg {
    home: Scratch,
}

impl Gpg {
    /// `None`, said aloud, when there is no gpg; a failure where nothing may be missing.
    #[track_caller]
    pub(crate) fn new() -> Option<Self> {
        if peers::find("gpg").is_none() {
            peers::skip("gpg");
            return None;
        }
        let home = Scratch::new();
        // Otherwise gpg warns about it each time.
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).expect("it is ours");
        Some(Self { home })
    }

    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut command = Command::new("gpg");
        command
            .env("GNUPGHOME", self.home.path())
            .args([
                "--batch",
                "--yes",
                "--quiet",
                "--no-tty",
                "--pinentry-mode",
                "loopback",
                "--passphrase",
                "",
            ])
            .args(["--trust-model", "always", "--no-auto-check-trustdb"])
            .args(arguments);
        run(&mut command, input)
    }

    /// Makes a key by gpg's parameter file; `lines` are algorithm and the like.
    #[track_caller]
    pub(crate) fn generate(&self, address: &str, lines: &str, options: &[&str]) {
        let parameters = format!("%no-protection\n{lines}\nName-Email: {address}\nExpire-Date: 0\n%commit\n");
        let file = self.home.write("parameters", parameters);
        let file = file.to_str().expect("scratch folders have plain names");
        let mut arguments = options.to_vec();
        arguments.extend(["--generate-key", file]);
        self.run(&arguments, b"").ok();
    }

    #[track_caller]
    pub(crate) fn certificate(&self, address: &str) -> Vec<u8> {
        self.run(&["--export", address], b"").ok()
    }
}

impl Drop for Gpg {
    /// Its agent would live on without its home.
    fn drop(&mut self) {
        let _ = Command::new("gpgconf").env("GNUPGHOME", self.home.path()).args(["--kill", "all"]).status();
    }
}
