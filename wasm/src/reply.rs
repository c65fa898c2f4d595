// SPDX-License-Identifier: LGPL-2.0-or-later
//! Answers that keep confidential what was confidential.

use js_sys::Uint8Array;
use plombe_core::{
    crypto_policy::CryptoPolicy,
    mail::{
        Addresses,
        reply::{self, Answer, Draft, To},
    },
    mime::Mailbox,
};
use serde::Deserialize;
use tsify::Tsify;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{
    Certificates, Keys,
    error::{Thrown, misuse, thrown},
    mail::{OpenedMail, addressed, sealed_copies, sealer},
    options::{SealOptions, read, time},
};

/// What the person who answers has written.
#[derive(Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReplyOptions {
    /// Who answers: `local@domain`.
    from: String,
    /// Display name.
    #[serde(default)]
    #[tsify(optional)]
    name: Option<String>,
    text: String,
    /// MIME path of the one part that is quoted.
    #[serde(default)]
    #[tsify(optional)]
    quote: Option<String>,
    /// Everybody in To and Cc, too.
    #[serde(default)]
    #[tsify(optional)]
    all: bool,
}

/// An answer before it is sent. One to a confidential mail has no way out but `seal`.
#[wasm_bindgen]
pub struct ReplyDraft(Draft);

#[wasm_bindgen]
impl OpenedMail {
    /// Answers this mail.
    pub fn reply(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ReplyOptions")] options: JsValue,
    ) -> Result<ReplyDraft, Thrown> {
        let options: ReplyOptions = read(options)?;
        let quote = match &options.quote {
            None => None,
            Some(path) => {
                let part = self.0.parts().iter().find(|part| part.path() == path);
                Some(part.ok_or_else(|| misuse("there is no part at this path"))?)
            }
        };
        let answer = Answer {
            from: Mailbox { name: options.name, address: options.from },
            text: &options.text,
            quote,
        };
        let to = if options.all { To::All } else { To::Author };
        reply::reply(&self.0, to, &answer).map(ReplyDraft).map_err(thrown)
    }
}

#[wasm_bindgen]
impl ReplyDraft {
    /// Does it answer what was encrypted?
    #[wasm_bindgen(getter, js_name = isConfidential)]
    pub fn is_confidential(&self) -> bool {
        matches!(self.0, Draft::Confidential(_))
    }

    /// Whom certificates are needed for.
    pub fn addresses(&self) -> Vec<String> {
        let Addresses { to, cc, bcc, .. } = match &self.0 {
            Draft::Confidential(draft) => draft.addresses(),
            Draft::Plain(draft) => draft.addresses(),
        };
        to.into_iter().chain(cc).chain(bcc).map(|mailbox| mailbox.address).collect()
    }

    /// The draft of an answer to a mail that everybody on its way has read.
    #[wasm_bindgen(js_name = toPlainMail)]
    pub fn to_plain_mail(self) -> Result<Uint8Array, Thrown> {
        match self.0 {
            Draft::Plain(draft) => Ok(Uint8Array::from(&draft.into_mail()[..])),
            Draft::Confidential(_) => Err(misuse("the answer to an encrypted mail can only be sealed")),
        }
    }

    /// Seals it, as `sealMail` does.
    #[wasm_bindgen(unchecked_return_type = "SealedCopy[]")]
    pub fn seal(
        self,
        recipients: &Certificates,
        signers: &Keys,
        #[wasm_bindgen(unchecked_param_type = "SealOptions")] options: JsValue,
    ) -> Result<JsValue, Thrown> {
        let options: SealOptions = read(options)?;
        let policy = CryptoPolicy::standard();
        let addressed = addressed(recipients, &policy, time(options.now));
        let seal = sealer(&addressed, signers, &options, &policy);
        let sealed = match self.0 {
            Draft::Confidential(draft) => draft.seal(seal),
            Draft::Plain(draft) => seal.seal(&draft.into_mail()),
        };
        sealed_copies(sealed.map_err(thrown)?)
    }
}
