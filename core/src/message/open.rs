// SPDX-License-Identifier: LGPL-2.0-or-later
//! Parse a sealed message, get its session key, open it.

use std::{io, time::SystemTime};

use sequoia_openpgp::packet::PKESK;

use crate::{
    Fingerprint, KeyHandle,
    cert::{Certificate, Tsk},
    crypto_policy::{CryptoPolicy, CryptoPolicyError},
    secret::Passphrase,
    session_key::SessionKey,
    verdict::{SignatureVerdict, Verdict},
};

/// Where plaintext waits for its verdict. What was written here must not be seen by anybody before `release`,
/// and must vanish when the value is dropped without it.
pub trait Quarantine: io::Write {
    /// What the caller gets once the verdict allows it.
    type Released;
    /// Makes the content visible.
    fn release(self) -> io::Result<Self::Released>;
}

/// Finds certificates of possible signers.
pub trait SignerCertificates {
    /// Every certificate that has a key answering to `handle`.
    fn find(&self, handle: &KeyHandle) -> Vec<Certificate>;
}

impl SignerCertificates for [Certificate] {
    fn find(&self, handle: &KeyHandle) -> Vec<Certificate> {
        self.iter().filter(|c| c.matches(handle)).cloned().collect()
    }
}

/// A slice cannot be a trait object, a vector can.
impl SignerCertificates for Vec<Certificate> {
    fn find(&self, handle: &KeyHandle) -> Vec<Certificate> {
        self.as_slice().find(handle)
    }
}

/// Everything that opening depends on besides the message and its session key.
#[derive(Clone, Copy)]
pub struct OpenContext<'a> {
    /// Where signers' certificates come from.
    pub signers: &'a dyn SignerCertificates,
    /// Certificates of the person who reads; empty when it is not known (intended recipients cannot be checked then).
    pub readers: &'a [Fingerprint],
    /// Which algorithms are good enough.
    pub policy: &'a CryptoPolicy,
    /// The time that signatures and certificates are judged at.
    pub now: SystemTime,
    /// Bounds on what a stranger's message may cost.
    pub limits: Limits,
    /// Hash the content, so that the verdict can say exactly what it covers. Costs time on large files.
    pub hash_content: bool,
}

/// Bounds on what a stranger's message may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Nested packet containers (compression, signatures).
    pub depth: u8,
    /// Plaintext bytes per byte of compressed data, beyond the first `compressed_free_bytes`.
    pub compression_ratio: u64,
    /// Decompressed bytes that are never counted against the ratio.
    pub compressed_free_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 8, compression_ratio: 200, compressed_free_bytes: 64 << 20 }
    }
}

/// A message whose recipients are known and whose body is still sealed. No secret was touched.
pub struct SealedMessage<'a> {
    _reader: std::marker::PhantomData<&'a ()>,
}

impl<'a> SealedMessage<'a> {
    /// Reads up to the encrypted body. Armor is taken off. Containers without integrity are refused.
    pub fn parse(reader: impl io::Read + Send + Sync + 'a) -> Result<Self, OpenError> {
        todo!()
    }

    /// Keys that the session key is wrapped to; hidden recipients have none.
    pub fn recipients(&self) -> Vec<Option<KeyHandle>> {
        todo!()
    }

    /// The session key in its wrappings, for a host that unwraps elsewhere (a keystore, a smart card).
    pub fn wrapped_session_keys(&self) -> &[WrappedSessionKey] {
        todo!()
    }

    /// Is there a password among the ways in?
    pub fn has_password(&self) -> bool {
        todo!()
    }

