// SPDX-License-Identifier: LGPL-2.0-or-later
//! How a message will be sealed: container, cipher, and the session key in its wrappings.

use sequoia_openpgp::{
    self as openpgp, Packet,
    cert::Preferences,
    crypto::{self, AEADAlgorithm, Password, S2K},
    packet::{
        Key, PKESK, SKESK,
        key::{PublicParts, UnspecifiedRole},
        pkesk::{PKESK3, PKESK6},
        skesk::{SKESK4, SKESK6},
    },
    types::SymmetricAlgorithm,
};

use super::{
    payload::{Aead, PayloadError, Schedule, V1Key, V2Header},
    seal::{Container, RecipientReport, Seal, SealError},
};
use crate::{
    cert::{Certificate, Unusable},
    session_key::SessionKey,
};

/// Second recommendation of RFC 9106: 64 MiB, three passes; the first one (2 GiB) is too much for a phone.
const ARGON2_PASSES: u8 = 3;
const ARGON2_LANES: u8 = 4;
const ARGON2_MEMORY_EXPONENT: u8 = 16;

pub(super) struct Plan {
    pub(super) container: Container,
    pub(super) report: Vec<RecipientReport>,
    pub(super) session_key: SessionKey,
    pub(super) payload: PayloadKey,
    keys: Vec<RecipientKey>,
    cipher: SymmetricAlgorithm,
}

pub(super) enum PayloadKey {
    V1(V1Key),
    V2(V2Header, Schedule),
}

struct RecipientKey {
    key: Key<PublicParts, UnspecifiedRole>,
    hidden: bool,
}

impl Plan {
    pub(super) fn new(seal: &Seal<'_>) -> Result<Self, SealError> {
        if seal.passwords.iter().any(|password| password.expose().is_empty()) {
            return Err(SealError::EmptyPassword);
        }
        let named = seal.recipients.iter().map(|certificate| (*certificate, false));
        let hidden = seal.hidden_recipients.iter().map(|certificate| (*certificate, true));
        let mut keys = Vec::new();
        let mut report = Vec::new();
        for (certificate, hidden) in named.chain(hidden) {
            let key = certificate.encryption_key(seal.policy, seal.now).map_err(|reason| {
                SealError::RecipientUnusable { certificate: certificate.fingerprint(), reason }
            })?;
            if seal.policy.refuses_key(&key) {
                let certificate = certificate.fingerprint();
                return Err(SealError::RecipientUnusable { certificate, reason: Unusable::Weak });
            }
            let reads_v2 = certificate.reads_seipdv2(seal.policy, seal.now);
            report.push(RecipientReport {
                certificate: certificate.fingerprint(),
                key: key.fingerprint(),
                can_read: if reads_v2 { Container::Seipdv2 } else { Container::Seipdv1 },
                hidden,
            });
            keys.push(RecipientKey { key, hidden });
        }
        if keys.is_empty() && seal.passwords.is_empty() {
            return Err(SealError::NoRecipient);
        }
        let weakest = if report.iter().all(|r| r.can_read == Container::Seipdv2) {
            Container::Seipdv2
        } else {
            Container::Seipdv1
        };
        let container = seal.container.unwrap_or(weakest);
        let (session_key, payload, cipher) = payload_key(seal, container)?;
        Ok(Self { container, report, session_key, payload, keys, cipher })
    }

    /// Everything that stands before the container.
    pub(super) fn session_key_packets(&self, seal: &Seal<'_>) -> Result<Vec<Packet>, SealError> {
        let mut packets = Vec::new();
        for recipient in &self.keys {
            packets.push(Packet::from(self.wrap(recipient).map_err(unsupported)?));
        }
        for password in &seal.passwords {
            let password = Password::from(password.expose());
            packets.push(Packet::from(self.wrap_under_password(&password).map_err(unsupported)?));
        }
        Ok(packets)
    }

    fn wrap(&self, recipient: &RecipientKey) -> openpgp::Result<PKESK> {
        let session_key = &self.session_key.key;
        Ok(match self.container {
            Container::Seipdv1 => {
                let mut packet = PKESK3::for_recipient(self.cipher, session_key, &recipient.key)?;
                if recipient.hidden {
                    packet.set_recipient(None);
                }
                packet.into()
            }
            Container::Seipdv2 => {
                let mut packet = PKESK6::for_recipient(session_key, &recipient.key)?;
                if recipient.hidden {
                    packet.set_recipient(None);
                }
                packet.into()
            }
        })
    }

