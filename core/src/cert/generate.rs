// SPDX-License-Identifier: LGPL-2.0-or-later
//! New TSKs, in three profiles.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime},
};

use openpgp::{
    Cert, Packet,
    cert::CipherSuite,
    crypto::KeyPair,
    packet::{
        Key, UserID,
        key::{Key4, Key6, PrimaryRole, PublicParts, SecretParts, SubordinateRole},
        signature::SignatureBuilder,
    },
    types::{
        AEADAlgorithm, Curve, Features, HashAlgorithm, KeyFlags, PublicKeyAlgorithm, SignatureType,
        SymmetricAlgorithm,
    },
};
use sequoia_openpgp as openpgp;

use super::{CertError, Reason, Tsk, revoke};
use crate::recipients::Address;

/// Three years: long enough not to be a chore, short enough that a lost key with a lost revocation certificate does
/// not attract mail for ever. Extending it takes one command, and correspondents fetch the extension by WKD.
pub const DEFAULT_TTL: Duration = Duration::from_secs(3 * 365 * 24 * 3600);

/// What kind of certificate to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Profile {
    /// v4, Ed25519 + Curve25519, SEIPDv1 announced: everybody reads it. The default.
    #[default]
    Rfc4880,
    /// v6, Ed25519 + X25519, SEIPDv2.
    Rfc9580,
    /// v6, ML-DSA-65+Ed25519 and ML-KEM-768+X25519 (RFC 9980), where the backend has them.
    Pqc,
}

/// What comes out of generating: the TSK and, kept apart, what revokes it when it is lost.
pub struct Generated {
    /// Ready for use; lock it before it is written anywhere.
    pub tsk: Tsk,
    /// Armored revocation certificate. Whoever has it can end the certificate, and do nothing else.
    pub revocation: String,
}

/// Puts name and address together as a user ID: `Alice Ex <alice@example.org>`, or the bare address.
pub fn user_id(name: Option<&str>, address: &str) -> Result<String, CertError> {
    let address = Address::parse(address).map_err(|_| CertError::BadUserId)?;
    match name.map(str::trim).filter(|name| !name.is_empty()) {
        None => Ok(address.to_string()),
        // What a program takes for the address must be the address.
        Some(name) if name.chars().any(|c| c.is_control() || "<>()@\"\\".contains(c)) => {
            Err(CertError::BadUserId)
        }
        Some(name) => Ok(format!("{name} <{address}>")),
    }
}

/// The address in a user ID such as `Alice Ex <alice@example.org>`, or in one that is nothing else.
pub fn user_id_address(user_id: &str) -> Option<String> {
    Address::of_user_id(&UserID::from(user_id)).map(|address| address.to_string())
}

impl Tsk {
    /// Generates a TSK for `user_ids` (see [`user_id`]). `ttl` is the time until it expires; `None` never does.
    ///
    /// The primary key only certifies; a subkey signs, another decrypts. So a signing key can be replaced, or live in
    /// a keystore, without a new identity, and the primary key may be kept offline. gpg 2.2, RNP and Thunderbird read
    /// this as well as the older "primary signs". Only the primary key expires, and everything with it: extending the
    /// certificate is one new signature.
    pub fn generate(
        profile: Profile,
        user_ids: &[String],
        ttl: Option<Duration>,
        now: SystemTime,
    ) -> Result<Generated, CertError> {
        generate(profile, user_ids, ttl, now, &[Role::Sign, Role::Encrypt])
    }

    /// As [`generate`](Self::generate), without the subkey for decryption: for signing software releases, say.
    pub fn generate_signing_only(
        profile: Profile,
        user_ids: &[String],
        ttl: Option<Duration>,
        now: SystemTime,
    ) -> Result<Generated, CertError> {
        generate(profile, user_ids, ttl, now, &[Role::Sign])
    }
}

/// What a subkey is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Sign,
    Encrypt,
}

