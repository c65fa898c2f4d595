// SPDX-License-Identifier: LGPL-2.0-or-later
//! What the key that certifies does: named operations, whose packets are built here.
//!
//! A change has two entries. The first is the leave to use the key; with its permit the changed TSK is made. The second
//! puts that in, if the key is still as it was; until then nothing of it has left the server.

use std::time::{Duration, SystemTime};

use plombe_core::{
    Fingerprint,
    cert::{CertError, Certificate, Reason, Tsk},
    crypto_policy::CryptoPolicy,
    keystore::{KeyFingerprint, calls::certificates::CertifyUserIds},
};

use super::{Vault, VaultError};
use crate::{access_policy::KeyChange, ledger::Permit, registry::Key};

/// Until then mail to the old encryption subkey is expected; it unwraps for ever.
const OVERLAP: Duration = Duration::from_secs(7 * 24 * 3600);

/// Leave to make a changed TSK, with the key as it stood when that was decided.
pub struct ChangeAct {
    /// Which key.
    pub id: KeyFingerprint,
    /// What is asked.
    pub change: Change,
    /// Filled in under the lock.
    pub key: Option<Key>,
}

/// What is changed.
pub enum Change {
    /// New subkeys.
    Rotate,
    /// Another expiry.
    Expire(Option<SystemTime>),
    /// The end of all of it.
    Revoke(Reason, String),
    /// The end of a subkey.
    RevokeSubkey(Fingerprint, Reason, String),
    /// The end of a user ID.
    RevokeUserId(String),
    /// One more user ID.
    AddUserId {
        /// As it will stand in the certificate.
        user_id: String,
        /// The address in it.
        address: String,
    },
}

/// Leave to certify, with the key as it stood when that was decided.
pub struct CertifyAct {
    /// What is asked.
    pub call: CertifyUserIds,
    /// What is certified.
    pub certificate: Certificate,
    /// Filled in under the lock.
    pub key: Option<Key>,
}

/// A TSK that was changed with leave, and the key that it was made from.
pub struct Changed {
    /// To be put in.
    pub tsk: Tsk,
    /// It replaces this one and no other.
    pub from: Key,
    /// Is the certificate over?
    pub revokes: bool,
}

impl Change {
    /// By which name it is decided.
    pub fn kind(&self) -> KeyChange {
        match self {
            Self::Rotate => KeyChange::Rotate,
            Self::Expire(_) => KeyChange::Expire,
            Self::Revoke(..) | Self::RevokeSubkey(..) | Self::RevokeUserId(_) => KeyChange::Revoke,
            Self::AddUserId { .. } => KeyChange::AddUserId,
        }
    }

    /// For the log.
    pub fn note(&self) -> String {
        match self {
            Self::Rotate => String::new(),
            Self::Expire(None) => "never".to_owned(),
            Self::Expire(Some(at)) => crate::access_policy::seconds(*at).to_string(),
            Self::Revoke(reason, _) => format!("certificate, {reason:?}"),
            Self::RevokeSubkey(subkey, reason, _) => format!("subkey {subkey}, {reason:?}"),
            Self::RevokeUserId(user_id) => format!("user ID {user_id}"),
            Self::AddUserId { user_id, .. } => user_id.clone(),
        }
    }

    fn apply(self, tsk: Tsk, policy: &CryptoPolicy, now: SystemTime) -> Result<Tsk, CertError> {
        match self {
            Self::Rotate => Ok(tsk.rotate(OVERLAP, policy, now)?.tsk),
            Self::Expire(at) => tsk.set_expiry(at, policy, now),
            Self::Revoke(reason, message) => tsk.revoke(reason, &message, now),
            Self::RevokeSubkey(subkey, reason, message) => tsk.revoke_subkey(&subkey, reason, &message, now),
            Self::RevokeUserId(user_id) => tsk.revoke_user_id(&user_id, policy, now),
            Self::AddUserId { user_id, .. } => tsk.add_user_id(&user_id, policy, now),
        }
    }
}

impl Vault {
    /// Makes the changed TSK. It counts once it was put in; see [`Changed`].
    ///
    /// # Errors
    /// When the key cannot be read, or cannot be changed like that.
    pub async fn change(
        &self,
        permit: Permit<ChangeAct>,
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Result<Changed, VaultError> {
        let ChangeAct { change, key, .. } = permit.into_act();
        let from = key.ok_or(VaultError::Unreadable)?;
        let tsk = Tsk::clone(&*self.tsk(&from).await?);
        let revokes = matches!(change, Change::Revoke(..));
        let policy = policy.clone();
        let tsk = super::aside(move || change.apply(tsk, &policy, now)).await??;
        Ok(Changed { tsk, from, revokes })
    }

    /// Certifies user IDs that their certificate's holder claims.
    ///
    /// # Errors
    /// When the key cannot be read, cannot certify, or a user ID is not there.
    pub async fn certify(
        &self,
        permit: Permit<CertifyAct>,
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Result<Certificate, VaultError> {
        let CertifyAct { call, certificate, key } = permit.into_act();
        let tsk = self.tsk(&key.ok_or(VaultError::Unreadable)?).await?;
        let policy = policy.clone();
        let certify = move || certificate.certify(&call.user_ids, &tsk, true, &policy, now);
        Ok(super::aside(certify).await??)
    }
}
