// SPDX-License-Identifier: LGPL-2.0-or-later
//! Runs every cell for one peer, remembers what happened, fails at the end when something was not as expected.

use std::collections::HashSet;

use plombe_tests::{
    peers,
    samples::{self, Sample},
};

use crate::{
    mail,
    peer::{Form, Key, Outcome, Peer, With, plombe::Plombe},
    report::Report,
    task::{Direction, Kind, Maker, Operation, Task},
};

const ALICE: &str = "Alice <alice@example.test>";
const BOB: &str = "Bob <bob@example.test>";
const PASSWORD: &str = "correct horse battery staple";

/// Alice signs, Bob decrypts.
struct Cast {
    alice: Key,
    bob: Key,
}

/// Everything, for one peer.
pub(crate) fn run(peer: &mut dyn Peer) {
    let mut report = Report::new(peer.name(), peer.version());
    let mut tried = Tried::new();
    for kind in Kind::ALL {
        let mut ours = Plombe::knowing(kind);
        if !ours.makes(kind) {
            assert!(!peers::required(), "PLOMBE_PQC_BIN names no plombe with post-quantum algorithms");
            report.not_here(kind, "this build's OpenSSL has no post-quantum algorithms (3.5 or newer has)");
            continue;
        }
        for maker in Maker::BOTH {
            match cast(&mut ours, peer, kind, maker) {
                Some(Ok(cast)) => run_with(&mut ours, peer, (kind, maker), &cast, &mut tried, &mut report),
                Some(Err(error)) => report.failed_to_make_keys(kind, maker, &error),
                None => {}
            }
        }
    }
    report.finish();
}

fn cast(ours: &mut Plombe, peer: &mut dyn Peer, kind: Kind, maker: Maker) -> Option<Outcome<Cast>> {
    let maker: &mut dyn Peer = match maker {
        Maker::Ours => ours,
        Maker::Theirs if peer.makes(kind) => peer,
        Maker::Theirs => return None,
    };
    let alice = maker.generate(kind, ALICE);
    Some(alice.and_then(|alice| Ok(Cast { alice, bob: maker.generate(kind, BOB)? })))
}