    /// Tries each TSK on each wrapped key.
    pub fn unwrap_session_key(
        &self,
        tsks: &[Tsk],
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Result<SessionKey, UnwrapError> {
        todo!()
    }

    /// Tries each password.
    pub fn unwrap_with_passwords(&self, passwords: &[Passphrase]) -> Result<SessionKey, UnwrapError> {
        todo!()
    }

    /// Decrypts into `quarantine`, checks the final tag (or MDC) and every signature, then hands both out.
    pub fn open<Q: Quarantine>(
        self,
        session_key: &SessionKey,
        context: &OpenContext<'_>,
        quarantine: Q,
    ) -> Result<Opened<Q>, OpenError> {
        todo!()
    }
}

/// One session key, wrapped to one key. Opaque except for whom it is for.
#[derive(Clone, Debug)]
pub struct WrappedSessionKey {
    pub(crate) packet: PKESK,
}

impl WrappedSessionKey {
    /// Whom it is for; `None` when the recipient is hidden.
    pub fn recipient(&self) -> Option<KeyHandle> {
        self.packet.recipient()
    }

    /// The PKESK packet, header included.
    pub fn to_bytes(&self) -> Vec<u8> {
        todo!()
    }
}

/// Plaintext with its verdict. Neither can be had without the other.
pub struct Opened<Q> {
    quarantine: Q,
    verdict: Verdict,
    signatures: Vec<SignatureVerdict>,
    literal_name: Option<Vec<u8>>,
}

impl<Q: Quarantine> Opened<Q> {
    /// What the signature is worth. Look before [`Opened::release`].
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Every signature by itself, in the message's order.
    pub fn signatures(&self) -> &[SignatureVerdict] {
        &self.signatures
    }

    /// The file name that the sender put into the literal packet. Never signed: show it, do not use it.
    pub fn unverified_name(&self) -> Option<&[u8]> {
        self.literal_name.as_deref()
    }

    /// The content beside its verdict; a bad one releases nothing.
    pub fn release(self) -> Result<(Q::Released, Verdict), OpenError> {
        if !self.verdict.releases() {
            return Err(OpenError::BadSignature(Box::new(self.verdict)));
        }
        let released = self.quarantine.release().map_err(OpenError::Output)?;
        Ok((released, self.verdict))
    }
}

/// Why no session key was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnwrapError {
    /// No key we hold opens this message; the handles say which one to fetch.
    #[error("no available key opens this message")]
    NoMatchingKey {
        /// Key IDs or fingerprints of the recipients that are named.
        wanted: Vec<KeyHandle>,
    },
    /// No password fits.
    #[error("wrong password")]
    WrongPassword,
    /// Every password hash in this message asks for more memory or time than any honest program does.
    #[error("refused: checking the password of this message would cost too much memory or time")]
    TooExpensive,
}

/// Why a message cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not an encrypted OpenPGP message.
    #[error("this is not an encrypted OpenPGP message")]
    NotSealed,
    /// Wrong key, damage and failed integrity look alike on purpose: no oracle for a sender.
    #[error("message cannot be opened: it was damaged or changed on the way, or is not for this key")]
    Unreadable,
    /// No integrity protection (tag 9, tag 20): could be rewritten by anyone on the way.
    #[error("refused: this message has no integrity protection; ask the sender to update their software")]
    NoIntegrity,
    /// Sound, but refused by our crypto policy.
    #[error("refused by crypto policy: {0}")]
    Policy(#[from] CryptoPolicyError),
    /// Encryption inside encryption: no mail program writes it, and it hides what was signed for whom.
    #[error("refused: an encrypted message inside an encrypted message")]
    Nested,
    /// Legal, or a dialect of another program, but not readable by this build.
    #[error("this build cannot read the message: {0}")]
    Unsupported(String),
    /// More layers than any honest program writes.
    #[error("refused: too many nested layers")]
    TooDeep,
    /// Decompresses to far more than it weighs.
    #[error("refused: this message unpacks to far more than its size (decompression bomb)")]
    TooLarge,
    /// The signature is wrong; nothing was released.
    #[error("the signature is wrong: these are not the bytes that were signed")]
    BadSignature(Box<Verdict>),
    /// The place for the plaintext failed: disk full, closed pipe.
    #[error("cannot write the result")]
    Output(#[source] io::Error),
    /// The source of the ciphertext failed.
    #[error("cannot read the message")]
    Input(#[source] io::Error),
}
