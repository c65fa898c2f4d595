// SPDX-License-Identifier: LGPL-2.0-or-later
//! A device's public key, P-256, as a JWK (RFC 7517), and its thumbprint (RFC 7638).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use super::super::bytes::{from_base64url, to_base64url};

/// The two coordinates of a point on P-256. Whether they are one, the verifier of a signature says.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DevicePublicKey {
    x: [u8; 32],
    y: [u8; 32],
}

/// SHA-256 thumbprint of a device's key: base64url in JSON and `Display`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceThumbprint(pub [u8; 32]);

/// Exactly these members: `d` would be a private key, and everything else is a choice that nobody should have.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwk {
    // In the order of RFC 7638, so that the thumbprint's input is what serde writes.
    crv: String,
    kty: String,
    x: String,
    y: String,
}

impl DevicePublicKey {
    /// From an uncompressed point: `4 ‖ x ‖ y`, 65 bytes.
    pub fn from_sec1(point: &[u8]) -> Option<Self> {
        let (&4, coordinates) = point.split_first()? else { return None };
        let (x, y) = coordinates.split_at_checked(32)?;
        Some(Self { x: x.try_into().ok()?, y: y.try_into().ok()? })
    }

    /// As an uncompressed point.
    pub fn to_sec1(&self) -> [u8; 65] {
        let mut point = [4; 65];
        point[1..33].copy_from_slice(&self.x);
        point[33..].copy_from_slice(&self.y);
        point
    }

    /// SHA-256 over the JWK's required members (RFC 7638).
    pub fn thumbprint(&self) -> DeviceThumbprint {
        let json = serde_json::to_vec(&self.to_jwk()).expect("four strings have a JSON form");
        DeviceThumbprint(Sha256::digest(json).into())
    }

    fn to_jwk(self) -> Jwk {
        Jwk { crv: "P-256".into(), kty: "EC".into(), x: to_base64url(&self.x), y: to_base64url(&self.y) }
    }
}

impl Serialize for DevicePublicKey {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.to_jwk().serialize(to)
    }
}

impl<'de> Deserialize<'de> for DevicePublicKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let jwk = Jwk::deserialize(from)?;
        let coordinate = |text: &str| from_base64url(text).and_then(|bytes| bytes.try_into().ok());
        match (jwk.kty.as_str(), jwk.crv.as_str(), coordinate(&jwk.x), coordinate(&jwk.y)) {
            ("EC", "P-256", Some(x), Some(y)) => Ok(Self { x, y }),
            _ => Err(de::Error::custom("not a P-256 public key")),
        }
    }
}

impl fmt::Debug for DevicePublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DevicePublicKey({})", self.thumbprint())
    }
}

impl fmt::Display for DeviceThumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_base64url(&self.0))
    }
}

impl fmt::Debug for DeviceThumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceThumbprint({self})")
    }
}

impl Serialize for DeviceThumbprint {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceThumbprint {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let bytes = from_base64url(&String::deserialize(from)?);
        let thumbprint = bytes.and_then(|bytes| bytes.try_into().ok());
        thumbprint.map(Self).ok_or_else(|| de::Error::custom("not a thumbprint"))
    }
}
