// SPDX-License-Identifier: LGPL-2.0-or-later
//! GnuPG, with a home of its own.

use std::{collections::HashSet, process::Command};

use plombe_tests::{Ran, Scratch, peers, run};

use super::{Form, Key, Outcome, Peer, With};
use crate::task::{Kind, Task};

/// gpg and the agent that it starts.
pub(crate) struct Gpg {
    version: String,
    home: Scratch,
    /// What is in its keyring already.
    imported: HashSet<Vec<u8>>,
}

impl Gpg {
    pub(crate) fn find() -> Option<Self> {
        let version = peers::version("gpg", &["--version"])?;
        let version = version.rsplit(' ').next().unwrap_or_default().to_owned();
        Some(Self { version, home: Scratch::new(), imported: HashSet::new() })
    }

    fn gpg(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut command = Command::new("gpg");
        command.arg("--homedir").arg(self.home.path());
        command.args(["--batch", "--quiet", "--yes", "--no-auto-key-locate", "--trust-model", "always"]);
        command.args(["--pinentry-mode", "loopback", "--passphrase", "", "--status-fd", "2"]);
        run(command.args(arguments), input)
    }

    fn import(&mut self, key: &Key) -> Outcome<String> {
        if self.imported.insert(key.tsk.clone()) {
            self.gpg(&["--import"], &key.tsk).succeeded()?;
        }
        let shown = self.gpg(&["--with-colons", "--show-keys"], &key.certificate).succeeded()?;
        let shown = String::from_utf8_lossy(&shown).into_owned();
        let fingerprint = shown.lines().find_map(|line| line.strip_prefix("fpr:::::::::"));
        fingerprint
            .map(|rest| rest.trim_end_matches(':').to_owned())
            .ok_or("gpg shows no fingerprint".to_owned())
    }
}

/// What went well, and said so in the machine-readable status: exit codes of gpg do not tell.
fn good(ran: Ran) -> Outcome<Vec<u8>> {
    let valid = ran.stderr.lines().any(|line| line.starts_with("[GNUPG:] VALIDSIG "));
    let good = ran.stderr.lines().any(|line| line.starts_with("[GNUPG:] GOODSIG "));
    if valid && good { ran.succeeded() } else { Err(format!("no good signature: {ran}")) }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        // The agent would notice that its socket is gone, but only after a minute.
        let mut command = Command::new("gpgconf");
        let _ = command.arg("--homedir").arg(self.home.path()).args(["--kill", "all"]).status();
    }
}

impl Peer for Gpg {
    fn name(&self) -> &str {
        "gpg"
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn cannot(&self, task: &Task<'_>) -> Option<&'static str> {
        (task.kind != Kind::V4).then_some("v6 keys and SEIPDv2 (RFC 9580)")
    }

    fn makes(&self, kind: Kind) -> bool {
        kind == Kind::V4
    }

    fn generate(&mut self, _: Kind, user_id: &str) -> Outcome<Key> {
        // Its own default, which is RSA in 2.2: old keys are what is out there.
        self.gpg(&["--quick-generate-key", user_id, "default", "default", "never"], b"").succeeded()?;
        let tsk = self.gpg(&["--armor", "--export-secret-keys", user_id], b"").succeeded()?;
        let certificate = self.gpg(&["--armor", "--export", user_id], b"").succeeded()?;
        self.imported.insert(tsk.clone());
        Ok(Key { tsk, certificate })
    }

    fn encrypt(&mut self, with: With<'_>, signer: Option<&Key>, data: &[u8]) -> Outcome<Vec<u8>> {
        let recipient = match with {
            With::Password(_, password) => {
                return self.gpg(&["--symmetric", "--passphrase", password], data).succeeded();
            }
            With::Key(recipient) => self.import(recipient)?,
        };
        let mut arguments = vec!["--encrypt", "--recipient", &recipient];
        let signer = signer.map(|signer| self.import(signer)).transpose()?;
        if let Some(signer) = &signer {
            arguments.extend(["--sign", "--local-user", signer]);
        }
        self.gpg(&arguments, data).succeeded()
    }

    fn decrypt(&mut self, with: With<'_>, signer: Option<&Key>, message: &[u8]) -> Outcome<Vec<u8>> {
        let mut arguments = vec!["--decrypt"];
        match with {
            With::Key(key) => {
                self.import(key)?;
            }
            With::Password(_, password) => arguments.extend(["--passphrase", password]),
        }
        match signer {
            None => self.gpg(&arguments, message).succeeded(),
            Some(signer) => {
                self.import(signer)?;
                good(self.gpg(&arguments, message))
            }
        }
    }

    fn sign(&mut self, signer: &Key, data: &[u8]) -> Outcome<Vec<u8>> {
        let signer = self.import(signer)?;
        self.gpg(&["--detach-sign", "--local-user", &signer], data).succeeded()
    }

    fn verify(&mut self, signer: &Key, signature: &[u8], data: &[u8]) -> Outcome<()> {
        self.import(signer)?;
        let signature = self.home.write("signature", signature);
        good(self.gpg(&["--verify", &signature.to_string_lossy(), "-"], data)).map(drop)
    }

    fn sign_inline(&mut self, signer: &Key, data: &[u8], form: Form) -> Outcome<Vec<u8>> {
        let signer = self.import(signer)?;
        let how = match form {
            Form::Inline => "--sign",
            Form::Cleartext => "--clear-sign",
        };
        self.gpg(&[how, "--local-user", &signer], data).succeeded()
    }

    fn verify_inline(&mut self, signer: &Key, message: &[u8], _: Form) -> Outcome<Vec<u8>> {
        self.import(signer)?;
        good(self.gpg(&["--decrypt"], message))
    }
}
