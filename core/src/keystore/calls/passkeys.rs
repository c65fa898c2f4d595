// SPDX-License-Identifier: LGPL-2.0-or-later
//! Passkeys: what a person has beside their devices, and shows for what is dangerous (WebAuthn).
//!
//! A ceremony begins with a call that gives a [`Ceremony`]; the keystore's page runs it in a browser, which brings the answer
//! back to a port of this machine; a second call hands the answer in.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Done, calls};
use crate::keystore::{Bytes, PasskeyId, SecretBytes};

/// Path of the page that runs ceremonies, on the origin that [`Ceremony::origin`] names.
pub const PAGE_PATH: &str = "/passkey";

/// What the page asks the browser for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ceremony {
    /// Comes back with the answer. Good once, for the session that asked, until `expires_at`.
    pub ticket: Bytes,
    /// What is asked: who asks with which device in which session, what for, until when. The authenticator signs its hash, and the page
    /// shows what stands in it and nothing else.
    pub question: Bytes,
    /// Where the page is. Its host is what passkeys are bound to.
    pub origin: String,
    /// Passkeys that may answer, or that are there already.
    pub credentials: Vec<Bytes>,
    /// Seconds since 1970.
    pub expires_at: u64,
}

impl Ceremony {
    /// What the authenticator signs.
    pub fn challenge(&self) -> Bytes {
        Bytes(Sha256::digest(&self.question.0).to_vec())
    }
}

/// Begins to add a passkey. From a confirmed device; with a passkey that is there already, when there is one.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StartPasskey {}

/// Ends it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AddPasskey {
    /// Of the ceremony.
    pub ticket: Bytes,
    /// What it is called, for people.
    pub name: String,
    /// What the authenticator says.
    pub registration: Registration,
}

/// An authenticator's new passkey (WebAuthn `AuthenticatorAttestationResponse`, without attestation).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// `clientDataJSON`.
    pub client_data: Bytes,
    /// `getAuthenticatorData()`.
    pub authenticator_data: Bytes,
    /// `getPublicKey()`: SubjectPublicKeyInfo.
    pub public_key: Bytes,
    /// `getPublicKeyAlgorithm()`: -7 (ES256), -8 (EdDSA) or -257 (RS256).
    pub algorithm: i32,
}

/// Begins a step-up for one kind of call. With the session of the device that will make it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StartStepUp {
    /// Path of the call that needs it.
    pub path: String,
}

/// Ends it: for some minutes, this session may do that kind of thing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FinishStepUp {
    /// Of the ceremony.
    pub ticket: Bytes,
    /// What the authenticator says.
    pub assertion: Assertion,
}

/// An authenticator's answer (WebAuthn `AuthenticatorAssertionResponse`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// `rawId`.
    pub credential: Bytes,
    /// `clientDataJSON`.
    pub client_data: Bytes,
    /// `authenticatorData`.
    pub authenticator_data: Bytes,
    /// `signature`.
    pub signature: Bytes,
}

/// How long a step-up counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SteppedUp {
    /// Seconds since 1970.
    pub until: u64,
}

/// Confirms the device that asks, which is pending, after a step-up with a passkey of its principal.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfirmByPasskey {}

/// Lists one's own.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ListPasskeys {}

/// One's passkeys.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Passkeys {
    /// Oldest first.
    pub passkeys: Vec<Passkey>,
}

/// One passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Passkey {
    /// Its name in the API.
    pub id: PasskeyId,
    /// What its owner calls it.
    pub name: String,
    /// When it was added.
    pub created_at: u64,
}

/// Removes one: after a step-up, or with the recovery code when it is lost.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RemovePasskey {
    /// Which.
    pub passkey: PasskeyId,
    /// The recovery code's secret part, in place of a step-up. It is used up by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<SecretBytes>,
}

calls! {
    StartPasskey => "/v1/passkeys/start", Ceremony;
    AddPasskey => "/v1/passkeys/add", Passkey;
    ListPasskeys => "/v1/passkeys/list", Passkeys;
    RemovePasskey => "/v1/passkeys/remove", Done;
    StartStepUp => "/v1/step-up/start", Ceremony;
    FinishStepUp => "/v1/step-up/finish", SteppedUp;
    ConfirmByPasskey => "/v1/devices/confirm-by-passkey", Done;
}
