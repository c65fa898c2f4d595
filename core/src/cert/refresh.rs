// SPDX-License-Identifier: LGPL-2.0-or-later
//! Bringing an old TSK up to date: new self-signatures with today's algorithms, the subkeys that are missing.

use std::time::SystemTime;

use openpgp::{
    Packet,
    cert::amalgamation::ValidAmalgamation as _,
    packet::{Signature, signature::SignatureBuilder},
    types::{AEADAlgorithm, Features, HashAlgorithm, RevocationStatus, SignatureType, SymmetricAlgorithm},
};
use sequoia_openpgp as openpgp;

use super::{
    CertError, Profile, Tsk, Unusable,
    generate::{Role, bound_subkey},
    resign::successor,
    usable,
};
use crate::crypto_policy::CryptoPolicy;

/// How far [`Tsk::refresh`] goes.
#[derive(Clone, Copy, Debug)]
pub struct Refresh {
    /// Add an encryption subkey when there is none.
    pub add_encryption_subkey: bool,
    /// Announce all that our profile announces; otherwise only drop what should no longer be announced.
    pub add_capabilities: bool,
}

impl Tsk {
    /// Signs everything that the certificate says about itself anew: SHA-512, no weak algorithms among the
    /// preferences, no features that nobody should use. Identity, user IDs and expiry stay. A missing signing subkey
    /// is added, and an encryption subkey when `refresh` wants one.
    pub fn refresh(
        self,
        refresh: &Refresh,
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Result<Self, CertError> {
        let certificate = self.certificate();
        let valid = usable::valid(&certificate.cert, policy, now)?;
        let profile = Profile::of(valid.primary_key().key());
        let mut signer = self.primary_signer()?;
        let cert = &certificate.cert;

        let mut build = || -> openpgp::Result<Vec<Packet>> {
            let mut packets: Vec<Packet> = Vec::new();
            if let Ok(direct) = valid.direct_key_signature() {
                let anew = modern(direct, profile, refresh, now)?;
                packets.push(anew.sign_direct_key(&mut signer, cert.primary_key().key())?.into());
            }
            for user_id in valid.userids() {
                if matches!(user_id.revocation_status(), RevocationStatus::Revoked(_)) {
                    continue;
                }
                let anew = modern(user_id.binding_signature(), profile, refresh, now)?;
                packets.push(user_id.userid().clone().into());
                packets.push(user_id.userid().bind(&mut signer, cert, anew)?.into());
            }
            if matches!(certificate.can_sign(policy, now), Err(Unusable::NoKey)) {
                packets.extend(bound_subkey(cert, &mut signer, profile, Role::Sign, now)?);
            }
            if refresh.add_encryption_subkey
                && matches!(certificate.can_encrypt(policy, now), Err(Unusable::NoKey))
            {
                packets.extend(bound_subkey(cert, &mut signer, profile, Role::Encrypt, now)?);
            }
            Ok(packets)
        };
        let packets = build().map_err(|_| CertError::Backend)?;
        self.with_packets(packets)
    }
}

/// `old` as it should be said today. What it does not mention stays unmentioned, unless capabilities are added.
fn modern(
    old: &Signature,
    profile: Profile,
    refresh: &Refresh,
    now: SystemTime,
) -> openpgp::Result<SignatureBuilder> {
    const HASHES: [HashAlgorithm; 2] = [HashAlgorithm::SHA512, HashAlgorithm::SHA256];
    const CIPHERS: [SymmetricAlgorithm; 2] = [SymmetricAlgorithm::AES256, SymmetricAlgorithm::AES128];
    let modes = CIPHERS.map(|cipher| (cipher, AEADAlgorithm::OCB));
    let announces = old.typ() == SignatureType::DirectKey || old.features().is_some();

    let mut anew = successor(old, now)?;
    if let Some(hashes) = old.preferred_hash_algorithms() {
        let kept = HASHES.into_iter().filter(|hash| refresh.add_capabilities || hashes.contains(hash));
        anew = anew.set_preferred_hash_algorithms(kept.collect())?;
    }
    if let Some(ciphers) = old.preferred_symmetric_algorithms() {
        let kept = CIPHERS.into_iter().filter(|cipher| refresh.add_capabilities || ciphers.contains(cipher));
        anew = anew.set_preferred_symmetric_algorithms(kept.collect())?;
    }
    if let Some(suites) = old.preferred_aead_ciphersuites() {
        let kept = modes.into_iter().filter(|mode| refresh.add_capabilities || suites.contains(mode));
        anew = anew.set_preferred_aead_ciphersuites(kept.collect())?;
    }
    if announces {
        let said = old.features().unwrap_or_else(Features::empty);
        // v4 keys are carried to gpg and Thunderbird, which cannot read SEIPDv2: not announced unless it was before.
        let aead = said.supports_seipdv2() || (refresh.add_capabilities && profile != Profile::Rfc4880);
        let integrity = said.supports_seipdv1() || refresh.add_capabilities;
        let mut features = Features::empty();
        if integrity {
            features = features.set_seipdv1();
        }
        if aead {
            features = features.set_seipdv2();
        }
        anew = anew.set_features(features)?;
    }
    Ok(anew)
}
