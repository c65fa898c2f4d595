// SPDX-License-Identifier: LGPL-2.0-or-later
//! When a certificate ends by itself.

use std::time::SystemTime;

use openpgp::{
    cert::{ValidCert, amalgamation::key::ValidSubordinateKeyAmalgamation},
    crypto::KeyPair,
    packet::{Packet, Signature, key::PublicParts},
};
use sequoia_openpgp as openpgp;

use super::{
    CertError, Tsk, Unusable,
    resign::{successor, validity},
    usable::standing,
};
use crate::crypto_policy::CryptoPolicy;

impl Tsk {
    /// Lets the certificate expire at `expires`, or never; also brings an expired one back. Subkeys that ended with
    /// the certificate go on with it; those that ended earlier (rotated, say) stay ended.
    pub fn set_expiry(
        self,
        expires: Option<SystemTime>,
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Result<Self, CertError> {
        let mut signer = self.primary_signer()?;
        let valid = standing(&self.cert, policy, now)?;
        let mut packets = new_primary_statements(&valid, &mut signer, expires, now)?;
        let before = valid.primary_key().key_expiration_time();
        for subkey in valid.keys().subkeys().revoked(false) {
            // `None`, no date of its own, is later than any date.
            let ended_with_the_certificate = match (subkey.key_expiration_time(), before) {
                (None, _) => continue,
                (Some(_), None) => false,
                (Some(own), Some(before)) => own >= before,
            };
            if ended_with_the_certificate {
                packets.push(new_subkey_binding(&valid, &subkey, &mut signer, expires, now)?.into());
            }
        }
        self.with_packets(packets)
    }
}

/// Direct key signature and user IDs with the new date. gpg reads it from the user IDs, others from either.
fn new_primary_statements(
    valid: &ValidCert<'_>,
    signer: &mut KeyPair,
    expires: Option<SystemTime>,
    now: SystemTime,
) -> Result<Vec<Packet>, CertError> {
    let primary = valid.primary_key().key();
    let validity = validity(primary.creation_time(), expires)?;
    let mut packets = Vec::new();
    if let Ok(direct) = valid.direct_key_signature() {
        let builder =
            successor(direct, now)?.set_key_validity_period(validity).map_err(|_| CertError::BadTime)?;
        packets.push(builder.sign_direct_key(signer, primary).map_err(|_| CertError::Backend)?.into());
    }
    for user_id in valid.userids().revoked(false) {
        let binding = user_id.binding_signature();
        if primary.version() == 6 && binding.key_validity_period().is_none() && !packets.is_empty() {
            continue; // v6 says it in the direct key signature only.
        }
        let builder =
            successor(binding, now)?.set_key_validity_period(validity).map_err(|_| CertError::BadTime)?;
        let signed = user_id.userid().bind(signer, valid.cert(), builder).map_err(|_| CertError::Backend)?;
        packets.push(signed.into());
    }
    if packets.is_empty() { Err(Unusable::Invalid.into()) } else { Ok(packets) }
}

/// The binding of a subkey with a date of its own. The back-signature of a signing subkey is carried along.
pub(super) fn new_subkey_binding(
    valid: &ValidCert<'_>,
    subkey: &ValidSubordinateKeyAmalgamation<'_, PublicParts>,
    signer: &mut KeyPair,
    expires: Option<SystemTime>,
    now: SystemTime,
) -> Result<Signature, CertError> {
    let validity = validity(subkey.key().creation_time(), expires)?;
    let builder = successor(subkey.binding_signature(), now)?
        .set_key_validity_period(validity)
        .map_err(|_| CertError::BadTime)?;
    subkey.key().bind(signer, valid.cert(), builder).map_err(|_| CertError::Backend)
}
