// SPDX-License-Identifier: LGPL-2.0-or-later
//! Open a mail: layers off, verdicts on.

use std::sync::Arc;

use super::{
    Addresses, Field, Finding, FindingCode, KeyCandidate, KeyNews, Part, autocrypt,
    fields::{self, HeaderContext, Scheme},
    layers::Walk,
    part, sender,
    structure::{self, errant_layers},
};
use crate::{
    message::{OpenContext, OpenError, SealedMessage, UnwrapError},
    mime::{self, Document, EntityId, MimeError},
    session_key::SessionKey,
    verdict::{Code, Verdict, VerdictKind},
};

/// Finds the session key of one sealed message: a keyring, a password, a keystore.
pub type YieldSessionKey<'a> = dyn FnMut(&SealedMessage<'_>) -> Result<SessionKey, UnwrapError> + 'a;

/// What a reader may ask for beside the plain opening of a mail.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// MIME path of one errant layer, which is opened instead of the mail, as a document of its own.
    pub errant: Option<String>,
}

/// A mail as its reader may see it. A bad signature or failed integrity never becomes one of these.
pub struct OpenedMail {
    pub(super) outer: Arc<Document<'static>>,
    pub(super) outer_id: EntityId,
    pub(super) document: Arc<Document<'static>>,
    pub(super) payload: EntityId,
    pub(super) scheme: Scheme,
    pub(super) encrypted: bool,
    pub(super) layers: Vec<LayerSummary>,
    pub(super) verdict: Verdict,
    pub(super) parts: Vec<Part>,
    pub(super) fields: Vec<Field>,
    pub(super) findings: Vec<Finding>,
    pub(super) key_news: Option<KeyNews>,
}

/// One cryptographic layer that was taken off, outermost first.
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(feature = "typescript", derive(tsify::Tsify))]
pub struct LayerSummary {
    /// MIME path of the layer in the document that it was found in.
    pub path: String,
    /// `encrypted`, `signed`, `inline-encrypted`, `inline-signed`.
    pub kind: &'static str,
    /// Key handles that the session key is wrapped to; `null` for a hidden recipient.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<Option<String>>,
}

/// Opens `mail`. Mail that is neither encrypted nor signed opens too: its parts are unsigned.
pub fn open(
    mail: &[u8],
    yield_session_key: &mut YieldSessionKey<'_>,
    context: &OpenContext<'_>,
    options: &OpenOptions,
) -> Result<OpenedMail, MailOpenError> {
    let outer = Arc::new(mime::parse(mail.to_vec())?);
    let mut walk = Walk::new(Arc::clone(&outer));
    walk.run(yield_session_key, context)?;
    let mut outer_id = 0;
    if let Some(path) = &options.errant {
        let errant = errant_layers(&walk.document, walk.payload);
        let id = errant.into_iter().map(|(id, _)| id).find(|&id| walk.document.entity(id).path == *path);
        let id = id.ok_or(MailOpenError::NoSuchPart)?;
        let holder = message_of(&walk.document, id);
        // A mail of its own has its own header; any other layer stands under that of the mail around it.
        if Arc::ptr_eq(&outer, &walk.document) {
            outer_id = holder;
        }
        walk.run_errant(id, holder == id, yield_session_key, context)?;
    }
    Ok(finish(outer, outer_id, walk, context))
}

/// The nearest mail around an entity: the document, or a forwarded mail in it.
fn message_of(document: &Document<'_>, id: EntityId) -> EntityId {
    let mut at = id;
    while let Some(parent) = document.entity(at).parent {
        if document.entity(parent).media_type.kind == "message" {
            return at;
        }
        at = parent;
    }
    at
}

fn finish(
    outer: Arc<Document<'static>>,
    outer_id: EntityId,
    walk: Walk,
    context: &OpenContext<'_>,
) -> OpenedMail {
    let Walk { document, payload, mut findings, encrypted, signature, inline, layers, wrapped, own_mail } =
        walk;
    note_structure(&outer, &document, &mut findings);
    fields::note_ambiguities(&outer, outer_id, &mut findings);
    if !Arc::ptr_eq(&outer, &document) || payload != outer_id {
        fields::note_ambiguities(&document, payload, &mut findings);
    }
    let scheme = match (layers.is_empty() || !own_mail, wrapped) {
        (true, _) => Scheme::None,
        (false, true) => Scheme::Legacy,
        (false, false) => fields::scheme(&document, payload, encrypted, &mut findings),
    };

    let outside = Addresses::of(&outer, outer_id);
    let inside = Addresses::of(&document, payload);
    // A field inside is the one that is shown, whether or not an address can be read from it.
    let protected = scheme != Scheme::None && document.field(payload, "From").is_some();
    let (shown, addresses) = match protected {
        true => (sender::ShownHeader::of(&document, payload, &inside), &inside),
        false => (sender::ShownHeader::of(&outer, outer_id, &outside), &outside),
    };
    let shown = sender::ShownHeader {
        signed: protected && signature.is_some(),
        by_list: outer.field(outer_id, "List-Id").is_some(),
        ..shown
    };
    let verdict = sender::judge_sender(signature.unwrap_or_else(unsigned), &shown, &mut findings);

    let header = HeaderContext {
        outer: &outer,
        outer_id,
        document: &document,
        payload,
        scheme,
        encrypted,
        signed: verdict.verdict == VerdictKind::Good,
    };
    let fields = fields::fields(&header, &mut findings);
    note_subject(encrypted, &fields, &mut findings);
    note_errant(&outer, &document, payload, &mut findings);
    if document.descendants(payload).any(|id| structure::is_smime(&document, id)) {
        let text = "S/MIME is not supported: signatures are not judged, encrypted parts stay closed";
        findings.push(Finding::new(FindingCode::SmimeNotSupported, text));
    }
    let parts = part::parts(&document, payload, &verdict, inline.as_ref(), &mut findings);
    let incoming = autocrypt::Incoming {
        outer: (&outer, outer_id),
        payload: (&document, payload),
        encrypted,
        fields: &fields,
        addresses,
        verdict: &verdict,
        now: context.now,
    };
    let key_news = incoming.news();
    OpenedMail {
        outer,
        outer_id,
        document,
        payload,
        scheme,
        encrypted,
        layers,
        verdict,
        parts,
        fields,
        findings,
        key_news,
    }
}

