// SPDX-License-Identifier: LGPL-2.0-or-later
//! Answers and forwards that keep what was confidential confidential.
//!
//! Addresses and threading come from the protected header. One part is quoted, the one that was read, as the safe
//! view shows it: a mail that hides a stranger's ciphertext in another part gets nothing back. What came encrypted
//! yields a [`ConfidentialDraft`], which has no way out but [`ConfidentialDraft::seal`].

use std::{collections::HashSet, sync::Arc};

use super::{
    Addresses, Confidential, Field, HeaderPolicy, MailSealError, OpenedMail, Part, Protection, Seal,
    SealedMail,
    wire::{OutField, render_mailbox},
};
use crate::mime::{Mailbox, mailboxes, transfer, words};

/// What the person who answers has written.
pub struct Answer<'a> {
    /// Who answers.
    pub from: Mailbox,
    /// Their text; LF or CRLF.
    pub text: &'a str,
    /// The one part that is quoted.
    pub quote: Option<&'a Part>,
}

/// A mail that is ready for sealing, or for sending in the clear where the original came so.
pub enum Draft {
    /// The original was encrypted.
    Confidential(ConfidentialDraft),
    /// Everybody on the way has read the original anyway.
    Plain(PlainDraft),
}

/// A draft that holds decrypted content.
pub struct ConfidentialDraft {
    mail: Vec<u8>,
    confidential: Confidential,
}

/// A draft that holds nothing confidential.
pub struct PlainDraft {
    mail: Vec<u8>,
}

/// Why there is no draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// The part that should be quoted or attached belongs to another mail.
    #[error("only parts of the mail that is answered can be quoted")]
    ForeignPart,
    /// The original says neither From nor Reply-To.
    #[error("the mail does not say whom to answer")]
    NobodyToAnswer,
}

/// Whom an answer goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Reply-To, or else the author.
    Author,
    /// And everybody in To and Cc.
    All,
}

/// Answers a mail.
pub fn reply(original: &OpenedMail, to: To, answer: &Answer<'_>) -> Result<Draft, ReplyError> {
    belongs(original, answer.quote)?;
    // Outside of an encrypted mail, Reply-To is whoever carried it asking for the answer.
    let believed =
        !original.was_encrypted() || original.fields.iter().any(|field| field.is("Reply-To") && field.inside);
    let asked = if believed { original.mailboxes("Reply-To") } else { Vec::new() };
    let first = if asked.is_empty() { original.mailboxes("From") } else { asked };
    if first.is_empty() {
        return Err(ReplyError::NobodyToAnswer);
    }
    let mut seen = HashSet::from([answer.from.comparable()]);
    let mut fresh = |mailbox: &Mailbox| seen.insert(mailbox.comparable());
    let mut others = Vec::new();
    let main: Vec<Mailbox> = first.iter().filter(|mailbox| fresh(mailbox)).cloned().collect();
    if to == To::All {
        let everybody = original.mailboxes("To").into_iter().chain(original.mailboxes("Cc"));
        others.extend(everybody.filter(|mailbox| fresh(mailbox)));
    }
    // Answering one's own mail goes to oneself.
    let main = if main.is_empty() && others.is_empty() { first } else { main };

    let mut fields = vec![address_field("From", std::slice::from_ref(&answer.from))];
    fields.extend(
        [("To", main), ("Cc", others)]
            .iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(name, list)| address_field(name, list)),
    );
    fields.push(subject(original, "Re: "));
    fields.extend(threading(original));
    let mut text = line_ends(answer.text);
    if let Some(part) = answer.quote {
        let author = original.value("From").unwrap_or_default();
        let date = original.value("Date").unwrap_or_default();
        text.push_str(&format!("\r\n\r\nOn {date}, {author} wrote:\r\n"));
        text.push_str(&quoted(part));
    }
    Ok(draft(original, fields, &text, &[]))
}

