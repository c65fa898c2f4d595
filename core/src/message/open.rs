// SPDX-License-Identifier: LGPL-2.0-or-later
//! Parse a sealed message, get its session key, open it.

use std::{
    io::{self, BufRead, Read},
    time::SystemTime,
};

use sequoia_openpgp::{
    packet::{PKESK, SKESK},
    parse::Parse,
    serialize::SerializeInto,
};

use super::{
    Closed, content,
    framing::{Body, Header, Length, tag},
    input::{Input, source_failure},
    judge,
    payload::{
        self, AeadTask, BulkCipher, CfbTask, HEADER_SIZE, PayloadError, Schedule, Task, V1Key, V2Header,
    },
    unwrap,
};
use crate::{
    Fingerprint, KeyHandle,
    cert::{Certificate, Tsk},
    crypto_policy::{CryptoPolicy, CryptoPolicyError},
    secret::Passphrase,
    session_key::SessionKey,
    verdict::{Covered, SignatureVerdict, Verdict},
};

/// More ways in than any mail has recipients; each may cost a private key operation per key we hold.
const MOST_SESSION_KEYS: usize = 1_000;

/// Largest packet before the container: a post-quantum session key packet has some 1,700 bytes.
const LARGEST_SESSION_KEY: usize = 1 << 14;

/// Skipped packets before the container.
const MOST_SKIPPED: usize = 100;

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
    /// Nested packet containers (compression).
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
    wrapped: Vec<WrappedSessionKey>,
    passwords: Vec<SKESK>,
    container: Container,
    /// First bytes of a SEIPDv1 body, which tell a wrong password from a right one.
    beginning: Vec<u8>,
    body: Body<Input<'a>>,
}

pub(super) enum Container {
    V1,
    V2(V2Header),
}

/// Bytes of a SEIPDv1 body that the password check looks at.
const BEGINNING_SIZE: u64 = 19;

impl<'a> SealedMessage<'a> {
    /// Reads up to the encrypted body. Armor is taken off. Containers without integrity are refused.
    pub fn parse(reader: impl io::Read + Send + Sync + 'a) -> Result<Self, OpenError> {
        let mut input = Input::open(reader).map_err(failed)?.ok_or(OpenError::NotSealed)?;
        let mut wrapped = Vec::new();
        let mut passwords = Vec::new();
        let mut skipped = 0;
        loop {
            let Some(header) = Header::read(&mut input).map_err(failed)? else {
                return Err(OpenError::NotSealed);
            };
            let mut body = Body::new(&mut input, header.length);
            match header.tag {
                tag::SEIPD => return Self::container(input, header.length, wrapped, passwords),
                tag::ENCRYPTED_UNPROTECTED => return Err(OpenError::NoIntegrity),
                tag::LIBREPGP_AEAD => {
                    let what = "it is in GnuPG's own format (packet 20), which is not OpenPGP; \
                                ask the sender to refresh your certificate";
                    return Err(OpenError::Unsupported(what.into()));
                }
                tag::PKESK => {
                    let bytes = body.read_rest(LARGEST_SESSION_KEY).map_err(failed)?;
                    // Versions that are not known here may be for somebody else.
                    wrapped.extend(PKESK::from_bytes(&bytes).ok().map(|packet| WrappedSessionKey { packet }));
                }
                tag::SKESK => {
                    let bytes = body.read_rest(LARGEST_SESSION_KEY).map_err(failed)?;
                    passwords.extend(SKESK::from_bytes(&bytes));
                }
                tag::MARKER | tag::PADDING => {
                    body.read_rest(LARGEST_SESSION_KEY).map_err(failed)?;
                    skipped += 1;
                }
                other if other >= tag::FIRST_NON_CRITICAL => {
                    body.read_rest(LARGEST_SESSION_KEY).map_err(failed)?;
                    skipped += 1;
                }
                _ => return Err(OpenError::NotSealed),
            }
            if wrapped.len() + passwords.len() > MOST_SESSION_KEYS || skipped > MOST_SKIPPED {
                return Err(OpenError::TooDeep);
            }
        }
    }

