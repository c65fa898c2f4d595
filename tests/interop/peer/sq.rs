// SPDX-License-Identifier: LGPL-2.0-or-later
//! `sq`, the command line of Sequoia. Debian 12 has 0.27, which is stateless.

use std::{ffi::OsString, process::Command};

use plombe_tests::{Scratch, peers, run};

use super::{Form, Key, Outcome, Peer, With};
use crate::task::{Direction, Kind, Operation, Task};

/// The program and a folder for the files that it reads.
pub(crate) struct Sq {
    version: String,
    scratch: Scratch,
}

impl Sq {
    pub(crate) fn find() -> Option<Self> {
        let version = peers::version("sq", &["--version"])?;
        let version = version.split(' ').nth(1).unwrap_or_default().to_owned();
        Some(Self { version, scratch: Scratch::new() })
    }

    fn sq(&self, arguments: &[OsString], input: &[u8]) -> Outcome<Vec<u8>> {
        let mut command = Command::new("sq");
        run(command.args(arguments).current_dir(self.scratch.path()).env("HOME", self.scratch.path()), input)
            .succeeded()
    }

    fn file(&self, name: &str, content: &[u8]) -> OsString {
        self.scratch.write(name, content).into_os_string()
    }
}

/// Of Sequoia 1.12, which `sqop` is built with too. gpg finds such signatures bad, and so does Sequoia itself.
pub(super) fn wrong_cleartext(task: &Task<'_>) -> Option<&'static str> {
    let crlf = task.sample.bytes.windows(2).any(|pair| pair == b"\r\n");
    crlf.then_some(
        "signs cleartext with CRLF and blanks at line ends wrongly; its own verification refuses it",
    )
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

impl Peer for Sq {
    fn name(&self) -> &str {
        "sq"
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn cannot(&self, task: &Task<'_>) -> Option<&'static str> {
        match task.operation {
            _ if task.kind != Kind::V4 => Some("v6 keys and SEIPDv2 (RFC 9580)"),
            Operation::Password => Some("takes passwords from a terminal only"),
            Operation::Cleartext if task.direction == Direction::TheirsToOurs => wrong_cleartext(task),
            _ => None,
        }
    }

    fn makes(&self, kind: Kind) -> bool {
        kind == Kind::V4
    }

    fn generate(&mut self, _: Kind, user_id: &str) -> Outcome<Key> {
        let path = self.scratch.file("new.tsk");
        let mut arguments = words(&["--force", "key", "generate", "--userid", user_id, "--export"]);
        arguments.push(path.into_os_string());
        self.sq(&arguments, b"")?;
        let tsk = self.scratch.read("new.tsk");
        let certificate = self.sq(&words(&["key", "extract-cert"]), &tsk)?;
        Ok(Key { tsk, certificate })
    }

    fn encrypt(&mut self, with: With<'_>, signer: Option<&Key>, data: &[u8]) -> Outcome<Vec<u8>> {
        let With::Key(recipient) = with else { return Err("asks a terminal for the password".to_owned()) };
        let mut arguments = words(&["encrypt", "--recipient-cert"]);
        arguments.push(self.file("recipient.cert", &recipient.certificate));
        if let Some(signer) = signer {
            arguments.push("--signer-key".into());
            arguments.push(self.file("signer.tsk", &signer.tsk));
        }
        self.sq(&arguments, data)
    }

    fn decrypt(&mut self, with: With<'_>, signer: Option<&Key>, message: &[u8]) -> Outcome<Vec<u8>> {
        let With::Key(recipient) = with else { return Err("asks a terminal for the password".to_owned()) };
        let mut arguments = words(&["decrypt", "--recipient-key"]);
        arguments.push(self.file("recipient.tsk", &recipient.tsk));
        if let Some(signer) = signer {
            arguments.push("--signer-cert".into());
            arguments.push(self.file("signer.cert", &signer.certificate));
        }
        self.sq(&arguments, message)
    }

    fn sign(&mut self, signer: &Key, data: &[u8]) -> Outcome<Vec<u8>> {
        let mut arguments = words(&["sign", "--detached", "--signer-key"]);
        arguments.push(self.file("signer.tsk", &signer.tsk));
        self.sq(&arguments, data)
    }

    fn verify(&mut self, signer: &Key, signature: &[u8], data: &[u8]) -> Outcome<()> {
        let mut arguments = words(&["verify", "--signer-cert"]);
        arguments.push(self.file("signer.cert", &signer.certificate));
        arguments.push("--detached".into());
        arguments.push(self.file("signature", signature));
        self.sq(&arguments, data).map(drop)
    }

    fn sign_inline(&mut self, signer: &Key, data: &[u8], form: Form) -> Outcome<Vec<u8>> {
        let mut arguments = words(&["sign", "--signer-key"]);
        arguments.push(self.file("signer.tsk", &signer.tsk));
        if form == Form::Cleartext {
            arguments.push("--cleartext-signature".into());
        }
        self.sq(&arguments, data)
    }

    fn verify_inline(&mut self, signer: &Key, message: &[u8], _: Form) -> Outcome<Vec<u8>> {
        let mut arguments = words(&["verify", "--signer-cert"]);
        arguments.push(self.file("signer.cert", &signer.certificate));
        self.sq(&arguments, message)
    }
}
