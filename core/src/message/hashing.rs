// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a signature is computed over: the document, or its text with canonical line endings.

use sequoia_openpgp::{
    crypto::hash,
    types::{HashAlgorithm, SignatureType},
};

/// One running hash of one document, shared by all signatures with the same parameters.
#[derive(Clone)]
pub(crate) struct DocumentHash {
    algorithm: HashAlgorithm,
    salt: Vec<u8>,
    text: bool,
    context: hash::Context,
    /// Text mode: the last byte was a CR, whose line ending has been hashed.
    after_cr: bool,
}

impl DocumentHash {
    /// `None` when the backend lacks the algorithm. `salt` is that of version 6 signatures.
    pub(crate) fn new(algorithm: HashAlgorithm, version: u8, salt: &[u8], text: bool) -> Option<Self> {
        let mut context = algorithm.context().ok()?.for_signature(version);
        context.update(salt);
        Some(Self { algorithm, salt: salt.to_vec(), text, context, after_cr: false })
    }

    pub(crate) fn is_for(&self, algorithm: HashAlgorithm, salt: &[u8], text: bool) -> bool {
        self.algorithm == algorithm && self.salt == salt && self.text == text
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        if self.text { self.update_text(data) } else { self.context.update(data) }
    }

    /// Hashes CR LF for each LF, CR LF and lone CR.
    fn update_text(&mut self, mut data: &[u8]) {
        while let Some(end) = data.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
            let completes_cr_lf = self.after_cr && end == 0 && data[0] == b'\n';
            if !completes_cr_lf {
                self.context.update(&data[..end]);
                self.context.update(b"\r\n");
            }
            self.after_cr = data[end] == b'\r';
            data = &data[end + 1..];
        }
        if !data.is_empty() {
            self.context.update(data);
            self.after_cr = false;
        }
    }

    /// The state, before a signature's own fields are added.
    pub(crate) fn context(&self) -> hash::Context {
        self.context.clone()
    }
}

/// Text mode, for the two types of signature that are made over documents; `None` for all others.
pub(crate) fn document_mode(signature_type: SignatureType) -> Option<bool> {
    match signature_type {
        SignatureType::Binary => Some(false),
        SignatureType::Text => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: bool, pieces: &[&str]) -> Vec<u8> {
        let mut hash = DocumentHash::new(HashAlgorithm::SHA256, 4, &[], text).unwrap();
        for piece in pieces {
            hash.update(piece.as_bytes());
        }
        hash.context().into_digest().unwrap()
    }

    #[test]
    fn text_mode_ignores_how_lines_end_and_where_reads_end() {
        let canonical = digest(false, &["a\r\nb\r\n\r\nc"]);
        for pieces in [
            &["a\nb\n\nc"][..],
            &["a\r\nb\r\n\r\nc"],
            &["a\rb\r\rc"],
            &["a\r", "\nb\r", "\n", "\r", "\n", "c"],
            &["a", "\n", "b\r", "", "\n\nc"],
        ] {
            assert_eq!(digest(true, pieces), canonical, "{pieces:?}");
        }
    }

    #[test]
    fn binary_mode_does_not() {
        assert_ne!(digest(false, &["a\n"]), digest(false, &["a\r\n"]));
    }
}
