// SPDX-License-Identifier: LGPL-2.0-or-later
//! The public side: identity, addresses, export.

use std::time::SystemTime;

use openpgp::serialize::SerializeInto;
use sequoia_openpgp as openpgp;

use super::{CertError, parse};
use crate::{Fingerprint, KeyHandle, crypto_policy::CryptoPolicy, recipients::Address};

/// A transferable public key, with everything that is said about it.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub(crate) cert: openpgp::Cert,
}

impl Certificate {
    /// Reads every certificate in `bytes`, armored (one or several blocks) or binary; secret parts are dropped.
    ///
    /// # Errors
    /// `Malformed` when there is none or any of them is damaged, `TooLarge` for what no honest keyring has.
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, CertError> {
        Ok(parse::certs(bytes)?.into_iter().map(Self::from_cert).collect())
    }

    /// Reads the one certificate in `bytes`.
    pub fn parse(bytes: &[u8]) -> Result<Self, CertError> {
        let mut all = Self::parse_all(bytes)?;
        match all.len() {
            1 => Ok(all.remove(0)),
            _ => Err(CertError::SeveralCertificates),
        }
    }

    /// The only way in: whatever comes, no secret stays.
    pub(super) fn from_cert(cert: openpgp::Cert) -> Self {
        Self { cert: cert.strip_secret_key_material() }
    }

    /// Identity.
    pub fn fingerprint(&self) -> Fingerprint {
        self.cert.fingerprint()
    }

    /// 4 or 6.
    pub fn version(&self) -> u8 {
        self.cert.primary_key().key().version()
    }

    /// When the primary key says it was made.
    pub fn created(&self) -> SystemTime {
        self.cert.primary_key().key().creation_time()
    }

    /// When the newest of its own statements about itself (bindings, revocations) says that it was made. One that is made in the same
    /// second is dated a second later, to win: who waits until this has passed gets no date that is still to come.
    pub fn newest_statement(&self) -> SystemTime {
        let user_ids = self
            .cert
            .userids()
            .flat_map(|one| one.self_signatures().chain(one.self_revocations()).cloned().collect::<Vec<_>>());
        let keys = self
            .cert
            .keys()
            .flat_map(|one| one.self_signatures().chain(one.self_revocations()).cloned().collect::<Vec<_>>());
        let dates = user_ids.chain(keys).filter_map(|statement| statement.signature_creation_time());
        dates.max().unwrap_or_else(|| self.created())
    }

    /// Addresses of the user IDs that are valid and not revoked at `now`, lower-cased domain, the primary one first,
    /// each once. User IDs without an address are left out.
    pub fn addresses(&self, policy: &CryptoPolicy, now: SystemTime) -> Vec<String> {
        let Ok(valid) = self.cert.with_policy(policy.sequoia(), now) else { return Vec::new() };
        let mut addresses: Vec<String> = Vec::new();
        for user_id in valid.userids().revoked(false) {
            let Some(address) = Address::of_user_id(user_id.userid()) else { continue };
            if !addresses.iter().any(|known| address.matches(known)) {
                addresses.push(address.to_string());
            }
        }
        addresses
    }

    /// Is `address` in a user ID that is valid at `now`? Domain and local part are compared without ASCII case.
    pub fn has_address(&self, address: &Address, policy: &CryptoPolicy, now: SystemTime) -> bool {
        self.addresses(policy, now).iter().any(|own| address.matches(own))
    }

    /// Does any key of this certificate answer to `handle`?
    pub fn matches(&self, handle: &KeyHandle) -> bool {
        self.cert.keys().any(|key| key.key().key_handle().aliases(handle))
    }

    /// ASCII armor of the same bytes as [`to_bytes`](Self::to_bytes), ending in a newline.
    pub fn to_armored(&self) -> String {
        let armor = self.cert.armored();
        let armored = if self.cert.exportable() { armor.export_to_vec() } else { armor.to_vec() };
        let armored = armored.expect("what cannot be written is dropped on reading");
        String::from_utf8(armored).expect("armor is ASCII, and Sequoia sanitises the comments from user IDs")
    }

    /// Binary transferable public key, without signatures that are marked as local and what hangs on them alone. When
    /// that would leave nothing, because the primary key has signed nothing that may travel, all of it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = if self.cert.exportable() { self.cert.export_to_vec() } else { self.cert.to_vec() };
        bytes.expect("what cannot be written is dropped on reading")
    }
}
