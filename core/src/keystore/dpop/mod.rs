// SPDX-License-Identifier: LGPL-2.0-or-later
//! Device proofs: each request shows that this device sent this body to this place just now (RFC 9449).
//!
//! Core builds and reads proofs; the signature is made and verified by whoever has the key or a library for it. What
//! is claimed can be had from a verified [`Proof`] alone:
//!
//! ```text
//! text ─ UnverifiedProof::parse ─ .verify(ES256) ─▶ Proof ─ .check(Expectation) ─▶ ()
//! ```
//!
//! Narrower than the RFC: ES256 only, no members beyond those below, and one more claim, `bh`, the body's hash.

mod claims;
mod jwk;
mod proof;

pub use claims::{ProofClaims, ProofRequest};
pub use jwk::{DevicePublicKey, DeviceThumbprint};
pub use proof::{Expectation, MAX_PROOF_BYTES, Proof, ProofError, UnverifiedProof};

#[cfg(test)]
mod tests;
