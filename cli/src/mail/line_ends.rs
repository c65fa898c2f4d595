// SPDX-License-Identifier: LGPL-2.0-or-later
//! Mail on the wire has CRLF line ends, mail on a Unix disk mostly LF. What comes in with LF goes out with LF.

/// How the lines of a mail end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Crlf,
    Lf,
}

impl Style {
    /// The first line decides.
    pub(super) fn of(mail: &[u8]) -> Self {
        match mail.iter().position(|&b| b == b'\n') {
            Some(at) if at == 0 || mail[at - 1] != b'\r' => Self::Lf,
            _ => Self::Crlf,
        }
    }

    /// `mail`, which has CRLF line ends, in this style.
    pub(super) fn apply(self, mail: Vec<u8>) -> Vec<u8> {
        if self == Self::Crlf {
            return mail;
        }
        let mut lines = Vec::with_capacity(mail.len());
        let mut rest = mail.as_slice();
        while let Some(at) = rest.iter().position(|&b| b == b'\n') {
            let line = &rest[..at];
            lines.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
            lines.push(b'\n');
            rest = &rest[at + 1..];
        }
        lines.extend_from_slice(rest);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_with_lf_goes_with_lf() {
        let sealed = || b"A: b\r\n\r\nc\r\r\nd".to_vec();
        assert_eq!(Style::of(b"A: b\n\nc\r\n").apply(sealed()), b"A: b\n\nc\r\nd");
        assert_eq!(Style::of(b"A: b\r\n\r\nc\n").apply(sealed()), sealed());
        assert_eq!(Style::of(b"no line end").apply(sealed()), sealed());
    }
}
