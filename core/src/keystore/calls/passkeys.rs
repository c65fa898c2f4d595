// SPDX-License-Identifier: LGPL-2.0-or-later
//! Passkeys (WebAuthn): a touch for acts that a stolen laptop must not do by itself.
//!
//! The options and credentials are WebAuthn's own JSON, which browsers make and read.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Done, calls};
use crate::keystore::{Bytes, PasskeyId};

/// Begins the registration of a passkey.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeyRegistrationStart {
    /// What its owner calls it.
    pub name: String,
}

/// Ends the registration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeyRegistrationFinish {
    /// From [`Ceremony`].
    pub ceremony: Bytes,
    /// What `navigator.credentials.create` gave.
    pub credential: Value,
}

/// Begins a step-up: what follows in this session within a few minutes counts as touched.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepUpStart {}

/// Ends the step-up.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepUpFinish {
    /// From [`Ceremony`].
    pub ceremony: Bytes,
    /// What `navigator.credentials.get` gave.
    pub credential: Value,
}

/// What the browser is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ceremony {
    /// To hand back.
    pub ceremony: Bytes,
    /// Argument of `navigator.credentials.create` or `get`.
    pub options: Value,
}

/// How long the step-up counts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SteppedUp {
    /// Until then.
    pub until: u64,
}

/// Lists one's passkeys.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListPasskeys {}

/// One's passkeys.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Passkeys {
    /// Newest first.
    pub passkeys: Vec<Passkey>,
}

/// One passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Its name in the API.
    pub id: PasskeyId,
    /// What its owner calls it.
    pub name: String,
    /// When it was registered.
    pub registered_at: u64,
}

calls! {
    PasskeyRegistrationStart => "/v1/passkeys/register/start", Ceremony;
    PasskeyRegistrationFinish => "/v1/passkeys/register/finish", Done;
    ListPasskeys => "/v1/passkeys/list", Passkeys;
    StepUpStart => "/v1/passkeys/step-up/start", Ceremony;
    StepUpFinish => "/v1/passkeys/step-up/finish", SteppedUp;
}
