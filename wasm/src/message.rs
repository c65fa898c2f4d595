// SPDX-License-Identifier: LGPL-2.0-or-later
//! OpenPGP messages: sealed for certificates and passwords, opened with keys and passwords.

use js_sys::{Object, Reflect, Uint8Array};
use plombe_core::{
    cert::Tsk,
    crypto_policy::CryptoPolicy,
    message::{OpenError, Padding, Seal, SealReport, SealedMessage, UnwrapError, payload::Aead},
    secret::Passphrase,
    session_key::SessionKey,
    verdict::Verdict,
};
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{
    Certificates, Keys,
    bytes::{Sink, Source},
    error::{Thrown, thrown, typed},
    options::{Container, OpenOptions, Reading, SealOptions, read, time},
    platform,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** A sealed message, and how it was sealed. */
export interface Sealed { message: Uint8Array; report: SealedReport }
/** Content beside what its signature is worth. A bad signature or failed integrity never becomes one of these. */
export interface Opened { content: Uint8Array; verdict: Verdict; unverifiedName: string | null }
"#;

/// How a message was sealed.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct SealedReport {
    container: Container,
    recipients: Vec<RecipientReport>,
}

/// What one recipient gets.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct RecipientReport {
    certificate: String,
    key: String,
    can_read: Container,
    hidden: bool,
}

/// Whom a message is for, before it is opened.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct MessageRecipients {
    /// Key handles; `null` for a hidden recipient.
    recipients: Vec<Option<String>>,
    has_password: bool,
}

impl From<&SealReport> for SealedReport {
    fn from(report: &SealReport) -> Self {
        let recipients = report.recipients.iter().map(|one| RecipientReport {
            certificate: one.certificate.to_hex(),
            key: one.key.to_hex(),
            can_read: one.can_read.into(),
            hidden: one.hidden,
        });
        Self { container: report.container.into(), recipients: recipients.collect() }
    }
}

/// Seals `plaintext` for every one of `recipients`, signed by every one of `signers`.
#[wasm_bindgen(js_name = sealMessage, unchecked_return_type = "Sealed")]
pub async fn seal_message(
    plaintext: Uint8Array,
    recipients: &Certificates,
    signers: &Keys,
    #[wasm_bindgen(unchecked_param_type = "SealOptions")] options: JsValue,
) -> Result<JsValue, Thrown> {
    let options: SealOptions = read(options)?;
    let policy = CryptoPolicy::standard();
    let mut prepared = {
        let seal = Seal {
            signers: signers.0.iter().map(Into::into).collect(),
            passwords: options.passwords.into_iter().map(Passphrase::new).collect(),
            text: options.text,
            container: options.container.map(Into::into),
            // The mode that the platform has.
            aead: Some(Aead::Gcm),
            padding: if options.pad { Padding::Padme } else { Padding::None },
            armor: options.armor,
            ..Seal::new(recipients.0.iter().collect(), &policy, time(options.now))
        };
        seal.prepare(&mut Source::new(&plaintext), plaintext.length() as usize).map_err(thrown)?
    };
    platform::run(prepared.task()).await?;
    let mut message = Sink::new(prepared.size());
    let report = prepared.finish(&mut message).map_err(thrown)?;
    object(&[("message", message.into_array().into()), ("report", typed(&SealedReport::from(&report))?)])
}

/// Opens a message, armored or binary.
#[wasm_bindgen(js_name = openMessage, unchecked_return_type = "Opened")]
pub async fn open_message(
    message: Uint8Array,
    keys: &Keys,
    signers: &Certificates,
    #[wasm_bindgen(unchecked_param_type = "OpenOptions")] options: JsValue,
) -> Result<JsValue, Thrown> {
    let options: OpenOptions = read(options)?;
    let reading = Reading::new(&keys.0, &signers.0, &options);
    let sealed = SealedMessage::parse(Source::new(&message)).map_err(thrown)?;
    let session_key = session_key(&sealed, &keys.0, &options.passwords).map_err(thrown)?;
    let size = message.length() as usize;
    let mut closed = sealed.into_closed(&session_key, &reading.policy, size).map_err(thrown)?;
    platform::run(closed.task()).await?;
    let opened = closed.open(&reading.context(), Sink::new(size)).map_err(thrown)?;
    let name = opened.unverified_name().map(|name| String::from_utf8_lossy(name).into_owned());
    let (content, verdict) = opened.release().map_err(thrown)?;
    opened_object(content, &verdict, name)
}

/// Whom a message is for. Touches no secret.
#[wasm_bindgen(js_name = messageRecipients, unchecked_return_type = "MessageRecipients")]
pub fn message_recipients(message: Uint8Array) -> Result<JsValue, Thrown> {
    let sealed = SealedMessage::parse(Source::new(&message)).map_err(thrown)?;
    let recipients = sealed.recipients().into_iter().map(|one| one.map(|handle| handle.to_hex())).collect();
    typed(&MessageRecipients { recipients, has_password: sealed.has_password() })
}

/// From a key, or else from a password.
pub(crate) fn session_key(
    sealed: &SealedMessage<'_>,
    keys: &[Tsk],
    passwords: &[String],
) -> Result<SessionKey, UnwrapError> {
    let policy = CryptoPolicy::standard();
    match sealed.unwrap_session_key(keys, &policy, std::time::UNIX_EPOCH) {
        Err(_) if sealed.has_password() && !passwords.is_empty() => {
            let passwords: Vec<Passphrase> =
                passwords.iter().map(|one| Passphrase::new(one.as_str())).collect();
            sealed.unwrap_with_passwords(&passwords)
        }
        unwrapped => unwrapped,
    }
}

pub(crate) fn opened_object(
    content: Uint8Array,
    verdict: &Verdict,
    name: Option<String>,
) -> Result<JsValue, Thrown> {
    object(&[("content", content.into()), ("verdict", typed(verdict)?), ("unverifiedName", typed(&name)?)])
}

pub(crate) fn object(fields: &[(&str, JsValue)]) -> Result<JsValue, Thrown> {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &(*name).into(), value)?;
    }
    Ok(object.into())
}

/// What the platform reports as failed integrity.
pub(crate) fn unreadable() -> Thrown {
    thrown(OpenError::Unreadable)
}
