// SPDX-License-Identifier: LGPL-2.0-or-later
//! Web Key Directory (draft-koch-openpgp-webkey-service): where a domain publishes certificates of its addresses.

use sequoia_openpgp::types::HashAlgorithm;

use super::Address;

/// The file name of an address's certificates: z-base-32 of SHA-1 of the local part in ASCII lower case. (SHA-1 is
/// what the format says; it names a file and protects nothing.)
pub fn hash(address: &Address) -> String {
    let mut digest = [0; 20];
    let mut sha1 = HashAlgorithm::SHA1.context().expect("every backend has SHA-1").for_digest();
    sha1.update(address.local().to_ascii_lowercase().as_bytes());
    sha1.digest(&mut digest).expect("the buffer has the size of a SHA-1 digest");
    z_base_32(&digest)
}

/// On the `openpgpkey` subdomain: asked first.
pub fn advanced_url(address: &Address) -> String {
    let domain = address.domain();
    format!(
        "https://{}/.well-known/openpgpkey/{domain}/hu/{}?l={}",
        advanced_host(address),
        hash(address),
        percent_encoded(address.local())
    )
}

/// The host of the advanced method. Only where it does not exist, the direct method may be asked.
pub fn advanced_host(address: &Address) -> String {
    format!("openpgpkey.{}", address.domain())
}

/// On the domain itself.
pub fn direct_url(address: &Address) -> String {
    format!(
        "https://{}/.well-known/openpgpkey/hu/{}?l={}",
        address.domain(),
        hash(address),
        percent_encoded(address.local())
    )
}

/// Relative path of the advanced method's file, for writing a directory.
pub fn advanced_path(address: &Address) -> String {
    format!(".well-known/openpgpkey/{}/hu/{}", address.domain(), hash(address))
}

/// In a directory that is asked by its own address, whatever the domain: a keystore's.
pub fn url_at(origin: &str, address: &Address) -> String {
    format!("{origin}/{}?l={}", advanced_path(address), percent_encoded(address.local()))
}

/// Relative path of the direct method's file, for writing a directory.
pub fn direct_path(address: &Address) -> String {
    format!(".well-known/openpgpkey/hu/{}", hash(address))
}

/// Everything but RFC 3986's unreserved characters, so that it fits into a path, a query or a form.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Five bits per character, most significant first; 20 bytes fill 32 characters exactly.
fn z_base_32(bytes: &[u8; 20]) -> String {
    const ALPHABET: &[u8; 32] = b"ybndrfg8ejkmcpqxot1uwisza345h769";
    let mut text = String::with_capacity(32);
    for group in bytes.chunks_exact(5) {
        let bits = group.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        text.extend((0..8).rev().map(|i| char::from(ALPHABET[(bits >> (5 * i)) as usize & 31])));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The draft's example, and what gpg, sq and OpenPGP.js send.
    #[test]
    fn the_hash_of_joe_doe_is_everybodys() {
        let joe = Address::parse("Joe.Doe@Example.ORG").unwrap();
        assert_eq!(hash(&joe), "iy9q119eutrkn8s1mk4r39qejnbu3n5q");
        assert_eq!(
            advanced_url(&joe),
            "https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/\
             iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=Joe.Doe"
        );
        assert_eq!(
            direct_url(&joe),
            "https://example.org/.well-known/openpgpkey/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=Joe.Doe"
        );
    }

    #[test]
    fn nothing_in_a_local_part_moves_the_url() {
        let odd = Address::parse("a&b=c#d%2F?{ö}@example.org").unwrap();
        assert!(direct_url(&odd).ends_with("?l=a%26b%3Dc%23d%252F%3F%7B%C3%B6%7D"), "{}", direct_url(&odd));
    }
}
