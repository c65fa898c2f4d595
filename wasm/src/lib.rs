// SPDX-License-Identifier: LGPL-2.0-or-later
//! Plombe's core for JavaScript: browsers, extension, Node.
//!
//! Bindings without a mind of their own: what is decided is decided in core. Certificates and keys are handles
//! ([`Certificates`], [`Keys`]), options and results plain objects with generated types, failures `Error`s with a stable
//! `code`. Secrets stay in this module's memory and are wiped when their handle is freed; content comes out beside its
//! verdict, or not at all. The clock is the caller's (`now`, in milliseconds, as `Date.now()` says it), randomness the platform's.
//!
//! Modules in reading order: [`message`] seals and opens, [`mail`] does so with whole mails, `reply` answers them, [`signed`] signs
//! and verifies; `certificate` and `key` are whom for; `platform` runs the bulk cipher on WebCrypto; `bytes` and `error` are how
//! bytes and failures cross the border.

pub mod mail;
pub mod message;
pub mod signed;

mod bytes;
mod certificate;
mod error;
mod key;
mod options;
mod platform;
mod reply;

pub use certificate::{Certificate, Certificates};
pub use key::{GeneratedKey, Key, Keys, LockedKey, generate_key};
pub use reply::ReplyDraft;

use wasm_bindgen::prelude::wasm_bindgen;

/// What does the cryptography: library, version and backend, in one line for people.
#[wasm_bindgen]
pub fn engine() -> String {
    plombe_core::engine()
}

/// Says where a panic was, in builds for people who look for one.
#[cfg(all(target_arch = "wasm32", debug_assertions))]
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}
