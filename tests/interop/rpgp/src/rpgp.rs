// SPDX-License-Identifier: LGPL-2.0-or-later
//! rPGP: an implementation that shares no code with Sequoia.

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

use crate::question::{Form, Profile};

type Outcome<T> = Result<T, String>;

const HASH: HashAlgorithm = HashAlgorithm::Sha512;
const CIPHER: SymmetricKeyAlgorithm = SymmetricKeyAlgorithm::AES256;

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

pub(crate) fn tsk(bytes: &[u8]) -> Outcome<SignedSecretKey> {
    let (tsk, _) = SignedSecretKey::from_reader_single(Cursor::new(bytes)).map_err(said)?;
    tsk.verify_bindings().map_err(said)?;
    Ok(tsk)
}

pub(crate) fn certificate(bytes: &[u8]) -> Outcome<SignedPublicKey> {
    let (certificate, _) = SignedPublicKey::from_reader_single(Cursor::new(bytes)).map_err(said)?;
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

/// A TSK with a subkey that signs and one that decrypts, and its certificate; both armored.
pub(crate) fn generate(profile: Profile, user_id: String) -> Outcome<(Vec<u8>, Vec<u8>)> {
    let (version, signing, encryption) = match profile {
        Profile::Rfc4880 => {
            (KeyVersion::V4, KeyType::Ed25519Legacy, KeyType::ECDH(ECCCurve::Curve25519Legacy))
        }
        Profile::Rfc9580 => (KeyVersion::V6, KeyType::Ed25519, KeyType::X25519),
        Profile::Rfc9980 => (KeyVersion::V6, KeyType::MlDsa65Ed25519, KeyType::MlKem768X25519),
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
        .feature_seipd_v2(version == KeyVersion::V6)
        .primary_user_id(user_id)
        .subkeys(vec![
            subkey(signing, true, EncryptionCaps::None)?,
            subkey(encryption, false, EncryptionCaps::All)?,
        ])
        .build()
        .map_err(said)?;
    let tsk = parameters.generate(thread_rng()).map_err(said)?;
    let certificate = tsk.to_public_key().to_armored_bytes(ArmorOptions::default()).map_err(said)?;
    Ok((tsk.to_armored_bytes(ArmorOptions::default()).map_err(said)?, certificate))
}

/// SEIPDv2 for version 6, SEIPDv1 otherwise.
pub(crate) fn encrypt(
    data: Vec<u8>,
    recipient: &SignedPublicKey,
    signer: Option<&SignedSecretKey>,
) -> Outcome<Vec<u8>> {
    let signing = signer.map(signing_subkey).transpose()?;
    let subkey = encryption_subkey(recipient)?;
    let builder = MessageBuilder::from_bytes("", data);
    if recipient.version() == KeyVersion::V6 {
        let mut builder = builder.seipd_v2(thread_rng(), CIPHER, AeadAlgorithm::Ocb, ChunkSize::default());
        builder.encrypt_to_key(thread_rng(), subkey).map_err(said)?;
        if let Some(subkey) = signing {
            builder.sign(&subkey.key, Password::empty(), HASH);
        }
        builder.to_vec(thread_rng()).map_err(said)
    } else {
        let mut builder = builder.seipd_v1(thread_rng(), CIPHER);
        builder.encrypt_to_key(thread_rng(), subkey).map_err(said)?;
        if let Some(subkey) = signing {
            builder.sign(&subkey.key, Password::empty(), HASH);
        }
        builder.to_vec(thread_rng()).map_err(said)
    }
}

/// SEIPDv2 and Argon2.
pub(crate) fn encrypt_with_password(data: Vec<u8>, password: String) -> Outcome<Vec<u8>> {
    let builder = MessageBuilder::from_bytes("", data);
    let mut builder = builder.seipd_v2(thread_rng(), CIPHER, AeadAlgorithm::Ocb, ChunkSize::default());
    let s2k = StringToKey::new_argon2(thread_rng(), 1, 4, 16);
    builder.encrypt_with_password(thread_rng(), s2k, &password.into()).map_err(said)?;
    builder.to_vec(thread_rng()).map_err(said)
}

pub(crate) fn decrypt(
    sealed: &[u8],
    recipient: &SignedSecretKey,
    signer: Option<&SignedPublicKey>,
) -> Outcome<Vec<u8>> {
    content(message(sealed)?.decrypt(&Password::empty(), recipient).map_err(said)?, signer)
}

pub(crate) fn decrypt_with_password(
    sealed: &[u8],
    password: String,
    signer: Option<&SignedPublicKey>,
) -> Outcome<Vec<u8>> {
    content(message(sealed)?.decrypt_with_password(&password.into()).map_err(said)?, signer)
}

pub(crate) fn sign(form: Form, data: Vec<u8>, signer: &SignedSecretKey) -> Outcome<Vec<u8>> {
    let key = &signing_subkey(signer)?.key;
    match form {
        Form::Detached => {
            let signed =
                DetachedSignature::sign_binary_data(thread_rng(), key, &Password::empty(), HASH, &data[..]);
            signed.map_err(said)?.to_bytes().map_err(said)
        }
        Form::Inline => {
            let mut builder = MessageBuilder::from_bytes("", data);
            builder.sign(key, Password::empty(), HASH);
            builder.to_vec(thread_rng()).map_err(said)
        }
        Form::Cleartext => {
            let text = std::str::from_utf8(&data).map_err(said)?;
            let signed = CleartextSignedMessage::sign(thread_rng(), text, key, &Password::empty());
            signed.map_err(said)?.to_armored_bytes(ArmorOptions::default()).map_err(said)
        }
    }
}

pub(crate) fn verify_detached(signature: &[u8], data: &[u8], signer: &SignedPublicKey) -> Outcome<()> {
    let (signature, _) = DetachedSignature::from_reader_single(Cursor::new(signature)).map_err(said)?;
    signature.verify(verifying_subkey(signer)?, data).map_err(said)
}

pub(crate) fn verify_inline(signed: &[u8], signer: &SignedPublicKey) -> Outcome<Vec<u8>> {
    content(message(signed)?, Some(signer))
}

pub(crate) fn verify_cleartext(signed: &[u8], signer: &SignedPublicKey) -> Outcome<Vec<u8>> {
    let (signed, _) = CleartextSignedMessage::from_armor(Cursor::new(signed)).map_err(said)?;
    signed.verify(verifying_subkey(signer)?).map_err(said)?;
    Ok(signed.signed_text().into_bytes())
}

fn message(bytes: &[u8]) -> Outcome<Message<'_>> {
    Ok(Message::from_reader(Cursor::new(bytes)).map_err(said)?.0)
}

/// Reads to the end, so that integrity and signature are checked over everything.
fn content(mut message: Message<'_>, signer: Option<&SignedPublicKey>) -> Outcome<Vec<u8>> {
    if message.is_compressed() {
        message = message.decompress().map_err(said)?;
    }
    let data = message.as_data_vec().map_err(said)?;
    if let Some(signer) = signer {
        message.verify(verifying_subkey(signer)?).map_err(said)?;
    }
    Ok(data)
}
