// SPDX-License-Identifier: LGPL-2.0-or-later
//! A new mail, as it is before it is sealed.

use super::wire::{OutField, random_token, render_mailbox};
use crate::mime::{Mailbox, MediaType, harmless_file_name, transfer, words};

/// What a person has written, and to whom.
pub struct NewMail<'a> {
    /// The author.
    pub from: Mailbox,
    /// Main recipients.
    pub to: Vec<Mailbox>,
    /// Other recipients that everybody sees.
    pub cc: Vec<Mailbox>,
    /// Recipients that nobody else may see.
    pub bcc: Vec<Mailbox>,
    /// One line.
    pub subject: &'a str,
    /// LF or CRLF.
    pub text: &'a str,
    /// Files.
    pub attachments: Vec<Attachment<'a>>,
}

/// A file that goes along.
pub struct Attachment<'a> {
    /// Its name; directories and what could do harm are taken off.
    pub name: &'a str,
    /// `type/subtype`; what is none becomes `application/octet-stream`.
    pub media_type: &'a str,
    /// The file.
    pub content: &'a [u8],
}

impl NewMail<'_> {
    /// As RFC 5322 message with Bcc, for [`Seal`](super::Seal), which takes that off. Date and Message-ID are added there.
    pub fn to_plain_mail(&self) -> Vec<u8> {
        let mut mail = Vec::new();
        address_field("From", std::slice::from_ref(&self.from)).write(&mut mail);
        for (name, list) in [("To", &self.to), ("Cc", &self.cc), ("Bcc", &self.bcc)] {
            if !list.is_empty() {
                address_field(name, list).write(&mut mail);
            }
        }
        let subject = words::without_controls(self.subject);
        if !subject.trim().is_empty() {
            OutField::new("Subject", &words::encode(subject.trim())).write(&mut mail);
        }
        write_body(&mut mail, &line_ends(self.text), &self.attachments);
        mail
    }
}

pub(super) fn address_field(name: &str, list: &[Mailbox]) -> OutField {
    let rendered: Vec<String> = list.iter().map(render_mailbox).collect();
    OutField::new(name, &rendered.join(", "))
}

/// Lines end in CRLF.
pub(super) fn line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

/// Structural fields, the empty line, the text and what goes along.
pub(super) fn write_body(mail: &mut Vec<u8>, text: &str, attachments: &[Attachment<'_>]) {
    OutField::new("MIME-Version", "1.0").write(mail);
    let body = format!(
        "Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}\r\n",
        text.trim_end()
    );
    if attachments.is_empty() {
        return mail.extend_from_slice(body.as_bytes());
    }
    let boundary = random_token();
    mail.extend_from_slice(
        format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n").as_bytes(),
    );
    mail.extend_from_slice(format!("--{boundary}\r\n{body}").as_bytes());
    for attachment in attachments {
        let name = words::encode(&harmless_file_name(attachment.name));
        let header = format!(
            "\r\n--{boundary}\r\nContent-Type: {}\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment;\r\n filename=\"{name}\"\r\n\r\n",
            media_type(attachment.media_type)
        );
        mail.extend_from_slice(header.as_bytes());
        mail.extend(transfer::encode_base64(attachment.content));
    }
    mail.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
}

/// Without parameters. message/* must not be encoded (RFC 2046 section 5.2.1), so a mail travels as a file.
fn media_type(named: &str) -> String {
    let any = || MediaType::new("application", "octet-stream");
    let token = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    let named = named.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = named.split_once('/').filter(|(kind, subtype)| {
        token(kind) && token(subtype) && *kind != "message" && *kind != "multipart"
    });
    known.map_or_else(any, |(kind, subtype)| MediaType::new(kind, subtype)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime;

    fn mailbox(name: Option<&str>, address: &str) -> Mailbox {
        Mailbox { name: name.map(str::to_owned), address: address.to_owned() }
    }

    fn mail<'a>(subject: &'a str, attachments: Vec<Attachment<'a>>) -> NewMail<'a> {
        NewMail {
            from: mailbox(Some("Älice \"A\""), "alice@example.test"),
            to: vec![mailbox(None, "bob@example.test"), mailbox(Some("Carol"), "carol@example.test")],
            cc: Vec::new(),
            bcc: vec![mailbox(None, "dave@example.test")],
            subject,
            text: "one\ntwo\r\nGrüße",
            attachments,
        }
    }

    #[test]
    fn what_was_written_is_what_is_read() {
        let content: Vec<u8> = (0..=255).collect();
        let attachments = vec![
            Attachment { name: "../Größe.pdf", media_type: "application/pdf; x=y", content: &content },
            Attachment { name: "", media_type: "message/rfc822", content: b"a" },
        ];
        let bytes = mail("Grüße", attachments).to_plain_mail();
        let document = mime::parse(bytes).unwrap();
        let read = |name: &str| document.field(0, name).unwrap().decoded();
        assert_eq!(read("Subject"), "Grüße");
        assert_eq!(read("To"), "bob@example.test, Carol <carol@example.test>");
        assert_eq!(read("Bcc"), "dave@example.test");
        let from = mime::mailboxes(&document.field(0, "From").unwrap().unfolded());
        assert_eq!(from, [mailbox(Some("Älice \"A\""), "alice@example.test")]);
        let parts: Vec<String> =
            document.entities().iter().map(|entity| entity.media_type.to_string()).collect();
        assert_eq!(parts, ["multipart/mixed", "text/plain", "application/pdf", "application/octet-stream"]);
        assert_eq!(document.decoded_body(1), "one\r\ntwo\r\nGrüße\r\n".as_bytes());
        assert_eq!(document.decoded_body(2), content);
        let disposition = document.field(2, "Content-Disposition").unwrap().decoded();
        assert!(disposition.contains("Größe.pdf") && !disposition.contains(".."), "{disposition}");
    }

    #[test]
    fn nothing_that_is_written_adds_a_header_field() {
        let attachment = Attachment { name: "a\r\nX-Evil: 1", media_type: "a/b\r\nX-Evil: 1", content: b"" };
        let mut new = mail("a\r\nBcc: mallory@example.test", vec![attachment]);
        new.to = vec![mailbox(Some("Bob\r\nBcc: mallory@example.test"), "bob@example.test")];
        let document = mime::parse(new.to_plain_mail()).unwrap();
        let bcc: Vec<String> =
            document.fields(0).filter(|field| field.is("Bcc")).map(|field| field.decoded()).collect();
        assert_eq!(bcc, ["dave@example.test"]);
        let evil = |id| document.fields(id).any(|field| field.is("X-Evil"));
        assert!((0..document.entities().len()).all(|id| !evil(id)));
    }
}
