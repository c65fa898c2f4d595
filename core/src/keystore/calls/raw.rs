// SPDX-License-Identifier: LGPL-2.0-or-later
//! Raw use of a key in custody, for programs that know nothing of keystores: a front end on the owner's device asks with it.
//!
//! Off unless the owner allows it to the device that they are sitting at, for a key and a time.

use serde::{Deserialize, Serialize};

use super::{Done, calls, custody::Context};
use crate::keystore::{Bytes, KeyFingerprint, SecretBytes};

/// Lets the asking device use a key of its owner's in the raw.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AllowRaw {
    /// Which key.
    pub key: KeyFingerprint,
    /// For so long from now on; a week at most.
    pub seconds: u64,
}

/// Until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RawAllowed {
    /// Not after this.
    pub expires_at: u64,
    /// Position of the log entry that stands for this.
    pub position: u64,
}

/// Ends that, on every device of the owner's.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ForbidRaw {
    /// Which key.
    pub key: KeyFingerprint,
}

/// Multiplies a point with a secret key: elliptic curve Diffie-Hellman without its key derivation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SharePoint {
    /// Certificate whose key is used.
    pub key: KeyFingerprint,
    /// The subkey for decryption.
    pub subkey: KeyFingerprint,
    /// The other side's point, as OpenPGP writes it: 0x40 and 32 bytes for Curve25519, 0x04 and two coordinates for NIST curves.
    pub point: Bytes,
    /// For the log.
    pub context: Context,
}

/// The product.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SharedPoint {
    /// Curve25519's 32 bytes, or the first coordinate.
    pub shared: SecretBytes,
    /// Position of the log entry that stands for this use.
    pub position: u64,
}

calls! {
    AllowRaw => "/v1/keys/raw/allow", RawAllowed;
    ForbidRaw => "/v1/keys/raw/forbid", Done;
    SharePoint => "/v1/keys/raw/share-point", SharedPoint;
}
