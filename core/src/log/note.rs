// SPDX-License-Identifier: LGPL-2.0-or-later
//! Signed notes: a text that people can read, and signature lines under it (C2SP signed-note).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signer, SigningKey};

use super::{KeyKind, VerifierKey};

/// Room for 32 signatures of the largest post-quantum kind; nothing that we read is near it.
const MAX_NOTE_BYTES: usize = 256 * 1024;
/// The specification wants at least 16.
const MAX_SIGNATURES: usize = 32;
/// Times end where 63 bits do (tlog-cosignature).
const MAX_TIME: u64 = i64::MAX as u64;

/// Why a note is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// Not a note: text, empty line, signature lines.
    #[error("this is not a signed note")]
    Malformed,
    /// Larger, or with more signatures, than any honest note.
    #[error("the signed note is too large")]
    TooLarge,
    /// No signature by a key that was asked for.
    #[error("the note is not signed by the expected key")]
    NotSigned,
    /// There is a signature with the name and ID of a known key, and it is wrong.
    #[error("the note's signature is wrong")]
    BadSignature,
}

/// A note that was read, its signatures not yet checked. Its text is not to be believed before [`verify`](Self::verify).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedNote {
    /// With its final newline.
    text: String,
    signatures: Vec<SignatureLine>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct SignatureLine {
    name: String,
    key_id: [u8; 4],
    signature: Vec<u8>,
}

/// A key that has signed the note, and when it says it did so (witnesses only).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    /// One of the keys that were asked for.
    pub by: &'a VerifierKey,
    /// The witness's time.
    pub time: Option<SystemTime>,
}

impl UnverifiedNote {
    /// Reads a note, strictly and within bounds.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge);
        }
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteError::Malformed);
        }
        let border = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
        let (text, lines) = (&note[..=border], &note[border + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        if lines.split('\n').count() > MAX_SIGNATURES {
            return Err(NoteError::TooLarge);
        }
        let signatures =
            lines.split('\n').map(SignatureLine::parse).collect::<Option<_>>().ok_or(NoteError::Malformed)?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The text with its final newline, believed by nobody yet.
    pub fn unverified_text(&self) -> &str {
        &self.text
    }

    /// The text and the signatures by `key`, each once: without the lines that anybody can add to a note.
    pub(super) fn only_by(&self, key: &VerifierKey) -> String {
        let mut lines: Vec<String> = Vec::new();
        for line in self.signatures.iter().filter(|line| key.name() == line.name && key.id() == line.key_id) {
            let bytes = [&line.key_id[..], &line.signature].concat();
            let line = format!("— {} {}\n", line.name, BASE64_STANDARD.encode(bytes));
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        format!("{}\n{}", self.text, lines.concat())
    }

    /// Checks the signatures of `keys` and says which of them have signed. Signatures by other keys are ignored.
    ///
    /// # Errors
    ///
    /// When none has signed, or when one of their signatures is wrong, whatever the others are worth.
    pub fn verify<'a>(&self, keys: &'a [VerifierKey]) -> Result<Vec<Signed<'a>>, NoteError> {
        let mut signed: Vec<Signed<'a>> = Vec::new();
        for line in &self.signatures {
            for by in keys.iter().filter(|key| key.name() == line.name && key.id() == line.key_id) {
                let time = line.check(by, &self.text)?;
                if !signed.iter().any(|earlier| earlier.by == by) {
                    signed.push(Signed { by, time });
                }
            }
        }
        if signed.is_empty() { Err(NoteError::NotSigned) } else { Ok(signed) }
    }
}

impl SignatureLine {
    fn parse(line: &str) -> Option<Self> {
        let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '+') {
            return None;
        }
        let bytes = BASE64_STANDARD.decode(signature).ok()?;
        let (key_id, signature) = bytes.split_first_chunk()?;
        let has_signature = !signature.is_empty();
        has_signature.then(|| Self { name: name.to_owned(), key_id: *key_id, signature: signature.to_vec() })
    }

    /// Checks the signature and returns the time that it states.
    fn check(&self, key: &VerifierKey, text: &str) -> Result<Option<SystemTime>, NoteError> {
        let (time, signature) = match key.kind() {
            KeyKind::Log => (None, &self.signature[..]),
            KeyKind::Witness => {
                let (time, signature) = self.signature.split_first_chunk().ok_or(NoteError::BadSignature)?;
                (Some(u64::from_be_bytes(*time)), signature)
            }
        };
        let signature = signature.try_into().map_err(|_| NoteError::BadSignature)?;
        let message = message(text, time);
        let sound = time.is_none_or(|time| time <= MAX_TIME) && key.has_signed(message.as_bytes(), signature);
        if !sound {
            return Err(NoteError::BadSignature);
        }
        Ok(time.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds)))
    }
}

/// What is signed: the text, and before it what a witness adds.
fn message(text: &str, witnessed_at: Option<u64>) -> String {
    witnessed_at.map_or_else(|| text.to_owned(), |time| format!("cosignature/v1\ntime {time}\n{text}"))
}

/// Signs `text`, which ends in a newline, as the log called `key.name()`. The seed is read and not kept.
///
/// Returns the whole note.
///
/// # Panics
///
/// When the seed is not the secret half of `key`, when `key` is a witness's, or when the text does not end in a newline:
/// mistakes in the program, and each would publish a note that nobody can verify.
pub(super) fn sign(text: &str, key: &VerifierKey, seed: &[u8; 32]) -> String {
    assert!(text.ends_with('\n') && key.kind() == KeyKind::Log, "a log signs whole lines");
    format!("{text}\n{}", line(key, seed, message(text, None).as_bytes(), &[]))
}

/// Adds a witness's signature to a note that it has checked; `now` in whole seconds since 1970.
///
/// # Panics
///
/// When the seed is not the secret half of `key`, or `key` is not a witness's.
pub(super) fn cosign(note: &str, text: &str, key: &VerifierKey, seed: &[u8; 32], now: u64) -> String {
    assert!(key.kind() == KeyKind::Witness, "a witness's key");
    format!("{note}{}", line(key, seed, message(text, Some(now)).as_bytes(), &now.to_be_bytes()))
}

fn line(key: &VerifierKey, seed: &[u8; 32], message: &[u8], before: &[u8]) -> String {
    let signature = SigningKey::from_bytes(seed).sign(message).to_bytes();
    assert!(key.has_signed(message, &signature), "the seed is the secret half of the key");
    format!("— {} {}\n", key.name(), BASE64_STANDARD.encode([&key.id(), before, &signature].concat()))
}

#[cfg(test)]
mod tests;
