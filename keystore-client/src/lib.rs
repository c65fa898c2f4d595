// SPDX-License-Identifier: LGPL-2.0-or-later
//! Native client of a Plombe keystore: sessions, device proofs, sealed requests.
//!
//! The keystore's wire types and everything that is pure about them are in [`plombe_core::keystore`]; this crate does
//! the HTTP. It refuses to talk to a keystore whose pinned key has changed.
