// SPDX-License-Identifier: LGPL-2.0-or-later
//! A principal's devices.

use serde::{Deserialize, Serialize};

use super::{Done, calls, login::DeviceState};
use crate::keystore::{DeviceId, DeviceThumbprint, PrincipalId};

/// Lists one's own devices; an admin may name somebody else.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ListDevices {
    /// Whose; `None` for one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<PrincipalId>,
}

/// The devices of one principal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Devices {
    /// Newest first.
    pub devices: Vec<Device>,
}

/// One device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Device {
    /// Its name in the API.
    pub id: DeviceId,
    /// Whose.
    pub principal: PrincipalId,
    /// What its owner calls it.
    pub name: String,
    /// Of its key. The six words are derived from it, on the client.
    pub thumbprint: DeviceThumbprint,
    /// Is it confirmed?
    pub state: DeviceState,
    /// How it was enrolled and confirmed, for people: `code`, `oidc <issuer>`, …
    pub enrolled_by: String,
    /// When.
    pub enrolled_at: u64,
}

/// Confirms a pending device of the same principal, after the six words were compared.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfirmDevice {
    /// Which.
    pub device: DeviceId,
    /// The key whose words were compared: a device that changed meanwhile is not confirmed.
    pub thumbprint: DeviceThumbprint,
}

calls! {
    ListDevices => "/v1/devices/list", Devices;
    ConfirmDevice => "/v1/devices/confirm", Done;
}
