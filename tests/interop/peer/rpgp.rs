// SPDX-License-Identifier: LGPL-2.0-or-later
//! rPGP, in process: an implementation that shares no code with Sequoia.

use std::io::Cursor;

use pgp::{
    composed::{
        ArmorOptions, CleartextSignedMessage, Deserializable, DetachedSignature, EncryptionCaps, KeyType,
        Message, MessageBuilder, SecretKeyParamsBuilder, SignedPublicKey, SignedPublicSubKey,
        SignedSecretKey, SignedSecretSubKey, SubkeyParamsBuilder,
    },
    crypto::{
        aead::{AeadAlgorithm, ChunkSize},
        ecc_curve::ECCCurve,
        hash::HashAlgorithm,
        sym::SymmetricKeyAlgorithm,
    },
    packet::Signature,
    ser::Serialize,
    types::{KeyDetails, KeyVersion, Password, StringToKey},
};
use rand::thread_rng;

use super::{Form, Key, Outcome, Peer, With, signs_blanks};
use crate::task::{Kind, Task};

/// As old as the dev-dependency.
pub(crate) struct Rpgp;

impl Rpgp {
    pub(crate) fn new() -> Self {
        Self
    }
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn tsk(key: &Key) -> Outcome<SignedSecretKey> {
    let (tsk, _) = SignedSecretKey::from_reader_single(Cursor::new(&key.tsk)).map_err(said)?;
    tsk.verify_bindings().map_err(said)?;
    Ok(tsk)
}

fn certificate(key: &Key) -> Outcome<SignedPublicKey> {
    let (certificate, _) =
        SignedPublicKey::from_reader_single(Cursor::new(&key.certificate)).map_err(said)?;
    certificate.verify_bindings().map_err(said)?;
    Ok(certificate)
}

fn signs(signatures: &[Signature]) -> bool {
    signatures.iter().any(|signature| signature.key_flags().sign())
}

fn signing_subkey(tsk: &SignedSecretKey) -> Outcome<&SignedSecretSubKey> {
    let found = tsk.secret_subkeys.iter().find(|subkey| signs(&subkey.signatures));
    found.ok_or_else(|| "no signing subkey".to_owned())
}

fn verifying_subkey(certificate: &SignedPublicKey) -> Outcome<&SignedPublicSubKey> {
    let found = certificate.public_subkeys.iter().find(|subkey| signs(&subkey.signatures));
    found.ok_or_else(|| "no signing subkey".to_owned())
}

fn encryption_subkey(certificate: &SignedPublicKey) -> Outcome<&SignedPublicSubKey> {
    let encrypts = |subkey: &&SignedPublicSubKey| {
        subkey.signatures.iter().any(|signature| signature.key_flags().encrypt_comms())
    };
    certificate.public_subkeys.iter().find(encrypts).ok_or_else(|| "no encryption subkey".to_owned())
}

fn message(bytes: &[u8]) -> Outcome<Message<'_>> {
    Ok(Message::from_reader(Cursor::new(bytes)).map_err(said)?.0)
}

/// Reads to the end, so that integrity and signature are checked over everything.
fn content(mut message: Message<'_>, signer: Option<&Key>) -> Outcome<Vec<u8>> {
    if message.is_compressed() {
        message = message.decompress().map_err(said)?;
    }
    let data = message.as_data_vec().map_err(said)?;
    if let Some(signer) = signer {
        message.verify(verifying_subkey(&certificate(signer)?)?).map_err(said)?;
    }
    Ok(data)
}

impl Peer for Rpgp {
    fn name(&self) -> &str {
        "rPGP"
    }

    fn version(&self) -> &str {
        pgp::VERSION
    }

