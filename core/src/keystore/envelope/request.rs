// SPDX-License-Identifier: LGPL-2.0-or-later
//! The way there: HPKE to the keystore's pinned key.

use std::convert::Infallible;

use hpke::{
    Deserializable, Kem as _, OpModeR, OpModeS, Serializable,
    aead::{AeadTag, AesGcm256},
    inout::InOutBuf,
    kdf::HkdfSha256,
    kem::X25519HkdfSha256,
    rand_core::{TryCryptoRng, TryRng},
    setup_receiver, setup_sender_with_rng,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    super::{Bytes, DeviceThumbprint, IdentityFingerprint, KeystoreIdentity, SessionHash, fields, padding},
    EnvelopeError, MAX_REQUEST_BYTES, RandomSource, ReplyKey,
};

pub(super) type Kem = X25519HkdfSha256;
pub(super) type Kdf = HkdfSha256;
pub(super) type Aead = AesGcm256;

const TAG_BYTES: usize = 16;

/// What a request is for. The same on both sides, or it does not open.
#[derive(Clone, Copy, Debug)]
pub struct RequestBinding<'a> {
    /// HTTP method, upper case.
    pub method: &'a str,
    /// Path of the URL, from the slash on, without a query.
    pub path: &'a str,
    /// Thumbprint of the key that signs the request's proof. Who carries the request cannot put another proof on it, and so
    /// make their own key the device of who logs in.
    pub device: DeviceThumbprint,
    /// Who asks; `None` while logging in.
    pub session: Option<SessionHash>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    v: u8,
    enc: Bytes,
    ct: Bytes,
}

/// Seals `plaintext` for the keystore. Returns the HTTP body and the key that opens the reply.
pub fn seal_request(
    keystore: &KeystoreIdentity,
    binding: &RequestBinding<'_>,
    plaintext: &[u8],
    random: &mut RandomSource<'_>,
) -> Result<(Vec<u8>, ReplyKey), EnvelopeError> {
    let recipient = <Kem as hpke::Kem>::PublicKey::from_bytes(&keystore.hpke_public.0)
        .map_err(|_| EnvelopeError::BadKey)?;
    let info = request_info(&keystore.fingerprint());
    let (enc, mut context) =
        setup_sender_with_rng::<Aead, Kdf, Kem>(&OpModeS::Base, &recipient, &info, &mut Source(random))
            .map_err(|_| EnvelopeError::BadKey)?;

    let mut buffer = padding::pad(plaintext).ok_or(EnvelopeError::TooLarge)?;
    let tag = context
        .seal_inout_detached(InOutBuf::from(buffer.as_mut_slice()), &request_aad(binding))
        .map_err(|_| EnvelopeError::TooLarge)?;
    let mut ct = buffer.to_vec();
    ct.extend_from_slice(&tag.to_bytes());

    let envelope = Envelope { v: 1, enc: enc.to_bytes().as_slice().into(), ct: ct.into() };
    let body = serde_json::to_vec(&envelope).expect("two byte strings and a number have a JSON form");
    if body.len() > MAX_REQUEST_BYTES {
        return Err(EnvelopeError::TooLarge);
    }
    let reply_key = ReplyKey::new(&body, |label, secret| context.export(label, secret));
    Ok((body, reply_key))
}

/// Opens the HTTP body of a request with the keystore's secret key.
///
/// # Errors
///
/// [`EnvelopeError::Unopened`] whatever does not fit: key, keystore, method, path, device, session or a changed byte.
pub fn open_request(
    secret: &[u8; 32],
    keystore: &IdentityFingerprint,
    binding: &RequestBinding<'_>,
    body: &[u8],
) -> Result<(Zeroizing<Vec<u8>>, ReplyKey), EnvelopeError> {
    if body.len() > MAX_REQUEST_BYTES {
        return Err(EnvelopeError::TooLarge);
    }
    let envelope: Envelope = serde_json::from_slice(body).map_err(|_| EnvelopeError::Malformed)?;
    if envelope.v != 1 {
        return Err(EnvelopeError::Malformed);
    }
    let enc =
        <Kem as hpke::Kem>::EncappedKey::from_bytes(&envelope.enc.0).map_err(|_| EnvelopeError::Malformed)?;
    let secret = <Kem as hpke::Kem>::PrivateKey::from_bytes(secret).map_err(|_| EnvelopeError::BadKey)?;
    let mut context =
        setup_receiver::<Aead, Kdf, Kem>(&OpModeR::Base, &secret, &enc, &request_info(keystore))
            .map_err(|_| EnvelopeError::Unopened)?;

    let length = envelope.ct.0.len().checked_sub(TAG_BYTES).ok_or(EnvelopeError::Malformed)?;
    let (ct, tag) = envelope.ct.0.split_at(length);
    let tag = AeadTag::<Aead>::from_bytes(tag).map_err(|_| EnvelopeError::Malformed)?;
    let mut buffer = Zeroizing::new(ct.to_vec());
    context
        .open_inout_detached(InOutBuf::from(buffer.as_mut_slice()), &request_aad(binding), &tag)
        .map_err(|_| EnvelopeError::Unopened)?;
    let plaintext = padding::unpad(&buffer).ok_or(EnvelopeError::Unopened)?;
    Ok((plaintext, ReplyKey::new(body, |label, secret| context.export(label, secret))))
}

/// The public key that belongs to a keystore's HPKE secret (32 random bytes).
pub fn derive_hpke_public(secret: &[u8; 32]) -> Result<[u8; 32], EnvelopeError> {
    let secret = <Kem as hpke::Kem>::PrivateKey::from_bytes(secret).map_err(|_| EnvelopeError::BadKey)?;
    Ok(Kem::sk_to_pk(&secret).to_bytes().into())
}

fn request_info(keystore: &IdentityFingerprint) -> Vec<u8> {
    fields(&[b"plombe keystore request v1", &keystore.0])
}

fn request_aad(binding: &RequestBinding<'_>) -> Vec<u8> {
    let session: &[u8] = binding.session.as_ref().map_or(&[], |session| &session.0);
    fields(&[
        b"plombe keystore binding v1",
        binding.method.as_bytes(),
        binding.path.as_bytes(),
        &binding.device.0,
        session,
    ])
}

/// A random source in the form that `hpke` takes.
pub(super) struct Source<'a, 'b>(pub(super) &'a mut RandomSource<'b>);

impl TryRng for Source<'_, '_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        (self.0)(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        (self.0)(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        (self.0)(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Source<'_, '_> {}
