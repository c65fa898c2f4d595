// SPDX-License-Identifier: LGPL-2.0-or-later
//! Takes cryptographic layers off, one after the other, until the payload is reached.

use std::{io, sync::Arc};

use super::{
    Finding, FindingCode, LayerSummary, MailOpenError, YieldSessionKey,
    part::sha256_hex,
    structure::{Layer, inline_block, layer_at},
    wire::crlf,
};
use crate::{
    message::{OpenContext, OpenError, Quarantine, SealedMessage, VerifyError, verify},
    mime::{self, Document, EntityId},
    verdict::{Code, Covered, Verdict, VerdictKind},
};

/// Honest mail has two: encryption, and a signature inside.
const MOST_LAYERS: usize = 8;

/// Where the walk stands, and what it saw on the way.
pub(super) struct Walk {
    pub(super) document: Arc<Document<'static>>,
    pub(super) payload: EntityId,
    pub(super) findings: Vec<Finding>,
    pub(super) encrypted: bool,
    /// The best signature inside the innermost encryption.
    pub(super) signature: Option<Verdict>,
    /// For inline OpenPGP: the text that the block held, which has no bytes of its own in the mail.
    pub(super) inline: Option<Covered>,
    pub(super) layers: Vec<LayerSummary>,
    /// The payload was wrapped as message/rfc822 after RFC 8551.
    pub(super) wrapped: bool,
    /// The layers are a mail's envelope, so the payload may speak for its header.
    pub(super) own_mail: bool,
}

impl Walk {
    pub(super) fn new(document: Arc<Document<'static>>) -> Self {
        Self {
            document,
            payload: 0,
            findings: Vec::new(),
            encrypted: false,
            signature: None,
            inline: None,
            layers: Vec::new(),
            wrapped: false,
            own_mail: true,
        }
    }

    /// From the payload inwards until there is no layer left.
    pub(super) fn run(
        &mut self,
        yield_session_key: &mut YieldSessionKey<'_>,
        context: &OpenContext<'_>,
    ) -> Result<(), MailOpenError> {
        loop {
            let (layer, repairs) = layer_at(&self.document, self.payload);
            self.findings.extend(repairs);
            let Some(layer) = layer else { break };
            let block = match layer {
                Layer::Encrypted(message) => self.document.decoded_body(message),
                _ => self.document.decoded_body(self.payload),
            };
            self.take_off(layer, &block, yield_session_key, context)?;
        }
        let media_type = &self.document.entity(self.payload).media_type;
        if media_type.is("multipart", "encrypted") {
            return Err(MailOpenError::Damaged);
        }
        let wraps = media_type.is("message", "rfc822") && media_type.parameter_is("forwarded", "no");
        if wraps
            && !self.layers.is_empty()
            && let Some(&mail) = self.document.entity(self.payload).children.first()
        {
            self.payload = mail;
            self.wrapped = true;
        }
        Ok(())
    }

    /// One errant layer as a document of its own. What was seen around it says nothing about it.
    pub(super) fn run_errant(
        &mut self,
        id: EntityId,
        own_mail: bool,
        yield_session_key: &mut YieldSessionKey<'_>,
        context: &OpenContext<'_>,
    ) -> Result<(), MailOpenError> {
        *self = Self { payload: id, own_mail, ..Self::new(Arc::clone(&self.document)) };
        if layer_at(&self.document, id).0.is_none() {
            // A block with text around it: the block alone.
            let body = self.document.decoded_body(id);
            let (layer, range) = inline_block(&body).ok_or(MailOpenError::NoSuchPart)?;
            self.take_off(layer, &body[range], yield_session_key, context)?;
        }
        self.run(yield_session_key, context)
    }

    fn take_off(
        &mut self,
        layer: Layer,
        block: &[u8],
        yield_session_key: &mut YieldSessionKey<'_>,
        context: &OpenContext<'_>,
    ) -> Result<(), MailOpenError> {
        if self.layers.len() == MOST_LAYERS {
            return Err(MailOpenError::TooManyLayers);
        }
        let path = self.document.entity(self.payload).path.clone();
        let mut summary = LayerSummary { path: path.clone(), kind: layer.name(), recipients: Vec::new() };
        match layer {
            Layer::Encrypted(_) | Layer::InlineEncrypted => {
                let unsealed = unseal(block, yield_session_key, context)?;
                summary.recipients = unsealed.recipients;
                self.cross_encryption();
                self.signature =
                    (unsealed.verdict.verdict != VerdictKind::Unsigned).then_some(unsealed.verdict);
                match layer {
                    Layer::InlineEncrypted => self.enter_text(&path, unsealed.content)?,
                    _ => self.enter(unsealed.content)?,
                }
            }
            Layer::Signed { content, signature } => {
                let verdict = self.verify(content, signature, context)?;
                self.note_signature(verdict);
                self.payload = content;
            }
            Layer::InlineSigned => {
                let (text, verdict) = verify_inline(block, context)?;
                self.note_signature(verdict);
                self.enter_text(&path, text)?;
            }
        }
        self.layers.push(summary);
        Ok(())
    }

    /// Signatures seen so far were made around ciphertext: whoever made them need not have known what is in it.
    fn cross_encryption(&mut self) {
        self.encrypted = true;
        if self.signature.take().is_some() {
            let text =
                "a signature around the encryption was ignored: it does not say who wrote what is inside";
            self.findings.push(Finding::new(FindingCode::SignatureOutsideEncryption, text));
        }
    }

