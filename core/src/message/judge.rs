// SPDX-License-Identifier: LGPL-2.0-or-later
//! From a signature and the hash of what it should cover to a verdict.

use std::time::{Duration, SystemTime};

use sequoia_openpgp::{
    self as openpgp, Packet,
    cert::{
        amalgamation::{ValidAmalgamation, ValidateAmalgamation, key::ValidErasedKeyAmalgamation},
        prelude::ErasedKeyAmalgamation,
    },
    packet::{Signature, key::PublicParts},
    policy::{HashAlgoSecurity, Policy},
    types::RevocationStatus,
};

use super::{
    OpenContext,
    content::Signed,
    hashing::{DocumentHash, document_mode},
};
use crate::{
    KeyHandle,
    cert::Certificate,
    verdict::{Code, Covered, SignatureVerdict, Signer, Verdict, VerdictKind, rfc3339},
};

/// Nobody needs more than a fingerprint and a key ID. More can be written into the unsigned part by anybody, and each
/// is looked up among all certificates.
const MOST_ISSUERS: usize = 8;

/// Two honest clocks may differ by this much.
const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

/// The best verdict decides: one good signature is not made worse by a stranger's beside it.
pub(crate) fn overall(signatures: &[SignatureVerdict], covered: Option<Covered>) -> Verdict {
    let best = signatures.iter().map(|s| &s.verdict).min_by_key(|v| v.verdict);
    let verdict = best.cloned().unwrap_or_else(Verdict::unsigned);
    Verdict { covered, ..verdict }
}

/// Judges every signature by itself.
pub(crate) fn judge_all(signed: &[Signed], context: &OpenContext<'_>) -> Vec<SignatureVerdict> {
    signed.iter().map(|s| judge(s, context)).collect()
}

fn judge(signed: &Signed, context: &OpenContext<'_>) -> SignatureVerdict {
    let Some(signature) = &signed.signature else {
        let reason = "it carries a signature in a format that is not known here";
        let verdict = plain(VerdictKind::UnknownSigner, Code::SignerUnknown, reason.into());
        return SignatureVerdict { verdict, key: None, certificate: None, signed_at: None, text: false };
    };
    let issuers = issuers(signature);
    let candidates = candidates(&issuers, context);
    let mut best: Option<SignatureVerdict> = None;
    for certificate in &candidates {
        for key in certificate.cert.keys() {
            if !issuers.iter().any(|issuer| issuer.aliases(key.key().key_handle())) {
                continue;
            }
            let verdict = judge_by_key(signature, signed.hash.as_ref(), certificate, key, context);
            if best.as_ref().is_none_or(|b| verdict.verdict.verdict < b.verdict.verdict) {
                best = Some(verdict);
            }
        }
    }
    best.unwrap_or_else(|| unknown_signer(signature, &issuers))
}

/// Whom the signature names as its maker, signed names and fingerprints first. Version 6 signatures name fingerprints
/// only.
fn issuers(signature: &Signature) -> Vec<KeyHandle> {
    let mut issuers = signature.get_issuers();
    issuers.truncate(MOST_ISSUERS);
    issuers
}

fn candidates(issuers: &[KeyHandle], context: &OpenContext<'_>) -> Vec<Certificate> {
    let mut found: Vec<Certificate> = Vec::new();
    for certificate in issuers.iter().flat_map(|issuer| context.signers.find(issuer)) {
        if !found.iter().any(|f| f.fingerprint() == certificate.fingerprint()) {
            found.push(certificate);
        }
    }
    found
}

fn unknown_signer(signature: &Signature, issuers: &[KeyHandle]) -> SignatureVerdict {
    let signed_at = signature.signature_creation_time();
    let key = issuers.first().map(ToString::to_string).unwrap_or_default();
    let reason = if key.is_empty() {
        "signed by a key that it does not name".into()
    } else {
        format!("signed by {key}, whose certificate is not known here; nobody can say who that is")
    };
    let signer = Signer { certificate: None, key, addresses: Vec::new(), signed_at: signed_at.map(rfc3339) };
    let verdict = plain(VerdictKind::UnknownSigner, Code::SignerUnknown, reason);
    SignatureVerdict {
        verdict: Verdict { signer: Some(signer), ..verdict },
        key: None,
        certificate: None,
        signed_at,
        text: document_mode(signature.typ()).unwrap_or(false),
    }
}

fn judge_by_key(
    signature: &Signature,
    hash: Option<&DocumentHash>,
    certificate: &Certificate,
    key: ErasedKeyAmalgamation<'_, PublicParts>,
    context: &OpenContext<'_>,
) -> SignatureVerdict {
    let signed_at = signature.signature_creation_time();
    let (kind, code, reason) = findings(signature, hash, &key, context);
    let signer = Signer {
        certificate: Some(certificate.fingerprint().to_hex()),
        key: key.key().fingerprint().to_hex(),
        addresses: certificate.addresses(context.policy, context.now),
        signed_at: signed_at.map(rfc3339),
    };
    SignatureVerdict {
        verdict: Verdict { signer: Some(signer), ..plain(kind, code, reason) },
        key: Some(key.key().fingerprint()),
        certificate: Some(certificate.fingerprint()),
        signed_at,
        text: document_mode(signature.typ()).unwrap_or(false),
    }
}

