// SPDX-License-Identifier: LGPL-2.0-or-later
//! A new mail, and sealing it for the certificate that was chosen for each address.

use js_sys::{Array, Uint8Array};
use plombe_core::{
    cert::{Certificate, Tsk},
    crypto_policy::CryptoPolicy,
    mail::{self, Attachment, AutocryptOut, Recipient},
    mime::{self, Mailbox},
};
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{
    Key,
    certificate::Certificate as CertificateHandle,
    error::{Thrown, misuse, thrown, typed},
    message::{SealedReport, object},
    options::{SealOptions, read, time},
};

/// Somebody in an address list.
#[derive(Serialize, Tsify)]
pub struct MailboxDescription {
    name: Option<String>,
    /// `local@domain`.
    address: String,
}

/// Reads a list of addresses as it stands in a header field or is typed by a person.
#[wasm_bindgen(js_name = parseMailboxes, unchecked_return_type = "MailboxDescription[]")]
pub fn parse_mailboxes(list: &str) -> Result<JsValue, Thrown> {
    let list = mime::mailboxes(list.as_bytes()).into_iter();
    typed(&list.map(|one| MailboxDescription { name: one.name, address: one.address }).collect::<Vec<_>>())
}

/// What a person has written, and to whom.
#[wasm_bindgen]
#[derive(Default)]
pub struct NewMail {
    from: Vec<Mailbox>,
    to: Vec<Mailbox>,
    cc: Vec<Mailbox>,
    bcc: Vec<Mailbox>,
    subject: String,
    text: String,
    attachments: Vec<(String, String, Vec<u8>)>,
}

#[wasm_bindgen]
impl NewMail {
    /// From one address (`Alice <alice@example.org>`), with subject and text.
    #[wasm_bindgen(constructor)]
    pub fn new(from: &str, subject: String, text: String) -> Self {
        Self { from: mime::mailboxes(from.as_bytes()), subject, text, ..Self::default() }
    }

    /// Everybody in `list` into `to`, `cc` or `bcc`.
    pub fn address(&mut self, field: &str, list: &str) -> Result<(), Thrown> {
        let everybody = mime::mailboxes(list.as_bytes());
        match field {
            "to" => self.to.extend(everybody),
            "cc" => self.cc.extend(everybody),
            "bcc" => self.bcc.extend(everybody),
            _ => return Err(misuse("no such field")),
        }
        Ok(())
    }

    /// A file that goes along.
    pub fn attach(
        &mut self,
        name: String,
        #[wasm_bindgen(js_name = mediaType)] media_type: String,
        content: Vec<u8>,
    ) {
        self.attachments.push((name, media_type, content));
    }

    /// As RFC 5322 message with Bcc, for sealing.
    #[wasm_bindgen(js_name = toPlainMail)]
    pub fn to_plain_mail(&self) -> Result<Uint8Array, Thrown> {
        let [from] = self.from.as_slice() else { return Err(misuse("one author")) };
        let attachments = self.attachments.iter();
        let mail = mail::NewMail {
            from: from.clone(),
            to: self.to.clone(),
            cc: self.cc.clone(),
            bcc: self.bcc.clone(),
            subject: &self.subject,
            text: &self.text,
            attachments: attachments
                .map(|(name, media_type, content)| Attachment { name, media_type, content })
                .collect(),
        };
        Ok(Uint8Array::from(&mail.to_plain_mail()[..]))
    }
}

/// Addresses, each with the certificate that was chosen for it.
#[wasm_bindgen]
#[derive(Default)]
pub struct Recipients(Vec<(String, Certificate)>);

#[wasm_bindgen]
impl Recipients {
    /// Nobody yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more.
    pub fn add(&mut self, address: String, certificate: &CertificateHandle) {
        self.0.push((address, certificate.0.clone()));
    }
}

/// Seals a plain mail for everybody in To, Cc and Bcc, each with the certificate chosen for that address and no other.
/// `signer` signs and reads it, too, and tells recipients about keys (Autocrypt). One copy per Bcc recipient.
#[wasm_bindgen(js_name = sealMailFor, unchecked_return_type = "SealedCopy[]")]
pub async fn seal_mail_for(
    mail: &[u8],
    recipients: &Recipients,
    signer: &Key,
    #[wasm_bindgen(unchecked_param_type = "SealOptions")] options: JsValue,
) -> Result<JsValue, Thrown> {
    let options: SealOptions = read(options)?;
    let (policy, now) = (CryptoPolicy::standard(), time(options.now));
    let tsk: &Tsk = &signer.0;
    let certificate = tsk.certificate();
    let recipients = recipients.0.iter().map(|(address, certificate)| Recipient { address, certificate });
    let autocrypt = AutocryptOut { certificate: &certificate, prefer_encrypt: true, gossip: true };
    let seal = mail::Seal {
        container: options.container.map(Into::into),
        autocrypt: Some(autocrypt),
        ..mail::Seal::new(recipients.collect(), Some(tsk.into()), &policy, now)
    };
    let copies = Array::new();
    for copy in seal.seal(mail).map_err(thrown)?.copies {
        copies.push(&object(&[
            ("mail", Uint8Array::from(&copy.mail[..]).into()),
            ("envelopeTo", typed(&copy.envelope_to)?),
            ("bcc", copy.bcc.into()),
            ("report", typed(&SealedReport::from(&copy.report))?),
        ])?);
    }
    Ok(copies.into())
}
