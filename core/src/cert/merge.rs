// SPDX-License-Identifier: LGPL-2.0-or-later
//! Two versions of one certificate → what both know.

use sequoia_openpgp::Packet;

use super::{CertError, Certificate, LockedTsk, Tsk};

impl Certificate {
    /// Both must have the same primary key; what `other` knows more is taken over. Nothing is ever taken away: a
    /// revocation stays, whichever side had it.
    pub fn merge(self, other: Self) -> Result<Self, CertError> {
        let merged = self.cert.merge_public(other.cert).map_err(|_| CertError::DifferentCertificate)?;
        Ok(Self { cert: merged })
    }

    /// Takes over the revocations of the primary key, made by itself, that `other` has, and nothing else of it: whoever has only a copy
    /// of somebody's certificate can spread its end, and add nothing.
    ///
    /// # Errors
    /// `DifferentCertificate` when it is one.
    pub fn merge_revocation(self, other: &Self) -> Result<Self, CertError> {
        if self.fingerprint() != other.fingerprint() {
            return Err(CertError::DifferentCertificate);
        }
        let theirs = other.cert.primary_key().self_revocations().cloned().map(Packet::from);
        let (cert, _) =
            self.cert.insert_packets(theirs.collect::<Vec<_>>()).map_err(|_| CertError::Malformed)?;
        Ok(Self { cert })
    }

    /// Merges copies of the same certificate among `certificates`, in the order of their first appearance.
    pub fn merge_all(certificates: Vec<Self>) -> Vec<Self> {
        let mut merged: Vec<Self> = Vec::new();
        for certificate in certificates {
            match merged.iter_mut().find(|known| known.fingerprint() == certificate.fingerprint()) {
                Some(known) => {
                    let both = known.clone().merge(certificate);
                    *known = both.expect("merging fails only for different fingerprints");
                }
                None => merged.push(certificate),
            }
        }
        merged
    }
}

impl LockedTsk {
    /// Takes over what `certificate` (a newer copy from the net, say) knows more. Secret keys stay as they are.
    pub fn merge(self, certificate: Certificate) -> Result<Self, CertError> {
        let merged = self.cert.merge_public(certificate.cert).map_err(|_| CertError::DifferentCertificate)?;
        Ok(Self { cert: merged })
    }

    /// Takes over what `other` knows more, secret keys too. Where both have a secret key, ours stays, so that
    /// importing a file can neither swap a key nor change its passphrase.
    pub fn merge_secret(self, other: Self) -> Result<Self, CertError> {
        let merged =
            other.cert.merge_public_and_secret(self.cert).map_err(|_| CertError::DifferentCertificate)?;
        Ok(Self { cert: merged })
    }
}

impl Tsk {
    /// Takes over what `certificate` knows more, so that a change starts from everything that is known.
    pub fn merge(self, certificate: Certificate) -> Result<Self, CertError> {
        let merged = self.cert.merge_public(certificate.cert).map_err(|_| CertError::DifferentCertificate)?;
        Ok(Self { cert: merged, ..self })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use crate::{
        cert::{Profile, Reason, Tsk, Unusable},
        crypto_policy::CryptoPolicy,
    };

    #[test]
    fn only_its_own_revocation_is_taken_over() {
        let (policy, now) = (CryptoPolicy::standard(), SystemTime::now() - Duration::from_secs(60));
        let generate =
            |user_id: &str| Tsk::generate(Profile::Rfc4880, &[user_id.to_owned()], None, now).unwrap().tsk;
        let (bob, mallory) = (generate("<bob@example.org>"), generate("<mallory@example.org>"));
        let known = bob.certificate();
        let later = bob.add_user_id("<sales@example.org>", &policy, now).unwrap();
        let unchanged = known.clone().merge_revocation(&later.certificate()).unwrap();
        assert_eq!(unchanged.to_bytes(), known.to_bytes());

        let revoked = later.revoke(Reason::Compromised, "", now).unwrap().certificate();
        let ended = known.clone().merge_revocation(&revoked).unwrap();
        assert_eq!(ended.describe(&policy, SystemTime::now()).state, Err(Unusable::Revoked));
        assert_eq!(ended.unverified_user_ids(), ["<bob@example.org>"]);

        // By somebody else, or of somebody else.
        let others = mallory.revoke(Reason::Compromised, "", now).unwrap().certificate();
        assert!(known.clone().merge_revocation(&others).is_err());
    }
}
