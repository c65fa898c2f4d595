// SPDX-License-Identifier: LGPL-2.0-or-later
//! Codes that people copy by hand: enrolment, recovery and backup.
//!
//! Crockford's base 32 in groups of four. The first letter tells the kinds apart, so that one is not typed where
//! another belongs; the last bits are a checksum, so that a slip is told from a refusal. Reading forgives case, spaces, missing hyphens,
//! and `O` for `0`, `I` or `L` for `1`.
//!
//! ```text
//! enrolment  E, secret[16] ‖ first 8 bytes of the keystore's fingerprint ‖ 23 bits of checksum    11 groups
//! recovery   R, secret[16] ‖ 27 bits of checksum                                                   8 groups
//! backup     B, secret[16] ‖ 27 bits of checksum                                                   8 groups
//! checksum = first bits of SHA-256(fields("plombe code v1", letter, bytes before it))
//! ```

mod base32;
mod words;

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{IdentityFingerprint, KeystoreIdentity, SecretBytes, fields};

pub use words::comparison_words;

/// Why a text is not the code that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// A code, but of another kind: enrolment, recovery or backup.
    #[error("this is a code for something else")]
    OtherKind,
    /// Too short, too long, letters that do not occur, or a slip somewhere.
    #[error("this code is incomplete or has a typing error")]
    Mistyped,
}

/// Lets one new device log in, once, at one keystore. Secret.
#[derive(Clone)]
pub struct EnrolmentCode {
    secret: Zeroizing<[u8; 16]>,
    keystore: [u8; 8],
}

impl EnrolmentCode {
    const LETTER: u8 = b'E';
    const DIGITS: usize = 43;

    /// From 16 random bytes, for this keystore.
    pub fn new(secret: [u8; 16], keystore: &KeystoreIdentity) -> Self {
        Self { secret: Zeroizing::new(secret), keystore: prefix(&keystore.fingerprint()) }
    }

    /// Was it made for this keystore? To be asked before the secret goes anywhere: whoever else answers under that
    /// address gets nothing.
    pub fn matches(&self, keystore: &KeystoreIdentity) -> bool {
        self.keystore == prefix(&keystore.fingerprint())
    }

    /// The part that logs in. Every use of it goes through here.
    pub fn expose(&self) -> &[u8; 16] {
        &self.secret
    }

    /// The part that logs in, for [`super::calls::login::LoginWithCode`].
    pub fn secret(&self) -> SecretBytes {
        SecretBytes::new(self.secret.as_slice())
    }

    /// What the keystore keeps of the secret.
    pub fn hash(secret: &[u8]) -> [u8; 32] {
        Sha256::digest(fields(&[b"plombe enrolment code v1", secret])).into()
    }

    /// As people get it. Secret.
    pub fn to_text(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new([self.secret.as_slice(), &self.keystore].concat());
        write(Self::LETTER, Self::DIGITS, &bytes)
    }
}

impl FromStr for EnrolmentCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let bytes = read(text, Self::LETTER, Self::DIGITS, 24)?;
        let (secret, keystore) = bytes.split_at(16);
        Ok(Self {
            secret: Zeroizing::new(secret.try_into().expect("the first 16 of 24 bytes")),
            keystore: keystore.try_into().expect("the last 8 of 24 bytes"),
        })
    }
}

fn prefix(fingerprint: &IdentityFingerprint) -> [u8; 8] {
    *fingerprint.0.first_chunk().expect("8 of 32 bytes")
}

macro_rules! plain_codes {
    ($($(#[$doc:meta])* $name:ident, $letter:literal, $purpose:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Zeroizing<[u8; 16]>);

        impl $name {
            const LETTER: u8 = $letter;
            const DIGITS: usize = 31;

            /// From 16 random bytes.
            pub fn new(secret: [u8; 16]) -> Self {
                Self(Zeroizing::new(secret))
            }

            /// The secret. Every use of it goes through here.
            pub fn expose(&self) -> &[u8; 16] {
                &self.0
            }

            /// What may be stored to recognise it.
            pub fn hash(secret: &[u8]) -> [u8; 32] {
                Sha256::digest(fields(&[$purpose, secret])).into()
            }

            /// As people get it. Secret.
            pub fn to_text(&self) -> Zeroizing<String> {
                write(Self::LETTER, Self::DIGITS, self.0.as_slice())
            }
        }

        impl FromStr for $name {
            type Err = CodeError;

            fn from_str(text: &str) -> Result<Self, CodeError> {
                let bytes = read(text, Self::LETTER, Self::DIGITS, 16)?;
                Ok(Self(Zeroizing::new(bytes.as_slice().try_into().expect("16 bytes were asked for"))))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )*};
}

plain_codes! {
    /// Confirms a device when no other is left. Made on the device; the keystore knows its hash. Secret.
    RecoveryCode, b'R', b"plombe recovery code v1";
    /// Opens the backup of a key that never was in custody. The keystore never sees it. Secret.
    BackupCode, b'B', b"plombe backup code v1";
}

impl fmt::Debug for EnrolmentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolmentCode(..)")
    }
}

fn write(letter: u8, digits: usize, payload: &[u8]) -> Zeroizing<String> {
    let encoded = encode(letter, digits, payload);
    let mut text = Zeroizing::new(String::with_capacity((digits + 1) * 5 / 4));
    for (index, character) in [letter].iter().chain(encoded.iter()).enumerate() {
        if index > 0 && index.is_multiple_of(4) {
            text.push('-');
        }
        text.push(char::from(*character));
    }
    text
}

fn read(
    text: &str,
    letter: u8,
    digits: usize,
    payload_bytes: usize,
) -> Result<Zeroizing<Vec<u8>>, CodeError> {
    let characters = base32::normalise(text).ok_or(CodeError::Mistyped)?;
    let (first, encoded) = characters.split_first().ok_or(CodeError::Mistyped)?;
    if *first != letter {
        return Err(if b"ERB".contains(first) { CodeError::OtherKind } else { CodeError::Mistyped });
    }
    if encoded.len() != digits {
        return Err(CodeError::Mistyped);
    }
    let mut payload = base32::decode(encoded).ok_or(CodeError::Mistyped)?;
    payload.truncate(payload_bytes);
    // Written again it must be the same, checksum included.
    if *encode(letter, digits, &payload) != *encoded {
        return Err(CodeError::Mistyped);
    }
    Ok(payload)
}

/// `digits` digits of payload and checksum.
fn encode(letter: u8, digits: usize, payload: &[u8]) -> Zeroizing<Vec<u8>> {
    let checksum = Sha256::digest(Zeroizing::new(fields(&[b"plombe code v1", &[letter], payload])));
    let bytes = Zeroizing::new([payload, checksum.as_slice()].concat());
    base32::encode(&bytes, digits)
}

#[cfg(test)]
mod tests;
