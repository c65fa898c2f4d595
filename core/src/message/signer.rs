// SPDX-License-Identifier: LGPL-2.0-or-later
//! Who signs: a TSK at hand, or a key that stays elsewhere and signs one digest at a time.

use std::{io, time::SystemTime};

use sequoia_openpgp::{
    self as openpgp,
    crypto::mpi,
    packet::{
        Key,
        key::{PublicParts, UnspecifiedRole},
    },
    types::{HashAlgorithm, SignatureType},
};

use super::signing::HASH;
use crate::{
    Fingerprint,
    cert::{Certificate, Tsk, Unusable},
    crypto_policy::CryptoPolicy,
};

/// Makes signatures over documents. `Signer::from(&tsk)` for a TSK at hand.
#[derive(Clone, Copy)]
pub enum Signer<'a> {
    /// Secret key in memory.
    Local(&'a Tsk),
    /// Secret key in a keystore.
    Remote(&'a RemoteKey<'a>),
}

impl<'a> From<&'a Tsk> for Signer<'a> {
    fn from(tsk: &'a Tsk) -> Self {
        Self::Local(tsk)
    }
}

impl<'a> From<&'a RemoteKey<'a>> for Signer<'a> {
    fn from(key: &'a RemoteKey<'a>) -> Self {
        Self::Remote(key)
    }
}

impl<'a> Signer<'a> {
    /// Whose signatures these are.
    pub fn certificate(&self) -> Certificate {
        match self {
            Self::Local(tsk) => tsk.certificate(),
            Self::Remote(key) => key.certificate.clone(),
        }
    }

    /// Identity of that certificate.
    pub fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Local(tsk) => tsk.fingerprint(),
            Self::Remote(key) => key.certificate.fingerprint(),
        }
    }

    /// The key that signs at `now`, for signatures of one type.
    pub(super) fn signing_key(
        &self,
        signature_type: SignatureType,
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Result<SigningKey<'a>, Unusable> {
        match self {
            Self::Local(tsk) => Ok(Box::new(tsk.signing_key(policy, now)?)),
            Self::Remote(remote) => {
                let public = remote.certificate.signing_key_among(&remote.held, policy, now)?;
                Ok(Box::new(RemoteSigningKey { remote, public, signature_type, created: now }))
            }
        }
    }
}

/// What Sequoia asks for a signature over a digest.
pub(super) type SigningKey<'a> = Box<dyn openpgp::crypto::Signer + Send + Sync + 'a>;

/// Signs one digest somewhere else. Blocks until the answer is there.
pub type SignDigest<'k> =
    dyn Fn(&DigestRequest<'_>) -> Result<DigestSignature, RemoteError> + Send + Sync + 'k;

/// Why a remote key did not sign, in the words of whoever was asked.
pub type RemoteError = Box<dyn std::error::Error + Send + Sync>;

/// A certificate whose signing keys are elsewhere.
pub struct RemoteKey<'k> {
    /// The certificate; the newest of its valid signing keys that is in `held` signs.
    pub certificate: Certificate,
    /// Keys that the other side says it holds and signs with.
    pub held: Vec<Fingerprint>,
    /// Asks the other side.
    pub sign: Box<SignDigest<'k>>,
}

/// What a remote key is asked to sign.
#[derive(Clone, Copy, Debug)]
pub struct DigestRequest<'d> {
    /// The certificate that the key belongs to.
    pub certificate: &'d Fingerprint,
    /// Which key.
    pub key: &'d Fingerprint,
    /// Type octet of the signature (RFC 9580 section 5.2.1): 0 for bytes as they are, 1 for text.
    pub signature_type: u8,
    /// When the signature says that it was made.
    pub created: SystemTime,
    /// Algorithm octet of RFC 9580 section 9.5.
    pub hash: u8,
    /// The digest; its length is the hash's.
    pub digest: &'d [u8],
}

/// The algorithm-specific part of a signature packet (RFC 9580 section 5.2.3), as it stands there: MPIs, or native
/// octets. The key says which algorithm it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestSignature(pub Vec<u8>);

struct RemoteSigningKey<'a> {
    remote: &'a RemoteKey<'a>,
    public: Key<PublicParts, UnspecifiedRole>,
    signature_type: SignatureType,
    created: SystemTime,
}

impl openpgp::crypto::Signer for RemoteSigningKey<'_> {
    fn public(&self) -> &Key<PublicParts, UnspecifiedRole> {
        &self.public
    }

    fn acceptable_hashes(&self) -> &[HashAlgorithm] {
        &[HASH]
    }

    fn sign(&mut self, hash: HashAlgorithm, digest: &[u8]) -> openpgp::Result<mpi::Signature> {
        let certificate = self.remote.certificate.fingerprint();
        let failed = |source: RemoteError| RemoteFailure { certificate: certificate.clone(), source };
        let key = self.public.fingerprint();
        let (signature_type, created) = (self.signature_type.into(), self.created);
        let request = DigestRequest {
            certificate: &certificate,
            key: &key,
            signature_type,
            created,
            hash: hash.into(),
            digest,
        };
        let answer = (self.remote.sign)(&request).map_err(failed)?;
        let signature = self.checked(&answer, hash, digest).ok_or_else(|| failed(NotItsSignature.into()))?;
        Ok(signature)
    }
}

impl RemoteSigningKey<'_> {
    /// Mail with a bad signature looks forged to everybody who gets it; better it does not leave.
    fn checked(
        &self,
        answer: &DigestSignature,
        hash: HashAlgorithm,
        digest: &[u8],
    ) -> Option<mpi::Signature> {
        let bytes = io::Cursor::new(answer.0.clone());
        let signature = mpi::Signature::parse(self.public.pk_algo(), bytes).ok()?;
        self.public.verify(&signature, hash, digest).ok()?;
        Some(signature)
    }
}

/// The remote answered with something else than a signature over the digest.
#[derive(Debug, thiserror::Error)]
#[error("its answer is not a signature by this key")]
struct NotItsSignature;

/// Carries a remote key's refusal through Sequoia.
#[derive(Debug, thiserror::Error)]
#[error("the key of certificate {certificate} did not sign")]
pub(super) struct RemoteFailure {
    pub(super) certificate: Fingerprint,
    pub(super) source: RemoteError,
}
