// SPDX-License-Identifier: LGPL-2.0-or-later
//! Calls in somebody's name.

use std::time::{SystemTime, UNIX_EPOCH};

use plombe_core::keystore::{
    KeystoreIdentity, ProblemCode,
    calls::{
        Call,
        audit::ProveConsistency,
        login::{Identity, LoggedIn, SessionGrant},
        passkeys::{FinishStepUp, StartStepUp},
        session::{LogOut, RenewSession},
    },
};
use serde::{Deserialize, Serialize};

use crate::{ClientError, DeviceKey, Keystore, Options, checkpoints::SeenLog};

/// A session is renewed when it has less than this left.
const RENEW_BEFORE_SECONDS: u64 = 60;

/// A log-in of this device.
#[derive(Debug)]
pub struct Session {
    keystore: Keystore,
    device: DeviceKey,
    grant: SessionGrant,
    identity: Identity,
}

/// What a program keeps of a session between two runs, beside the device key. Holds the session's token: secret, though
/// useless without the device key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedSession {
    /// The pin.
    pub keystore: KeystoreIdentity,
    /// The token and how long it lasts.
    pub grant: SessionGrant,
    /// Who it speaks for.
    pub identity: Identity,
    /// What was seen of the log. Shown to the keystore, so that one which went back is found out.
    #[serde(default)]
    pub log: SeenLog,
}

impl Session {
    pub(crate) fn new(keystore: Keystore, device: DeviceKey, logged_in: LoggedIn) -> Self {
        Self { keystore, device, grant: logged_in.session, identity: logged_in.identity }
    }

    /// Goes on with what an earlier run saved.
    pub fn resume(saved: SavedSession, device: DeviceKey, options: Options) -> Result<Self, ClientError> {
        let keystore = Keystore::pinned(saved.keystore, options)?;
        keystore.checkpoints().resume(&saved.log)?;
        Ok(Self { keystore, device, grant: saved.grant, identity: saved.identity })
    }

    /// What to keep. After any call it may have changed: a renewed token, a newer checkpoint.
    pub fn saved(&self) -> SavedSession {
        SavedSession {
            keystore: self.keystore.identity().clone(),
            grant: self.grant.clone(),
            identity: self.identity.clone(),
            log: self.keystore.checkpoints().seen(),
        }
    }

    /// Makes a call; renews the session first when it is about to expire.
    ///
    /// A call that got no answer is sent again with the same request id, so it happens once at most. One that needs a passkey is made
    /// again once it was shown, when [`Options::browser`] says how.
    pub fn call<C: Call>(&mut self, call: &C) -> Result<C::Answer, ClientError> {
        let now = seconds((self.keystore.options().now)());
        if now + RENEW_BEFORE_SECONDS >= self.grant.expires_at && self.grant.expires_at < self.grant.ends_at {
            self.renew()?;
        }
        let result = self.keystore.exchange(&self.device, Some(&self.grant.token), call);
        match &result {
            Err(ClientError::Refused(problem))
                if problem.code == ProblemCode::StepUpNeeded
                    && self.keystore.options().browser.is_some()
                    // Or a keystore could have us ask for ever.
                    && ![StartStepUp::PATH, FinishStepUp::PATH].contains(&C::PATH) =>
            {
                self.step_up(C::PATH)?;
                self.keystore.exchange(&self.device, Some(&self.grant.token), call)
            }
            _ => result,
        }
    }

    /// Takes a new token now.
    pub fn renew(&mut self) -> Result<(), ClientError> {
        self.grant = self.keystore.exchange(&self.device, Some(&self.grant.token), &RenewSession {})?;
        Ok(())
    }

    /// Has the log only been appended to since the last time? Asks for the proof when it has grown.
    ///
    /// Each reply's checkpoint is checked for its signature and against what the keystore was shown; this is for what only
    /// a proof can tell. Worth a request at the end of a program's run, before it saves the session.
    pub fn verify_log(&mut self) -> Result<(), ClientError> {
        // What was proven before, and what was kept as the newest: at most two.
        for _ in 0..2 {
            let Some((old, new)) = self.keystore.checkpoints().unproven() else { break };
            let call = ProveConsistency { old_size: old.head().size, new_size: new.head().size };
            let proof = self.call(&call)?.proof;
            self.keystore.checkpoints().prove(&old, new, proof)?;
        }
        Ok(())
    }

    /// Ends the session.
    pub fn log_out(mut self) -> Result<(), ClientError> {
        self.call(&LogOut {}).map(drop)
    }

    /// Who this session spoke for when it began.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The keystore.
    pub fn keystore(&self) -> &Keystore {
        &self.keystore
    }

    /// This device.
    pub fn device(&self) -> &DeviceKey {
        &self.device
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
