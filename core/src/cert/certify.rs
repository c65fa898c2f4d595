// SPDX-License-Identifier: LGPL-2.0-or-later
//! Vouching: one certificate's holder says that a user ID belongs to another certificate.

use std::time::SystemTime;

use openpgp::{
    Cert,
    cert::amalgamation::ValidAmalgamation as _,
    packet::{Signature, UserID},
    types::{HashAlgorithm, RevocationStatus, SignatureType},
};
use sequoia_openpgp as openpgp;

use super::{CertError, Certificate, Tsk, Unusable, usable};
use crate::{crypto_policy::CryptoPolicy, recipients::Address};

/// Which user IDs are meant.
#[derive(Clone, Copy, Debug)]
pub enum UserIdQuery<'a> {
    /// The one that is exactly this text.
    Exactly(&'a str),
    /// Any with this bare address.
    Address(&'a str),
}

impl UserIdQuery<'_> {
    fn selects(self, user_id: &UserID) -> bool {
        match self {
            Self::Exactly(text) => user_id.value() == text.as_bytes(),
            Self::Address(address) => Address::of_user_id(user_id).is_some_and(|own| own.matches(address)),
        }
    }
}

impl Certificate {
    /// Adds `issuer`'s certification to each of `user_ids`. With `require_self_signature` only user IDs that the
    /// certificate's own holder claims at `now` are certified; without it missing ones are added.
    ///
    /// # Errors
    /// `NoSuchUserId` when one of them is not in the certificate, `Unusable` and `PrimarySecretMissing` when the
    /// issuer cannot certify. Then nothing is certified.
    pub fn certify(
        self,
        user_ids: &[String],
        issuer: &Tsk,
        require_self_signature: bool,
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Result<Self, CertError> {
        let valid_issuer = usable::valid(&issuer.cert, policy, now)?;
        if !valid_issuer.primary_key().for_certification() {
            return Err(Unusable::NoKey.into());
        }
        let mut signer = issuer.primary_signer()?;
        let mut packets: Vec<openpgp::Packet> = Vec::new();
        for text in user_ids {
            let query = UserIdQuery::Exactly(text);
            let claimed = claimed(&self.cert, query, policy, now).next().is_some();
            let user_id = UserID::from(text.as_str());
            if !claimed {
                if require_self_signature {
                    return Err(CertError::NoSuchUserId);
                }
                packets.push(user_id.clone().into());
            }
            let kind = SignatureType::GenericCertification;
            let certification = user_id
                .certify(&mut signer, &self.cert, kind, HashAlgorithm::SHA512, now)
                .map_err(|_| CertError::Backend)?;
            packets.push(user_id.into());
            packets.push(certification.into());
        }
        let (cert, _) = self.cert.insert_packets(packets).map_err(|_| CertError::Backend)?;
        Ok(Self { cert })
    }

    /// Does at least one of `authorities` vouch at `at` for a user ID that `query` selects and that the certificate
    /// itself claims? An authority vouches for its own user IDs.
    pub fn is_certified_by(
        &self,
        authorities: &[Certificate],
        query: UserIdQuery<'_>,
        policy: &CryptoPolicy,
        at: SystemTime,
    ) -> bool {
        claimed(&self.cert, query, policy, at).any(|user_id| {
            authorities.iter().any(|authority| {
                usable::valid(&authority.cert, policy, at).is_ok()
                    && (authority.fingerprint() == self.fingerprint()
                        || certification(&self.cert, &user_id, authority, policy, at).is_some())
            })
        })
    }
}

/// User IDs that `cert` claims at `at` and has not revoked.
fn claimed<'a>(
    cert: &'a Cert,
    query: UserIdQuery<'a>,
    policy: &'a CryptoPolicy,
    at: SystemTime,
) -> impl Iterator<Item = UserID> + 'a {
    let valid = usable::valid(cert, policy, at).ok();
    let user_ids = valid.into_iter().flat_map(|valid| valid.userids().collect::<Vec<_>>());
    user_ids
        .filter(|user_id| !matches!(user_id.revocation_status(), RevocationStatus::Revoked(_)))
        .map(|user_id| user_id.userid().clone())
        .filter(move |user_id| query.selects(user_id))
}

/// The authority's newest valid certification of `user_id` that was not revoked.
fn certification(
    cert: &Cert,
    user_id: &UserID,
    authority: &Certificate,
    policy: &CryptoPolicy,
    at: SystemTime,
) -> Option<Signature> {
    let found = cert.userids().find(|own| own.userid() == user_id)?;
    let issuer = authority.cert.primary_key().key();
    let newest = found.active_certifications_by_key(policy.sequoia(), at, issuer).next()?;
    let mut revocations = found.valid_third_party_revocations_by_key(policy.sequoia(), at, issuer);
    // Who vouches again after taking it back means it.
    let taken_back =
        revocations.any(|taken| taken.signature_creation_time() >= newest.signature_creation_time());
    (!taken_back).then(|| newest.clone())
}
