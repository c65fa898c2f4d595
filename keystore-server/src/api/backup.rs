// SPDX-License-Identifier: LGPL-2.0-or-later
//! Backups of keys that stay on their owner's devices. Sealed there; nothing here opens them.

use plombe_core::{
    keystore::{
        KeyFingerprint, ProblemCode,
        calls::{
            Done,
            backup::{self, BackupInfo, Backups, FetchBackup, ListBackups, PutBackup},
        },
    },
    message::SealedMessage,
};
use zeroize::Zeroizing;

use super::{Caller, Failure, Serve};
use crate::{
    access_policy::{Action, Refusal, refusal, seconds},
    app::App,
    custody::{BACKUP, FetchAct},
    ledger::{Act, Blob, Effects, Scene},
    registry::{Backup, Record},
};

/// A TSK has a few kilobytes; one with post-quantum keys and many certifications, some hundred.
const LARGEST: usize = 256 * 1024;
/// Of one person.
const MOST: usize = 10;

impl Serve for PutBackup {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Done, Failure> {
        if self.sealed.0.len() > LARGEST {
            return Err(Failure::new(ProblemCode::TooLarge, "a backup has at most 256 KiB"));
        }
        // A TSK in the open, sent by mistake, must not come to rest here.
        if SealedMessage::parse(&self.sealed.0[..]).is_err() {
            return Err(Failure::new(ProblemCode::Unacceptable, "a backup is an encrypted OpenPGP message"));
        }
        Ok(app.ledger.ask(caller.ask(Put(self))).await?.answer)
    }
}

impl Serve for FetchBackup {
    async fn serve(self, app: &App, caller: &Caller) -> Result<backup::Backup, Failure> {
        let granted = app.ledger.ask(caller.ask(FetchAct { key: self.key, backup: None })).await?;
        Ok(app.vault.backup(granted.permit).await?)
    }
}

impl Serve for ListBackups {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Backups, Failure> {
        let registry = app.ledger.registry();
        let who = caller.identified(app, &registry)?;
        let info = |b: &Backup| BackupInfo { key: b.key.clone(), version: b.version, stored_at: b.stored };
        Ok(Backups { backups: registry.backups_of(who.principal.id).map(info).collect() })
    }
}

struct Put(PutBackup);

impl Act for Put {
    type Answer = Done;

    fn action(&self) -> Action {
        Action::PutBackup { key: self.0.key.clone() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<Done>, Refusal> {
        let who = scene.who()?.principal;
        let before = scene.registry.backup(who.id, &self.0.key);
        if before.map(|backup| backup.version) != self.0.replaces {
            return Err(refusal::BACKUP_CHANGED_MEANWHILE.into());
        }
        if before.is_none() && scene.registry.backups_of(who.id).count() >= MOST {
            return Err(refusal::TOO_MANY_BACKUPS.into());
        }
        let backup = Backup {
            owner: who.id,
            key: self.0.key.clone(),
            tenant: who.tenant,
            version: before.map_or(1, |backup| backup.version + 1),
            stored: seconds(scene.now),
        };
        let blob = Blob {
            kind: BACKUP,
            id: Backup::id(backup.owner, &backup.key).to_vec(),
            tenant: backup.tenant,
            version: backup.version,
            plaintext: Some(Zeroizing::new(std::mem::take(&mut self.0.sealed.0))),
        };
        Ok(Effects { put: vec![Record::Backup(backup)], blobs: vec![blob], ..Effects::none(Done {}) })
    }
}

impl Act for FetchAct {
    type Answer = ();
    /// What is given out is not the ledger's answer; asked for again it is another entry.
    const REPEATABLE: bool = false;

    fn action(&self) -> Action {
        Action::FetchBackup { key: self.key.clone() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        self.backup = Some(own(scene, &self.key)?);
        Ok(Effects::none(()))
    }
}

fn own(scene: &Scene<'_>, key: &KeyFingerprint) -> Result<Backup, Refusal> {
    let who = scene.who()?;
    Ok(scene.registry.backup(who.principal.id, key).ok_or(refusal::NOT_FOUND)?.clone())
}
