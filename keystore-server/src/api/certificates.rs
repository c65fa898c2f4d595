// SPDX-License-Identifier: LGPL-2.0-or-later
//! Named operations with the key that certifies: decided, recorded, made, and put in.

use std::time::{Duration, SystemTime};

use plombe_core::{
    cert::{self, Certificate, Reason},
    keystore::{
        KeyFingerprint, ProblemCode,
        calls::certificates::{
            AddUserId, CertifyUserIds, ChangedCertificate, RevocationReason, RevocationTarget, RevokeKey,
            RotateSubkeys, SetExpiry,
        },
    },
};

use super::{Caller, Failure, Serve, keys::capabilities};
use crate::{
    access_policy::{Action, KeyChange, Refusal, refusal},
    app::App,
    custody::{CertifyAct, Change, ChangeAct, Changed, VaultError, blob},
    ledger::{Act, Effects, Scene},
    registry::{Key, KeyState, Record},
};

/// More at once is no person's doing.
const MOST_USER_IDS: usize = 20;
const LONGEST_TEXT: usize = 500;
/// For the next second to begin.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

impl Serve for CertifyUserIds {
    async fn serve(self, app: &App, caller: &Caller) -> Result<ChangedCertificate, Failure> {
        if self.user_ids.is_empty() || self.user_ids.len() > MOST_USER_IDS {
            return Err(unacceptable("certify 1 to 20 user IDs at a time"));
        }
        let certificate = Certificate::parse(&self.certificate.0);
        let certificate = certificate.map_err(|error| unacceptable(&error.to_string()))?;
        // On its own certificate that signature would be a binding.
        if certificate.fingerprint() == *self.key.as_fingerprint() {
            return Err(unacceptable("a key does not vouch for itself"));
        }
        let granted = app.ledger.ask(caller.ask(CertifyAct { call: self, certificate, key: None })).await?;
        let position = granted.permit.position();
        let certified = app.vault.certify(granted.permit, &app.policy, app.now()).await?;
        Ok(ChangedCertificate { certificate: certified.to_bytes().into(), position })
    }
}

impl Serve for RotateSubkeys {
    async fn serve(self, app: &App, caller: &Caller) -> Result<ChangedCertificate, Failure> {
        change(app, caller, self.key, Change::Rotate).await
    }
}

impl Serve for SetExpiry {
    async fn serve(self, app: &App, caller: &Caller) -> Result<ChangedCertificate, Failure> {
        let at = self.expires_at.map(|at| {
            let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(at));
            at.ok_or_else(|| unacceptable("this is not a date"))
        });
        change(app, caller, self.key, Change::Expire(at.transpose()?)).await
    }
}

impl Serve for RevokeKey {
    async fn serve(self, app: &App, caller: &Caller) -> Result<ChangedCertificate, Failure> {
        text(&self.message)?;
        let reason = match self.reason {
            RevocationReason::Unspecified => Some(Reason::Unspecified),
            RevocationReason::Superseded => Some(Reason::Superseded),
            RevocationReason::Compromised => Some(Reason::Compromised),
            RevocationReason::Retired => Some(Reason::Retired),
            RevocationReason::UserIdInvalid => None,
        };
        let what = match (self.target, reason) {
            (RevocationTarget::Certificate, Some(reason)) => Change::Revoke(reason, self.message),
            (RevocationTarget::Subkey(subkey), Some(reason)) => {
                Change::RevokeSubkey(subkey.as_fingerprint().clone(), reason, self.message)
            }
            (RevocationTarget::UserId(user_id), None) => {
                text(&user_id)?;
                Change::RevokeUserId(user_id)
            }
            _ => {
                return Err(unacceptable(
                    "a user ID is revoked as no longer valid, and nothing else is revoked like that",
                ));
            }
        };
        change(app, caller, self.key, what).await
    }
}

impl Serve for AddUserId {
    async fn serve(self, app: &App, caller: &Caller) -> Result<ChangedCertificate, Failure> {
        text(&self.user_id)?;
        let address = cert::user_id_address(&self.user_id)
            .ok_or_else(|| unacceptable("a user ID looks like: Alice <alice@example.org>"))?;
        change(app, caller, self.key, Change::AddUserId { user_id: self.user_id, address }).await
    }
}

