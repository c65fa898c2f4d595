// SPDX-License-Identifier: LGPL-2.0-or-later
//! Who asks.

use plombe_core::keystore::{
    DeviceThumbprint, SessionId,
    calls::{login::DeviceState, principals::PrincipalState},
};

use super::{Action, Refusal, refusal};
use crate::registry::{Device, Principal, Registry, Session};

/// Who asks, as far as the request shows. Whether that still stands is looked up when it is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The keystore itself, or who runs its commands on its machine.
    Server,
    /// Somebody with a device key who wants to log in.
    Newcomer {
        /// Thumbprint of the key that signed the request's proof.
        thumbprint: DeviceThumbprint,
    },
    /// A device with a session. The proof was checked.
    Device(Claimed),
}

/// A session, and the key that signed the proof that came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The session whose value came along.
    pub session: SessionId,
    /// SHA-256 of that value.
    pub hash: [u8; 32],
    /// Thumbprint of the key that signed the request's proof.
    pub thumbprint: DeviceThumbprint,
    /// Does this server's configuration demand that administrators have a passkey?
    pub admins_need_passkeys: bool,
}

/// Who asks, looked up and standing.
pub struct Identified<'a> {
    /// Their session.
    pub session: &'a Session,
    /// Their device, pending or confirmed.
    pub device: &'a Device,
    /// Who they are, and active.
    pub principal: &'a Principal,
}

impl Claimed {
    /// Looks up session, device and principal. A renewal may come with a value that has run out.
    pub fn resolve<'a>(
        &self,
        registry: &'a Registry,
        action: &Action,
        now: u64,
    ) -> Result<Identified<'a>, Refusal> {
        let session = registry.session(self.session).ok_or(refusal::NOT_LOGGED_IN)?;
        let device = registry.device(session.device).ok_or(refusal::NOT_LOGGED_IN)?;
        let principal = registry.principal(device.principal).ok_or(refusal::NOT_LOGGED_IN)?;
        // The value alone is worth nothing: the proof must be by the key that the session is bound to.
        if device.thumbprint != self.thumbprint {
            return Err(refusal::WRONG_DEVICE_KEY.into());
        }
        if !session.hashes().any(|hash| hash == self.hash) {
            return Err(refusal::NOT_LOGGED_IN.into());
        }
        let good_until = match action {
            Action::RenewSession => session.ends,
            _ => session.expiry_of(&self.hash),
        };
        if now >= good_until || now >= session.ends {
            return Err(refusal::SESSION_EXPIRED.into());
        }
        if device.state == DeviceState::Revoked {
            return Err(refusal::DEVICE_REVOKED.into());
        }
        if principal.state != PrincipalState::Active || principal.tenant != device.tenant {
            return Err(refusal::PRINCIPAL_NOT_ACTIVE.into());
        }
        Ok(Identified { session, device, principal })
    }
}