    /// Of several signatures over the same payload the best one counts.
    fn note_signature(&mut self, verdict: Verdict) {
        let rank = |verdict: &Verdict| match verdict.verdict {
            VerdictKind::Good => 0,
            VerdictKind::SenderMismatch => 1,
            VerdictKind::UnknownSigner => 2,
            VerdictKind::InvalidSigner => 3,
            VerdictKind::Unsigned | VerdictKind::Bad => 4,
        };
        if self.signature.as_ref().is_none_or(|known| rank(&verdict) < rank(known)) {
            self.signature = Some(verdict);
        }
    }

    fn enter(&mut self, content: Vec<u8>) -> Result<(), MailOpenError> {
        self.document = Arc::new(mime::parse(content)?);
        self.payload = 0;
        self.inline = None;
        Ok(())
    }

    /// The text of an inline block as a document. It inherits nothing from the part that it stood in.
    fn enter_text(&mut self, path: &str, text: Vec<u8>) -> Result<(), MailOpenError> {
        let covered = Covered {
            path: path.to_owned(),
            offset: 0,
            length: text.len() as u64,
            sha256: sha256_hex(&text),
        };
        // The character set around it is not signed, and with another one other words would show. OpenPGP text is
        // UTF-8; what is not can only be Latin text of an older program.
        let charset = if std::str::from_utf8(&text).is_ok() { "utf-8" } else { "windows-1252" };
        let mut document =
            format!("Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n")
                .into_bytes();
        document.extend(text);
        self.enter(document)?;
        self.inline = Some(covered);
        Ok(())
    }

    fn verify(
        &self,
        content: EntityId,
        signature: EntityId,
        context: &OpenContext<'_>,
    ) -> Result<Verdict, MailOpenError> {
        let signature = self.document.decoded_body(signature);
        let bytes = &self.document.bytes()[self.document.entity(content).range.clone()];
        // What was signed had CRLF line ends (RFC 3156 section 5); a Unix mailbox stores LF.
        let canonical = crlf(bytes);
        let verdict = detached(&signature, &canonical, context)?;
        if verdict.verdict != VerdictKind::Bad || canonical == bytes {
            return released(verdict);
        }
        released(detached(&signature, bytes, context)?)
    }
}

fn released(verdict: Verdict) -> Result<Verdict, MailOpenError> {
    if verdict.releases() { Ok(verdict) } else { Err(MailOpenError::BadSignature(Box::new(verdict))) }
}

fn detached(signature: &[u8], content: &[u8], context: &OpenContext<'_>) -> Result<Verdict, MailOpenError> {
    match verify::detached(signature, &mut &content[..], context) {
        Ok(verified) => Ok(verified.verdict),
        Err(VerifyError::Open(error)) => Err(error.into()),
        Err(VerifyError::BadSignature(verdict)) => Ok(*verdict),
        Err(_) => Ok(damaged_signature()),
    }
}

/// A signature that cannot be read is not better than a wrong one: either the mail or its signature was damaged.
fn damaged_signature() -> Verdict {
    Verdict {
        verdict: VerdictKind::Bad,
        code: Code::SignatureWrong,
        reason: "the signature is damaged and cannot be checked".to_owned(),
        signer: None,
        covered: None,
    }
}

struct Unsealed {
    content: Vec<u8>,
    verdict: Verdict,
    recipients: Vec<Option<String>>,
}

fn unseal(
    block: &[u8],
    yield_session_key: &mut YieldSessionKey<'_>,
    context: &OpenContext<'_>,
) -> Result<Unsealed, MailOpenError> {
    let sealed = SealedMessage::parse(block).map_err(|error| match error {
        OpenError::NotSealed => MailOpenError::Damaged,
        error => error.into(),
    })?;
    let recipients = handles(&sealed);
    let session_key = yield_session_key(&sealed)?;
    let opened = sealed.open(&session_key, context, Memory::default()).map_err(bad_first)?;
    let (content, verdict) = opened.release().map_err(bad_first)?;
    Ok(Unsealed { content, verdict, recipients })
}

pub(super) fn handles(sealed: &SealedMessage<'_>) -> Vec<Option<String>> {
    sealed.recipients().into_iter().map(|handle| handle.map(|handle| handle.to_hex())).collect()
}

fn bad_first(error: OpenError) -> MailOpenError {
    match error {
        OpenError::BadSignature(verdict) => MailOpenError::BadSignature(verdict),
        error => error.into(),
    }
}

fn verify_inline(block: &[u8], context: &OpenContext<'_>) -> Result<(Vec<u8>, Verdict), MailOpenError> {
    let opened = match verify::inline(&mut &block[..], context, Memory::default()) {
        Ok(opened) => opened,
        Err(VerifyError::Open(error)) => return Err(bad_first(error)),
        Err(VerifyError::BadSignature(verdict)) => return Err(MailOpenError::BadSignature(verdict)),
        Err(_) => return Err(MailOpenError::BadSignature(Box::new(damaged_signature()))),
    };
    opened.release().map_err(bad_first)
}

/// Plaintext of a mail waits in memory: it is parsed as a whole anyway.
#[derive(Default)]
struct Memory(Vec<u8>);

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Quarantine for Memory {
    type Released = Vec<u8>;

    fn release(self) -> io::Result<Vec<u8>> {
        Ok(self.0)
    }
}