    fn container(
        input: Input<'a>,
        length: Length,
        mut wrapped: Vec<WrappedSessionKey>,
        mut passwords: Vec<SKESK>,
    ) -> Result<Self, OpenError> {
        let mut body = Body::new(input, length);
        let mut version = [0];
        body.read_exact(&mut version).map_err(failed)?;
        let container = match version[0] {
            1 => Container::V1,
            2 => {
                let mut header = [0; HEADER_SIZE - 1];
                body.read_exact(&mut header).map_err(failed)?;
                Container::V2(V2Header::parse(&header)?)
            }
            other => return Err(OpenError::Unsupported(format!("encryption container version {other}"))),
        };
        // A session key packet of the other generation does not belong to this container (RFC 9580 section 10.3.2.1):
        // whoever put it there wants the same key used in two formats.
        let (pkesk_version, skesk_version) = if matches!(container, Container::V1) { (3, 4) } else { (6, 6) };
        wrapped.retain(|w| w.packet.version() == pkesk_version);
        passwords.retain(|p| p.version() == skesk_version);
        let mut beginning = Vec::new();
        if matches!(container, Container::V1) {
            body.by_ref().take(BEGINNING_SIZE).read_to_end(&mut beginning).map_err(failed)?;
        }
        Ok(Self { wrapped, passwords, container, beginning, body })
    }

    /// Keys that the session key is wrapped to; hidden recipients have none.
    pub fn recipients(&self) -> Vec<Option<KeyHandle>> {
        self.wrapped.iter().map(WrappedSessionKey::recipient).collect()
    }

    /// The session key in its wrappings, for a host that unwraps elsewhere (a keystore, a smart card).
    pub fn wrapped_session_keys(&self) -> &[WrappedSessionKey] {
        &self.wrapped
    }

    /// How many bytes the session key has; `None` when only the session key packet tells (SEIPDv1).
    pub fn session_key_size(&self) -> Option<usize> {
        match &self.container {
            Container::V1 => None,
            Container::V2(header) => Some(header.key_size()),
        }
    }

    /// A session key that was unwrapped elsewhere: `cipher` is the algorithm octet of RFC 9580 section 9.3, which a
    /// SEIPDv1 message needs and SEIPDv2 names itself.
    ///
    /// # Errors
    /// `DoesNotFit` when cipher or size are not this message's.
    pub fn accept_session_key(&self, cipher: Option<u8>, key: &[u8]) -> Result<SessionKey, UnwrapError> {
        self.container.accepts(cipher.map(Into::into), key.into()).ok_or(UnwrapError::DoesNotFit)
    }

    /// Is there a password among the ways in?
    pub fn has_password(&self) -> bool {
        !self.passwords.is_empty()
    }

    /// Was there armor around it?
    pub fn is_armored(&self) -> bool {
        self.body.get_ref().is_armored()
    }

    /// Tries each TSK on each wrapped key. Expired and revoked keys too: old mail must stay readable.
    pub fn unwrap_session_key(
        &self,
        tsks: &[Tsk],
        _policy: &CryptoPolicy,
        _now: SystemTime,
    ) -> Result<SessionKey, UnwrapError> {
        unwrap::with_tsks(&self.wrapped, tsks, &self.container)
    }

    /// Tries each password.
    pub fn unwrap_with_passwords(&self, passwords: &[Passphrase]) -> Result<SessionKey, UnwrapError> {
        unwrap::with_passwords(&self.passwords, passwords, &self.container, &self.beginning)
    }

    /// Reads the body into memory, for a host that runs its own cipher over it. `size` is how long the message is, as
    /// far as the host knows.
    pub fn into_closed(
        self,
        session_key: &SessionKey,
        policy: &CryptoPolicy,
        size: usize,
    ) -> Result<Closed, OpenError> {
        let mut bytes = Vec::with_capacity(size);
        bytes.extend(self.beginning);
        let mut body = self.body;
        body.read_to_end(&mut bytes).map_err(failed)?;
        // Nothing may hide behind the container.
        if !body.into_inner().at_end().map_err(failed)? {
            return Err(OpenError::Unreadable);
        }
        let task = match self.container {
            Container::V1 => {
                let cipher = session_key.cipher.ok_or(OpenError::Unreadable)?;
                policy.check_cipher(cipher)?;
                Task::Cfb(CfbTask::new(V1Key::new(cipher, &session_key.key)?, bytes, false)?)
            }
            Container::V2(header) => {
                let schedule = Schedule::new(header, &session_key.key).ok_or(OpenError::Unreadable)?;
                Task::Aead(AeadTask::new(schedule, bytes, false)?)
            }
        };
        Ok(Closed { task })
    }

