// SPDX-License-Identifier: LGPL-2.0-or-later
//! A certificate that is in the directory because somebody reads an address's mail and has the key. Nobody here owns it.

use plombe_core::{
    keystore::{Bytes, KeyFingerprint, TenantId},
    recipients::{Address, wkd},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Fingerprints, RecordId};

/// The one certificate of one address that belongs to no principal. A kind of its own, so that it is never taken for what a principal
/// has published, and never becomes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailProven {
    /// See [`place_of`](Self::place_of).
    pub place: String,
    /// Whose domain the address is in.
    pub tenant: TenantId,
    /// The address.
    pub address: String,
    /// Fingerprint of the certificate's primary key.
    pub key: KeyFingerprint,
    /// With the user IDs of that address and its own signatures; binary.
    pub certificate: Bytes,
    /// Its subkeys, by which it is found as well.
    pub subkeys: Fingerprints,
    /// Is it over?
    pub revoked: bool,
    /// When it was proven, seconds since 1970.
    pub since: u64,
    /// When it was changed last.
    pub changed: u64,
}

impl MailProven {
    /// Where the directory has an address: one place for all spellings that it does not tell apart.
    pub fn place_of(address: &Address) -> String {
        Self::place(address.domain(), &wkd::hash(address))
    }

    /// The same, by domain and hash of the local part.
    pub fn place(domain: &str, hash: &str) -> String {
        format!("{domain}/{hash}")
    }

    /// Its identity.
    pub fn id(place: &str) -> RecordId {
        RecordId::of(&[&Sha256::digest(place)])
    }

    /// Its primary key and its subkeys.
    pub fn keys(&self) -> impl Iterator<Item = &KeyFingerprint> {
        std::iter::once(&self.key).chain(&self.subkeys)
    }

    /// Of `alice+list@example.org` the address that such mail goes to in many places; `None` for an address without a tag.
    pub fn mailbox_of(address: &Address) -> Option<Address> {
        let (local, _) = address.local().split_once('+')?;
        Address::parse(&format!("{local}@{}", address.domain())).ok()
    }
}
