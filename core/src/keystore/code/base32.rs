// SPDX-License-Identifier: LGPL-2.0-or-later
//! Crockford's base 32: digits and letters without I, L, O and U.

use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The first `digits` digits of `bytes`, most significant bit first.
pub(super) fn encode(bytes: &[u8], digits: usize) -> Zeroizing<Vec<u8>> {
    let bit = |index: usize| bytes.get(index / 8).map_or(0, |byte| (byte >> (7 - index % 8)) & 1);
    let digit = |index: usize| (0..5).fold(0, |value, offset| value << 1 | bit(index * 5 + offset));
    Zeroizing::new((0..digits).map(|index| ALPHABET[usize::from(digit(index))]).collect())
}

/// All whole bytes in `digits`; leftover bits are dropped. `None` when a character is not in the alphabet.
pub(super) fn decode(digits: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() * 5 / 8));
    let (mut bits, mut count) = (0u16, 0);
    for digit in digits {
        let value = ALPHABET.iter().position(|letter| letter == digit)?;
        bits = bits << 5 | u16::try_from(value).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

/// What was meant: upper case, no spaces and hyphens, look-alikes replaced. `None` when it is far too long.
pub(super) fn normalise(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    const LONGEST: usize = 128;
    if text.len() > LONGEST {
        return None;
    }
    let mut characters = Zeroizing::new(Vec::with_capacity(text.len()));
    characters.extend(text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'-').map(|b| {
        match b.to_ascii_uppercase() {
            b'O' => b'0',
            b'I' | b'L' => b'1',
            other => other,
        }
    }));
    Some(characters)
}