fn generate(
    profile: Profile,
    user_ids: &[String],
    ttl: Option<Duration>,
    now: SystemTime,
    roles: &[Role],
) -> Result<Generated, CertError> {
    if user_ids.iter().any(|user_id| user_id.is_empty() || user_id.chars().any(char::is_control)) {
        return Err(CertError::BadUserId);
    }
    if !profile.is_supported() {
        return Err(CertError::ProfileUnsupported { profile });
    }
    let primary = primary_key(profile, now).map_err(|_| CertError::ProfileUnsupported { profile })?;
    let mut signer = primary.clone().into_keypair().map_err(|_| CertError::Backend)?;
    let cert = Cert::from_packets([Packet::from(primary)].into_iter()).map_err(|_| CertError::Backend)?;

    let build = || -> openpgp::Result<Tsk> {
        let mut packets = vec![Packet::from(
            announce(SignatureBuilder::new(SignatureType::DirectKey), profile, ttl, now)?
                .sign_direct_key(&mut signer, cert.primary_key().key())?,
        )];
        for (index, user_id) in user_ids.iter().enumerate() {
            let user_id = UserID::from(user_id.as_str());
            let binding = bind_user_id(profile, ttl, index == 0, now)?;
            packets.push(user_id.bind(&mut signer, &cert, binding)?.into());
            packets.insert(packets.len() - 1, user_id.into());
        }
        for role in roles {
            packets.extend(bound_subkey(&cert, &mut signer, profile, *role, now)?);
        }
        Ok(Tsk { cert: cert.insert_packets(packets)?.0, set_aside: Vec::new() })
    };
    let tsk = build().map_err(|_| CertError::Backend)?;
    let revocation = revoke::certificate_revocation(&tsk, Reason::Unspecified, "", now)?;
    Ok(Generated { tsk, revocation })
}

fn primary_key(profile: Profile, now: SystemTime) -> openpgp::Result<Key<SecretParts, PrimaryRole>> {
    let mut key: Key<SecretParts, PrimaryRole> = match profile {
        Profile::Rfc4880 => Key4::generate_ecc(true, Curve::Ed25519)?.into(),
        Profile::Rfc9580 => Key6::generate_ed25519()?.into(),
        Profile::Pqc => Key6::generate_mldsa65_ed25519()?.into(),
    };
    key.set_creation_time(now)?;
    Ok(key)
}

fn subkey(
    profile: Profile,
    role: Role,
    now: SystemTime,
) -> openpgp::Result<Key<SecretParts, SubordinateRole>> {
    let mut key: Key<SecretParts, SubordinateRole> = match (profile, role) {
        (Profile::Rfc4880, Role::Sign) => Key4::generate_ecc(true, Curve::Ed25519)?.into(),
        (Profile::Rfc4880, Role::Encrypt) => Key4::generate_ecc(false, Curve::Cv25519)?.into(),
        (Profile::Rfc9580, Role::Sign) => Key6::generate_ed25519()?.into(),
        (Profile::Rfc9580, Role::Encrypt) => Key6::generate_x25519()?.into(),
        (Profile::Pqc, Role::Sign) => Key6::generate_mldsa65_ed25519()?.into(),
        (Profile::Pqc, Role::Encrypt) => Key6::generate_mlkem768_x25519()?.into(),
    };
    key.set_creation_time(now)?;
    Ok(key)
}

/// A new subkey and the signature that binds it: what signs also proves that it wants to belong to this primary key.
pub(super) fn bound_subkey(
    cert: &Cert,
    signer: &mut KeyPair,
    profile: Profile,
    role: Role,
    now: SystemTime,
) -> openpgp::Result<[Packet; 2]> {
    let subkey = subkey(profile, role, now)?;
    let binding = SignatureBuilder::new(SignatureType::SubkeyBinding)
        .set_hash_algo(HashAlgorithm::SHA512)
        .set_signature_creation_time(now)?;
    let binding = match role {
        Role::Encrypt => {
            binding.set_key_flags(KeyFlags::empty().set_transport_encryption().set_storage_encryption())?
        }
        Role::Sign => {
            let back_signature = SignatureBuilder::new(SignatureType::PrimaryKeyBinding)
                .set_hash_algo(HashAlgorithm::SHA512)
                .set_signature_creation_time(now)?
                .sign_primary_key_binding(
                    &mut subkey.clone().into_keypair()?,
                    cert.primary_key().key(),
                    &subkey,
                )?;
            binding.set_key_flags(KeyFlags::empty().set_signing())?.set_embedded_signature(back_signature)?
        }
    };
    let binding = subkey.bind(signer, cert, binding)?;
    Ok([subkey.into(), binding.into()])
}

