// SPDX-License-Identifier: LGPL-2.0-or-later
//! One key, one purpose: what a program may ask for once it is in.

use plombe_client::ClientError;
use plombe_core::{
    cert::Certificate,
    keystore::{
        KeyFingerprint,
        calls::{
            Call,
            custody::{Context, Purpose, SignDigest, SignatureClaim, Unwrap},
            grants::KeyUse,
            keys::KeyInfo,
            raw::SharePoint,
        },
    },
    message::DigestSignature,
    pks::{self, Decryption},
};

use super::http::Answer;
use crate::{date, keystore::Account};

/// An operation that was begun.
pub(super) struct Operation {
    key: KeyFingerprint,
    certificate: Certificate,
    subkey: KeyFingerprint,
    what: What,
}

enum What {
    Sign,
    Decrypt(Decryption),
}

/// Why nothing is done. Programs show the text, if anything.
pub(super) enum Refused {
    NoSuchKey,
    /// Raw use is off.
    RawIsOff,
    /// Not what was begun.
    OtherMedia,
    /// The keystore says no, and why.
    Keystore(String),
    Busy,
    Failed,
}

impl Refused {
    pub(super) fn answer(self) -> Answer {
        let (status, text) = match self {
            Self::NoSuchKey => (404, "there is no such key in the keystore that does this\n".to_owned()),
            Self::RawIsOff => {
                (403, "raw use is off: plombe agent allow-raw-decryption-by-unmodified-programs\n".to_owned())
            }
            Self::OtherMedia => (415, "this operation takes something else\n".to_owned()),
            Self::Keystore(why) => (502, format!("{why}\n")),
            Self::Busy => (503, "too many operations at once\n".to_owned()),
            Self::Failed => (500, "this failed\n".to_owned()),
        };
        Answer::new(status, text)
    }
}

impl Operation {
    /// With a subkey that signs.
    pub(super) fn sign(account: &Account, subkey: KeyFingerprint) -> Result<Self, Refused> {
        let signs = |key: &KeyInfo, _: &Certificate| {
            key.uses.contains(&KeyUse::Sign) && key.signing.contains(&subkey)
        };
        let (key, certificate) = find(account, signs)?;
        Ok(Self { key: key.fingerprint, certificate, subkey, what: What::Sign })
    }

    /// With a subkey that decrypts. RSA is unwrapped like always; what ECDH needs is off unless it was allowed.
    pub(super) fn decrypt(account: &Account, subkey: KeyFingerprint) -> Result<Self, Refused> {
        let fingerprint = subkey.as_fingerprint().clone();
        let has = |key: &KeyInfo, certificate: &Certificate| {
            key.uses.contains(&KeyUse::Unwrap) && pks::decryption(certificate, &fingerprint).is_some()
        };
        let (key, certificate) = find(account, has)?;
        let decryption = pks::decryption(&certificate, &fingerprint).ok_or(Refused::NoSuchKey)?;
        if decryption == Decryption::Ecdh && !key.uses.contains(&KeyUse::Raw) {
            return Err(Refused::RawIsOff);
        }
        Ok(Self { key: key.fingerprint, certificate, subkey, what: What::Decrypt(decryption) })
    }

    /// For `Accept-Post`.
    pub(super) fn accepts(&self) -> Option<&'static str> {
        match self.what {
            What::Sign => Some(pks::DIGESTS),
            What::Decrypt(decryption) => Some(decryption.media_type()),
        }
    }

    /// Asks the keystore.
    pub(super) fn run(&self, account: &Account, media_type: &str, body: &[u8]) -> Result<Answer, Refused> {
        let subkey = self.subkey.as_fingerprint();
        let context = |purpose| Context { message_id: None, sender: None, purpose };
        match self.what {
            What::Sign => {
                let answer = call(
                    account,
                    &SignDigest {
                        key: self.key.clone(),
                        subkey: self.subkey.clone(),
                        hash: pks::hash_of(media_type).ok_or(Refused::OtherMedia)?,
                        digest: body.to_vec().into(),
                        // The program does not tell either.
                        claim: SignatureClaim {
                            signature_type: 0,
                            created: date::seconds(std::time::SystemTime::now()),
                        },
                        context: context(Purpose::Sign),
                    },
                )?;
                let signature = DigestSignature(answer.signature.0);
                let raw = pks::raw_signature(&self.certificate, subkey, &signature).ok_or(Refused::Failed)?;
                Ok(Answer::new(200, raw))
            }
            What::Decrypt(decryption) if decryption.media_type() != media_type => Err(Refused::OtherMedia),
            What::Decrypt(Decryption::Ecdh) => {
                let answer = call(
                    account,
                    &SharePoint {
                        key: self.key.clone(),
                        subkey: self.subkey.clone(),
                        point: body.to_vec().into(),
                        context: context(Purpose::Decrypt),
                    },
                )?;
                Ok(Answer::new(200, answer.shared.expose()))
            }
            What::Decrypt(Decryption::Rsa) => {
                let pkesk = pks::rsa_packet(&self.certificate, subkey, body).ok_or(Refused::Failed)?;
                let answer = call(
                    account,
                    &Unwrap {
                        key: self.key.clone(),
                        pkesk: pkesk.into(),
                        session_key_size: None,
                        context: context(Purpose::Decrypt),
                    },
                )?;
                let cipher = answer.cipher.ok_or(Refused::Failed)?;
                let block = pks::rsa_block(cipher, answer.session_key.expose());
                Ok(Answer::new(200, &block[..]))
            }
        }
    }
}

/// The key that `fits`, as of the last time that the keystore was asked.
fn find(
    account: &Account,
    fits: impl Fn(&KeyInfo, &Certificate) -> bool,
) -> Result<(KeyInfo, Certificate), Refused> {
    for key in account.keys().map_err(|_| Refused::Failed)? {
        let certificate = Certificate::parse(&key.certificate.0).map_err(|_| Refused::Failed)?;
        if fits(&key, &certificate) {
            return Ok((key, certificate));
        }
    }
    Err(Refused::NoSuchKey)
}

fn call<C: Call>(account: &Account, call: &C) -> Result<C::Answer, Refused> {
    account.call(call).map_err(|error| match error.downcast_ref::<ClientError>() {
        Some(error) => Refused::Keystore(error.to_string()),
        None => Refused::Failed,
    })
}
