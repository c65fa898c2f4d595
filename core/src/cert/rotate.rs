// SPDX-License-Identifier: LGPL-2.0-or-later
//! New subkeys under the same identity.

use std::time::{Duration, SystemTime};

use openpgp::packet::Packet;
use sequoia_openpgp as openpgp;

use super::{
    CertError, Profile, Reason, Tsk,
    expiry::new_subkey_binding,
    generate::{Role, bound_subkey},
    usable::{Capability, valid},
};
use crate::{Fingerprint, crypto_policy::CryptoPolicy};

/// Two weeks: time for mail in transit, and for correspondents' programs to fetch the new subkeys.
pub const DEFAULT_OVERLAP: Duration = Duration::from_secs(14 * 24 * 3600);

/// What rotating changed.
pub struct Rotated {
    /// With the new subkeys.
    pub tsk: Tsk,
    /// The new subkeys.
    pub added: Vec<Fingerprint>,
    /// The subkeys that they replace, and when each ends. Their secrets stay: old mail stays readable.
    pub replaced: Vec<(Fingerprint, SystemTime)>,
}

impl Tsk {
    /// Adds a subkey that only signs, beside whatever signs already. New signatures are made with it.
    pub(crate) fn add_signing_subkey(
        self,
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Result<(Self, Fingerprint), CertError> {
        let mut signer = self.primary_signer()?;
        let profile = Profile::of(valid(&self.cert, policy, now)?.primary_key().key());
        let packets = bound_subkey(&self.cert, &mut signer, profile, Role::Sign, now)
            .map_err(|_| CertError::ProfileUnsupported { profile })?;
        let Packet::SecretSubkey(subkey) = &packets[0] else { return Err(CertError::Backend) };
        let added = subkey.fingerprint();
        Ok((self.with_packets(packets)?, added))
    }

    /// Adds a new subkey for each thing that the present ones do, and ends those after `overlap`: until then mail
    /// sealed to them is expected. New mail is signed with, and sealed to, the new ones at once. Without overlap the
    /// old ones are revoked as superseded.
    pub fn rotate(
        self,
        overlap: Duration,
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Result<Rotated, CertError> {
        let mut signer = self.primary_signer()?;
        let valid = valid(&self.cert, policy, now)?;
        let profile = Profile::of(valid.primary_key().key());
        let present: Vec<_> = valid.keys().subkeys().alive().revoked(false).collect();
        let primary_flags = valid.primary_key().key_flags();

        let mut packets: Vec<Packet> = Vec::new();
        let mut added = Vec::new();
        for (role, capability) in [(Role::Sign, Capability::Sign), (Role::Encrypt, Capability::Encrypt)] {
            let flags = present.iter().map(|key| key.key_flags()).chain([primary_flags.clone()]);
            if flags.flatten().any(|flags| capability.in_flags(&flags)) {
                let subkey = bound_subkey(&self.cert, &mut signer, profile, role, now);
                let subkey = subkey.map_err(|_| CertError::ProfileUnsupported { profile })?;
                if let Packet::SecretSubkey(key) = &subkey[0] {
                    added.push(key.fingerprint());
                }
                packets.extend(subkey);
            }
        }

        let mut replaced = Vec::new();
        let mut superseded = Vec::new();
        for old in &present {
            let flags = old.key_flags().unwrap_or_else(openpgp::types::KeyFlags::empty);
            if !Capability::Sign.in_flags(&flags) && !Capability::Encrypt.in_flags(&flags) {
                continue; // Authentication subkeys are not ours to replace.
            }
            let end = old.key_expiration_time().map_or(now + overlap, |own| own.min(now + overlap));
            if overlap.is_zero() {
                superseded.push(old.key().fingerprint());
            } else {
                packets.push(new_subkey_binding(&valid, old, &mut signer, Some(end), now)?.into());
            }
            replaced.push((old.key().fingerprint(), end));
        }
        drop(present);
        let mut tsk = self.with_packets(packets)?;
        for subkey in &superseded {
            tsk = tsk.revoke_subkey(subkey, Reason::Superseded, "", now)?;
        }
        Ok(Rotated { tsk, added, replaced })
    }
}
