// SPDX-License-Identifier: LGPL-2.0-or-later
//! How several values become one input of a hash, a KDF or an AEAD.

/// Joins `fields` so that no two lists give the same bytes: for each field `u32be length ‖ bytes`.
///
/// The first field names purpose and format version (`b"plombe keystore request v1"`), so an input made for one
/// purpose never stands in for another.
///
/// # Panics
///
/// When a field is 4 GiB or longer.
pub fn fields(fields: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(fields.iter().map(|field| 4 + field.len()).sum());
    for field in fields {
        let length = u32::try_from(field.len()).expect("a field is shorter than 4 GiB");
        joined.extend_from_slice(&length.to_be_bytes());
        joined.extend_from_slice(field);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::fields;

    #[test]
    fn each_field_follows_its_length() {
        assert_eq!(fields(&[b"a", b"", b"bc"]), b"\0\0\0\x01a\0\0\0\0\0\0\0\x02bc");
        assert_eq!(fields(&[]), b"");
    }

    #[test]
    fn moving_a_border_changes_the_bytes() {
        assert_ne!(fields(&[b"ab", b"c"]), fields(&[b"a", b"bc"]));
        assert_ne!(fields(&[b"ab"]), fields(&[b"ab", b""]));
    }
}
