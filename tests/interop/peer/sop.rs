// SPDX-License-Identifier: LGPL-2.0-or-later
//! Programs with the Stateless OpenPGP interface, in the dialects of several drafts.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use plombe_tests::{Scratch, peers, run};

use super::{Form, Key, Outcome, Peer, With, signs_blanks};
use crate::task::{Direction, Kind, Operation, Task};

/// One of them.
pub(crate) struct SopPeer {
    name: &'static str,
    program: PathBuf,
    before: &'static [&'static str],
    version: String,
    dialect: Dialect,
    scratch: Scratch,
}

/// What differs from the current draft.
#[derive(Clone, Copy)]
pub(crate) struct Dialect {
    /// The option that is `--verifications-out` now.
    verifications_out: &'static str,
    /// The `--profile` that makes a key of this kind; `Some("")` for "has no profiles".
    profile: fn(Kind) -> Option<&'static str>,
    /// Does `encrypt` take `rfc4880` and `rfc9580` as profiles?
    has_message_profiles: bool,
    /// What is beyond it.
    cannot: fn(&Task<'_>) -> Option<&'static str>,
}

impl Dialect {
    /// From before profiles.
    fn of_old_draft(verifications_out: &'static str, cannot: fn(&Task<'_>) -> Option<&'static str>) -> Self {
        Self { verifications_out, profile: only_v4, has_message_profiles: false, cannot }
    }
}

/// For programs that know neither v6 nor SEIPDv2.
fn only_v4(kind: Kind) -> Option<&'static str> {
    (kind == Kind::V4).then_some("")
}

const NO_RFC_9580: &str = "v6 keys and SEIPDv2 (RFC 9580)";

impl SopPeer {
    pub(crate) fn sqop() -> Option<Self> {
        let cannot = |task: &Task<'_>| match (task.operation, task.direction) {
            _ if task.kind != Kind::V4 => Some(NO_RFC_9580),
            (Operation::Cleartext, Direction::TheirsToOurs) => super::sq::wrong_cleartext(task),
            _ => None,
        };
        Self::find("sqop", Dialect::of_old_draft("--verifications-out", cannot))
    }

    pub(crate) fn gosop() -> Option<Self> {
        let cannot = |task: &Task<'_>| {
            let mangled = !task.sample.text || task.sample.bytes.windows(2).any(|pair| pair == b"\r\n");
            let lf = !task.sample.text || task.sample.bytes.contains(&b'\n');
            match (task.operation, task.direction) {
                _ if task.kind != Kind::V4 => Some(NO_RFC_9580),
                (Operation::Inline | Operation::Cleartext, _) => Some("has no inline-sign and inline-verify"),
                (Operation::Detached, _) => None,
                (_, Direction::OursToTheirs) if mangled => Some(
                    "its decrypt takes everything for text: CRLF becomes LF, what is not UTF-8 is replaced",
                ),
                (Operation::Password, Direction::TheirsToOurs) if lf => {
                    Some("its password encryption takes everything for text: LF becomes CRLF")
                }
                _ => None,
            }
        };
        Self::find("gosop", Dialect::of_old_draft("--verify-out", cannot))
    }

    pub(crate) fn pgpainless() -> Option<Self> {
        let cannot = |task: &Task<'_>| match (task.operation, task.direction) {
            _ if task.kind != Kind::V4 => Some(NO_RFC_9580),
            (Operation::Cleartext, Direction::OursToTheirs) if task.sample.bytes.is_empty() => {
                Some("reads no cleartext message of an empty text")
            }
            _ => signs_blanks(task),
        };
        Self::find("pgpainless-cli", Dialect::of_old_draft("--verify-out", cannot))
    }

    pub(crate) fn rsop() -> Option<Self> {
        let profile = |kind| match kind {
            // Its profile rfc4880 is RSA with 4096 bits; this one is v4 too.
            Kind::V4 => Some("default"),
            Kind::V6 => Some("rfc9580"),
            Kind::Pqc => Some("security"),
        };
        let dialect = Dialect {
            verifications_out: "--verifications-out",
            profile,
            has_message_profiles: false,
            cannot: signs_blanks,
        };
        Self::find("rsop", dialect)
    }

    fn find(name: &'static str, dialect: Dialect) -> Option<Self> {
        let program = peers::find(name)?;
        let version = peers::version(name, &["version"])?;
        let version = version.rsplit(' ').next().unwrap_or_default().to_owned();
        Some(Self { name, program, before: &[], version, dialect, scratch: Scratch::new() })
    }

    /// Ours, which is one of them too.
    pub(crate) fn plombe(program: &Path) -> Self {
        let profile = |kind: Kind| Some(kind.profile());
        Self {
            name: "plombe",
            program: program.to_owned(),
            before: &["sop"],
            version: env!("CARGO_PKG_VERSION").to_owned(),
            dialect: Dialect {
                verifications_out: "--verifications-out",
                profile,
                has_message_profiles: true,
                cannot: |_| None,
            },
            scratch: Scratch::new(),
        }
    }

    fn sop(&self, arguments: &[OsString], input: &[u8]) -> Outcome<Vec<u8>> {
        let mut command = Command::new(&self.program);
        command.args(self.before).args(arguments).current_dir(self.scratch.path());
        command.env("HOME", self.scratch.path()).env_remove("PLOMBE_HOME");
        run(&mut command, input).succeeded()
    }

    fn file(&self, name: &str, content: &[u8]) -> OsString {
        self.scratch.write(name, content).into_os_string()
    }
}

