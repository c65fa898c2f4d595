// SPDX-License-Identifier: LGPL-2.0-or-later
//! Bytes from strangers → certificates, within bounds.

use std::{borrow::Cow, io::Read as _};

use openpgp::{Cert, Packet, armor, cert::raw::RawCertParser, parse::Parse, serialize::SerializeInto as _};
use sequoia_openpgp as openpgp;

use super::CertError;

/// Far above the largest keyring that a person keeps, far below what hurts.
const MAX_BYTES: usize = 64 << 20;
const MAX_CERTIFICATES: usize = 10_000;
/// Keys flooded with third-party signatures reached 150,000 packets and stopped mail programs for minutes each.
const MAX_PACKETS_PER_CERTIFICATE: usize = 5_000;

const ARMOR_BEGIN: &[u8] = b"-----BEGIN PGP ";

/// Every certificate or TSK in `bytes`: binary, or armored blocks with any text between them.
pub(super) fn certs(bytes: &[u8]) -> Result<Vec<Cert>, CertError> {
    if bytes.len() > MAX_BYTES {
        return Err(CertError::TooLarge { limit: "more than 64 MiB" });
    }
    let mut found = Vec::new();
    for block in blocks(bytes)? {
        for raw in RawCertParser::from_bytes(&block).map_err(|_| CertError::Malformed)? {
            let raw = raw.map_err(|_| CertError::Malformed)?;
            if raw.count() > MAX_PACKETS_PER_CERTIFICATE {
                return Err(CertError::TooLarge { limit: "more than 5,000 packets in one certificate" });
            }
            if found.len() == MAX_CERTIFICATES {
                return Err(CertError::TooLarge { limit: "more than 10,000 certificates" });
            }
            found.push(writable(Cert::try_from(raw).map_err(|_| CertError::Malformed)?)?);
        }
    }
    if found.is_empty() { Err(CertError::Malformed) } else { Ok(found) }
}

/// Sequoia reads some signatures that it cannot write (an issuer of a fingerprint version that it does not know, for
/// one). Anybody can add such a signature to anybody's certificate: it is dropped, the certificate stays.
fn writable(cert: Cert) -> Result<Cert, CertError> {
    if cert.as_tsk().to_vec().is_ok() {
        return Ok(cert);
    }
    let packets: Vec<Packet> =
        cert.into_tsk().into_packets().filter(|packet| packet.to_vec().is_ok()).collect();
    let cert = Cert::from_packets(packets.into_iter()).map_err(|_| CertError::Malformed)?;
    if cert.as_tsk().to_vec().is_ok() { Ok(cert) } else { Err(CertError::Malformed) }
}

/// The packets in `bytes`. Binary input is one block; armored input may be several, as `cat a.asc b.asc` makes them.
///
/// Armor comes off here, into as much memory as there is input: asked to do it itself, Sequoia takes whatever a packet
/// claims to be long, up to 4 GiB.
pub(super) fn blocks(bytes: &[u8]) -> Result<Vec<Cow<'_, [u8]>>, CertError> {
    // Every OpenPGP packet starts with a set high bit, no text does.
    if bytes.first().is_none_or(|first| first & 0x80 != 0) {
        return Ok(vec![bytes.into()]);
    }
    let starts: Vec<usize> = bytes
        .windows(ARMOR_BEGIN.len())
        .enumerate()
        .filter(|(at, window)| *window == ARMOR_BEGIN && (*at == 0 || bytes[at - 1] == b'\n'))
        .map(|(at, _)| at)
        .collect();
    let ends = starts.iter().copied().skip(1).chain([bytes.len()]);
    starts.iter().zip(ends).map(|(start, end)| dearmored(&bytes[*start..end]).map(Cow::from)).collect()
}

fn dearmored(block: &[u8]) -> Result<Vec<u8>, CertError> {
    let mut packets = Vec::new();
    let mut reader = armor::Reader::from_bytes(block, armor::ReaderMode::Tolerant(None));
    reader.read_to_end(&mut packets).map_err(|_| CertError::Malformed)?;
    Ok(packets)
}
