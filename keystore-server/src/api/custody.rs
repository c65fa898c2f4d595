// SPDX-License-Identifier: LGPL-2.0-or-later
//! Use of a key: one session key, one digest.

use plombe_core::{
    custody::is_rsa_wrapped,
    keystore::{
        KeyFingerprint, ProblemCode, SecretBytes,
        calls::custody::{SignDigest, Signed, Unwrap, Unwrapped},
    },
};

use super::{Caller, Failure, Serve};
use crate::{
    access_policy::{self, Action, Refusal, refusal},
    app::App,
    custody::{SignAct, UnwrapAct},
    ledger::{Act, Effects, Scene},
    registry::Key,
};

impl Serve for Unwrap {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Unwrapped, Failure> {
        rsa_not_too_often(app, caller, &Action::Unwrap { key: self.key.clone() }, &self.pkesk.0)?;
        not_too_often(app, caller)?;
        let context = self.context.clone();
        let granted = app.ledger.ask(caller.ask_for(UnwrapAct { call: self, key: None }, context)).await?;
        let position = granted.permit.position();
        let session_key = app.vault.unwrap(granted.permit).await?;
        Ok(Unwrapped {
            cipher: session_key.cipher_octet(),
            session_key: SecretBytes::new(session_key.expose()),
            position,
        })
    }
}

impl Serve for SignDigest {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Signed, Failure> {
        not_too_often(app, caller)?;
        let context = self.context.clone();
        let granted = app.ledger.ask(caller.ask_for(SignAct { call: self, key: None }, context)).await?;
        let position = granted.permit.position();
        let signature = app.vault.sign(granted.permit, &app.policy, app.now()).await?;
        Ok(Signed { signature: signature.0.into(), position })
    }
}

/// Only who may use the key uses its limit up; the others are refused later, on record.
pub(super) fn rsa_not_too_often(
    app: &App,
    caller: &Caller,
    action: &Action,
    pkesk: &[u8],
) -> Result<(), Failure> {
    let may = || access_policy::decide(&app.ledger.registry(), &caller.actor, action, app.now()).is_ok();
    let is_within = |key: &KeyFingerprint| !is_rsa_wrapped(pkesk) || !may() || app.limits.rsa(key);
    if action.key().is_none_or(is_within) {
        return Ok(());
    }
    Err(Failure::new(ProblemCode::RateLimited, "this RSA key is used too often")
        .hint("wait a minute")
        .counted("rsa-rate-limited"))
}

/// Whoever is refused anyway is refused below, on record.
pub(super) fn not_too_often(app: &App, caller: &Caller) -> Result<(), Failure> {
    let who = caller.identified(app, &app.ledger.registry()).map(|who| who.principal.id);
    let Ok(who) = who else { return Ok(()) };
    app.limits.key_use(who).map_err(|wait| {
        let seconds = wait.as_secs() + 1;
        Failure::new(ProblemCode::RateLimited, "you use keys too often")
            .hint(format!("wait {seconds} seconds"))
            .counted("key-use-rate-limited")
    })
}

impl Act for UnwrapAct {
    type Answer = ();
    /// The answer is not the ledger's: the same request again is another use of the key, with its own entry.
    const REPEATABLE: bool = false;

    fn action(&self) -> Action {
        Action::Unwrap { key: self.call.key.clone() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        self.key = Some(current(scene, &self.call.key)?);
        Ok(Effects::none(()))
    }
}

impl Act for SignAct {
    type Answer = ();
    /// The answer is not the ledger's: the same request again is another use of the key, with its own entry.
    const REPEATABLE: bool = false;

    fn action(&self) -> Action {
        Action::Sign { key: self.call.key.clone(), subkey: self.call.subkey.clone(), claim: self.call.claim }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        self.key = Some(current(scene, &self.call.key)?);
        Ok(Effects::none(()))
    }
}

/// The key as it stands when its use is decided.
fn current(scene: &Scene<'_>, key: &KeyFingerprint) -> Result<Key, Refusal> {
    Ok(scene.registry.key(key).ok_or(refusal::NOT_FOUND)?.clone())
}