pub(super) fn unsigned() -> Verdict {
    Verdict {
        verdict: VerdictKind::Unsigned,
        code: Code::NoSignature,
        reason: "not signed: anybody could have written this".to_owned(),
        signer: None,
        covered: None,
    }
}

fn note_subject(encrypted: bool, fields: &[Field], findings: &mut Vec<Finding>) {
    if encrypted && fields.iter().any(|field| field.is("Subject") && !field.inside) {
        let text = "the subject was not encrypted: it was readable on the way and may have been changed";
        findings.push(Finding::new(FindingCode::SubjectUnprotected, text));
    }
}

fn note_errant(
    outer: &Document<'_>,
    document: &Document<'_>,
    payload: EntityId,
    findings: &mut Vec<Finding>,
) {
    let errant = errant_layers(document, payload);
    if !errant.is_empty() && outer.field(0, "List-Id").or_else(|| outer.field(0, "List-Post")).is_some() {
        let text =
            "a mailing list wrapped this mail, so its protection does not cover the whole of it any more";
        findings.push(Finding::new(FindingCode::MailingListWrapper, text));
    }
    for (id, kind) in errant {
        let text = format!(
            "{kind} content that is not the mail's own protection; opened only on request, by itself"
        );
        findings.push(Finding::at(FindingCode::ErrantLayer, &document.entity(id).path, text));
    }
}

fn note_structure(outer: &Document<'_>, document: &Document<'_>, findings: &mut Vec<Finding>) {
    let mut seen: Vec<&str> = Vec::new();
    for entity in outer.entities().iter().chain(document.entities()) {
        let odd = entity.ambiguous_boundary || entity.unclosed || entity.broken_header;
        if odd && !seen.contains(&entity.path.as_str()) {
            seen.push(&entity.path);
            let text = "boundaries or header are damaged or repeated; programs disagree on the parts";
            findings.push(Finding::at(FindingCode::AmbiguousStructure, &entity.path, text));
        }
    }
}

impl OpenedMail {
    /// Every part that a person would see, in document order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// One verdict per part, for `--json`.
    pub fn verdicts(&self) -> Vec<&Verdict> {
        self.parts.iter().map(Part::verdict).collect()
    }

    /// What may be said about the mail as a whole.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Was there an encryption layer around what is shown?
    pub fn was_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Cryptographic layers that were taken off, outermost first.
    pub fn layers(&self) -> &[LayerSummary] {
        &self.layers
    }

    /// Header fields as the sender meant them, each with its protection.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The subject; of an encrypted mail only when it was inside. Callers print `(no subject)` for `None`.
    pub fn subject(&self) -> Option<&str> {
        let subject = self.fields.iter().find(|field| field.is("Subject"))?;
        (subject.inside || !self.encrypted).then_some(subject.value.as_str())
    }

    /// What a reader should know beside the verdicts.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Certificates that came along. Candidates, never trusted by themselves.
    pub fn key_candidates(&self) -> &[KeyCandidate] {
        self.key_news.as_ref().map_or(&[], |news| &news.candidates)
    }

    /// What the mail says about keys; `None` when it must not be listened to.
    pub fn key_news(&self) -> Option<&KeyNews> {
        self.key_news.as_ref()
    }
}

/// Why a mail cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailOpenError {
    /// Structure beyond the bounds.
    #[error(transparent)]
    Mime(#[from] MimeError),
    /// An encrypted layer could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Nothing that we hold opens an encrypted layer.
    #[error(transparent)]
    Unwrap(#[from] UnwrapError),
    /// A signature is wrong; nothing of what it covers is shown.
    #[error("the signature is wrong: this is not the mail that was signed")]
    BadSignature(Box<Verdict>),
    /// Says that it is encrypted, but there is no message inside.
    #[error("this mail says that it is encrypted, but its encrypted part is missing or damaged")]
    Damaged,
    /// More cryptographic layers than any honest mail has.
    #[error("refused: too many layers of encryption and signatures")]
    TooManyLayers,
    /// There is no errant layer at the path that was asked for.
    #[error("there is no encrypted or signed part at this path")]
    NoSuchPart,
}
