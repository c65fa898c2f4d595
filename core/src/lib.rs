// SPDX-License-Identifier: LGPL-2.0-or-later
//! Plombe's core: bytes in, bytes out.
//!
//! Everything that decides about mail, certificates and signatures lives here, once, for the command line, the
//! keystore and whatever else is built on it. It does no I/O of its own, reads no clock and keeps no globals:
//! `now`, certificates and readers come in as arguments.
//!
//! Modules in reading order:
//!
//! * [`mail`]: seal, open, inspect one RFC 5322 message. Start here.
//! * [`message`]: OpenPGP messages: parse, open, seal, sign, verify; [`message::payload`] is the bulk cipher's seam.
//! * [`verdict`]: what a signature is worth, and for exactly which bytes.
//! * [`mime`]: exact byte ranges of a MIME tree, RFC 3156, RFC 9788, safe view.
//! * [`cert`]: certificates and TSKs: generate, lock, unlock, merge, rotate, revoke.
//! * [`custody`]: what a keystore does with the TSKs that it holds.
//! * [`pks`]: what programs ask that know private key stores, but no keystore.
//! * [`recipients`]: which certificate for which address, and why.
//! * [`keystore`]: what keystore and clients say to each other.
//! * [`log`]: the keystore's transparency log: append, prove, verify.
//! * [`session_key`], [`secret`], [`crypto_policy`], [`error_code`]: the small types that the rest is written in.

pub mod cert;
pub mod crypto_policy;
pub mod custody;
pub mod error_code;
pub mod keystore;
pub mod log;
pub mod mail;
pub mod message;
pub mod mime;
pub mod pks;
pub mod recipients;
pub mod secret;
pub mod session_key;
pub mod verdict;

/// Identity and lookup hint of an OpenPGP key, as Sequoia spells them (upper-case hex in `Display`).
pub use sequoia_openpgp::{Fingerprint, KeyHandle};

/// What does the cryptography: library, version and backend, in one line for people.
pub fn engine() -> String {
    format!("sequoia-openpgp {} ({})", sequoia_openpgp::VERSION, sequoia_openpgp::crypto::backend())
}
