// SPDX-License-Identifier: LGPL-2.0-or-later
//! plombe-wasm in Node and in pages of real browsers: it says of every mail, byte for byte, what native Plombe says, and
//! each opens what the other sealed.

#[path = "../corpora/keys.rs"]
mod keys;
mod runner;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use plombe_core::{
    cert::{Certificate, Profile, Tsk},
    crypto_policy::CryptoPolicy,
    error_code::ErrorCode as _,
    mail::{MailOpenError, OpenOptions},
    message::{Container, Limits, OpenContext, Quarantine, Seal, SealedMessage},
    secret::Passphrase,
    verdict::VerdictKind,
};
use plombe_tests::corpora::corpus;
use serde_json::{Value, json};

use keys::{Keys, now};
use runner::{PLACES, run};

const CORPORA: [&str; 4] =
    ["signature-spoofing", "covert-content", "provider-mutations", "protected-headers"];

#[test]
fn every_mail_gets_the_verdict_of_native_plombe_byte_for_byte() {
    let mut folders = vec![(Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/mail"), "keys")];
    folders.extend(CORPORA.iter().filter_map(|name| corpus(name)).map(|folder| (folder, "")));
    let (mut sets, mut names, mut native) = (Vec::new(), Vec::new(), Vec::new());
    for (folder, key_folder) in folders {
        let keys = Keys::of_corpus(&folder.join(key_folder));
        let mails = files_below(&folder, &["eml"]);
        native.extend(mails.iter().map(|mail| said(&fs::read(mail).expect("a mail"), &keys)));
        let key_files = files_below(&folder.join(key_folder), &["asc", "pgp"]);
        sets.push(json!({ "keys": contents(&key_files), "mails": contents(&mails) }));
        names.extend(mails);
    }
    assert!(names.len() >= 25, "only {} mails", names.len());
    let facts = json!({ "now": millis(), "sets": sets });
    for place in PLACES {
        let Some(wasm) = run(place, "verdicts.mjs", &facts) else { continue };
        let wasm: Vec<String> = serde_json::from_value(wasm).expect("a list");
        assert_eq!(wasm.len(), native.len());
        for ((name, native), wasm) in names.iter().zip(&native).zip(&wasm) {
            assert_eq!(native, wasm, "{place}: {}", name.display());
        }
    }
}

/// What native Plombe says of a mail.
fn said(mail: &[u8], keys: &Keys) -> String {
    match keys.open(mail, &OpenOptions::default()) {
        Ok(opened) => serde_json::to_string(&opened.inspect()).expect("JSON"),
        Err(MailOpenError::Unwrap(_)) => {
            serde_json::to_string(&keys.inspect(mail).expect("looked at")).expect("JSON")
        }
        Err(error) => {
            let verdict = serde_json::to_string(&error.verdict()).expect("JSON");
            format!("{{\"closed\":\"{}\",\"verdict\":{verdict}}}", error.code())
        }
    }
}

#[test]
fn messages_go_both_ways_and_refusals_have_their_codes() {
    let made_at = now() - std::time::Duration::from_secs(60);
    let user_ids = ["<bob@example.test>".to_owned()];
    let bob = Tsk::generate(Profile::Rfc9580, &user_ids, None, made_at).expect("generated").tsk;
    // Not its own profile's: deriving a key from a passphrase is not what this is about.
    let locked = bob.clone().lock(Some(&Passphrase::new("horse"))).expect("locked");
    let mut sealed = Vec::new();
    for container in [Container::Seipdv1, Container::Seipdv2] {
        for size in [100, 300_000] {
            let content = vec![7; size];
            sealed.push(json!({
                "name": format!("{container:?}, {size}"),
                "message": BASE64_STANDARD.encode(seal(&bob, container, &content)),
                "content": BASE64_STANDARD.encode(content),
            }));
        }
    }
    let facts = json!({
        "now": millis(), "bob": BASE64_STANDARD.encode(locked.to_armored()), "sealed": sealed,
    });
    for place in PLACES {
        let Some(result) = run(place, "messages.mjs", &facts) else { continue };
        assert_eq!(result["wrong"], json!([]), "{place}");
        let messages = result["forNative"].as_array().expect("a list");
        assert!(messages.len() >= 32, "{place}");
        for message in messages {
            let what = format!("{place}: {}", message["what"]);
            let (content, kind) = open(&bob, &decoded(&message["message"]), &decoded(&message["alice"]));
            assert_eq!(kind, VerdictKind::Good, "{what}");
            assert!(content == decoded(&message["content"]), "{what}");
        }
    }
}

fn seal(bob: &Tsk, container: Container, content: &[u8]) -> Vec<u8> {
    let (policy, certificate) = (CryptoPolicy::standard(), bob.certificate());
    let seal = Seal {
        container: Some(container),
        signers: vec![bob.into()],
        ..Seal::new(vec![&certificate], &policy, now())
    };
    let mut message = Vec::new();
    seal.seal(&mut &content[..], &mut message).expect("sealed");
    message
}

fn open(bob: &Tsk, message: &[u8], alice: &[u8]) -> (Vec<u8>, VerdictKind) {
    let policy = CryptoPolicy::standard();
    let known = vec![Certificate::parse(alice).expect("a certificate")];
    let sealed = SealedMessage::parse(message).expect("a message");
    let key = sealed.unwrap_session_key(std::slice::from_ref(bob), &policy, now()).expect("a session key");
    let context = OpenContext {
        signers: &known,
        readers: &[bob.fingerprint()],
        policy: &policy,
        now: now(),
        limits: Limits::default(),
        hash_content: false,
    };
    let (content, verdict) =
        sealed.open(&key, &context, Memory(Vec::new())).and_then(|opened| opened.release()).expect("opened");
    (content, verdict.verdict)
}

struct Memory(Vec<u8>);

impl std::io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Quarantine for Memory {
    type Released = Vec<u8>;

    fn release(self) -> std::io::Result<Vec<u8>> {
        Ok(self.0)
    }
}

fn files_below(folder: &Path, extensions: &[&str]) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            found.extend(files_below(&path, extensions));
        } else if path.extension().is_some_and(|known| extensions.iter().any(|wanted| known == *wanted)) {
            found.insert(path);
        }
    }
    found
}

fn contents(files: &BTreeSet<PathBuf>) -> Vec<String> {
    files.iter().map(|file| BASE64_STANDARD.encode(fs::read(file).expect("a file"))).collect()
}

fn decoded(value: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(value.as_str().expect("base64")).expect("base64")
}

fn millis() -> u64 {
    now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64
}
