// SPDX-License-Identifier: LGPL-2.0-or-later
//! The implementations read each other, at every border between blocks, chunks and batches.

use std::io::{self, Read};

use proptest::prelude::*;
use sequoia_openpgp::types::SymmetricAlgorithm;

use super::{chunks::BATCH_SIZE, *};

fn ciphers() -> Vec<(&'static str, Box<dyn BulkCipher>)> {
    let mut ciphers: Vec<(&str, Box<dyn BulkCipher>)> = vec![("portable", Box::new(Portable))];
    #[cfg(feature = "crypto-openssl")]
    ciphers.push(("native", Box::new(Native)));
    ciphers
}

fn seal(
    seal: impl FnOnce(Produce<'_>, &mut (dyn Write + Send)) -> Result<(), PayloadError>,
    plain: &[u8],
) -> Vec<u8> {
    let mut sealed = Vec::new();
    // Odd writes, so that they end nowhere in particular.
    seal(&mut |writer| plain.chunks(77_777).try_for_each(|piece| writer.write_all(piece)), &mut sealed)
        .unwrap();
    sealed
}

fn open(
    open: impl FnOnce(&mut (dyn Read + Send), Consume<'_>) -> Result<(), PayloadError>,
    sealed: &[u8],
) -> Result<Vec<u8>, PayloadError> {
    let mut plain = Vec::new();
    open(&mut &sealed[..], &mut |reader| reader.read_to_end(&mut plain).map(drop))?;
    Ok(plain)
}

fn schedule(cipher: SymmetricAlgorithm, aead: Aead, chunk_octet: u8) -> Schedule {
    let header = V2Header { cipher, aead, chunk_octet, salt: [3; 32] };
    let key = vec![5; header.key_size()];
    Schedule::new(header, &key).unwrap()
}

fn bytes(size: usize) -> Vec<u8> {
    (0..size as u32).map(|i| (i ^ (i >> 8)).wrapping_mul(167) as u8).collect()
}

/// Around what matters: blocks, 64-byte chunks, 256 KiB chunks, batches, several batches.
fn sizes() -> impl Strategy<Value = usize> {
    let borders = vec![
        0usize,
        16,
        18,
        22,
        64,
        1 << 14,
        1 << 18,
        BATCH_SIZE - 40,
        BATCH_SIZE,
        2 * BATCH_SIZE,
        7 * BATCH_SIZE,
    ];
    (prop::sample::select(borders), 0usize..40).prop_map(|(border, more)| border + more)
}

const AES: [SymmetricAlgorithm; 3] =
    [SymmetricAlgorithm::AES128, SymmetricAlgorithm::AES192, SymmetricAlgorithm::AES256];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn seipdv2_is_read_by_every_implementation(
        size in sizes(), cipher in 0usize..3, gcm: bool, chunk_octet in prop::sample::select(vec![0u8, 6, 12, 16]),
    ) {
        // Millions of tiny chunks prove nothing more.
        let size = if chunk_octet == 0 { size.min(BATCH_SIZE + BATCH_SIZE / 4) } else { size };
        let schedule = schedule(AES[cipher], if gcm { Aead::Gcm } else { Aead::Ocb }, chunk_octet);
        let plain = bytes(size);
        for (writer, w) in ciphers() {
            let sealed = seal(|produce, sink| w.seal_v2(&schedule, produce, sink), &plain);
            prop_assert_eq!(sealed.len(), size + 16 * (size.div_ceil(schedule.chunk_size()) + 1));
            for (reader, r) in ciphers() {
                let opened = open(|source, consume| r.open_v2(&schedule, source, consume), &sealed).unwrap();
                prop_assert!(opened == plain, "{} to {}", writer, reader);
            }
        }
    }

    #[test]
    fn seipdv1_is_read_by_every_implementation(size in sizes(), cipher in 0usize..3) {
        let cipher = AES[cipher];
        let key = V1Key::new(cipher, &vec![5; cipher.key_size().unwrap()]).unwrap();
        let plain = bytes(size);
        for (writer, w) in ciphers() {
            let sealed = seal(|produce, sink| w.seal_v1(&key, produce, sink), &plain);
            prop_assert_eq!(sealed.len(), size + 18 + 22);
            for (reader, r) in ciphers() {
                let opened = open(|source, consume| r.open_v1(&key, source, consume), &sealed).unwrap();
                prop_assert!(opened == plain, "{} to {}", writer, reader);
            }
        }
    }

    #[test]
    fn damage_anywhere_is_noticed_by_every_implementation(size in sizes(), at: prop::sample::Index, cut: bool) {
        let schedule = schedule(SymmetricAlgorithm::AES256, Aead::Ocb, 12);
        let key = V1Key::new(SymmetricAlgorithm::AES256, &[5; 32]).unwrap();
        let plain = bytes(size);
        let damage = |mut sealed: Vec<u8>| {
            let position = at.index(sealed.len());
            if cut { sealed.truncate(position) } else { sealed[position] ^= 4 }
            sealed
        };
        let v2 = damage(seal(|produce, sink| best().seal_v2(&schedule, produce, sink), &plain));
        let v1 = damage(seal(|produce, sink| best().seal_v1(&key, produce, sink), &plain));
        for (name, cipher) in ciphers() {
            let opened = open(|source, consume| cipher.open_v2(&schedule, source, consume), &v2);
            prop_assert!(matches!(opened, Err(PayloadError::Damaged)), "{}", name);
            let opened = open(|source, consume| cipher.open_v1(&key, source, consume), &v1);
            prop_assert!(matches!(opened, Err(PayloadError::Damaged)), "{}", name);
        }
    }
}

#[test]
fn an_empty_body_is_refused() {
    let schedule = schedule(SymmetricAlgorithm::AES256, Aead::Ocb, 12);
    let key = V1Key::new(SymmetricAlgorithm::AES256, &[5; 32]).unwrap();
    for (_, cipher) in ciphers() {
        let opened = open(|source, consume| cipher.open_v2(&schedule, source, consume), &[]);
        assert!(matches!(opened, Err(PayloadError::Damaged)));
        let opened = open(|source, consume| cipher.open_v1(&key, source, consume), &[]);
        assert!(matches!(opened, Err(PayloadError::Damaged)));
    }
}

#[test]
fn a_consumer_that_does_not_read_to_the_end_gets_no_approval() {
    let schedule = schedule(SymmetricAlgorithm::AES256, Aead::Ocb, 12);
    for size in [10, 5 * BATCH_SIZE] {
        let sealed = seal(|produce, sink| best().seal_v2(&schedule, produce, sink), &bytes(size));
        for (_, cipher) in ciphers() {
            let result =
                cipher.open_v2(&schedule, &mut &sealed[..], &mut |reader| reader.read_exact(&mut [0; 10]));
            assert!(matches!(result, Err(PayloadError::Damaged)));
        }
    }
}

#[test]
fn a_producer_or_sink_that_fails_stops_everything() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(data.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(data.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let schedule = schedule(SymmetricAlgorithm::AES256, Aead::Ocb, 12);
    let key = V1Key::new(SymmetricAlgorithm::AES256, &[5; 32]).unwrap();
    let plain = bytes(20 * BATCH_SIZE);
    for (_, cipher) in ciphers() {
        for room in [0, 3 * BATCH_SIZE] {
            let mut produce = |writer: &mut dyn Write| writer.write_all(&plain);
            for result in [
                cipher.seal_v2(&schedule, &mut produce, &mut Full(room)),
                cipher.seal_v1(&key, &mut produce, &mut Full(room)),
            ] {
                match result {
                    Err(PayloadError::Sink(e)) => assert_eq!(e.kind(), io::ErrorKind::StorageFull),
                    other => panic!("{other:?}"),
                }
            }
        }
        let mut give_up = |writer: &mut dyn Write| {
            writer.write_all(&plain[..4 * BATCH_SIZE])?;
            Err(io::ErrorKind::TimedOut.into())
        };
        let result = cipher.seal_v2(&schedule, &mut give_up, &mut Vec::new());
        assert!(matches!(result, Err(PayloadError::Stopped(e)) if e.kind() == io::ErrorKind::TimedOut));
    }
}
