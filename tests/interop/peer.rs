// SPDX-License-Identifier: LGPL-2.0-or-later
//! What every OpenPGP program can be asked to do, and one file per program.

pub(crate) mod gpg;
pub(crate) mod plombe;
pub(crate) mod rnp;
pub(crate) mod scripted;
pub(crate) mod sop;
pub(crate) mod sq;

use crate::task::{Direction, Kind, Operation, Task};

/// A TSK without a passphrase and its certificate, both armored.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) tsk: Vec<u8>,
    pub(crate) certificate: Vec<u8>,
}

/// Whom to encrypt for, or what to decrypt with.
#[derive(Clone, Copy)]
pub(crate) enum With<'a> {
    Key(&'a Key),
    /// No key says what its holder reads, so the kind does: SEIPDv1 for v4, SEIPDv2 otherwise.
    Password(Kind, &'a str),
}

/// How a signature travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Inline,
    Cleartext,
}

/// What a peer says when something does not work: for people, with all that the program said.
pub(crate) type Outcome<T> = Result<T, String>;

/// For programs that sign cleartext wrongly: gpg finds their signatures bad, and so do they themselves.
pub(crate) fn signs_blanks(task: &Task<'_>) -> Option<&'static str> {
    let blanks = matches!(task.sample.name, "LF" | "CRLF");
    let concerned =
        task.operation == Operation::Cleartext && task.direction == Direction::TheirsToOurs && blanks;
    concerned.then_some("signs blanks at line ends of cleartext, which RFC 9580 section 7.2 leaves out")
}

/// Another OpenPGP program. Every answer of `Ok` means that the program was content, signatures included.
pub(crate) trait Peer {
    /// As it is called.
    fn name(&self) -> &str;

    /// As it says itself.
    fn version(&self) -> &str;

    /// Why this task is beyond it; `None` when it should work.
    fn cannot(&self, task: &Task<'_>) -> Option<&'static str>;

    /// Kinds of keys that it can make.
    fn makes(&self, kind: Kind) -> bool;

    /// Makes a TSK that signs and decrypts.
    fn generate(&mut self, kind: Kind, user_id: &str) -> Outcome<Key>;

    /// Encrypts, and signs when there is a signer.
    fn encrypt(&mut self, with: With<'_>, signer: Option<&Key>, data: &[u8]) -> Outcome<Vec<u8>>;

    /// Decrypts; when there is a signer, its signature must be there and good.
    fn decrypt(&mut self, with: With<'_>, signer: Option<&Key>, message: &[u8]) -> Outcome<Vec<u8>>;

    /// Signs detached.
    fn sign(&mut self, signer: &Key, data: &[u8]) -> Outcome<Vec<u8>>;

    /// Checks a detached signature.
    fn verify(&mut self, signer: &Key, signature: &[u8], data: &[u8]) -> Outcome<()>;

    /// Signs with the data in the message.
    fn sign_inline(&mut self, signer: &Key, data: &[u8], form: Form) -> Outcome<Vec<u8>>;

    /// Checks such a message and takes the data out.
    fn verify_inline(&mut self, signer: &Key, message: &[u8], form: Form) -> Outcome<Vec<u8>>;
}