/// Asks for leave, makes the changed TSK, and puts it in.
async fn change(
    app: &App,
    caller: &Caller,
    id: KeyFingerprint,
    change: Change,
) -> Result<ChangedCertificate, Failure> {
    let how = change.kind();
    wait_for_the_next_second(app, &id).await;
    let leave = app.ledger.ask(caller.ask(ChangeAct { id: id.clone(), change, key: None })).await?;
    let now = app.now();
    let changed = match app.vault.change(leave.permit, &app.policy, now).await {
        // It cannot be done, or was done already by the same request, whose answer did not arrive.
        Err(VaultError::Change(error)) => {
            let mut ask = caller.ask(Impossible { id, how, why: error.to_string() });
            ask.once.clear();
            return Ok(app.ledger.ask(ask).await?.answer);
        }
        other => other?,
    };
    let (unwrapping, signing) = capabilities(&changed.tsk, &app.policy, now);
    let certificate = changed.tsk.certificate().to_bytes();
    let before = changed.from.clone();
    let key = Key {
        certificate: certificate.clone().into(),
        // What was sent to an old subkey stays readable, whatever becomes of it.
        unwrapping: before.unwrapping.iter().chain(&unwrapping).cloned().collect(),
        signing,
        state: if changed.revokes { KeyState::Revoked } else { before.state },
        blob_version: before.blob_version + 1,
        ..before
    };
    let mut ask = caller.ask(PutIn { changed, how, key });
    // The proof was used for the leave.
    ask.once.clear();
    Ok(app.ledger.ask(ask).await?.answer)
}

/// Of two statements of one second readers may follow either, so the second one would be dated into the future. The wait comes
/// before the leave: nothing is held up by it.
async fn wait_for_the_next_second(app: &App, id: &KeyFingerprint) {
    let certificate = app.ledger.registry().key(id).map(|key| key.certificate.clone());
    let Some(Ok(certificate)) = certificate.map(|bytes| Certificate::parse(&bytes.0)) else { return };
    let over = certificate.newest_statement() + Duration::from_secs(1);
    // A clock that was put back is not waited for.
    if let Some(left) = over.duration_since(app.now()).ok().filter(|left| *left <= LONGEST_WAIT) {
        tokio::time::sleep(left).await;
    }
}

/// A change that could not be made. Where the same request has made it before, this gives that answer again.
struct Impossible {
    id: KeyFingerprint,
    how: KeyChange,
    why: String,
}

impl Act for Impossible {
    type Answer = ChangedCertificate;

    fn action(&self) -> Action {
        Action::KeepChangedKey { key: self.id.clone(), how: self.how }
    }

    fn effects(&mut self, _scene: &Scene<'_>) -> Result<Effects<ChangedCertificate>, Refusal> {
        Err(Refusal {
            rule: "change-impossible".into(),
            problem: ProblemCode::Unacceptable,
            message: std::mem::take(&mut self.why).into(),
            hint: None,
        })
    }
}

impl Act for ChangeAct {
    type Answer = ();
    /// What is repeated is the answer of what it leads to, see `PutIn`.
    const REPEATABLE: bool = false;

    fn action(&self) -> Action {
        Action::ChangeKey { key: self.id.clone(), how: self.change.kind(), note: self.change.note() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        if let Change::AddUserId { address, .. } = &self.change
            && !scene.who()?.principal.addresses.contains(address)
        {
            return Err(refusal::ADDRESS_NOT_YOURS.into());
        }
        self.key = Some(scene.registry.key(&self.id).ok_or(refusal::NOT_FOUND)?.clone());
        Ok(Effects::none(()))
    }
}

impl Act for CertifyAct {
    type Answer = ();
    const REPEATABLE: bool = false;

    fn action(&self) -> Action {
        let note = format!("{} of {}", self.call.user_ids.join(", "), self.certificate.fingerprint());
        Action::ChangeKey { key: self.call.key.clone(), how: KeyChange::Certify, note }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        self.key = Some(scene.registry.key(&self.call.key).ok_or(refusal::NOT_FOUND)?.clone());
        Ok(Effects::none(()))
    }
}

/// A changed TSK takes the place of the one that it was made from.
struct PutIn {
    changed: Changed,
    how: KeyChange,
    key: Key,
}

impl Act for PutIn {
    type Answer = ChangedCertificate;

    fn action(&self) -> Action {
        Action::KeepChangedKey { key: self.key.id.clone(), how: self.how }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<ChangedCertificate>, Refusal> {
        let current = scene.registry.key(&self.key.id).ok_or(refusal::NOT_FOUND)?;
        if *current != self.changed.from {
            return Err(refusal::KEY_CHANGED_MEANWHILE.into());
        }
        let blob = blob(&self.key, &self.changed.tsk).map_err(|_| refusal::SUBKEY_UNFIT)?;
        let answer =
            ChangedCertificate { certificate: self.key.certificate.clone(), position: scene.position };
        let put = vec![Record::Key(self.key.clone())];
        Ok(Effects { put, blobs: vec![blob], ..Effects::none(answer) })
    }
}

fn text(text: &str) -> Result<(), Failure> {
    if text.len() > LONGEST_TEXT || text.chars().any(char::is_control) {
        return Err(unacceptable("at most 500 bytes and no control characters"));
    }
    Ok(())
}

fn unacceptable(why: &str) -> Failure {
    Failure::new(ProblemCode::Unacceptable, why)
}
