// SPDX-License-Identifier: LGPL-2.0-or-later
//! Whole mails: PGP/MIME with header protection.

use std::time::SystemTime;

use js_sys::{Array, Uint8Array};
use plombe_core::{
    cert::Certificate,
    crypto_policy::CryptoPolicy,
    mail::{self, Protection, Recipient},
    message::{Padding, SealedMessage},
};
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{
    Certificates, Keys,
    error::{Thrown, thrown, typed},
    message::{SealedReport, object, session_key},
    options::{OpenOptions, Reading, SealOptions, read, time},
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** One part that a person would see, beside its verdict. */
export interface MailPart {
    path: string; mediaType: string; fileName: string | null; isAttachment: boolean;
    verdict: Verdict; content: Uint8Array; text: string | null;
}
/** One mail to hand to the transport. */
export interface SealedCopy { mail: Uint8Array; envelopeTo: string[]; bcc: boolean; report: SealedReport }
"#;

/// A mail as its reader may see it.
#[wasm_bindgen]
pub struct OpenedMail(pub(crate) mail::OpenedMail);

/// A header field as the sender meant it.
#[derive(Serialize, Tsify)]
pub struct MailField {
    name: String,
    value: String,
    protection: Protection,
    /// Did it stand inside the cryptographic layers?
    inside: bool,
}

#[wasm_bindgen]
impl OpenedMail {
    /// What may be said about the mail as a whole.
    #[wasm_bindgen(getter, unchecked_return_type = "Verdict")]
    pub fn verdict(&self) -> Result<JsValue, Thrown> {
        typed(self.0.verdict())
    }

    /// Was there an encryption layer around what is shown?
    #[wasm_bindgen(getter, js_name = wasEncrypted)]
    pub fn was_encrypted(&self) -> bool {
        self.0.was_encrypted()
    }

    /// The subject; of an encrypted mail only when it was inside.
    #[wasm_bindgen(getter)]
    pub fn subject(&self) -> Option<String> {
        self.0.subject().map(str::to_owned)
    }

    /// Header fields, each with its protection.
    #[wasm_bindgen(getter, unchecked_return_type = "MailField[]")]
    pub fn fields(&self) -> Result<JsValue, Thrown> {
        let fields = self.0.fields().iter().map(|field| MailField {
            name: field.name.clone(),
            value: field.value.clone(),
            protection: field.protection,
            inside: field.inside,
        });
        typed(&fields.collect::<Vec<_>>())
    }

    /// Structure, layers, findings and verdicts; no plaintext.
    #[wasm_bindgen(unchecked_return_type = "Inspection")]
    pub fn inspect(&self) -> Result<JsValue, Thrown> {
        typed(&self.0.inspect())
    }

    /// Every part that a person would see, in document order.
    #[wasm_bindgen(unchecked_return_type = "MailPart[]")]
    pub fn parts(&self) -> Result<JsValue, Thrown> {
        let parts = Array::new();
        for part in self.0.parts() {
            let (content, verdict) = part.content();
            parts.push(&object(&[
                ("path", part.path().into()),
                ("mediaType", part.media_type().into()),
                ("fileName", typed(&part.file_name())?),
                ("isAttachment", part.is_attachment().into()),
                ("verdict", typed(verdict)?),
                ("content", Uint8Array::from(&content[..]).into()),
                ("text", typed(&part.text().map(|(text, _)| text))?),
            ])?);
        }
        Ok(parts.into())
    }

    /// The mail without its cryptographic layers.
    #[wasm_bindgen(js_name = toPlainMail)]
    pub fn to_plain_mail(&self) -> Uint8Array {
        Uint8Array::from(&self.0.to_plain_mail()[..])
    }
}

/// Opens a mail. One that is neither encrypted nor signed opens too: its parts are unsigned.
#[wasm_bindgen(js_name = openMail)]
pub async fn open_mail(
    mail: &[u8],
    keys: &Keys,
    signers: &Certificates,
    #[wasm_bindgen(unchecked_param_type = "OpenOptions")] options: JsValue,
) -> Result<OpenedMail, Thrown> {
    let options: OpenOptions = read(options)?;
    let reading = Reading::new(&keys.0, &signers.0, &options);
    let mut keyring = |sealed: &SealedMessage<'_>| session_key(sealed, &keys.0, &options.passwords);
    let which = mail::OpenOptions { errant: options.errant.clone() };
    mail::open(mail, &mut keyring, &reading.context(), &which).map(OpenedMail).map_err(thrown)
}

/// Looks at a mail without opening what is encrypted. Clear signatures are judged.
#[wasm_bindgen(js_name = inspectMail, unchecked_return_type = "Inspection")]
pub async fn inspect_mail(
    mail: &[u8],
    keys: &Keys,
    signers: &Certificates,
    #[wasm_bindgen(unchecked_param_type = "OpenOptions")] options: JsValue,
) -> Result<JsValue, Thrown> {
    let reading = Reading::new(&keys.0, &signers.0, &read::<OpenOptions>(options)?);
    typed(&mail::inspect(mail, &reading.context()).map_err(thrown)?)
}

/// Seals a plain mail for everybody in To, Cc and Bcc, each of whom has a certificate among `recipients`. The first of
/// `signers` signs and reads it, too. One copy per Bcc recipient.
#[wasm_bindgen(js_name = sealMail, unchecked_return_type = "SealedCopy[]")]
pub async fn seal_mail(
    mail: &[u8],
    recipients: &Certificates,
    signers: &Keys,
    #[wasm_bindgen(unchecked_param_type = "SealOptions")] options: JsValue,
) -> Result<JsValue, Thrown> {
    let options: SealOptions = read(options)?;
    let policy = CryptoPolicy::standard();
    let addressed = addressed(recipients, &policy, time(options.now));
    sealed_copies(sealer(&addressed, signers, &options, &policy).seal(mail).map_err(thrown)?)
}

/// Each certificate with each of its addresses.
pub(crate) fn addressed<'c>(
    recipients: &'c Certificates,
    policy: &CryptoPolicy,
    now: SystemTime,
) -> Vec<(String, &'c Certificate)> {
    let each = recipients.0.iter().map(|certificate| (certificate.addresses(policy, now), certificate));
    each.flat_map(|(addresses, certificate)| addresses.into_iter().map(move |one| (one, certificate)))
        .collect()
}

pub(crate) fn sealer<'a>(
    addressed: &'a [(String, &'a Certificate)],
    signers: &'a Keys,
    options: &SealOptions,
    policy: &'a CryptoPolicy,
) -> mail::Seal<'a> {
    let recipients = addressed.iter().map(|(address, certificate)| Recipient { address, certificate });
    let signer = signers.0.first().map(Into::into);
    mail::Seal {
        container: options.container.map(Into::into),
        padding: if options.pad { Padding::Padme } else { Padding::None },
        ..mail::Seal::new(recipients.collect(), signer, policy, time(options.now))
    }
}

pub(crate) fn sealed_copies(sealed: mail::SealedMail) -> Result<JsValue, Thrown> {
    let copies = Array::new();
    for copy in sealed.copies {
        copies.push(&object(&[
            ("mail", Uint8Array::from(&copy.mail[..]).into()),
            ("envelopeTo", typed(&copy.envelope_to)?),
            ("bcc", copy.bcc.into()),
            ("report", typed(&SealedReport::from(&copy.report))?),
        ])?);
    }
    Ok(copies.into())
}
