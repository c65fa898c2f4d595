// SPDX-License-Identifier: LGPL-2.0-or-later
//! What mallory makes of an oracle that signs digests: her subkey on alice's certificate, the end of alice's certificate.

use plombe_core::{
    Fingerprint,
    cert::{Certificate, Tsk},
    crypto_policy::CryptoPolicy,
    custody::{Capability, sign_digest},
    message::Seal,
};
use sequoia_openpgp::{
    self as openpgp, Cert, Packet,
    crypto::{Signer, mpi},
    packet::{
        Key, Signature,
        key::{Key4, PublicParts, SecretParts, SubordinateRole, UnspecifiedRole},
        signature::SignatureBuilder,
    },
    parse::Parse,
    serialize::SerializeInto,
    types::{Curve, HashAlgorithm, KeyFlags, ReasonForRevocation, SignatureType},
};

use crate::{
    cast::{alice, now},
    keys::{key_that, public, secret_cert},
};

/// Mallory, who may have digests signed.
struct Oracle<'a> {
    tsk: &'a Tsk,
    public: Key<PublicParts, UnspecifiedRole>,
}

impl<'a> Oracle<'a> {
    fn of(tsk: &'a Tsk, key: &Fingerprint) -> Self {
        Self { tsk, public: public(tsk, key) }
    }
}

impl Signer for Oracle<'_> {
    fn public(&self) -> &Key<PublicParts, UnspecifiedRole> {
        &self.public
    }

    fn sign(&mut self, hash: HashAlgorithm, digest: &[u8]) -> openpgp::Result<mpi::Signature> {
        let (policy, key) = (CryptoPolicy::standard(), self.public.fingerprint());
        let signed = sign_digest(self.tsk, &key, hash.into(), digest, &policy, now())?;
        mpi::Signature::parse(self.public.pk_algo(), std::io::Cursor::new(signed.0))
    }
}

/// Both keys that sign anything: asking for the primary key must fail, the subkey's signatures must be worth nothing.
fn every_oracle(alice: &Tsk) -> [Oracle<'_>; 2] {
    [Oracle::of(alice, &alice.fingerprint()), Oracle::of(alice, &key_that(alice, Capability::Sign))]
}

fn builder(kind: SignatureType) -> SignatureBuilder {
    let builder = SignatureBuilder::new(kind).set_hash_algo(HashAlgorithm::SHA512);
    builder.set_signature_creation_time(now()).unwrap()
}

/// Alice's certificate with what mallory adds.
fn published(alice: &Cert, packets: Vec<Packet>) -> Certificate {
    let cert = alice.clone().strip_secret_key_material().insert_packets(packets).unwrap().0;
    Certificate::parse(&cert.to_vec().unwrap()).unwrap()
}

#[test]
fn a_strangers_subkey_is_not_bound_by_signing_digests() {
    let alice = alice();
    let cert = secret_cert(&alice);
    let mut subkey: Key<SecretParts, SubordinateRole> =
        Key4::generate_ecc(false, Curve::Cv25519).unwrap().into();
    subkey.set_creation_time(now()).unwrap();
    for mut oracle in every_oracle(&alice) {
        let flags = KeyFlags::empty().set_transport_encryption();
        let binding = builder(SignatureType::SubkeyBinding).set_key_flags(flags).unwrap();
        let Ok(binding) = subkey.bind(&mut oracle, &cert, binding) else { continue };
        let public = subkey.clone().take_secret().0;
        let certificate = published(&cert, vec![public.into(), binding.into()]);
        let policy = CryptoPolicy::standard();
        let seal = Seal::new(vec![&certificate], &policy, now());
        let report = seal.seal(&mut &b"for alice"[..], &mut Vec::new()).unwrap();
        assert_ne!(report.recipients[0].key, subkey.fingerprint(), "mallory reads alice's mail");
    }
}

#[test]
fn the_certificate_is_not_revoked_by_signing_digests() {
    let alice = alice();
    let cert = secret_cert(&alice);
    for mut oracle in every_oracle(&alice) {
        let revocation = builder(SignatureType::KeyRevocation)
            .set_reason_for_revocation(ReasonForRevocation::KeyCompromised, "")
            .unwrap();
        let Ok(revocation) = revocation.sign_direct_key(&mut oracle, cert.primary_key().key()) else {
            continue;
        };
        let certificate = published(&cert, vec![revocation.into()]);
        assert_eq!(certificate.can_encrypt(&CryptoPolicy::standard(), now()), Ok(()));
    }
}

#[test]
fn a_user_id_is_not_added_by_signing_digests() {
    let alice = alice();
    let cert = secret_cert(&alice);
    for mut oracle in every_oracle(&alice) {
        let user_id = openpgp::packet::UserID::from("<ceo@example.test>");
        let binding = builder(SignatureType::PositiveCertification);
        let Ok(binding): openpgp::Result<Signature> = user_id.bind(&mut oracle, &cert, binding) else {
            continue;
        };
        let certificate = published(&cert, vec![user_id.into(), binding.into()]);
        assert_eq!(certificate.addresses(&CryptoPolicy::standard(), now()), ["alice@example.test"]);
    }
}

/// What the three tests above stand on: with the primary key as an oracle each of the attacks works.
#[test]
fn the_attacks_work_with_the_primary_key_itself() {
    let alice = alice();
    let cert = secret_cert(&alice);
    let mut primary = cert.primary_key().key().clone().parts_into_secret().unwrap().into_keypair().unwrap();
    let revocation = builder(SignatureType::KeyRevocation)
        .set_reason_for_revocation(ReasonForRevocation::KeyCompromised, "")
        .unwrap()
        .sign_direct_key(&mut primary, cert.primary_key().key())
        .unwrap();
    let certificate = published(&cert, vec![revocation.into()]);
    assert!(certificate.can_encrypt(&CryptoPolicy::standard(), now()).is_err());
    assert!(Cert::from_bytes(&certificate.to_bytes()).is_ok());
}
