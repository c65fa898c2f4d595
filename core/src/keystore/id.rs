// SPDX-License-Identifier: LGPL-2.0-or-later
//! Names of things that the keystore keeps. Each kind has its own type, so one is not passed for another.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::Fingerprint;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

ids! {
    /// An organisation, or a part of one that shares nothing with the others.
    TenantId
    /// A person or program that may ask.
    PrincipalId
    /// One device of a principal, known by its key.
    DeviceId
    /// One log-in of a device.
    SessionId
    /// A grant: use of a key by somebody other than its owner.
    GrantId
    /// An enrolment code that was given out (the code itself is not in it).
    CodeId
    /// A request that waits for other people's consent.
    ApprovalId
    /// A passkey of a principal.
    PasskeyId
    /// What a client calls one operation, chosen by it at random. The same id again is the same operation.
    RequestId
}

impl RequestId {
    /// From 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }
}

/// Fingerprint of a certificate or of one of its keys: upper-case hex in JSON, 40 digits (v4) or 64 (v6).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyFingerprint(Fingerprint);

/// What is not a fingerprint of a v4 or v6 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the fingerprint of a v4 or v6 key")]
pub struct NotAFingerprint;

impl KeyFingerprint {
    /// For core's own functions.
    pub fn as_fingerprint(&self) -> &Fingerprint {
        &self.0
    }
}

impl From<KeyFingerprint> for Fingerprint {
    fn from(fingerprint: KeyFingerprint) -> Self {
        fingerprint.0
    }
}

impl TryFrom<Fingerprint> for KeyFingerprint {
    type Error = NotAFingerprint;

    fn try_from(fingerprint: Fingerprint) -> Result<Self, NotAFingerprint> {
        match fingerprint.as_bytes().len() {
            20 | 32 => Ok(Self(fingerprint)),
            _ => Err(NotAFingerprint),
        }
    }
}

impl FromStr for KeyFingerprint {
    type Err = NotAFingerprint;

    /// Strict: hex digits only, upper case, so that one fingerprint has one spelling in log and database.
    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let canonical =
            matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F'));
        if !canonical {
            return Err(NotAFingerprint);
        }
        let fingerprint: Fingerprint = text.parse().map_err(|_| NotAFingerprint)?;
        Self::try_from(fingerprint)
    }
}

impl fmt::Display for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}", self.0)
    }
}

impl Serialize for KeyFingerprint {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyFingerprint {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::KeyFingerprint;

    const V4: &str = "C4BC2DDB38CCE96485EBE9C2F20691179038E5C6";

    #[test]
    fn a_fingerprint_has_one_spelling() {
        assert_eq!(V4.parse::<KeyFingerprint>().unwrap().to_string(), V4);
        let v6 = "AB".repeat(32);
        assert_eq!(v6.parse::<KeyFingerprint>().unwrap().to_string(), v6);
        for wrong in
            [&V4.to_lowercase(), &V4[2..], "F20691179038E5C6", "0x", "", &format!("{V4} "), &"G".repeat(40)]
        {
            assert!(wrong.parse::<KeyFingerprint>().is_err(), "{wrong}");
        }
    }
}