    fn cannot(&self, task: &Task<'_>) -> Option<&'static str> {
        if task.kind == Kind::Pqc {
            return Some("post-quantum: that part of the crate does not build beside Sequoia's");
        }
        signs_blanks(task)
    }

    fn makes(&self, kind: Kind) -> bool {
        kind != Kind::Pqc
    }

    fn generate(&mut self, kind: Kind, user_id: &str) -> Outcome<Key> {
        let (version, signing, encryption) = match kind {
            Kind::V4 => (KeyVersion::V4, KeyType::Ed25519Legacy, KeyType::ECDH(ECCCurve::Curve25519Legacy)),
            Kind::V6 => (KeyVersion::V6, KeyType::Ed25519, KeyType::X25519),
            Kind::Pqc => return Err("compiled without".to_owned()),
        };
        let subkey = |key_type: KeyType, sign: bool, encrypt: EncryptionCaps| {
            SubkeyParamsBuilder::default()
                .version(version)
                .key_type(key_type)
                .can_sign(sign)
                .can_encrypt(encrypt)
                .can_authenticate(false)
                .build()
                .map_err(said)
        };
        let parameters = SecretKeyParamsBuilder::default()
            .version(version)
            .key_type(signing.clone())
            .can_certify(true)
            .can_sign(false)
            .can_encrypt(EncryptionCaps::None)
            .feature_seipd_v1(true)
            .feature_seipd_v2(kind != Kind::V4)
            .primary_user_id(user_id.to_owned())
            .subkeys(vec![
                subkey(signing, true, EncryptionCaps::None)?,
                subkey(encryption, false, EncryptionCaps::All)?,
            ])
            .build()
            .map_err(said)?;
        let tsk = parameters.generate(thread_rng()).map_err(said)?;
        let certificate = tsk.to_public_key().to_armored_bytes(ArmorOptions::default()).map_err(said)?;
        Ok(Key { tsk: tsk.to_armored_bytes(ArmorOptions::default()).map_err(said)?, certificate })
    }

    fn encrypt(&mut self, with: With<'_>, signer: Option<&Key>, data: &[u8]) -> Outcome<Vec<u8>> {
        let (cipher, mode, chunk) = (SymmetricKeyAlgorithm::AES256, AeadAlgorithm::Ocb, ChunkSize::default());
        let signer = signer.map(tsk).transpose()?;
        let signing = signer.as_ref().map(signing_subkey).transpose()?;
        let builder = MessageBuilder::from_bytes("", data.to_vec());
        let recipient = match with {
            With::Key(key) => certificate(key)?,
            With::Password(_, password) => {
                let mut builder = builder.seipd_v2(thread_rng(), cipher, mode, chunk);
                let s2k = StringToKey::new_argon2(thread_rng(), 1, 4, 16);
                builder.encrypt_with_password(thread_rng(), s2k, &password.into()).map_err(said)?;
                return builder.to_vec(thread_rng()).map_err(said);
            }
        };
        let subkey = encryption_subkey(&recipient)?;
        if recipient.version() == KeyVersion::V6 {
            let mut builder = builder.seipd_v2(thread_rng(), cipher, mode, chunk);
            builder.encrypt_to_key(thread_rng(), subkey).map_err(said)?;
            if let Some(subkey) = signing {
                builder.sign(&subkey.key, Password::empty(), HashAlgorithm::Sha512);
            }
            builder.to_vec(thread_rng()).map_err(said)
        } else {
            let mut builder = builder.seipd_v1(thread_rng(), cipher);
            builder.encrypt_to_key(thread_rng(), subkey).map_err(said)?;
            if let Some(subkey) = signing {
                builder.sign(&subkey.key, Password::empty(), HashAlgorithm::Sha512);
            }
            builder.to_vec(thread_rng()).map_err(said)
        }
    }

    fn decrypt(&mut self, with: With<'_>, signer: Option<&Key>, sealed: &[u8]) -> Outcome<Vec<u8>> {
        let sealed = message(sealed)?;
        let opened = match with {
            With::Key(key) => sealed.decrypt(&Password::empty(), &tsk(key)?),
            With::Password(_, password) => sealed.decrypt_with_password(&password.into()),
        };
        content(opened.map_err(said)?, signer)
    }

    fn sign(&mut self, signer: &Key, data: &[u8]) -> Outcome<Vec<u8>> {
        let tsk = tsk(signer)?;
        let key = &signing_subkey(&tsk)?.key;
        let signature = DetachedSignature::sign_binary_data(
            thread_rng(),
            key,
            &Password::empty(),
            HashAlgorithm::Sha512,
            data,
        );
        signature.map_err(said)?.to_bytes().map_err(said)
    }

    fn verify(&mut self, signer: &Key, signature: &[u8], data: &[u8]) -> Outcome<()> {
        let (signature, _) = DetachedSignature::from_reader_single(Cursor::new(signature)).map_err(said)?;
        signature.verify(verifying_subkey(&certificate(signer)?)?, data).map_err(said)
    }

    fn sign_inline(&mut self, signer: &Key, data: &[u8], form: Form) -> Outcome<Vec<u8>> {
        let tsk = tsk(signer)?;
        let key = &signing_subkey(&tsk)?.key;
        match form {
            Form::Inline => {
                let mut builder = MessageBuilder::from_bytes("", data.to_vec());
                builder.sign(key, Password::empty(), HashAlgorithm::Sha512);
                builder.to_vec(thread_rng()).map_err(said)
            }
            Form::Cleartext => {
                let text = std::str::from_utf8(data).map_err(said)?;
                let signed = CleartextSignedMessage::sign(thread_rng(), text, key, &Password::empty());
                signed.map_err(said)?.to_armored_bytes(ArmorOptions::default()).map_err(said)
            }
        }
    }

    fn verify_inline(&mut self, signer: &Key, signed: &[u8], form: Form) -> Outcome<Vec<u8>> {
        match form {
            Form::Inline => content(message(signed)?, Some(signer)),
            Form::Cleartext => {
                let (signed, _) = CleartextSignedMessage::from_armor(Cursor::new(signed)).map_err(said)?;
                signed.verify(verifying_subkey(&certificate(signer)?)?).map_err(said)?;
                Ok(signed.signed_text().into_bytes())
            }
        }
    }
}
