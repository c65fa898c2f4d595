// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keys in custody: what they do from afar is what they do at hand, and what mallory cannot make them do.

#[path = "../cast/mod.rs"]
mod cast;

mod forged;
mod gpg;
mod import;
mod keys;
mod named;
#[cfg(feature = "crypto-openssl")]
mod rsa;
mod sign;
mod unwrap;
