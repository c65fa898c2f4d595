// SPDX-License-Identifier: LGPL-2.0-or-later
//! What can be asked, and what is answered; the same for every peer that is a library behind a small program.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::rpgp;

/// One line of input.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub(crate) enum Question {
    About,
    Generate {
        profile: Profile,
        user_id: String,
    },
    Encrypt {
        data: Bytes,
        signer: Option<Bytes>,
        recipient: Option<Bytes>,
        password: Option<String>,
    },
    Decrypt {
        message: Bytes,
        signer: Option<Bytes>,
        recipient: Option<Bytes>,
        password: Option<String>,
    },
    Sign {
        form: Form,
        data: Bytes,
        signer: Bytes,
    },
    Verify {
        form: Form,
        signature: Option<Bytes>,
        data: Option<Bytes>,
        message: Option<Bytes>,
        signer: Bytes,
    },
}

/// Kinds of keys.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Profile {
    Rfc4880,
    Rfc9580,
    Rfc9980,
}

/// How a signature travels.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    Detached,
    Inline,
    Cleartext,
}

/// One line of output.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    About { version: &'static str, pqc: bool },
    Key { tsk: Bytes, certificate: Bytes },
    Data { data: Bytes },
    Error { error: String },
}

/// Base64 outside, bytes inside.
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        STANDARD.decode(String::deserialize(from)?).map(Self).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl Question {
    /// Asks rPGP.
    pub(crate) fn answer(self) -> Result<Answer, String> {
        let data = match self {
            Self::About => return Ok(Answer::About { version: pgp::VERSION, pqc: true }),
            Self::Generate { profile, user_id } => {
                let (tsk, certificate) = rpgp::generate(profile, user_id)?;
                return Ok(Answer::Key { tsk: Bytes(tsk), certificate: Bytes(certificate) });
            }
            Self::Encrypt { data, signer, recipient, password } => {
                let signer = signer.map(|Bytes(signer)| rpgp::tsk(&signer)).transpose()?;
                match (recipient, password) {
                    (Some(Bytes(recipient)), _) => {
                        rpgp::encrypt(data.0, &rpgp::certificate(&recipient)?, signer.as_ref())?
                    }
                    (None, Some(password)) => rpgp::encrypt_with_password(data.0, password)?,
                    (None, None) => return Err("for whom?".to_owned()),
                }
            }
            Self::Decrypt { message, signer, recipient, password } => {
                let signer = signer.map(|Bytes(signer)| rpgp::certificate(&signer)).transpose()?;
                match (recipient, password) {
                    (Some(Bytes(recipient)), _) => {
                        rpgp::decrypt(&message.0, &rpgp::tsk(&recipient)?, signer.as_ref())?
                    }
                    (None, Some(password)) => {
                        rpgp::decrypt_with_password(&message.0, password, signer.as_ref())?
                    }
                    (None, None) => return Err("with what?".to_owned()),
                }
            }
            Self::Sign { form, data, signer } => rpgp::sign(form, data.0, &rpgp::tsk(&signer.0)?)?,
            Self::Verify { form, signature, data, message, signer } => {
                let signer = rpgp::certificate(&signer.0)?;
                match (form, signature, data, message) {
                    (Form::Detached, Some(signature), Some(data), _) => {
                        rpgp::verify_detached(&signature.0, &data.0, &signer)?;
                        Vec::new()
                    }
                    (Form::Inline, _, _, Some(message)) => rpgp::verify_inline(&message.0, &signer)?,
                    (Form::Cleartext, _, _, Some(message)) => rpgp::verify_cleartext(&message.0, &signer)?,
                    _ => return Err("something is missing to verify".to_owned()),
                }
            }
        };
        Ok(Answer::Data { data: Bytes(data) })
    }
}
