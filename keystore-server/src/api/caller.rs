// SPDX-License-Identifier: LGPL-2.0-or-later
//! Who calls, as far as the request shows.

use std::net::IpAddr;

use plombe_core::keystore::{DeviceThumbprint, RequestId, SessionId, calls::custody::Context, fields};
use sha2::{Digest, Sha256};

use crate::{
    access_policy::{Actor, Claimed, Identified, Refusal, decide_read, refusal, seconds},
    app::App,
    ledger::{Act, Ask, RequestKey},
    registry::Registry,
};

/// One request: its proof is checked, its body is open, nothing is decided.
pub struct Caller {
    /// Who asks.
    pub actor: Actor,
    /// Thumbprint of the key that signed the proof.
    pub thumbprint: DeviceThumbprint,
    /// Hash of the proof's name, and until when it must be remembered.
    pub proof: (Vec<u8>, u64),
    /// The request's id.
    pub request_id: RequestId,
    /// Hash of the opened body.
    pub digest: [u8; 32],
    /// Path of the call.
    pub path: &'static str,
    /// Where it came from.
    pub from: IpAddr,
}

impl Caller {
    /// Puts an act before the ledger.
    pub fn ask<A: Act>(&self, act: A) -> Ask<A> {
        self.ask_for(act, Context::default())
    }

    /// The same, with what the client says that it is for.
    pub fn ask_for<A: Act>(&self, act: A, context: Context) -> Ask<A> {
        let caller = match &self.actor {
            Actor::Device(claimed) => claimed.session.0.as_bytes().to_vec(),
            _ => self.thumbprint.0.to_vec(),
        };
        let id = fields(&[b"plombe keystore request id v1", &caller, self.request_id.0.as_bytes()]);
        let digest = fields(&[b"plombe keystore request digest v1", self.path.as_bytes(), &self.digest]);
        Ask {
            actor: self.actor.clone(),
            once: vec![self.proof.clone()],
            request: Some(RequestKey {
                request_id: self.request_id,
                id: Sha256::digest(id).to_vec(),
                digest: Sha256::digest(digest).to_vec(),
            }),
            context,
            act,
        }
    }

    /// Who that is, for reading what needs no entry: session, device and principal as they stand now, confirmed.
    ///
    /// # Errors
    /// The same refusals as for an act.
    pub fn identified<'a>(&self, app: &App, registry: &'a Registry) -> Result<Identified<'a>, Refusal> {
        use plombe_core::keystore::calls::login::DeviceState;
        let who = self.even_pending(app, registry)?;
        if who.device.state == DeviceState::Pending { Err(refusal::DEVICE_PENDING.into()) } else { Ok(who) }
    }

    /// The same for what a device may read that nobody has confirmed yet: itself.
    pub fn even_pending<'a>(&self, app: &App, registry: &'a Registry) -> Result<Identified<'a>, Refusal> {
        let Actor::Device(claimed) = &self.actor else { return Err(refusal::NOT_LOGGED_IN.into()) };
        let who = claimed.resolve(registry, &crate::access_policy::Action::ReadLog, seconds(app.now()))?;
        // What is shown may lack a revocation.
        decide_read(registry, who.principal, self.path)?;
        Ok(who)
    }

    /// The session that came along.
    pub fn session(&self) -> Option<SessionId> {
        match &self.actor {
            Actor::Device(Claimed { session, .. }) => Some(*session),
            _ => None,
        }
    }
}