/// `--name=value`, which every dialect understands.
fn option(name: &str, value: &OsString) -> OsString {
    let mut option = OsString::from(name);
    option.push("=");
    option.push(value);
    option
}

impl Peer for SopPeer {
    fn name(&self) -> &str {
        self.name
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn cannot(&self, task: &Task<'_>) -> Option<&'static str> {
        (self.dialect.cannot)(task)
    }

    fn makes(&self, kind: Kind) -> bool {
        let Some(profile) = (self.dialect.profile)(kind) else { return false };
        // Whether a build has post-quantum algorithms shows in its list only.
        kind != Kind::Pqc
            || self.sop(&["list-profiles".into(), "generate-key".into()], b"").is_ok_and(|list| {
                String::from_utf8_lossy(&list).lines().any(|line| line.starts_with(profile))
            })
    }

    fn generate(&mut self, kind: Kind, user_id: &str) -> Outcome<Key> {
        let mut arguments = vec![OsString::from("generate-key")];
        match (self.dialect.profile)(kind) {
            None => return Err(format!("{} makes no {} keys", self.name, kind.profile())),
            Some("") => {}
            Some(profile) => arguments.push(option("--profile", &profile.into())),
        }
        arguments.push(user_id.into());
        let tsk = self.sop(&arguments, b"")?;
        let certificate = self.sop(&["extract-cert".into()], &tsk)?;
        Ok(Key { tsk, certificate })
    }

    fn encrypt(&mut self, with: With<'_>, signer: Option<&Key>, data: &[u8]) -> Outcome<Vec<u8>> {
        let mut arguments = vec![OsString::from("encrypt")];
        if let Some(signer) = signer {
            arguments.push(option("--sign-with", &self.file("signer.tsk", &signer.tsk)));
        }
        match with {
            With::Key(key) => arguments.push(self.file("recipient.cert", &key.certificate)),
            With::Password(kind, password) => {
                if self.dialect.has_message_profiles {
                    arguments.push(option("--profile", &kind.profile().into()));
                }
                arguments.push(option("--with-password", &self.file("password", password.as_bytes())));
            }
        }
        self.sop(&arguments, data)
    }

    fn decrypt(&mut self, with: With<'_>, signer: Option<&Key>, message: &[u8]) -> Outcome<Vec<u8>> {
        let verifications = self.scratch.file("verifications");
        let _ = std::fs::remove_file(&verifications);
        let mut arguments = vec![OsString::from("decrypt")];
        if let Some(signer) = signer {
            arguments.push(option(self.dialect.verifications_out, &verifications.clone().into_os_string()));
            arguments.push(option("--verify-with", &self.file("signer.cert", &signer.certificate)));
        }
        match with {
            With::Key(key) => arguments.push(self.file("recipient.tsk", &key.tsk)),
            With::Password(_, password) => {
                arguments.push(option("--with-password", &self.file("password", password.as_bytes())));
            }
        }
        let data = self.sop(&arguments, message)?;
        if signer.is_some() && std::fs::read(&verifications).is_ok_and(|lines| lines.is_empty()) {
            return Err("decrypted, but without an acceptable signature".to_owned());
        }
        Ok(data)
    }

    fn sign(&mut self, signer: &Key, data: &[u8]) -> Outcome<Vec<u8>> {
        let signer = self.file("signer.tsk", &signer.tsk);
        self.sop(&["sign".into(), signer], data)
    }

    fn verify(&mut self, signer: &Key, signature: &[u8], data: &[u8]) -> Outcome<()> {
        let signature = self.file("signature", signature);
        let signer = self.file("signer.cert", &signer.certificate);
        let lines = self.sop(&["verify".into(), signature, signer], data)?;
        if lines.is_empty() { Err("accepted, but says of no signature".to_owned()) } else { Ok(()) }
    }

    fn sign_inline(&mut self, signer: &Key, data: &[u8], form: Form) -> Outcome<Vec<u8>> {
        let kind = match form {
            Form::Inline => "--as=binary",
            Form::Cleartext => "--as=clearsigned",
        };
        let signer = self.file("signer.tsk", &signer.tsk);
        self.sop(&["inline-sign".into(), kind.into(), signer], data)
    }

    fn verify_inline(&mut self, signer: &Key, message: &[u8], _: Form) -> Outcome<Vec<u8>> {
        let signer = self.file("signer.cert", &signer.certificate);
        self.sop(&["inline-verify".into(), signer], message)
    }
}
