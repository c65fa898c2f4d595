// SPDX-License-Identifier: LGPL-2.0-or-later
//! Structure and verdicts of a mail, without its text.

use serde::Serialize;

use super::{
    Finding, LayerSummary, MailOpenError, OpenOptions, OpenedMail,
    layers::handles,
    open,
    structure::{Layer, errant_layers, layer_at},
};
use crate::{
    message::{OpenContext, SealedMessage, UnwrapError},
    mime::{self, Document},
    verdict::Verdict,
};

/// What a mail is made of. Holds no plaintext, subject or name of an attachment.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(tsify::Tsify))]
pub struct Inspection {
    /// One per part that a person would see, as far as the mail was opened. A bad signature is one verdict.
    pub verdicts: Vec<Verdict>,
    /// Cryptographic layers of the envelope, outermost first.
    pub layers: Vec<LayerSummary>,
    /// How the payload protects the header: `clear` and `cipher` after RFC 9788, `legacy`, or not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_protection: Option<&'static str>,
    /// The mail as it came.
    pub structure: Structure,
    /// What was inside the encryption, when it was opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Structure>,
    /// Repairs, errant layers, contradictions.
    pub findings: Vec<Finding>,
}

/// The parts of one document in document order.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(tsify::Tsify))]
pub struct Structure {
    /// Every entity.
    pub parts: Vec<PartSummary>,
}

/// One entity.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(tsify::Tsify))]
pub struct PartSummary {
    /// `1` is the mail itself, `1.1` its first child.
    pub path: String,
    /// `type/subtype`.
    pub media_type: String,
    /// First byte of the entity in its document.
    pub offset: u64,
    /// Bytes, header included.
    pub length: u64,
    /// `encrypted`, `signed`, `inline-encrypted`, `inline-signed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<&'static str>,
}

/// Looks at a mail without opening what is encrypted. Clear signatures are judged.
pub fn inspect(mail: &[u8], context: &OpenContext<'_>) -> Result<Inspection, MailOpenError> {
    let mut recipients: Vec<Vec<Option<String>>> = Vec::new();
    let mut look_only = |sealed: &SealedMessage<'_>| {
        recipients.push(handles(sealed));
        Err(UnwrapError::NoMatchingKey { wanted: Vec::new() })
    };
    let opened = open(mail, &mut look_only, context, &OpenOptions::default());
    match opened {
        Ok(opened) => Ok(opened.inspect()),
        Err(MailOpenError::Unwrap(_)) => Ok(closed(&mime::parse(mail)?, Vec::new(), &recipients)),
        Err(MailOpenError::BadSignature(verdict)) => {
            Ok(closed(&mime::parse(mail)?, vec![*verdict], &recipients))
        }
        Err(error) => Err(error),
    }
}

impl OpenedMail {
    /// Structure, findings and verdicts of a mail that was opened.
    pub fn inspect(&self) -> Inspection {
        let inner = !std::sync::Arc::ptr_eq(&self.outer, &self.document);
        Inspection {
            verdicts: self.verdicts().into_iter().cloned().collect(),
            layers: self.layers.clone(),
            header_protection: self.scheme.name(),
            structure: structure(&self.outer),
            payload: inner.then(|| structure(&self.document)),
            findings: self.findings.clone(),
        }
    }
}

/// What can be said about a mail that stays closed.
fn closed(mail: &Document<'_>, verdicts: Vec<Verdict>, recipients: &[Vec<Option<String>>]) -> Inspection {
    let mut findings = Vec::new();
    let mut layers = Vec::new();
    let mut at = 0;
    let mut recipients = recipients.iter();
    loop {
        let (layer, repairs) = layer_at(mail, at);
        findings.extend(repairs);
        let Some(layer) = layer else { break };
        let encrypted = matches!(layer, Layer::Encrypted(_) | Layer::InlineEncrypted);
        let recipients = if encrypted { recipients.next().cloned().unwrap_or_default() } else { Vec::new() };
        layers.push(LayerSummary { path: mail.entity(at).path.clone(), kind: layer.name(), recipients });
        match layer {
            Layer::Signed { content, .. } => at = content,
            _ => break,
        }
    }
    Inspection {
        verdicts,
        layers,
        header_protection: None,
        structure: structure(mail),
        payload: None,
        findings,
    }
}

fn structure(document: &Document<'_>) -> Structure {
    let errant = errant_layers(document, 0);
    let part = |(id, entity): (usize, &mime::Entity)| PartSummary {
        path: entity.path.clone(),
        media_type: entity.media_type.to_string(),
        offset: entity.range.start as u64,
        length: entity.range.len() as u64,
        layer: layer_at(document, id)
            .0
            .map(Layer::name)
            .or_else(|| errant.iter().find(|(other, _)| *other == id).map(|(_, kind)| *kind)),
    };
    Structure { parts: document.entities().iter().enumerate().map(part).collect() }
}
