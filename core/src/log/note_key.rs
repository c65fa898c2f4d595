// SPDX-License-Identifier: LGPL-2.0-or-later
//! Public keys of logs and witnesses, as people copy them into configurations (C2SP signed-note, tlog-cosignature).

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

/// A name is shown to people and stands in each signature line.
const MAX_NAME_BYTES: usize = 255;

/// What a key signs, and the byte that says so in key IDs and verifier keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// `0x01`: a note's text. Logs sign their checkpoints so.
    Log,
    /// `0x04`: a time and the note's text. Witnesses sign other people's checkpoints so.
    Witness,
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            Self::Log => 1,
            Self::Witness => 4,
        }
    }
}

/// The public half of a key that signs notes. Text form: `name+<key ID, 8 hex digits>+base64(kind ‖ 32 bytes)`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    key: VerifyingKey,
}

/// Why a text is not a verifier key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierKeyError {
    /// Not of the form `name+hex+base64`.
    #[error("a log's key looks like name+1a2b3c4d+base64; copy the whole line")]
    Malformed,
    /// Empty, too long, or with a space, a plus or a control character.
    #[error("the name of a log's key has 1 to 255 bytes and neither spaces nor +")]
    BadName,
    /// Another algorithm than Ed25519, or a point that is not a sound key.
    #[error("this is not an Ed25519 key of a log or of a witness")]
    UnknownKey,
    /// The eight digits in the middle belong to another name or key.
    #[error("name, digits and key do not belong together; the line was damaged or changed")]
    WrongKeyId,
}

impl VerifierKey {
    /// Puts a name to a public key.
    ///
    /// # Errors
    ///
    /// When the name cannot stand in a signature line, or the bytes are no sound Ed25519 key.
    pub fn new(name: &str, kind: KeyKind, key: &[u8; 32]) -> Result<Self, VerifierKeyError> {
        let is_bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if name.is_empty() || name.len() > MAX_NAME_BYTES || name.contains(is_bad) {
            return Err(VerifierKeyError::BadName);
        }
        let key = VerifyingKey::from_bytes(key).map_err(|_| VerifierKeyError::UnknownKey)?;
        // Anybody can sign anything with a key of small order.
        if key.is_weak() {
            return Err(VerifierKeyError::UnknownKey);
        }
        Ok(Self { name: name.to_owned(), kind, key })
    }

    /// The public half of a secret seed (RFC 8032).
    ///
    /// # Errors
    ///
    /// When the name cannot stand in a signature line.
    pub fn of_seed(name: &str, kind: KeyKind, seed: &[u8; 32]) -> Result<Self, VerifierKeyError> {
        Self::new(name, kind, SigningKey::from_bytes(seed).verifying_key().as_bytes())
    }

    /// Whose key it is. For a log this is the checkpoint's origin as well.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// First four bytes of SHA-256 of `name ‖ 0x0A ‖ kind ‖ key`: a hint in signature lines, no identity.
    pub fn id(&self) -> [u8; 4] {
        let hash = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', self.kind.byte()])
            .chain_update(self.key.as_bytes())
            .finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// Whether the signature is by this key over these bytes; lenient readings of Ed25519 do not count.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = u32::from_be_bytes(self.id());
        let key = BASE64_STANDARD.encode([&[self.kind.byte()], &self.key.as_bytes()[..]].concat());
        write!(f, "{}+{id:08x}+{key}", self.name)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VerifierKey {
    type Err = VerifierKeyError;

    fn from_str(text: &str) -> Result<Self, VerifierKeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(VerifierKeyError::Malformed);
        };
        let key = BASE64_STANDARD.decode(key).map_err(|_| VerifierKeyError::Malformed)?;
        let (kind, key) = key.split_first().ok_or(VerifierKeyError::Malformed)?;
        let kind = match kind {
            1 => KeyKind::Log,
            4 => KeyKind::Witness,
            _ => return Err(VerifierKeyError::UnknownKey),
        };
        let key = Self::new(name, kind, key.try_into().map_err(|_| VerifierKeyError::UnknownKey)?)?;
        if key.to_string() == text { Ok(key) } else { Err(wrong_id(id)) }
    }
}

/// All else was read strictly, so only the middle part can differ.
fn wrong_id(id: &str) -> VerifierKeyError {
    let is_id = id.len() == 8 && id.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    if is_id { VerifierKeyError::WrongKeyId } else { VerifierKeyError::Malformed }
}

impl Serialize for VerifierKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VerifierKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From Go's package note.
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    /// A witness that runs in public.
    const REMORA: &str = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";

    #[test]
    fn other_peoples_keys_come_back_as_they_were() {
        for (text, name, kind) in
            [(PETER, "PeterNeumann", KeyKind::Log), (REMORA, "remora.n621.de", KeyKind::Witness)]
        {
            let key: VerifierKey = text.parse().unwrap();
            assert_eq!((key.name(), key.kind(), key.to_string().as_str()), (name, kind, text));
            assert_eq!(serde_json::to_string(&key).unwrap(), format!("\"{text}\""));
        }
    }

    #[test]
    fn damaged_keys_are_refused_with_the_reason() {
        use VerifierKeyError::*;
        let weak = format!("a+00000000+{}", BASE64_STANDARD.encode([&[1u8][..], &[0; 32]].concat()));
        let cases = [
            ("", Malformed),
            ("PeterNeumann+c74f20a3", Malformed),
            (&PETER.replace("c74f20a3", "C74F20A3"), Malformed),
            (&PETER.replace("c74f20a3", "c74f20a4"), WrongKeyId),
            (&PETER.replace("Peter", "Paul"), WrongKeyId),
            (&PETER.replace("Peter", "Peter "), BadName),
            (&PETER.replace("PeterNeumann", ""), BadName),
            (&PETER.replace("Peter", &"P".repeat(300)), BadName),
            (&PETER.replace("+AR", "+AhR"), Malformed),
            (&PETER.replace("+AR", "+Ah"), UnknownKey),
            ("a+00000000+", Malformed),
            ("a+00000000+AQEB", UnknownKey),
            (&weak, UnknownKey),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<VerifierKey>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn one_key_has_two_ids_for_two_kinds() {
        let [log, witness] =
            [KeyKind::Log, KeyKind::Witness].map(|kind| VerifierKey::of_seed("a", kind, &[3; 32]).unwrap());
        assert_ne!(log.id(), witness.id());
    }
}
