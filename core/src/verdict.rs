// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a signature is worth, and for exactly which bytes.
//!
//! Content never leaves this crate without one of these beside it. The JSON form is stable: see `docs/verdict.md`.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::Fingerprint;

/// The six answers. Order is from best to worst for a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(tsify::Tsify))]
#[serde(rename_all = "kebab-case")]
pub enum VerdictKind {
    /// Valid signature by a known signer, who is the sender (when there is one), for us (when it says for whom).
    Good,
    /// Valid signature, but the signer's certificate does not carry the sender's address, or we are not addressed.
    SenderMismatch,
    /// A valid-looking signature of a certificate that we do not have.
    UnknownSigner,
    /// The signer's certificate or key was expired, revoked or not good enough for our crypto policy.
    InvalidSigner,
    /// No signature.
    Unsigned,
    /// The bytes are not what was signed. Content with this verdict is never released.
    Bad,
}

/// A verdict with its reason, signer and coverage. One per part that a person would see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(tsify::Tsify))]
pub struct Verdict {
    /// The answer.
    pub verdict: VerdictKind,
    /// Stable, kebab-case, for programs: `signature-valid`, `signer-expired`, `not-intended-recipient`, …
    pub code: Code,
    /// One sentence for people. Holds no plaintext.
    pub reason: String,
    /// Who signed, as far as it is known.
    pub signer: Option<Signer>,
    /// What exactly the signature covers; for unsigned content, what exactly the part is.
    pub covered: Option<Covered>,
}

/// Why a verdict is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(tsify::Tsify))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Code {
    /// Good.
    SignatureValid,
    /// The signer's certificate does not carry the From address.
    SignerIsNotSender,
    /// The signature names its intended recipients, and the reader is not one of them.
    NotIntendedRecipient,
    /// Digest or signature value wrong.
    SignatureWrong,
    /// The certificate that made this signature is not known here.
    SignerUnknown,
    /// Expired when it signed.
    SignerExpired,
    /// Revoked.
    SignerRevoked,
    /// Not a signing key, or a certificate that is not valid by itself.
    SignerUnusable,
    /// Made with an algorithm or key size that our crypto policy refuses.
    SignerWeak,
    /// The signature itself has expired, or lies in the future.
    SignatureTime,
    /// It carries a critical term (notation, subpacket) that we do not understand.
    SignatureTerms,
    /// There is none.
    NoSignature,
}

/// Who signed, and when they say they did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(tsify::Tsify))]
pub struct Signer {
    /// Fingerprint of the certificate, upper-case hex; absent when the certificate is not known.
    pub certificate: Option<String>,
    /// Fingerprint or key ID of the key that signed, as the signature names it.
    pub key: String,
    /// Addresses of the certificate's valid user IDs.
    pub addresses: Vec<String>,
    /// The signer's claim, RFC 3339 in UTC.
    pub signed_at: Option<String>,
}

/// The exact bytes that a verdict speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(tsify::Tsify))]
pub struct Covered {
    /// MIME path (`1`, `1.2`, …) in the document that it was found in; empty for a bare OpenPGP message.
    pub path: String,
    /// First byte, counted in the document that it was found in (the mail, or a decrypted payload).
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// SHA-256 of these bytes, lower-case hex.
    pub sha256: String,
}

impl Covered {
    /// All of a document.
    pub fn whole(length: u64, sha256: &[u8]) -> Self {
        let sha256 = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { path: String::new(), offset: 0, length, sha256 }
    }
}

/// One signature by itself: its verdict, and the facts as values instead of text.
#[derive(Clone, Debug)]
pub struct SignatureVerdict {
    /// What this signature is worth.
    pub verdict: Verdict,
    /// The key that signed, when its certificate is known.
    pub key: Option<Fingerprint>,
    /// That certificate.
    pub certificate: Option<Fingerprint>,
    /// When it says that it was made.
    pub signed_at: Option<SystemTime>,
    /// Text mode: line endings were not signed.
    pub text: bool,
}

impl Verdict {
    /// What is said about content that nobody signed.
    pub fn unsigned() -> Self {
        Self {
            verdict: VerdictKind::Unsigned,
            code: Code::NoSignature,
            reason: "nobody signed this; the sender's name is only a claim".into(),
            signer: None,
            covered: None,
        }
    }

    /// Lowers a good verdict when the signer's certificate does not carry `from`, the sender's bare address.
    pub fn against_sender(self, from: &str) -> Self {
        let Some(signer) = self.signer.as_ref().filter(|_| self.verdict == VerdictKind::Good) else {
            return self;
        };
        if signer.addresses.iter().any(|address| same_mailbox(address, from)) {
            return self;
        }
        let who = match signer.addresses.first() {
            Some(address) => format!("it was signed by {address}, not by the sender {from}"),
            None => format!("it was signed by somebody whose certificate does not name the sender {from}"),
        };
        Self { verdict: VerdictKind::SenderMismatch, code: Code::SignerIsNotSender, reason: who, ..self }
    }

    /// May the content be shown at all?
    pub fn releases(&self) -> bool {
        self.verdict != VerdictKind::Bad
    }
}

/// Mail systems ignore case, also before the `@`, where RFC 5321 would let them not to.
fn same_mailbox(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// `2026-11-21T22:10:00Z`.
pub fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Verdict {
        let signer = Signer {
            certificate: Some("AA".into()),
            key: "BB".into(),
            addresses: vec!["alice@example.test".into()],
            signed_at: None,
        };
        let verdict = VerdictKind::Good;
        Verdict {
            verdict,
            code: Code::SignatureValid,
            reason: "fine".into(),
            signer: Some(signer),
            covered: None,
        }
    }

    #[test]
    fn a_good_verdict_stays_good_for_the_signers_own_address_only() {
        assert_eq!(good().against_sender("Alice@Example.test").verdict, VerdictKind::Good);
        for other in ["mallory@example.test", "alice@example.test.evil.test", "", "alice"] {
            let verdict = good().against_sender(other);
            assert_eq!(
                (verdict.verdict, verdict.code),
                (VerdictKind::SenderMismatch, Code::SignerIsNotSender)
            );
        }
    }

    #[test]
    fn the_sender_never_improves_a_verdict() {
        let bad = Verdict { verdict: VerdictKind::Bad, code: Code::SignatureWrong, ..good() };
        assert_eq!(bad.clone().against_sender("alice@example.test"), bad);
        assert_eq!(Verdict::unsigned().against_sender("alice@example.test"), Verdict::unsigned());
    }

    #[test]
    fn the_json_form_is_the_documented_one() {
        let json = serde_json::to_value(good()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "verdict": "good", "code": "signature-valid", "reason": "fine", "covered": null,
                "signer": {
                    "certificate": "AA", "key": "BB", "addresses": ["alice@example.test"], "signed_at": null
                },
            })
        );
    }
}
