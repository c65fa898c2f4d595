// SPDX-License-Identifier: LGPL-2.0-or-later
//! Use of a key in custody: one session key, one digest.

use serde::{Deserialize, Serialize};

use super::calls;
use crate::keystore::{Bytes, KeyFingerprint, SecretBytes};

/// What a use is for, as the client tells it: for the log, never a reason to allow anything. No content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// `Message-ID` of the mail, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Address of the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// What the program is doing.
    pub purpose: Purpose,
}

/// What a program is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Opening a mail to read it.
    ReadMail,
    /// Decrypting a file or a message that is no mail.
    Decrypt,
    /// Sealing or signing a mail.
    SendMail,
    /// Signing a file or a message that is no mail.
    Sign,
    /// Rules in transit.
    Gateway,
    /// Anything else.
    #[default]
    Other,
}

/// Unwraps the session key of one PKESK.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Unwrap {
    /// Certificate whose key is used.
    pub key: KeyFingerprint,
    /// Exactly one PKESK packet (version 3 or 6), its header included.
    pub pkesk: Bytes,
    /// Length of the session key: 16, 24 or 32. Version 6 of the packet needs it, version 3 says it itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_key_size: Option<u8>,
    /// For the log.
    pub context: Context,
}

/// The session key of one message.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Unwrapped {
    /// Algorithm octet of RFC 9580 section 9.3, when the PKESK carries one (version 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher: Option<u8>,
    /// The key.
    pub session_key: SecretBytes,
    /// Position of the log entry that stands for this use.
    pub position: u64,
}

/// Signs one digest with a subkey whose sole flag is "sign".
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SignDigest {
    /// Certificate whose key is used.
    pub key: KeyFingerprint,
    /// The signing subkey.
    pub subkey: KeyFingerprint,
    /// Hash algorithm, by its OpenPGP number (8 = SHA-256, 10 = SHA-512, 12 = SHA3-256, 14 = SHA3-512).
    pub hash: u8,
    /// The digest, as long as the hash algorithm makes it.
    pub digest: Bytes,
    /// What the signature says of itself. The keystore sees a digest only, so it logs this as the client's claim.
    pub claim: SignatureClaim,
    /// For the log.
    pub context: Context,
}

/// What the client says that it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SignatureClaim {
    /// OpenPGP signature type: 0 (binary) or 1 (text). Others are refused.
    pub signature_type: u8,
    /// The signature's creation time.
    pub created: u64,
}

/// A signature.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Signed {
    /// The algorithm-specific fields of a signature packet (RFC 9580 section 5.2.3).
    pub signature: Bytes,
    /// Position of the log entry that stands for this use.
    pub position: u64,
}

calls! {
    Unwrap => "/v1/keys/unwrap", Unwrapped;
    SignDigest => "/v1/keys/sign", Signed;
}
