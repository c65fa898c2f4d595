// SPDX-License-Identifier: LGPL-2.0-or-later
//! Two versions of one certificate → what both know.

use super::{CertError, Certificate, LockedTsk, Tsk};

impl Certificate {
    /// Both must have the same primary key; what `other` knows more is taken over. Nothing is ever taken away: a
    /// revocation stays, whichever side had it.
    pub fn merge(self, other: Self) -> Result<Self, CertError> {
        let merged = self.cert.merge_public(other.cert).map_err(|_| CertError::DifferentCertificate)?;
        Ok(Self { cert: merged })
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
