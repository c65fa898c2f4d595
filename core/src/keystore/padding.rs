// SPDX-License-Identifier: LGPL-2.0-or-later
//! Sealed bodies in steps of 256 bytes, so that their size tells less about what was asked.

use zeroize::Zeroizing;

const STEP_BYTES: usize = 256;
const LENGTH_BYTES: usize = 4;

/// `u32be length ‖ plaintext ‖ zeros`, up to the next step.
pub(super) fn pad(plaintext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let length = u32::try_from(plaintext.len()).ok()?;
    let padded_bytes = (LENGTH_BYTES + plaintext.len()).next_multiple_of(STEP_BYTES);
    // Full size at once: growing would leave copies behind.
    let mut padded = Zeroizing::new(Vec::with_capacity(padded_bytes));
    padded.extend_from_slice(&length.to_be_bytes());
    padded.extend_from_slice(plaintext);
    padded.resize(padded_bytes, 0);
    Some(padded)
}

/// What was padded; `None` when it was not done by [`pad`].
pub(super) fn unpad(padded: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (length, rest) = padded.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (plaintext, zeros) = rest.split_at_checked(length)?;
    let sound =
        padded.len().is_multiple_of(STEP_BYTES) && zeros.len() < STEP_BYTES && zeros.iter().all(|b| *b == 0);
    sound.then(|| Zeroizing::new(plaintext.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::{pad, unpad};

    #[test]
    fn lengths_come_in_steps_of_256() {
        for (length, padded_length) in [(0, 256), (1, 256), (252, 256), (253, 512), (508, 512), (509, 768)] {
            let plaintext = vec![7; length];
            let padded = pad(&plaintext).unwrap();
            assert_eq!(padded.len(), padded_length);
            assert_eq!(*unpad(&padded).unwrap(), plaintext);
        }
    }

    #[test]
    fn other_padding_is_refused() {
        let mut padded = pad(b"hello").unwrap().to_vec();
        padded[200] = 1;
        assert!(unpad(&padded).is_none(), "not zeros");
        padded[200] = 0;
        padded.extend([0; 256]);
        assert!(unpad(&padded).is_none(), "a step too many");
        assert!(unpad(&padded[..255]).is_none(), "no whole step");
        assert!(unpad(&[0, 0, 1, 0]).is_none(), "length beyond the end");
        assert!(unpad(b"").is_none());
    }
}
