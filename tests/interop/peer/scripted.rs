// SPDX-License-Identifier: LGPL-2.0-or-later
//! Libraries, most of them in other languages, each behind a small program that answers one JSON object a line.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use plombe_tests::{
    binary::{repository, target_dir},
    peers,
};
use serde_json::{Value, json};

use super::{Form, Key, Outcome, Peer, With, signs_blanks};
use crate::task::{Direction, Kind, Operation, Task};

/// A program that is running.
pub(crate) struct Scripted {
    name: &'static str,
    version: String,
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    makes_pqc: bool,
    cannot: fn(&Task<'_>) -> Option<&'static str>,
}

/// OpenPGP.js on Node.
pub(crate) fn openpgpjs() -> Option<Scripted> {
    let folder = repository().join("tests/interop/node");
    if !folder.join("node_modules/openpgp").is_dir() {
        return None;
    }
    let cannot = |task: &Task<'_>| match (task.operation, task.direction) {
        (Operation::Cleartext, Direction::TheirsToOurs) if task.sample.bytes.is_empty() => {
            Some("makes no cleartext message of an empty text")
        }
        _ => None,
    };
    Scripted::start("OpenPGP.js", Command::new(peers::find("node")?).arg(folder.join("peer.mjs")), cannot)
}

/// Sequoia of today in Python; another version of the library than ours, with another backend.
pub(crate) fn pysequoia() -> Option<Scripted> {
    let python = target_dir().join("peers/python/bin/python");
    let python = python.is_file().then_some(python)?;
    let cannot = |_: &Task<'_>| None;
    Scripted::start("pysequoia", Command::new(python).arg(script("python/peer.py")), cannot)
}

/// rPGP, which shares no code with Sequoia. A program of its own because its post-quantum part does not build beside
/// Sequoia's.
pub(crate) fn rpgp() -> Option<Scripted> {
    let program = target_dir().join("peers/rpgp/debug/plombe-rpgp-peer");
    let program = program.is_file().then_some(program)?;
    Scripted::start("rPGP", &mut Command::new(program), signs_blanks)
}

fn script(path: &str) -> std::path::PathBuf {
    repository().join(Path::new("tests/interop").join(path))
}

impl Scripted {
    fn start(
        name: &'static str,
        command: &mut Command,
        cannot: fn(&Task<'_>) -> Option<&'static str>,
    ) -> Option<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let (questions, answers) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        let mut peer =
            Self { name, version: String::new(), child, questions, answers, makes_pqc: false, cannot };
        let about = peer.ask(&json!({"do": "about"})).ok()?;
        peer.version = about["version"].as_str()?.to_owned();
        peer.makes_pqc = about["pqc"].as_bool().unwrap_or(false);
        Some(peer)
    }

    fn ask(&mut self, question: &Value) -> Outcome<Value> {
        let gone = |error: std::io::Error| format!("the program is gone: {error}");
        writeln!(self.questions, "{question}").map_err(gone)?;
        self.questions.flush().map_err(gone)?;
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(gone)?;
        let answer: Value = serde_json::from_str(&line).map_err(|error| format!("{error} in {line:?}"))?;
        match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer),
        }
    }

    fn ask_for_bytes(&mut self, question: &Value) -> Outcome<Vec<u8>> {
        let answer = self.ask(question)?;
        bytes(&answer["data"])
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bytes(value: &Value) -> Outcome<Vec<u8>> {
    BASE64
        .decode(value.as_str().unwrap_or_default())
        .map_err(|error| format!("the program's answer: {error}"))
}

fn base64(bytes: &[u8]) -> Value {
    BASE64.encode(bytes).into()
}

fn tsk(key: &Key) -> Value {
    base64(&key.tsk)
}

fn certificate(key: &Key) -> Value {
    base64(&key.certificate)
}

fn form_name(form: Form) -> &'static str {
    match form {
        Form::Inline => "inline",
        Form::Cleartext => "cleartext",
    }
}

impl Peer for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn cannot(&self, task: &Task<'_>) -> Option<&'static str> {
        if task.kind == Kind::Pqc && !self.makes_pqc {
            return Some("post-quantum algorithms (RFC 9980)");
        }
        (self.cannot)(task)
    }

    fn makes(&self, kind: Kind) -> bool {
        kind != Kind::Pqc || self.makes_pqc
    }

    fn generate(&mut self, kind: Kind, user_id: &str) -> Outcome<Key> {
        let answer = self.ask(&json!({"do": "generate", "profile": kind.profile(), "userId": user_id}))?;
        Ok(Key { tsk: bytes(&answer["tsk"])?, certificate: bytes(&answer["certificate"])? })
    }

    fn encrypt(&mut self, with: With<'_>, signer: Option<&Key>, data: &[u8]) -> Outcome<Vec<u8>> {
        let mut question = json!({"do": "encrypt", "data": base64(data), "signer": signer.map(tsk)});
        match with {
            With::Key(key) => question["recipient"] = certificate(key),
            With::Password(_, password) => question["password"] = password.into(),
        }
        self.ask_for_bytes(&question)
    }

    fn decrypt(&mut self, with: With<'_>, signer: Option<&Key>, message: &[u8]) -> Outcome<Vec<u8>> {
        let mut question =
            json!({"do": "decrypt", "message": base64(message), "signer": signer.map(certificate)});
        match with {
            With::Key(key) => question["recipient"] = tsk(key),
            With::Password(_, password) => question["password"] = password.into(),
        }
        self.ask_for_bytes(&question)
    }

    fn sign(&mut self, signer: &Key, data: &[u8]) -> Outcome<Vec<u8>> {
        self.ask_for_bytes(
            &json!({"do": "sign", "form": "detached", "data": base64(data), "signer": tsk(signer)}),
        )
    }

    fn verify(&mut self, signer: &Key, signature: &[u8], data: &[u8]) -> Outcome<()> {
        let question = json!({
            "do": "verify", "form": "detached",
            "signature": base64(signature), "data": base64(data), "signer": certificate(signer),
        });
        self.ask(&question).map(drop)
    }

    fn sign_inline(&mut self, signer: &Key, data: &[u8], form: Form) -> Outcome<Vec<u8>> {
        let form = form_name(form);
        self.ask_for_bytes(&json!({"do": "sign", "form": form, "data": base64(data), "signer": tsk(signer)}))
    }

    fn verify_inline(&mut self, signer: &Key, message: &[u8], form: Form) -> Outcome<Vec<u8>> {
        let form = form_name(form);
        let question =
            json!({"do": "verify", "form": form, "message": base64(message), "signer": certificate(signer)});
        self.ask_for_bytes(&question)
    }
}
