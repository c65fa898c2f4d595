// SPDX-License-Identifier: LGPL-2.0-or-later
//! As little of a certificate as its use allows: for Autocrypt headers, and for publishing under one address.

use std::time::SystemTime;

use openpgp::{Cert, Packet, packet::Signature};
use sequoia_openpgp as openpgp;

use super::{
    CertError, Certificate,
    usable::{Capability, valid},
};
use crate::{crypto_policy::CryptoPolicy, recipients::Address};

impl Certificate {
    /// For Autocrypt headers: primary key, the user ID with `address`, the subkey to encrypt to and the subkeys that
    /// sign, each with its newest self-signature. (Autocrypt asks for the encryption subkey only; without the signing
    /// subkey a reader who knows us from the header alone could not verify the mail that it is on.)
    pub fn minimise(&self, address: &str, policy: &CryptoPolicy, now: SystemTime) -> Result<Self, CertError> {
        let address = Address::parse(address).map_err(|_| CertError::NoSuchAddress)?;
        let valid = valid(&self.cert, policy, now)?;
        let encryption_key = self.encryption_key(policy, now)?.fingerprint();
        let user_id = valid
            .userids()
            .revoked(false)
            .find(|user_id| Address::of_user_id(user_id.userid()).is_some_and(|own| own == address))
            .ok_or(CertError::NoSuchAddress)?;

        let mut packets = vec![Packet::from(self.cert.primary_key().key().clone())];
        if let Ok(direct) = valid.direct_key_signature() {
            packets.push(direct.clone().into());
        }
        packets.push(user_id.userid().clone().into());
        packets.push(user_id.binding_signature().clone().into());
        for key in valid.keys().subkeys().alive().revoked(false) {
            let signs = key.key_flags().is_some_and(|flags| Capability::Sign.in_flags(&flags));
            if signs || key.key().fingerprint() == encryption_key {
                packets.push(key.key().clone().into());
                packets.push(key.binding_signature().clone().into());
            }
        }
        let cert = Cert::from_packets(packets.into_iter()).map_err(|_| CertError::Malformed)?;
        Ok(Self { cert })
    }

    /// For publishing under `address` (WKD): only the user IDs with that address, no signatures by others, but the
    /// whole history of its own: a key that was replaced or revoked must be seen to be.
    pub fn filter_to_address(
        &self,
        address: &Address,
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Result<Self, CertError> {
        if !self.has_address(address, policy, now) {
            return Err(CertError::NoSuchAddress);
        }
        let cert = self.cert.clone().retain_userids(|user_id| {
            Address::of_user_id(user_id.userid()).is_some_and(|own| own == *address)
        });
        own_statements(cert.retain_user_attributes(|_| false))
    }

    /// For publishing under its fingerprint: as [`filter_to_address`](Self::filter_to_address), for several addresses.
    /// User IDs that are revoked stay, with their revocation; there may be none left.
    ///
    /// # Errors
    /// `Malformed` when what is left is no certificate.
    pub fn filter_to_addresses(&self, addresses: &[Address]) -> Result<Self, CertError> {
        let cert = self.cert.clone().retain_userids(|user_id| {
            Address::of_user_id(user_id.userid()).is_some_and(|own| addresses.contains(&own))
        });
        own_statements(cert.retain_user_attributes(|_| false))
    }

    /// Without the user IDs that name any of `addresses`.
    pub(crate) fn without_addresses(&self, addresses: &[&Address]) -> Self {
        let cert = self.cert.clone().retain_userids(|user_id| {
            Address::of_user_id(user_id.userid()).is_none_or(|own| !addresses.contains(&&own))
        });
        Self { cert }
    }
}

/// Without certifications by others: they are not ours to publish, and are what floods certificates.
fn own_statements(cert: Cert) -> Result<Certificate, CertError> {
    fn signatures<'a>(all: impl Iterator<Item = &'a Signature>) -> Vec<Packet> {
        all.cloned().map(Packet::from).collect()
    }
    let primary = cert.primary_key();
    let mut packets = vec![Packet::from(primary.key().clone())];
    packets.extend(signatures(primary.self_revocations().chain(primary.self_signatures())));
    for user_id in cert.userids() {
        packets.push(user_id.userid().clone().into());
        packets.extend(signatures(user_id.self_revocations().chain(user_id.self_signatures())));
    }
    for subkey in cert.keys().subkeys() {
        packets.push(subkey.key().clone().into());
        packets.extend(signatures(subkey.self_revocations().chain(subkey.self_signatures())));
    }
    let cert = Cert::from_packets(packets.into_iter()).map_err(|_| CertError::Malformed)?;
    Ok(Certificate { cert })
}
