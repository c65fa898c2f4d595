// SPDX-License-Identifier: LGPL-2.0-or-later
//! Sign a plain mail without encrypting it: `multipart/signed` (RFC 3156 section 5).

use std::time::SystemTime;

use super::{
    AutocryptOut, HeaderPolicy, MailSealError, autocrypt,
    edit::{Edit, apply},
    payload::{Draft, write_structure},
    wire::{LONGEST_LINE, OutField, crlf, random_token},
};
use crate::{
    crypto_policy::CryptoPolicy,
    message::{Signer, Signing},
    mime::{self, Document, EntityId, transfer},
};

/// How to sign a mail.
pub struct Sign<'a> {
    /// Whose signature.
    pub signer: Signer<'a>,
    /// What to tell recipients about keys.
    pub autocrypt: Option<AutocryptOut<'a>>,
    /// Judges the signer's keys.
    pub policy: &'a CryptoPolicy,
    /// Signature time, and Date of a mail that has none.
    pub now: SystemTime,
}

impl Sign<'_> {
    /// Signs `mail` as `multipart/signed` with its header fields inside (RFC 9788, `hp="clear"`).
    /// Parts are re-encoded where transport could change them. A Bcc field is dropped.
    pub fn sign(&self, mail: &[u8]) -> Result<Vec<u8>, MailSealError> {
        let draft = Draft::read(mail, self.now)?;
        // What is signed must survive transport, so inside and outside are the same ASCII.
        let mut fields = draft.outside(&HeaderPolicy::None);
        let safe = transport_safe(&draft.document)?;
        let mut payload = Vec::with_capacity(safe.bytes().len() + 4096);
        fields.iter().for_each(|field| field.write(&mut payload));
        write_structure(&safe, "hp=\"clear\"; protected-headers=\"v1\"", &mut payload);
        payload.extend_from_slice(safe.raw_body(0));

        let signing = Signing {
            signers: vec![self.signer],
            text: false,
            armor: true,
            policy: self.policy,
            now: self.now,
        };
        let mut signature = Vec::new();
        let micalg = signing.detached(&mut payload.as_slice(), &mut signature)?;
        fields.extend(
            self.autocrypt.and_then(|out| autocrypt::header(&out, &draft.author, self.policy, self.now)),
        );
        Ok(signed_mail(&fields, &payload, &micalg, &signature))
    }
}

fn signed_mail(fields: &[OutField], payload: &[u8], micalg: &str, signature: &[u8]) -> Vec<u8> {
    let boundary = random_token();
    let mut mail = Vec::with_capacity(payload.len() + 8192);
    fields.iter().for_each(|field| field.write(&mut mail));
    OutField::new("MIME-Version", "1.0").write(&mut mail);
    mail.extend_from_slice(
        format!(
            "Content-Type: multipart/signed; micalg=\"{micalg}\";\r\n protocol=\"application/pgp-signature\";\r\n \
             boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n"
        )
        .as_bytes(),
    );
    mail.extend_from_slice(payload);
    mail.extend_from_slice(
        format!(
            "\r\n--{boundary}\r\n\
             Content-Type: application/pgp-signature; name=\"signature.asc\"\r\n\
             Content-Description: OpenPGP digital signature\r\n\
             Content-Disposition: attachment; filename=\"signature.asc\"\r\n\
             \r\n"
        )
        .as_bytes(),
    );
    mail.extend(crlf(signature.trim_ascii()));
    mail.extend_from_slice(format!("\r\n\r\n--{boundary}--\r\n").as_bytes());
    mail
}

/// The same mail, its parts encoded so that no transport has a reason to touch them.
fn transport_safe(document: &Document<'_>) -> Result<Document<'static>, MailSealError> {
    let mut edits = Vec::new();
    for (id, entity) in document.entities().iter().enumerate() {
        if id > 0 {
            edits.extend(safe_header(document, id));
        }
        if entity.children.is_empty() {
            edits.extend(safe_body(document, id));
        } else {
            // What nobody is shown need not be kept at any price.
            for range in [&entity.preamble, &entity.epilogue] {
                if !is_safe(&document.bytes()[range.clone()]) {
                    edits.push(Edit { range: range.clone(), with: Vec::new() });
                }
            }
        }
    }
    Ok(mime::parse(apply(document.bytes(), document.root().range.clone(), &edits))?)
}

fn safe_header(document: &Document<'_>, id: EntityId) -> Vec<Edit> {
    let unsafe_fields = document.fields(id).filter(|field| !is_safe(field.bytes));
    let edits = unsafe_fields.map(|field| {
        let copy = OutField::copy(&field);
        // Parameters cannot hold encoded words by the book, but every reader decodes them, and raw bytes break.
        let safe = if field.is_structural() { encode_quoted_strings(&copy) } else { copy.for_transport() };
        let mut with = Vec::new();
        safe.write(&mut with);
        Edit { range: field.range, with }
    });
    edits.collect()
}

/// Non-ASCII parameter values as encoded words inside their quotes.
fn encode_quoted_strings(field: &OutField) -> OutField {
    let unfolded = field.unfolded();
    let text = mime::charset::decode(None, &unfolded);
    let pieces: Vec<String> = text
        .split('"')
        .map(|piece| if piece.is_ascii() { piece.to_owned() } else { mime::words::encode(piece) })
        .collect();
    OutField::new(&field.name, &pieces.join("\""))
}

fn safe_body(document: &Document<'_>, id: EntityId) -> Vec<Edit> {
    let entity = document.entity(id);
    let raw = document.raw_body(id);
    let broken_header = entity.header.end == entity.body.start && !raw.is_empty();
    if is_safe(raw) || entity.media_type.kind == "message" || broken_header {
        return Vec::new();
    }
    let decoded = document.decoded_body(id);
    let is_text = entity.media_type.kind == "text" && !decoded.contains(&0);
    let (name, body) = if is_text {
        ("quoted-printable", transfer::encode_quoted_printable(&crlf(&decoded)))
    } else {
        ("base64", transfer::encode_base64(&decoded))
    };
    let header_end = entity.header.end;
    let field =
        document.field(id, "Content-Transfer-Encoding").map_or(header_end..header_end, |field| field.range);
    let with = format!("Content-Transfer-Encoding: {name}\r\n").into_bytes();
    vec![Edit { range: field, with }, Edit { range: entity.body.clone(), with: body }]
}

/// 7-bit, short lines with CRLF, nothing that transports are known to change (RFC 3156 section 3).
fn is_safe(bytes: &[u8]) -> bool {
    bytes.is_ascii()
        && !bytes.contains(&0)
        && bytes.split(|&byte| byte == b'\n').all(|line| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            line.len() < LONGEST_LINE
                && !line.contains(&b'\r')
                && !line.ends_with(b" ")
                && !line.ends_with(b"\t")
                && !line.starts_with(b"From ")
        })
}