    fn wrap_under_password(&self, password: &Password) -> openpgp::Result<SKESK> {
        let session_key = &self.session_key.key;
        Ok(match self.container {
            // What reads SEIPDv1 rarely knows Argon2.
            Container::Seipdv1 => {
                SKESK4::with_password(self.cipher, self.cipher, S2K::default(), session_key, password)?.into()
            }
            Container::Seipdv2 => {
                let mut salt = [0; 16];
                crypto::random(&mut salt)?;
                let s2k = S2K::Argon2 { salt, t: ARGON2_PASSES, p: ARGON2_LANES, m: ARGON2_MEMORY_EXPONENT };
                let aead = AEADAlgorithm::OCB;
                SKESK6::with_password(self.cipher, self.cipher, aead, s2k, session_key, password)?.into()
            }
        })
    }
}

fn payload_key(
    seal: &Seal<'_>,
    container: Container,
) -> Result<(SessionKey, PayloadKey, SymmetricAlgorithm), SealError> {
    let recipients: Vec<&Certificate> =
        seal.recipients.iter().chain(&seal.hidden_recipients).copied().collect();
    Ok(match container {
        Container::Seipdv1 => {
            let cipher = common_cipher(&recipients, seal);
            let key = generate_key(cipher)?;
            let payload = PayloadKey::V1(V1Key::new(cipher, &key)?);
            (SessionKey { cipher: Some(cipher), key }, payload, cipher)
        }
        Container::Seipdv2 => {
            let (cipher, aead) = common_suite(&recipients, seal);
            let key = generate_key(cipher)?;
            let header = V2Header::generate(cipher, aead)?;
            let schedule = Schedule::new(header.clone(), &key)
                .ok_or_else(|| SealError::Unsupported("session key size".into()))?;
            // The algorithm belongs to the container, but whoever logs the session key wants to know it.
            (SessionKey { cipher: Some(cipher), key }, PayloadKey::V2(header, schedule), cipher)
        }
    })
}

fn generate_key(cipher: SymmetricAlgorithm) -> Result<crypto::SessionKey, SealError> {
    cipher.key_size().and_then(crypto::SessionKey::new).map_err(unsupported)
}

/// AES-256, unless a recipient's preferences lack it; AES-128 is what everybody must have.
fn common_cipher(recipients: &[&Certificate], seal: &Seal<'_>) -> SymmetricAlgorithm {
    let fits = |cipher: &SymmetricAlgorithm| {
        recipients.iter().all(|certificate| {
            let valid = certificate.cert.with_policy(seal.policy.sequoia(), seal.now);
            let preferred = valid.as_ref().ok().and_then(|valid| valid.preferred_symmetric_algorithms());
            preferred.is_none_or(|list| list.is_empty() || list.contains(cipher))
        })
    };
    let wanted = [SymmetricAlgorithm::AES256, SymmetricAlgorithm::AES192];
    wanted.into_iter().find(fits).unwrap_or(SymmetricAlgorithm::AES128)
}

/// AES-256 in the host's own mode if everybody asks for that, too; else with OCB, unless a recipient's preferences lack
/// it; AES-128 with OCB is what everybody must have.
fn common_suite(recipients: &[&Certificate], seal: &Seal<'_>) -> (SymmetricAlgorithm, Aead) {
    let everybody = |suite: (SymmetricAlgorithm, Aead), if_silent: bool| {
        recipients.iter().all(|certificate| {
            let valid = certificate.cert.with_policy(seal.policy.sequoia(), seal.now);
            let preferred = valid.as_ref().ok().and_then(|valid| valid.preferred_aead_ciphersuites());
            let suite = (suite.0, suite.1.sequoia());
            preferred.filter(|list| !list.is_empty()).map_or(if_silent, |list| list.contains(&suite))
        })
    };
    if let Some(aead) = seal.aead
        && !recipients.is_empty()
        && everybody((SymmetricAlgorithm::AES256, aead), false)
    {
        return (SymmetricAlgorithm::AES256, aead);
    }
    let wanted = [
        (SymmetricAlgorithm::AES256, Aead::Ocb),
        (SymmetricAlgorithm::AES256, Aead::Gcm),
        (SymmetricAlgorithm::AES192, Aead::Ocb),
    ];
    wanted
        .into_iter()
        .find(|suite| everybody(*suite, true))
        .unwrap_or((SymmetricAlgorithm::AES128, Aead::Ocb))
}

fn unsupported(error: openpgp::anyhow::Error) -> SealError {
    SealError::Unsupported(error.to_string())
}

impl From<PayloadError> for SealError {
    fn from(error: PayloadError) -> Self {
        match error {
            PayloadError::Sink(e) | PayloadError::Stopped(e) => Self::Output(e),
            PayloadError::Unsupported(what) => Self::Unsupported(what),
            PayloadError::Damaged => Self::Unsupported("session key size".into()),
        }
    }
}
