// SPDX-License-Identifier: LGPL-2.0-or-later
use super::*;

const TENANT: Uuid = Uuid::from_u128(1);
const NAME: BlobName<'static> = BlobName { kind: "grant", id: b"g-1", version: 3 };

fn fixed(tenant: Uuid, generation: u32, byte: u8) -> TenantKey {
    TenantKey::new(tenant, generation, ResidentKey::new(Zeroizing::new([byte; 32])))
}

#[test]
fn what_was_sealed_opens_under_the_same_name() {
    let keys = TenantKeys::new(TenantKey::generate(TENANT, 1));
    for plaintext in [&b""[..], b"x", &[9; 70_000]] {
        let blob = keys.seal(&NAME, plaintext);
        assert_eq!(blob.len(), 1 + 4 + 32 + 12 + plaintext.len() + 16);
        assert_eq!(keys.open(&NAME, &blob).unwrap().as_slice(), plaintext);
    }
}

#[test]
fn the_plaintext_is_not_in_the_blob_and_no_two_blobs_are_alike() {
    let keys = TenantKeys::new(TenantKey::generate(TENANT, 1));
    let (one, other) = (keys.seal(&NAME, b"the secret"), keys.seal(&NAME, b"the secret"));
    assert!(!one.windows(10).any(|bytes| bytes == b"the secret"));
    assert_ne!(one[5..37], other[5..37], "salts");
    assert_ne!(one[49..], other[49..], "ciphertexts");
}

#[test]
fn a_blob_in_another_place_is_unreadable() {
    let keys = TenantKeys::new(TenantKey::generate(TENANT, 1));
    let blob = keys.seal(&NAME, b"alice may decrypt");
    for elsewhere in [
        BlobName { kind: "rule", ..NAME },
        BlobName { id: b"g-2", ..NAME },
        BlobName { version: 2, ..NAME },
        // The border between two fields is part of the name.
        BlobName { kind: "grantg", id: b"-1", ..NAME },
    ] {
        assert_eq!(keys.open(&elsewhere, &blob).unwrap_err(), OpenBlobError::Unreadable, "{elsewhere:?}");
    }
}

#[test]
fn a_blob_of_another_tenant_is_unreadable_even_under_the_same_key_bytes() {
    let blob = TenantKeys::new(fixed(TENANT, 1, 5)).seal(&NAME, b"x");
    let other = TenantKeys::new(fixed(Uuid::from_u128(2), 1, 5));
    assert_eq!(other.open(&NAME, &blob).unwrap_err(), OpenBlobError::Unreadable);
}

#[test]
fn no_flipped_bit_goes_unseen() {
    let keys = TenantKeys::new(fixed(TENANT, 1, 5)).and(fixed(TENANT, 0, 5));
    let blob = keys.seal(&NAME, b"x");
    for bit in 0..blob.len() * 8 {
        let mut changed = blob.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(keys.open(&NAME, &changed).is_err(), "bit {bit}");
    }
    assert_eq!(keys.open(&NAME, &blob[..blob.len() - 1]).unwrap_err(), OpenBlobError::Unreadable);
    assert_eq!(keys.open(&NAME, &[&blob[..], &[0]].concat()).unwrap_err(), OpenBlobError::Unreadable);
    assert_eq!(keys.open(&NAME, b"").unwrap_err(), OpenBlobError::Malformed);
}

#[test]
fn new_blobs_take_the_current_generation_and_old_ones_still_open() {
    let old = TenantKeys::new(fixed(TENANT, 1, 1));
    let blob = old.seal(&NAME, b"x");
    let both = old.clone().and(fixed(TENANT, 2, 2)).with_current(2).unwrap();
    assert_eq!(both.open(&NAME, &blob).unwrap().as_slice(), b"x");
    let renewed = both.seal(&NAME, b"x");
    assert_eq!(super::super::generation_of(&renewed), Ok(2));
    assert_eq!(both.generations().collect::<Vec<_>>(), [1, 2]);
    // A server that has not heard of the new key says which one it lacks.
    assert_eq!(old.open(&NAME, &renewed).unwrap_err(), OpenBlobError::UnknownGeneration(2));
    assert!(old.with_current(2).is_none());
}

#[test]
fn a_mac_holds_for_its_purpose_fields_and_generation_only() {
    let keys = TenantKeys::new(fixed(TENANT, 1, 1)).and(fixed(TENANT, 2, 2));
    let mac = keys.mac("head v1", &[b"17", b"root"]);
    assert_eq!(keys.verify_mac("head v1", &[b"17", b"root"], &mac), Ok(()));
    let wrong = Err(MacError::Wrong);
    assert_eq!(keys.verify_mac("head v2", &[b"17", b"root"], &mac), wrong);
    assert_eq!(keys.verify_mac("head v1", &[b"18", b"root"], &mac), wrong);
    assert_eq!(keys.verify_mac("head v1", &[b"17r", b"oot"], &mac), wrong);
    assert_eq!(keys.verify_mac("head v1", &[b"17", b"root"], &Mac { generation: 2, ..mac }), wrong);
    let unknown = Mac { generation: 3, ..mac };
    assert_eq!(keys.verify_mac("head v1", &[b"17", b"root"], &unknown), Err(MacError::UnknownGeneration(3)));
    assert_eq!(Mac::from_bytes(&mac.to_bytes()), Ok(mac));
    assert_eq!(Mac::from_bytes(&mac.to_bytes()[1..]), Err(MacError::Malformed));
}

#[test]
fn derived_keys_differ_by_purpose_generation_and_tenant() {
    let bytes = |key: &TenantKey, purpose| key.derive(purpose).with(|key| *key);
    let key = fixed(TENANT, 1, 1);
    let derived = [
        bytes(&key, "index v1"),
        bytes(&key, "index v2"),
        bytes(&fixed(TENANT, 2, 1), "index v1"),
        bytes(&fixed(Uuid::from_u128(2), 1, 1), "index v1"),
        key.mac("index v1", &[]),
    ];
    for (position, one) in derived.iter().enumerate() {
        assert!(derived[..position].iter().all(|other| other != one), "number {position}");
    }
    assert_eq!(bytes(&key, "index v1"), derived[0], "the same each time");
}

#[test]
fn the_format_stays_what_it_is() {
    // Made by another implementation (a dozen lines of Python) from the description in `hierarchy/blob.rs`. A database
    // full of these must open for ever.
    let blob = include_bytes!("blob_v1.bin");
    let keys = TenantKeys::new(fixed(TENANT, 7, 0x42));
    assert_eq!(keys.open(&NAME, blob).unwrap().as_slice(), b"format 1");
}
