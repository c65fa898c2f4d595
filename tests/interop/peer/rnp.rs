// SPDX-License-Identifier: LGPL-2.0-or-later
//! RNP, the library in Thunderbird, through its own command line.

use std::{collections::HashMap, process::Command};

use plombe_tests::{Ran, Scratch, peers, run};

use super::{Form, Key, Outcome, Peer, With};
use crate::task::{Kind, Task};

/// The programs and their home.
pub(crate) struct Rnp {
    version: String,
    home: Scratch,
    scratch: Scratch,
    /// Fingerprints of what is in its keyring already, by TSK.
    imported: HashMap<Vec<u8>, String>,
}

impl Rnp {
    pub(crate) fn find() -> Option<Self> {
        peers::find("rnpkeys")?;
        let version = peers::version("rnp", &["--version"])?;
        let version = version.split(' ').nth(1).unwrap_or_default().to_owned();
        Some(Self { version, home: Scratch::new(), scratch: Scratch::new(), imported: HashMap::new() })
    }

    fn run(&self, program: &str, arguments: &[&str], input: &[u8]) -> Ran {
        let mut command = Command::new(program);
        command.arg("--homedir").arg(self.home.path()).args(["--notty"]).args(arguments);
        run(command.current_dir(self.scratch.path()), input)
    }

    /// Puts the key into the keyring and says its fingerprint.
    fn import(&mut self, key: &Key) -> Outcome<String> {
        if let Some(fingerprint) = self.imported.get(&key.tsk) {
            return Ok(fingerprint.clone());
        }
        let file = self.scratch.write("import", &key.tsk);
        let shown = self.run("rnpkeys", &["--import-keys", &file.to_string_lossy()], b"").succeeded()?;
        let fingerprint = first_fingerprint(&String::from_utf8_lossy(&shown))?;
        self.imported.insert(key.tsk.clone(), fingerprint.clone());
        Ok(fingerprint)
    }
}

/// Fingerprints stand alone on a line, in lower case, in what rnpkeys lists.
fn first_fingerprint(shown: &str) -> Outcome<String> {
    let is_fingerprint = |word: &&str| word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let found = shown.split_whitespace().find(is_fingerprint);
    found.map(str::to_owned).ok_or_else(|| format!("rnpkeys shows no fingerprint: {shown}"))
}

/// RNP ends with 0 for unknown signers too.
fn good(ran: Ran) -> Outcome<Vec<u8>> {
    if ran.stderr.contains("Good signature made") {
        ran.succeeded()
    } else {
        Err(format!("no good signature: {ran}"))
    }
}

impl Peer for Rnp {
    fn name(&self) -> &str {
        "rnp"
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
        let shown = self
            .run("rnpkeys", &["--generate-key", "--userid", user_id, "--password", ""], b"")
            .succeeded()?;
        let fingerprint = first_fingerprint(&String::from_utf8_lossy(&shown))?;
        let tsk = self
            .run("rnpkeys", &["--export-key", "--secret", &fingerprint, "--password", ""], b"")
            .succeeded()?;
        let certificate = self.run("rnpkeys", &["--export-key", &fingerprint], b"").succeeded()?;
        self.imported.insert(tsk.clone(), fingerprint);
        Ok(Key { tsk, certificate })
    }

    fn encrypt(&mut self, with: With<'_>, signer: Option<&Key>, data: &[u8]) -> Outcome<Vec<u8>> {
        let recipient = match with {
            With::Password(_, password) => {
                return self.run("rnp", &["--symmetric", "--password", password], data).succeeded();
            }
            With::Key(recipient) => self.import(recipient)?,
        };
        let mut arguments = vec!["--encrypt", "--recipient", &recipient, "--password", ""];
        let signer = signer.map(|signer| self.import(signer)).transpose()?;
        if let Some(signer) = &signer {
            arguments.extend(["--sign", "--userid", signer]);
        }
        self.run("rnp", &arguments, data).succeeded()
    }

    fn decrypt(&mut self, with: With<'_>, signer: Option<&Key>, message: &[u8]) -> Outcome<Vec<u8>> {
        let password = match with {
            With::Key(key) => {
                self.import(key)?;
                ""
            }
            With::Password(_, password) => password,
        };
        if let Some(signer) = signer {
            self.import(signer)?;
        }
        let ran = self.run("rnp", &["--decrypt", "--password", password], message);
        if signer.is_some() { good(ran) } else { ran.succeeded() }
    }

    fn sign(&mut self, signer: &Key, data: &[u8]) -> Outcome<Vec<u8>> {
        let signer = self.import(signer)?;
        self.run("rnp", &["--sign", "--detach", "--userid", &signer, "--password", ""], data).succeeded()
    }

    fn verify(&mut self, signer: &Key, signature: &[u8], data: &[u8]) -> Outcome<()> {
        self.import(signer)?;
        let data = self.scratch.write("data", data);
        let signature = self.scratch.write("data.sig", signature);
        let (data, signature) = (data.to_string_lossy(), signature.to_string_lossy());
        good(self.run("rnp", &["--verify", "--source", &data, &signature], b"")).map(drop)
    }

    fn sign_inline(&mut self, signer: &Key, data: &[u8], form: Form) -> Outcome<Vec<u8>> {
        let signer = self.import(signer)?;
        let how = match form {
            Form::Inline => "--sign",
            Form::Cleartext => "--clearsign",
        };
        self.run("rnp", &[how, "--userid", &signer, "--password", ""], data).succeeded()
    }

    fn verify_inline(&mut self, signer: &Key, message: &[u8], _: Form) -> Outcome<Vec<u8>> {
        self.import(signer)?;
        good(self.run("rnp", &["--decrypt", "--password", ""], message))
    }
}
