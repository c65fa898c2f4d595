// SPDX-License-Identifier: LGPL-2.0-or-later
//! TSKs of every kind, and their keys.

use std::{sync::LazyLock, time::Duration};

use plombe_core::{
    Fingerprint,
    cert::{LockedTsk, Tsk},
    crypto_policy::CryptoPolicy,
    custody::{self, Capability},
};
use sequoia_openpgp::{
    self as openpgp, Cert, Packet,
    cert::{CertBuilder, CipherSuite},
    packet::{
        Key, PKESK,
        key::{PublicParts, UnspecifiedRole},
    },
    parse::Parse,
    serialize::SerializeInto,
};

use crate::cast::now;

pub(crate) const SUITES: [CipherSuite; 6] = [
    CipherSuite::Cv25519,
    CipherSuite::P256,
    CipherSuite::P384,
    CipherSuite::P521,
    CipherSuite::RSA2k,
    CipherSuite::MLDSA65_Ed25519,
];

pub(crate) const HAS_SAFE_RSA: bool = cfg!(feature = "crypto-openssl");

/// Generated once: RSA takes its time.
static KINDS: LazyLock<Vec<(String, Tsk)>> = LazyLock::new(|| {
    let all = SUITES.into_iter().flat_map(|suite| {
        [openpgp::Profile::RFC4880, openpgp::Profile::RFC9580].into_iter().filter_map(move |profile| {
            let post_quantum = suite == CipherSuite::MLDSA65_Ed25519;
            if suite.is_supported().is_err() || post_quantum && profile == openpgp::Profile::RFC4880 {
                return None;
            }
            Some((format!("{suite:?} {profile:?}"), generate(suite, profile)))
        })
    });
    all.collect()
});

/// Every suite in both versions, where this backend has them.
pub(crate) fn every_kind() -> impl Iterator<Item = (String, Tsk)> {
    KINDS.iter().cloned()
}

pub(crate) fn is_rsa(kind: &str) -> bool {
    kind.starts_with("RSA")
}

/// Primary key certifies, one subkey signs, one decrypts.
pub(crate) fn generate(suite: CipherSuite, profile: openpgp::Profile) -> Tsk {
    tsk(builder(suite, profile).add_signing_subkey().add_transport_encryption_subkey())
}

pub(crate) fn builder(suite: CipherSuite, profile: openpgp::Profile) -> CertBuilder<'static> {
    CertBuilder::new()
        .set_profile(profile)
        .unwrap()
        .set_cipher_suite(suite)
        .set_creation_time(now() - Duration::from_secs(3600))
        .add_userid("<alice@example.test>")
}

pub(crate) fn tsk(builder: CertBuilder<'_>) -> Tsk {
    locked(&builder.generate().unwrap().0).unlock(None).unwrap()
}

pub(crate) fn locked(cert: &Cert) -> LockedTsk {
    LockedTsk::parse_all(&cert.as_tsk().to_vec().unwrap()).unwrap().remove(0)
}

/// With the secrets.
pub(crate) fn secret_cert(tsk: &Tsk) -> Cert {
    Cert::from_bytes(&tsk.clone().lock(None).unwrap().to_armored()).unwrap()
}

pub(crate) fn key_that(tsk: &Tsk, capability: Capability) -> Fingerprint {
    let keys = custody::keys(tsk, &CryptoPolicy::standard(), now());
    keys.into_iter().find(|key| key.capability == capability).expect("there is one").fingerprint
}

pub(crate) fn public(tsk: &Tsk, key: &Fingerprint) -> Key<PublicParts, UnspecifiedRole> {
    let cert = secret_cert(tsk).strip_secret_key_material();
    cert.keys().find(|own| own.key().fingerprint() == *key).unwrap().key().clone()
}

pub(crate) fn packet(pkesk: impl Into<PKESK>) -> Vec<u8> {
    Packet::from(pkesk.into()).to_vec().unwrap()
}
