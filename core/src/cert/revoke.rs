// SPDX-License-Identifier: LGPL-2.0-or-later
//! Ending a certificate, a subkey or a user ID, now or from a revocation certificate kept for later.

use std::time::SystemTime;

use openpgp::{
    Cert, Packet, armor,
    crypto::KeyPair,
    packet::{Signature, UserID, signature::SignatureBuilder},
    parse::{PacketParser, PacketParserResult, Parse},
    serialize::{Serialize, SerializeInto as _},
    types::{HashAlgorithm, ReasonForRevocation, SignatureType},
};
use sequoia_openpgp as openpgp;

use super::{CertError, Certificate, Tsk, parse};
use crate::Fingerprint;

/// Why something is revoked. Readers treat the first two as "distrust it at all times", the others as "from now on".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No reason given.
    Unspecified,
    /// Somebody else has, or may have, the secret key.
    Compromised,
    /// Replaced by another key.
    Superseded,
    /// No longer used.
    Retired,
}

impl Reason {
    fn code(self) -> ReasonForRevocation {
        match self {
            Self::Unspecified => ReasonForRevocation::Unspecified,
            Self::Compromised => ReasonForRevocation::KeyCompromised,
            Self::Superseded => ReasonForRevocation::KeySuperseded,
            Self::Retired => ReasonForRevocation::KeyRetired,
        }
    }
}

impl Tsk {
    /// Ends the whole certificate. `explanation` is public, and may be empty.
    pub fn revoke(self, reason: Reason, explanation: &str, now: SystemTime) -> Result<Self, CertError> {
        let revocation = primary_revocation(&self, reason, explanation, now)?;
        self.with_packets([revocation])
    }

    /// An armored revocation certificate for later; the TSK stays as it is.
    pub fn revocation_certificate(
        &self,
        reason: Reason,
        explanation: &str,
        now: SystemTime,
    ) -> Result<String, CertError> {
        certificate_revocation(self, reason, explanation, now)
    }

    /// Ends one subkey.
    pub fn revoke_subkey(
        self,
        subkey: &Fingerprint,
        reason: Reason,
        explanation: &str,
        now: SystemTime,
    ) -> Result<Self, CertError> {
        let mut signer = self.primary_signer()?;
        let found = self.cert.keys().subkeys().find(|key| key.key().fingerprint() == *subkey);
        let key = found.ok_or(CertError::NoSuchKey)?.key().clone();
        let revocation = key
            .bind(
                &mut signer,
                &self.cert,
                builder(SignatureType::SubkeyRevocation, reason.code(), explanation, now)?,
            )
            .map_err(|_| CertError::Backend)?;
        self.with_packets([revocation])
    }
}

/// Ends one user ID. Taking it out of the file would not take it back from those who have it.
pub(super) fn user_id_revocation(
    cert: &Cert,
    signer: &mut KeyPair,
    user_id: &UserID,
    now: SystemTime,
) -> Result<Signature, CertError> {
    let builder = builder(SignatureType::CertificationRevocation, ReasonForRevocation::UIDRetired, "", now)?;
    user_id.bind(signer, cert, builder).map_err(|_| CertError::Backend)
}

/// A revocation certificate in the form that its version wants: v4 a bare signature, v6 with the primary key before
/// it (RFC 9580 section 10.1.2), without which a reader would not know what it ends.
pub(super) fn certificate_revocation(
    tsk: &Tsk,
    reason: Reason,
    explanation: &str,
    now: SystemTime,
) -> Result<String, CertError> {
    let revocation = primary_revocation(tsk, reason, explanation, now)?;
    let primary = tsk.cert.primary_key().key().clone();
    let comment = format!("Revocation certificate for {}", tsk.fingerprint());
    let write = || -> openpgp::Result<Vec<u8>> {
        let headers =
            [("Comment", comment.as_str()), ("Comment", "Importing this ends the certificate for ever")];
        let mut writer = armor::Writer::with_headers(Vec::new(), armor::Kind::PublicKey, headers)?;
        if primary.version() == 6 {
            Packet::from(primary).serialize(&mut writer)?;
        }
        Packet::from(revocation).serialize(&mut writer)?;
        Ok(writer.finalize()?)
    };
    let armored = write().map_err(|_| CertError::Backend)?;
    String::from_utf8(armored).map_err(|_| CertError::Backend)
}

fn primary_revocation(
    tsk: &Tsk,
    reason: Reason,
    explanation: &str,
    now: SystemTime,
) -> Result<Signature, CertError> {
    let mut signer = tsk.primary_signer()?;
    builder(SignatureType::KeyRevocation, reason.code(), explanation, now)?
        .sign_direct_key(&mut signer, tsk.cert.primary_key().key())
        .map_err(|_| CertError::Backend)
}

fn builder(
    kind: SignatureType,
    reason: ReasonForRevocation,
    explanation: &str,
    now: SystemTime,
) -> Result<SignatureBuilder, CertError> {
    SignatureBuilder::new(kind)
        .set_hash_algo(HashAlgorithm::SHA512)
        .set_signature_creation_time(now)
        .map_err(|_| CertError::BadTime)?
        .set_reason_for_revocation(reason, explanation)
        .map_err(|_| CertError::Backend)
}

impl Certificate {
    /// Ends this certificate with a revocation certificate made earlier (armored or binary).
    ///
    /// # Errors
    /// `NotItsRevocation` when it belongs to another certificate or its signature is wrong.
    pub fn apply_revocation(self, revocation: &[u8]) -> Result<Self, CertError> {
        let primary = self.cert.primary_key().key().clone();
        let ours = signatures(revocation)?.into_iter().find(|signature| {
            signature.typ() == SignatureType::KeyRevocation
                && signature.verify_primary_key_revocation(&primary, &primary).is_ok()
                // Its unsigned part may hold what cannot be written again.
                && Packet::from(signature.clone()).to_vec().is_ok()
        });
        let ours = ours.ok_or(CertError::NotItsRevocation)?;
        let (cert, _) = self.cert.insert_packets([ours]).map_err(|_| CertError::Malformed)?;
        Ok(Self { cert })
    }

    /// The certificate that a revocation certificate says it belongs to; not checked, good for looking it up.
    pub fn unverified_revocation_issuers(revocation: &[u8]) -> Result<Vec<crate::KeyHandle>, CertError> {
        let signatures = signatures(revocation)?;
        Ok(signatures.iter().flat_map(|signature| signature.get_issuers()).collect())
    }
}

/// Every signature packet at the top level of `bytes`.
fn signatures(bytes: &[u8]) -> Result<Vec<Signature>, CertError> {
    const MAX_PACKETS: usize = 64;
    let mut found = Vec::new();
    for block in parse::blocks(bytes)? {
        let mut next = PacketParser::from_bytes(&block).map_err(|_| CertError::Malformed)?;
        for _ in 0..MAX_PACKETS {
            let PacketParserResult::Some(parser) = next else { break };
            let (packet, rest) = parser.next().map_err(|_| CertError::Malformed)?;
            if let Packet::Signature(signature) = packet {
                found.push(signature);
            }
            next = rest;
        }
    }
    if found.is_empty() { Err(CertError::Malformed) } else { Ok(found) }
}
