// SPDX-License-Identifier: LGPL-2.0-or-later
//! The real `plombe`, as scripts and people call it.
//!
//! * `lines`: the lines that must work as they are written.
//! * `keys`, `passphrases`, `outputs`, `files`, `mail`, `in_place`, `terminal`, `doctor`: what each group of commands
//!   promises.
//! * `json`: every command answers programs as it answers people.
//! * `autocrypt`: certificates that mails bring along.
//! * `keystore`: keys that live in a keystore, from the first log-in to the witness's alarm.
//! * `discovery`: finding, trusting and publishing, with a key server on this machine.
//! * `bad_input`: what nobody should send, and what comes of it: a message, a documented exit code, no output.

mod autocrypt;
mod bad_input;
mod browser_login;
mod discovery;
mod doctor;
mod files;
mod gpg;
mod in_place;
mod json;
mod keys;
mod keystore;
mod lines;
mod mail;
mod outputs;
mod passphrases;
mod terminal;
