// SPDX-License-Identifier: LGPL-2.0-or-later
//! Verify signed, unencrypted bytes.

use std::io;

use sequoia_openpgp::{packet::Signature, parse::Parse};

use super::{
    Limits, OpenContext, OpenError, Opened, Quarantine, cleartext,
    content::{self, Content, LARGEST_SIGNATURE, MOST_SIGNATURES, Signed},
    framing::{Body, Header, tag},
    hashing::{DocumentHash, document_mode},
    input::{Input, Kind, source_failure},
    judge,
};
use crate::verdict::{Covered, SignatureVerdict, Verdict};

const BUFFER_SIZE: usize = 1 << 18;

/// One signature's verdict beside what SOP wants to know about it.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The best of them decides.
    pub verdict: Verdict,
    /// Every signature by itself, in order.
    pub signatures: Vec<SignatureVerdict>,
}

/// Judges detached signatures (armored or binary) over everything `data` yields.
pub fn detached(
    signatures: &[u8],
    data: &mut (dyn io::Read + Send + Sync),
    context: &OpenContext<'_>,
) -> Result<Verified, VerifyError> {
    let mut signed: Vec<Signed> = signature_packets(signatures)?
        .into_iter()
        .map(|signature| {
            let salt = content::salt(&signature).unwrap_or_default();
            let text = document_mode(signature.typ());
            let hash = text
                .and_then(|text| DocumentHash::new(signature.hash_algo(), signature.version(), salt, text));
            Signed { signature: Some(signature), hash }
        })
        .collect();
    let mut sha256 = context.hash_content.then(content::sha256_context);
    let mut length = 0;
    let mut buffer = vec![0; BUFFER_SIZE];
    loop {
        let n = match data.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(VerifyError::Input(e)),
        };
        signed.iter_mut().filter_map(|s| s.hash.as_mut()).for_each(|hash| hash.update(&buffer[..n]));
        if let Some(hash) = &mut sha256 {
            hash.update(&buffer[..n]);
        }
        length += n as u64;
    }
    let covered =
        sha256.map(|hash| Covered::whole(length, &hash.into_digest().expect("a hash that was just fed")));
    let signatures = judge::judge_all(&signed, context);
    Ok(Verified { verdict: judge::overall(&signatures, covered), signatures })
}

/// Opens an inline-signed or cleartext-signed message; the content waits in `quarantine` for its verdict.
pub fn inline<Q: Quarantine>(
    message: &mut (dyn io::Read + Send + Sync),
    context: &OpenContext<'_>,
    mut quarantine: Q,
) -> Result<Opened<Q>, VerifyError> {
    let content = read(message, &context.limits, context.hash_content, &mut quarantine)?;
    Ok(Opened::judge(content, context, quarantine))
}

/// Takes an inline-signed or cleartext-signed message apart without judging it: what was signed goes to `content`
/// (of cleartext that is all but the last line ending, which belongs to the framework),
/// its detached signatures (binary) are returned.
pub fn split_inline(
    message: &mut (dyn io::Read + Send + Sync),
    limits: &Limits,
    content: &mut dyn io::Write,
) -> Result<Vec<u8>, VerifyError> {
    let signed = match Kind::of(message).map_err(failed)? {
        Kind::Cleartext(raw) => {
            let mut text = Vec::new();
            let signed = cleartext::read(raw, false, &mut text)?;
            content.write_all(cleartext::without_last_ending(&text)).map_err(VerifyError::Output)?;
            signed
        }
        kind => read_kind(kind, limits, false, content)?,
    };
    signed.detached_signatures().map_err(VerifyError::Output)
}

fn read(
    message: &mut (dyn io::Read + Send + Sync),
    limits: &Limits,
    hash_content: bool,
    writer: &mut dyn io::Write,
) -> Result<Content, VerifyError> {
    read_kind(Kind::of(message).map_err(failed)?, limits, hash_content, writer)
}

fn read_kind(
    kind: Kind<'_>,
    limits: &Limits,
    hash_content: bool,
    writer: &mut dyn io::Write,
) -> Result<Content, VerifyError> {
    let mut input = match kind {
        Kind::Packets(input) => *input,
        Kind::Cleartext(raw) => return cleartext::read(raw, hash_content, writer),
        Kind::Other => return Err(VerifyError::NotSigned),
    };
    let content = content::read(&mut input, limits, hash_content, writer).map_err(|e| match e {
        OpenError::Nested => VerifyError::NotSigned,
        OpenError::Unreadable => VerifyError::Malformed("its packets are not those of one signed message"),
        OpenError::Input(e) => VerifyError::Input(e),
        OpenError::Output(e) => VerifyError::Output(e),
        other => VerifyError::Open(other),
    })?;
    if !input.at_end().map_err(failed)? {
        return Err(VerifyError::Malformed("something follows the armor"));
    }
    Ok(content)
}

/// Signature packets and nothing else, armored or not. Versions that are not known here are skipped.
pub(super) fn signature_packets(bytes: impl io::Read + Send + Sync) -> Result<Vec<Signature>, VerifyError> {
    let mut input = Input::open(bytes).map_err(failed)?.ok_or(VerifyError::NotSigned)?;
    let mut signatures = Vec::new();
    let mut found = 0;
    while let Some(header) = Header::read(&mut input).map_err(failed)? {
        let mut body = Body::new(&mut input, header.length);
        match header.tag {
            tag::SIGNATURE => {
                found += 1;
                let bytes = body.read_rest(LARGEST_SIGNATURE).map_err(failed)?;
                signatures.extend(Signature::from_bytes(&bytes));
            }
            tag::MARKER | tag::PADDING => body.skip_rest().map_err(failed)?,
            other if other >= tag::FIRST_NON_CRITICAL => body.skip_rest().map_err(failed)?,
            _ => return Err(VerifyError::NotSigned),
        }
        if found > MOST_SIGNATURES {
            return Err(VerifyError::Malformed("more signatures than anybody makes"));
        }
    }
    if found == 0 {
        return Err(VerifyError::NotSigned);
    }
    if !input.at_end().map_err(failed)? {
        return Err(VerifyError::Malformed("something follows the signature"));
    }
    Ok(signatures)
}

fn failed(error: io::Error) -> VerifyError {
    source_failure(error).map_or(VerifyError::NotSigned, VerifyError::Input)
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not a signature, or not a signed message.
    #[error("this is not an OpenPGP signature or signed message")]
    NotSigned,
    /// Looks like a signed message, but is damaged, or has bytes where no honest program puts any.
    #[error("the signed message is damaged: {0}")]
    Malformed(&'static str),
    /// The signature is wrong; nothing was released.
    #[error("the signature is wrong: these are not the bytes that were signed")]
    BadSignature(Box<Verdict>),
    /// The message cannot be handled, for the same reasons as a sealed one.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The place for the content failed.
    #[error("cannot write the result")]
    Output(#[source] io::Error),
    /// The source failed.
    #[error("cannot read the input")]
    Input(#[source] io::Error),
}
