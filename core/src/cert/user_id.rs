// SPDX-License-Identifier: LGPL-2.0-or-later
//! More and fewer user IDs on a certificate.

use std::time::SystemTime;

use openpgp::{
    packet::{Packet, UserID, signature::subpacket::SubpacketTag},
    types::SignatureType,
};
use sequoia_openpgp as openpgp;

use super::{CertError, Profile, Tsk, generate, resign::successor, revoke, usable::valid};
use crate::{crypto_policy::CryptoPolicy, recipients::Address};

impl Tsk {
    /// Adds a user ID (see [`user_id`](super::user_id())). The primary user ID stays the one it was.
    pub fn add_user_id(
        self,
        user_id: &str,
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Result<Self, CertError> {
        if user_id.is_empty() || user_id.chars().any(char::is_control) {
            return Err(CertError::BadUserId);
        }
        let mut signer = self.primary_signer()?;
        let valid = valid(&self.cert, policy, now)?;
        let user_id = UserID::from(user_id);
        // What an earlier user ID says about preferences and expiry holds for this one, too.
        let binding = match valid.primary_userid() {
            Ok(primary) => successor(primary.binding_signature(), now)?
                .set_type(SignatureType::PositiveCertification)
                .modify_hashed_area(|mut area| {
                    area.remove_all(SubpacketTag::PrimaryUserID);
                    Ok(area)
                }),
            Err(_) => {
                let profile = Profile::of(valid.primary_key().key());
                generate::bind_user_id(profile, valid.primary_key().key_validity_period(), true, now)
            }
        };
        let binding = binding.and_then(|binding| user_id.bind(&mut signer, &self.cert, binding));
        let binding = binding.map_err(|_| CertError::Backend)?;
        self.with_packets([Packet::from(user_id), binding.into()])
    }

    /// Revokes the user ID that reads `wanted`, or every one with that address. (Leaving it out would not take it
    /// back from those who have it.)
    ///
    /// # Errors
    /// `LastUserId` when no valid one would be left.
    pub fn revoke_user_id(
        self,
        wanted: &str,
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Result<Self, CertError> {
        let mut signer = self.primary_signer()?;
        let valid = valid(&self.cert, policy, now)?;
        let user_ids: Vec<&UserID> = valid.userids().revoked(false).map(|user_id| user_id.userid()).collect();
        let exactly = |user_id: &UserID| user_id.value() == wanted.as_bytes();
        let by_address =
            |user_id: &UserID| Address::of_user_id(user_id).is_some_and(|own| own.matches(wanted));
        let mut revoked: Vec<&UserID> = user_ids.iter().copied().filter(|id| exactly(id)).collect();
        if revoked.is_empty() {
            revoked = user_ids.iter().copied().filter(|id| by_address(id)).collect();
        }
        match revoked.len() {
            0 => return Err(CertError::NoSuchUserId),
            all if all == user_ids.len() => return Err(CertError::LastUserId),
            _ => {}
        }
        let revocations = revoked
            .into_iter()
            .map(|user_id| revoke::user_id_revocation(&self.cert, &mut signer, user_id, now))
            .collect::<Result<Vec<_>, _>>()?;
        self.with_packets(revocations)
    }
}
