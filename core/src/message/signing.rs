// SPDX-License-Identifier: LGPL-2.0-or-later
//! Signatures being made: hash while the document streams by, sign at its end.

use std::{
    io::{self, Write},
    time::SystemTime,
};

use sequoia_openpgp::{
    self as openpgp, Packet, crypto,
    packet::{
        Signature,
        one_pass_sig::{OnePassSig3, OnePassSig6},
        signature::SignatureBuilder,
    },
    serialize::Serialize,
    types::{HashAlgorithm, SignatureType},
};

use super::{
    framing::sink_failure,
    hashing::DocumentHash,
    signer::{RemoteError, RemoteFailure, Signer, SigningKey},
};
use crate::{Fingerprint, cert::Unusable, crypto_policy::CryptoPolicy};

/// Fastest of the strong hashes on 64-bit machines, and known to every peer.
pub(super) const HASH: HashAlgorithm = HashAlgorithm::SHA512;

/// What RFC 3156 calls [`HASH`].
pub(super) const MICALG: &str = "pgp-sha512";

/// Signatures over one document, by any number of signers.
pub(super) struct Signatures<'a> {
    pending: Vec<Pending<'a>>,
    signature_type: SignatureType,
    now: SystemTime,
    recipients: Vec<Fingerprint>,
}

struct Pending<'a> {
    key: SigningKey<'a>,
    salt: Vec<u8>,
    hash: DocumentHash,
}

/// A signer that cannot sign, a backend that cannot hash, or nowhere to write to.
pub(super) enum CannotSign {
    Signer(Fingerprint, Unusable),
    Remote(Fingerprint, RemoteError),
    Backend(String),
    Output(io::Error),
}

impl From<openpgp::anyhow::Error> for CannotSign {
    fn from(error: openpgp::anyhow::Error) -> Self {
        let error = match error.downcast::<RemoteFailure>() {
            Ok(remote) => return Self::Remote(remote.certificate, remote.source),
            Err(error) => error,
        };
        match error.downcast() {
            Ok(io) => Self::Output(io),
            Err(error) => Self::Backend(error.to_string()),
        }
    }
}

impl<'a> Signatures<'a> {
    /// Every signature will name `recipients` as intended.
    pub(super) fn begin(
        signers: &[Signer<'a>],
        text: bool,
        policy: &CryptoPolicy,
        now: SystemTime,
        recipients: Vec<Fingerprint>,
    ) -> Result<Self, CannotSign> {
        let signature_type = if text { SignatureType::Text } else { SignatureType::Binary };
        let mut pending = Vec::new();
        for signer in signers {
            let key = signer
                .signing_key(signature_type, policy, now)
                .map_err(|reason| CannotSign::Signer(signer.fingerprint(), reason))?;
            let version = key.public().version();
            let mut salt = Vec::new();
            if version == 6 {
                salt = vec![0; HASH.salt_size()?];
                crypto::random(&mut salt)?;
            }
            let hash = DocumentHash::new(HASH, version, &salt, text)
                .ok_or_else(|| openpgp::Error::UnsupportedHashAlgorithm(HASH))
                .map_err(openpgp::anyhow::Error::from)?;
            pending.push(Pending { key, salt, hash });
        }
        Ok(Self { pending, signature_type, now, recipients })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Do all keys have version 6? Their armor carries no checksum, and the cleartext framework no `Hash` header.
    pub(super) fn all_v6(&self) -> bool {
        self.pending.iter().all(|p| p.key.public().version() == 6)
    }

    pub(super) fn update(&mut self, data: &[u8]) {
        self.pending.iter_mut().for_each(|p| p.hash.update(data));
    }

    /// One-pass signature packets, for before the document.
    pub(super) fn announce(&self, writer: &mut dyn Write) -> io::Result<()> {
        for (i, pending) in self.pending.iter().enumerate() {
            let key = pending.key.public();
            let last = i + 1 == self.pending.len();
            let packet: Packet = if key.version() == 6 {
                let mut ops = OnePassSig6::new(self.signature_type, key.fingerprint());
                ops.set_pk_algo(key.pk_algo());
                ops.set_hash_algo(HASH);
                ops.set_salt(pending.salt.clone());
                ops.set_last(last);
                ops.into()
            } else {
                let mut ops = OnePassSig3::new(self.signature_type);
                ops.set_pk_algo(key.pk_algo());
                ops.set_hash_algo(HASH);
                ops.set_issuer(key.keyid());
                ops.set_last(last);
                ops.into()
            };
            packet.serialize(writer).map_err(sink_failure)?;
        }
        Ok(())
    }

    /// Signature packets, the last announced first.
    pub(super) fn finish(self, writer: &mut dyn Write) -> Result<(), CannotSign> {
        for mut pending in self.pending.into_iter().rev() {
            let signature = pending.sign(self.signature_type, self.now, &self.recipients)?;
            Packet::from(signature).serialize(writer)?;
        }
        Ok(())
    }
}

impl Pending<'_> {
    fn sign(
        &mut self,
        signature_type: SignatureType,
        now: SystemTime,
        recipients: &[Fingerprint],
    ) -> openpgp::Result<Signature> {
        let mut builder =
            SignatureBuilder::new(signature_type).set_hash_algo(HASH).set_signature_creation_time(now)?;
        if !self.salt.is_empty() {
            builder = builder.set_prefix_salt(self.salt.clone()).0;
        }
        if !recipients.is_empty() {
            builder = builder.set_intended_recipients(recipients)?;
        }
        builder.sign_hash(&mut *self.key, self.hash.context())
    }
}