/// The signature over a user ID. In v4 it repeats what the direct key signature says, because gpg looks only here; in
/// v6 the direct key signature is the place for it (RFC 9580 section 10.1.1).
pub(super) fn bind_user_id(
    profile: Profile,
    ttl: Option<Duration>,
    primary: bool,
    now: SystemTime,
) -> openpgp::Result<SignatureBuilder> {
    let binding = SignatureBuilder::new(SignatureType::PositiveCertification);
    let binding = match profile {
        Profile::Rfc4880 => announce(binding, profile, ttl, now)?,
        Profile::Rfc9580 | Profile::Pqc => {
            binding.set_hash_algo(HashAlgorithm::SHA512).set_signature_creation_time(now)?
        }
    };
    if primary { binding.set_primary_userid(true) } else { Ok(binding) }
}

/// What the certificate says about its holder's software, and how long it lives.
fn announce(
    signature: SignatureBuilder,
    profile: Profile,
    ttl: Option<Duration>,
    now: SystemTime,
) -> openpgp::Result<SignatureBuilder> {
    let signature = signature
        .set_hash_algo(HashAlgorithm::SHA512)
        .set_signature_creation_time(now)?
        .set_key_flags(KeyFlags::empty().set_certification())?
        .set_key_validity_period(ttl)?
        .set_preferred_hash_algorithms(vec![HashAlgorithm::SHA512, HashAlgorithm::SHA256])?
        .set_preferred_symmetric_algorithms(vec![SymmetricAlgorithm::AES256, SymmetricAlgorithm::AES128])?;
    match profile {
        // A v4 key may be carried to gpg or Thunderbird, which cannot read SEIPDv2: it must not be announced.
        Profile::Rfc4880 => signature.set_features(Features::empty().set_seipdv1()),
        Profile::Rfc9580 | Profile::Pqc => signature
            .set_features(Features::empty().set_seipdv1().set_seipdv2())?
            .set_preferred_aead_ciphersuites(vec![
                (SymmetricAlgorithm::AES256, AEADAlgorithm::OCB),
                // What browsers have.
                (SymmetricAlgorithm::AES256, AEADAlgorithm::GCM),
                (SymmetricAlgorithm::AES128, AEADAlgorithm::OCB),
            ]),
    }
}

impl Profile {
    /// Does this build's crypto backend have the profile's algorithms?
    pub fn is_supported(self) -> bool {
        match self {
            Self::Rfc4880 | Self::Rfc9580 => true,
            Self::Pqc => CipherSuite::MLDSA65_Ed25519.is_supported().is_ok(),
        }
    }

    /// The profile that an existing certificate is of, so that new subkeys are of its kind. Certificates of other
    /// algorithms (RSA, NIST curves) get Curve25519 subkeys, which every implementation of their version reads.
    pub(super) fn of(primary: &Key<PublicParts, PrimaryRole>) -> Self {
        match (primary.version(), primary.pk_algo()) {
            (6, PublicKeyAlgorithm::MLDSA65_Ed25519 | PublicKeyAlgorithm::MLDSA87_Ed448) => Self::Pqc,
            (6, _) => Self::Rfc9580,
            _ => Self::Rfc4880,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rfc4880 => "rfc4880",
            Self::Rfc9580 => "rfc9580",
            Self::Pqc => "pqc",
        })
    }
}

/// Not the name of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown profile (there are rfc4880, rfc9580 and pqc)")]
pub struct UnknownProfile;

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Rfc4880, Self::Rfc9580, Self::Pqc]
            .into_iter()
            .find(|profile| profile.to_string() == text)
            .ok_or(UnknownProfile)
    }
}