    /// Decrypts into `quarantine`, checks the final tag (or MDC) and every signature, then hands both out.
    pub fn open<Q: Quarantine>(
        self,
        session_key: &SessionKey,
        context: &OpenContext<'_>,
        quarantine: Q,
    ) -> Result<Opened<Q>, OpenError> {
        self.open_with(payload::best(), session_key, context, quarantine)
    }

    /// The same with a host's own bulk cipher.
    pub fn open_with<Q: Quarantine>(
        self,
        bulk: &dyn BulkCipher,
        session_key: &SessionKey,
        context: &OpenContext<'_>,
        mut quarantine: Q,
    ) -> Result<Opened<Q>, OpenError> {
        let mut ciphertext = io::Cursor::new(self.beginning).chain(self.body);
        let mut content = None;
        let mut read_content = |plaintext: &mut dyn BufRead| {
            let read = content::read(plaintext, &context.limits, context.hash_content, &mut quarantine);
            let rest = match &read {
                Ok(_) => Ok(()),
                // These say nothing about the plaintext.
                Err(OpenError::Output(_) | OpenError::Input(_)) => Err(io::ErrorKind::Other.into()),
                // What is wrong with the plaintext is not said before it is known to be the sender's: with SEIPDv1
                // everybody can flip its bits, and would learn from the answer what they were.
                Err(_) => drain(plaintext),
            };
            content = Some(read);
            rest
        };
        let decrypted = match self.container {
            Container::V1 => {
                let cipher = session_key.cipher.ok_or(OpenError::Unreadable)?;
                context.policy.check_cipher(cipher)?;
                let key = V1Key::new(cipher, &session_key.key)?;
                bulk.open_v1(&key, &mut ciphertext, &mut read_content)
            }
            Container::V2(header) => {
                let schedule = Schedule::new(header, &session_key.key).ok_or(OpenError::Unreadable)?;
                bulk.open_v2(&schedule, &mut ciphertext, &mut read_content)
            }
        };
        let content = match (content, decrypted) {
            (Some(Err(why @ (OpenError::Output(_) | OpenError::Input(_)))), _) => return Err(why),
            (_, Err(why)) => return Err(why.into()),
            (Some(content), Ok(())) => content?,
            (None, Ok(())) => return Err(OpenError::Unreadable),
        };
        // Nothing may hide behind the container.
        let (_, body) = ciphertext.into_inner();
        if !body.into_inner().at_end().map_err(failed)? {
            return Err(OpenError::Unreadable);
        }
        Ok(Opened::judge(content, context, quarantine))
    }
}

/// Reads to the end, where integrity is decided.
pub(super) fn drain(plaintext: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let n = plaintext.fill_buf()?.len();
        if n == 0 {
            return Ok(());
        }
        plaintext.consume(n);
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
        sequoia_openpgp::Packet::from(self.packet.clone())
            .to_vec()
            .expect("it was parsed, so it can be written")
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
    pub(crate) fn judge(content: content::Content, context: &OpenContext<'_>, quarantine: Q) -> Self {
        let signatures = judge::judge_all(&content.signatures, context);
        let covered = content.sha256.map(|hash| Covered::whole(content.length, &hash));
        let verdict = judge::overall(&signatures, covered);
        let literal_name = (!content.name.is_empty()).then_some(content.name);
        Self { quarantine, verdict, signatures, literal_name }
    }

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
    /// What was unwrapped elsewhere is no session key of this message.
    #[error("the session key does not fit this message")]
    DoesNotFit,
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
    /// No integrity protection (tag 9): could be rewritten by anyone on the way.
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
    /// More layers, signatures or session keys than any honest program writes.
    #[error("refused: too many nested layers, signatures or recipients")]
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

impl From<PayloadError> for OpenError {
    fn from(error: PayloadError) -> Self {
        match error {
            PayloadError::Unsupported(what) => Self::Unsupported(what),
            PayloadError::Damaged => Self::Unreadable,
            PayloadError::Sink(e) | PayloadError::Stopped(e) => failed(e),
        }
    }
}

pub(super) fn failed(error: io::Error) -> OpenError {
    source_failure(error).map_or(OpenError::Unreadable, OpenError::Input)
}
