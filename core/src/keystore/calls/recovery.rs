// SPDX-License-Identifier: LGPL-2.0-or-later
//! The recovery code: confirms a device when no other is left.

use serde::{Deserialize, Serialize};

use super::{Done, calls};
use crate::keystore::{Bytes, SecretBytes};

/// Sets one's recovery code. The code is made on the device; the keystore gets its hash alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetRecoveryCode {
    /// [`RecoveryCode::hash`](crate::keystore::RecoveryCode::hash).
    pub hash: Bytes,
}

/// Confirms the pending device that asks. The code works once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Recover {
    /// The code's 16 bytes.
    pub secret: SecretBytes,
}

calls! {
    SetRecoveryCode => "/v1/recovery/set", Done;
    Recover => "/v1/recovery/use", Done;
}