/// Forwards one part of a mail, and attachments of it, to somebody else.
pub fn forward(
    original: &OpenedMail,
    to: &[Mailbox],
    answer: &Answer<'_>,
    attachments: &[&Part],
) -> Result<Draft, ReplyError> {
    belongs(original, answer.quote)?;
    attachments.iter().try_for_each(|part| belongs(original, Some(part)))?;
    let fields = vec![
        address_field("From", std::slice::from_ref(&answer.from)),
        address_field("To", to),
        subject(original, "Fwd: "),
    ];
    let mut text = line_ends(answer.text);
    if let Some(part) = answer.quote {
        text.push_str("\r\n\r\n-------- Forwarded message --------\r\n");
        for name in ["From", "Date", "Subject", "To", "Cc"] {
            if let Some(value) = original.value(name) {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        text.push_str("\r\n");
        text.push_str(&line_ends(&part.text().map(|(text, _)| text).unwrap_or_default()));
    }
    Ok(draft(original, fields, &text, attachments))
}

impl ConfidentialDraft {
    /// Whom certificates are needed for.
    pub fn addresses(&self) -> Addresses {
        // We wrote it, within the bounds.
        super::addresses(&self.mail).unwrap_or_default()
    }

    /// Seals the draft. What the original kept confidential stays so, whatever `seal` says about headers: baseline
    /// is raised to the policy of a reply, and no confidentiality is not to be had.
    pub fn seal(self, seal: Seal<'_>) -> Result<SealedMail, MailSealError> {
        let headers = match seal.headers {
            HeaderPolicy::Shy if self.confidential.is_empty() => HeaderPolicy::Shy,
            _ => HeaderPolicy::Reply(self.confidential),
        };
        Seal { headers, ..seal }.seal(&self.mail)
    }
}

impl PlainDraft {
    /// Whom certificates are needed for, should it be sealed.
    pub fn addresses(&self) -> Addresses {
        super::addresses(&self.mail).unwrap_or_default()
    }

    /// The draft as RFC 5322 message.
    pub fn into_mail(self) -> Vec<u8> {
        self.mail
    }
}

impl OpenedMail {
    /// What a reply must not give away.
    fn confidential(&self) -> Confidential {
        let hidden = |field: &&Field| {
            matches!(field.protection, Protection::SignedAndEncrypted | Protection::EncryptedOnly)
        };
        let outside = Addresses::of(&self.outer, self.outer_id);
        let open: Vec<String> = [&outside.from, &outside.reply_to, &outside.to, &outside.cc]
            .into_iter()
            .flatten()
            .map(Mailbox::comparable)
            .collect();
        let mut confidential = Confidential::default();
        for field in self.fields.iter().filter(hidden) {
            let name = field.name.to_ascii_lowercase();
            if matches!(name.as_str(), "from" | "reply-to" | "to" | "cc") {
                let list: Vec<String> = mailboxes(&field.raw).iter().map(Mailbox::comparable).collect();
                let (known, unknown): (Vec<_>, Vec<_>) = list.into_iter().partition(|one| open.contains(one));
                // The same people, and still hidden outside: it was their names that were left out.
                confidential.names |= unknown.is_empty() && !known.is_empty();
                confidential.addresses.extend(unknown);
            }
            if matches!(name.as_str(), "message-id" | "in-reply-to" | "references") {
                confidential.message_ids.extend(field.value.split_whitespace().map(str::to_owned));
            }
            confidential.fields.push(name);
        }
        confidential
    }

    fn value(&self, name: &str) -> Option<String> {
        self.fields.iter().find(|field| field.is(name)).map(|field| field.value.clone())
    }

    /// Whom a field names. Where the author is inside, so is everybody whom the author wanted to have answers: what
    /// stands outside only (the older scheme allows that) was perhaps put there to get one.
    fn mailboxes(&self, name: &str) -> Vec<Mailbox> {
        let author_inside = self.fields.iter().any(|field| field.is("From") && field.inside);
        let fields = self.fields.iter().filter(|field| field.is(name) && (field.inside || !author_inside));
        fields.flat_map(|field| mailboxes(&crate::mime::unfold(&field.raw))).collect()
    }
}

fn belongs(original: &OpenedMail, part: Option<&Part>) -> Result<(), ReplyError> {
    match part {
        Some(part) if !Arc::ptr_eq(&part.document, &original.document) => Err(ReplyError::ForeignPart),
        _ => Ok(()),
    }
}

fn address_field(name: &str, list: &[Mailbox]) -> OutField {
    let rendered: Vec<String> = list.iter().map(render_mailbox).collect();
    OutField::new(name, &rendered.join(", "))
}

fn subject(original: &OpenedMail, prefix: &str) -> OutField {
    let old = original.subject().unwrap_or_default();
    let has_prefix =
        old.get(..prefix.trim_end().len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.trim_end()));
    let new = if has_prefix { old.to_owned() } else { format!("{prefix}{old}") };
    OutField::new("Subject", &words::encode(new.trim_end()))
}

fn threading(original: &OpenedMail) -> Vec<OutField> {
    let Some(id) = original.value("Message-ID").filter(|id| !id.trim().is_empty()) else { return Vec::new() };
    let older = original.value("References").or_else(|| original.value("In-Reply-To")).unwrap_or_default();
    let references = format!("{older} {id}");
    vec![
        OutField::new("In-Reply-To", &words::encode(id.trim())),
        OutField::new("References", &words::encode(references.trim())),
    ]
}

fn quoted(part: &Part) -> String {
    let text = part.text().map(|(text, _)| text).unwrap_or_default();
    text.lines()
        .map(|line| if line.starts_with('>') { format!(">{line}\r\n") } else { format!("> {line}\r\n") })
        .collect()
}

fn line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

fn draft(original: &OpenedMail, fields: Vec<OutField>, text: &str, attachments: &[&Part]) -> Draft {
    let mut mail = Vec::new();
    fields.iter().for_each(|field| field.write(&mut mail));
    OutField::new("MIME-Version", "1.0").write(&mut mail);
    let body = format!(
        "Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}\r\n",
        text.trim_end()
    );
    if attachments.is_empty() {
        mail.extend_from_slice(body.as_bytes());
    } else {
        with_attachments(&mut mail, &body, attachments);
    }
    if original.was_encrypted() {
        Draft::Confidential(ConfidentialDraft { mail, confidential: original.confidential() })
    } else {
        Draft::Plain(PlainDraft { mail })
    }
}

fn with_attachments(mail: &mut Vec<u8>, body: &str, attachments: &[&Part]) {
    let boundary = super::wire::random_token();
    mail.extend_from_slice(
        format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n").as_bytes(),
    );
    mail.extend_from_slice(format!("--{boundary}\r\n{body}").as_bytes());
    for part in attachments {
        let name = words::encode(&part.file_name().unwrap_or_else(|| "attachment".to_owned()));
        // message/* must not be encoded (RFC 2046 section 5.2.1), so a forwarded mail travels as a file.
        let media_type = part.media_type();
        let media_type =
            if media_type.starts_with("message/") { "application/octet-stream" } else { media_type.as_str() };
        let header = format!(
            "\r\n--{boundary}\r\nContent-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment;\r\n filename=\"{name}\"\r\n\r\n"
        );
        mail.extend_from_slice(header.as_bytes());
        mail.extend(transfer::encode_base64(&part.content().0));
    }
    mail.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
}