/// Reasons of the peer's table that were put to the test already, and in which direction.
type Tried = HashSet<(&'static str, Direction)>;

fn run_with(
    ours: &mut Plombe,
    peer: &mut dyn Peer,
    (kind, maker): (Kind, Maker),
    cast: &Cast,
    tried: &mut Tried,
    report: &mut Report,
) {
    let samples = samples::all();
    for operation in Operation::ALL {
        // Passwords know no keys: once is enough.
        let without_keys = operation == Operation::Password && (maker == Maker::Theirs || kind == Kind::Pqc);
        // Mail is about MIME: one kind of key, the one that people have.
        if without_keys || (operation == Operation::Mail && (maker == Maker::Theirs || kind != Kind::V4)) {
            continue;
        }
        for direction in Direction::BOTH {
            for sample in &samples {
                if !is_for(operation, maker, sample) {
                    continue;
                }
                let task = Task { kind, operation, direction, maker, sample };
                match peer.cannot(&task) {
                    None => report.result(&task, &perform(ours, peer, cast, &task)),
                    // Tried once, so that the table does not outlive the peer's next version.
                    Some(reason) => {
                        let works =
                            tried.insert((reason, direction)) && perform(ours, peer, cast, &task).is_ok();
                        report.cannot(&task, reason, works);
                    }
                }
            }
        }
    }
}

/// Every content with our keys and signed encryption, detached and inline signatures; elsewhere two are enough, since
/// whose keys they are and what is in the message have nothing to do with each other.
fn is_for(operation: Operation, maker: Maker, sample: &Sample) -> bool {
    let representative = matches!(sample.name, "LF" | "1 MiB");
    match operation {
        // The framework carries text, and says nothing about a CR that stands alone: Plombe refuses to sign it so.
        Operation::Cleartext if !sample.text || has_bare_cr(&sample.bytes) => false,
        Operation::Cleartext => maker == Maker::Ours || sample.name == "LF",
        Operation::Encrypt | Operation::Password => representative,
        // Has a content of its own, so it is done once; under the name of one that no peer's table speaks of.
        Operation::Mail => sample.name == "no final newline",
        _ => maker == Maker::Ours || representative,
    }
}

fn has_bare_cr(text: &[u8]) -> bool {
    text.iter().enumerate().any(|(at, byte)| *byte == b'\r' && text.get(at + 1) != Some(&b'\n'))
}

fn perform(ours: &mut Plombe, peer: &mut dyn Peer, cast: &Cast, task: &Task<'_>) -> Outcome<()> {
    let data = &task.sample.bytes;
    let (writer, reader): (&mut dyn Peer, &mut dyn Peer) = match task.direction {
        Direction::OursToTheirs => (ours, peer),
        Direction::TheirsToOurs => (peer, ours),
    };
    let with = match task.operation {
        Operation::Password => With::Password(task.kind, PASSWORD),
        _ => With::Key(&cast.bob),
    };
    let signer = (task.operation == Operation::EncryptSigned).then_some(&cast.alice);
    let form = if task.operation == Operation::Cleartext { Form::Cleartext } else { Form::Inline };
    match task.operation {
        Operation::Mail => match task.direction {
            Direction::OursToTheirs => mail::exchange(reader, task.direction),
            Direction::TheirsToOurs => mail::exchange(writer, task.direction),
        },
        Operation::Encrypt | Operation::EncryptSigned | Operation::Password => {
            let message = writer.encrypt(with, signer, data).map_err(|error| format!("writing: {error}"))?;
            let read = reader.decrypt(with, signer, &message).map_err(|error| format!("reading: {error}"))?;
            same(&read, data)
        }
        Operation::Detached => {
            let signature = writer.sign(&cast.alice, data).map_err(|error| format!("writing: {error}"))?;
            reader.verify(&cast.alice, &signature, data).map_err(|error| format!("reading: {error}"))?;
            // Once, to know that this reader looks at all.
            if task.sample.name == "LF" && reader.verify(&cast.alice, &signature, b"other data").is_ok() {
                return Err("the signature is said to fit other data too".to_owned());
            }
            Ok(())
        }
        Operation::Inline | Operation::Cleartext => {
            let message =
                writer.sign_inline(&cast.alice, data, form).map_err(|error| format!("writing: {error}"))?;
            let read = reader
                .verify_inline(&cast.alice, &message, form)
                .map_err(|error| format!("reading: {error}"))?;
            match form {
                Form::Inline => same(&read, data),
                Form::Cleartext => same(&as_cleartext(&read), &as_cleartext(data)),
            }
        }
    }
}

fn same(read: &[u8], written: &[u8]) -> Outcome<()> {
    if read == written {
        return Ok(());
    }
    let at = read.iter().zip(written).take_while(|(read, written)| read == written).count();
    let (ours, theirs) = (written.get(at..).unwrap_or_default(), read.get(at..).unwrap_or_default());
    let start = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(20)]).into_owned();
    Err(format!(
        "{} bytes became {}; from byte {at} on {:?} became {:?}",
        written.len(),
        read.len(),
        start(ours),
        start(theirs)
    ))
}

/// What the cleartext framework keeps of a text: not how lines end, nor the blanks at their ends.
fn as_cleartext(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text).replace("\r\n", "\n");
    let lines: Vec<&str> = text.split('\n').map(|line| line.trim_end_matches([' ', '\t', '\r'])).collect();
    lines.join("\n").trim_end_matches('\n').as_bytes().to_vec()
}

/// Is every peer to be exactly as its table says? Elsewhere newer versions may know more.
pub(crate) fn versions_are_ours() -> bool {
    peers::required()
}
