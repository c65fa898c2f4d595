// SPDX-License-Identifier: LGPL-2.0-or-later
//! Bytes in JSON: base64url without padding.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

/// Public bytes; base64url without padding in JSON.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Bytes(pub Vec<u8>);

/// Secret bytes on their way through a sealed body: wiped on drop, not in `Debug`.
///
/// The one secret type that serialises, because a session key has to reach the device that asked for it. It appears
/// in requests and answers that are always sealed, and nowhere else.
#[derive(Clone)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes ownership, so that no second copy stays behind.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes. Every use of a secret from a sealed body goes through here.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Bytes {
    /// As text, the way JSON shows it.
    pub fn to_base64url(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0)
    }

    /// From that text; `None` when it is anything else.
    pub fn from_base64url(text: &str) -> Option<Self> {
        from_base64url(text).map(Self)
    }
}

/// Decodes base64url without padding; anything else is `None`.
pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

pub(crate) fn to_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({} bytes)", self.0.len())
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.to_base64url())
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        from_base64url(&text).map(Self).ok_or_else(not_base64url)
    }
}

impl Serialize for SecretBytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&Zeroizing::new(to_base64url(&self.0)))
    }
}

impl<'de> Deserialize<'de> for SecretBytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        from_base64url(&text).map(Self::new).ok_or_else(not_base64url)
    }
}

fn not_base64url<E: de::Error>() -> E {
    E::custom("not base64url without padding")
}

#[cfg(test)]
mod tests {
    use super::{Bytes, SecretBytes};

    #[test]
    fn bytes_are_base64url_without_padding() {
        let json = serde_json::to_string(&Bytes(vec![0xfb, 0xff, 0xfe, 1])).unwrap();
        assert_eq!(json, "\"-__-AQ\"");
        assert_eq!(serde_json::from_str::<Bytes>(&json).unwrap().0, [0xfb, 0xff, 0xfe, 1]);
    }

    #[test]
    fn other_alphabets_padding_and_trailing_bits_are_refused() {
        for text in ["\"+//+AQ\"", "\"-__-AQ==\"", "\"-__-AR\"", "\"-__-A\"", "\"-__-AQ\\n\""] {
            assert!(serde_json::from_str::<Bytes>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", SecretBytes::new(*b"hunter2")), "SecretBytes(..)");
    }
}