type Findings = (VerdictKind, Code, String);

/// What a forger controls comes first and what the signer is answerable for comes last.
fn findings(
    signature: &Signature,
    hash: Option<&DocumentHash>,
    key: &ErasedKeyAmalgamation<'_, PublicParts>,
    context: &OpenContext<'_>,
) -> Findings {
    if let Err(refused) = check_signature_policy(signature, context) {
        return refused;
    }
    if document_mode(signature.typ()).is_none() {
        return invalid(Code::SignatureTerms, "this kind of signature says nothing about a document");
    }
    let Some(hash) = hash else {
        return invalid(Code::SignerWeak, "it was signed with a hash that is not accepted");
    };
    if signature.verify_hash(key.key(), hash.context()).is_err() {
        let reason = "the signature is wrong: these are not the bytes that were signed";
        return (VerdictKind::Bad, Code::SignatureWrong, reason.into());
    }
    if let Err(refused) = check_time(signature, context.now) {
        return refused;
    }
    let signed_at = signature.signature_creation_time().unwrap_or(context.now);
    if let Err(refused) = check_key(key, signed_at, context) {
        return refused;
    }
    check_recipients(signature, context)
}

fn check_signature_policy(signature: &Signature, context: &OpenContext<'_>) -> Result<(), Findings> {
    let policy = context.policy.sequoia();
    if policy.packet(&Packet::from(signature.clone())).is_err() {
        return Err(invalid(Code::SignerWeak, "it was signed in an obsolete format"));
    }
    if context.policy.refuses_hash(signature.hash_algo()) {
        let reason = format!("it was signed with {}, which can be forged", signature.hash_algo());
        return Err((VerdictKind::InvalidSigner, Code::SignerWeak, reason));
    }
    policy.signature(signature, HashAlgoSecurity::CollisionResistance).map_err(|_| {
        invalid(Code::SignatureTerms, "the signature depends on terms that are not understood here")
    })
}

fn check_time(signature: &Signature, now: SystemTime) -> Result<(), Findings> {
    signature.signature_alive(now, CLOCK_SKEW).map_err(|e| {
        let expired = matches!(e.downcast_ref(), Some(openpgp::Error::Expired(_)));
        let reason =
            if expired { "the signature has expired" } else { "the signature's date lies in the future" };
        invalid(Code::SignatureTime, reason)
    })
}

/// Was this a valid signing key of a valid certificate when it signed?
fn check_key(
    key: &ErasedKeyAmalgamation<'_, PublicParts>,
    signed_at: SystemTime,
    context: &OpenContext<'_>,
) -> Result<(), Findings> {
    let policy = context.policy.sequoia();
    // Revocation comes before validity, which a revoked certificate often lacks as well.
    let certificate_revoked = key.cert().revocation_status(policy, signed_at);
    if matches!(certificate_revoked, RevocationStatus::Revoked(_)) {
        return Err(invalid(Code::SignerRevoked, "the signer's certificate was revoked"));
    }
    let valid = key.clone().with_policy(policy, signed_at).map_err(|e| {
        if context.policy.explains(&e) {
            invalid(Code::SignerWeak, "the signer's key relies on algorithms that are no longer safe")
        } else {
            invalid(
                Code::SignerUnusable,
                "the signing key did not validly belong to the certificate when it signed",
            )
        }
    })?;
    if matches!(valid.revocation_status(), RevocationStatus::Revoked(_)) {
        return Err(invalid(Code::SignerRevoked, "the signing key was revoked"));
    }
    check_alive(&valid)?;
    if !valid.for_signing() {
        return Err(invalid(Code::SignerUnusable, "the key that signed is not a signing key"));
    }
    let primary = valid.cert().primary_key();
    if context.policy.refuses_key(valid.key()) || context.policy.refuses_key(primary.key()) {
        return Err(invalid(Code::SignerWeak, "the signer's key is too weak"));
    }
    Ok(())
}

fn check_alive(valid: &ValidErasedKeyAmalgamation<'_, PublicParts>) -> Result<(), Findings> {
    let alive = valid.valid_cert().alive().and_then(|()| valid.alive());
    alive.map_err(|_| {
        invalid(Code::SignerExpired, "the signer's key had expired, or was not valid yet, when it signed")
    })
}

/// A signature that names its readers is worth nothing to anybody else: it may have been carried over from a
/// message to them (RFC 9580 section 5.2.3.36).
fn check_recipients(signature: &Signature, context: &OpenContext<'_>) -> Findings {
    let mut intended = signature.intended_recipients().peekable();
    if intended.peek().is_none()
        || context.readers.is_empty()
        || intended.any(|i| context.readers.contains(i))
    {
        return (VerdictKind::Good, Code::SignatureValid, "the signature is valid".into());
    }
    let reason =
        "the signature is valid, but was made for other recipients; this may be a message that was passed on";
    (VerdictKind::SenderMismatch, Code::NotIntendedRecipient, reason.into())
}

fn invalid(code: Code, reason: &str) -> Findings {
    (VerdictKind::InvalidSigner, code, reason.into())
}

fn plain(verdict: VerdictKind, code: Code, reason: String) -> Verdict {
    Verdict { verdict, code, reason, signer: None, covered: None }
}
