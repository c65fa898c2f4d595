// SPDX-License-Identifier: LGPL-2.0-or-later
//! Subcommands that make and change keys and certificates.

use plombe_core::cert::{Certificate, LockedTsk, Reason, Refresh, Tsk};

use super::{
    Context,
    args::{Armoring, ChangeKeyPassword, GenerateKey, MergeCerts, RevokeKey, UpdateKey},
    failure::{Code, Failure, Result},
    material, password, profile, read_stdin,
};

/// `generate-key`. The key never expires: whoever uses SOP keeps no calendar.
pub(super) fn generate(context: &Context, args: &GenerateKey) -> Result<()> {
    let profile = profile::key(&args.profile)?;
    let password = args.with_key_password.as_deref().map(password::new).transpose()?;
    let generated = if args.signing_only {
        Tsk::generate_signing_only(profile, &args.user_ids, None, context.now)?
    } else {
        Tsk::generate(profile, &args.user_ids, None, context.now)?
    };
    material::write_tsks(&[generated.tsk.lock(password.as_ref())?], args.armoring.armor())
}

/// `change-key-password`.
pub(super) fn change_password(args: &ChangeKeyPassword) -> Result<()> {
    let old = password::to_try(&args.old_key_password)?;
    let new = args.new_key_password.as_deref().map(password::new).transpose()?;
    let mut changed = Vec::new();
    for tsk in material::stdin_tsks()? {
        changed.push(tsk.unlock_with(&old)?.lock(new.as_ref())?);
    }
    material::write_tsks(&changed, args.armoring.armor())
}

/// `revoke-key`: certificates with their revocation, which readers need the primary key for anyway.
pub(super) fn revoke(context: &Context, args: &RevokeKey) -> Result<()> {
    let passwords = password::to_try(&args.with_key_password)?;
    let mut revoked = Vec::new();
    for tsk in material::stdin_tsks()? {
        let tsk = tsk.unlock_with(&passwords)?.revoke(Reason::Unspecified, "", context.now);
        let tsk = tsk.map_err(|error| Failure::new(Code::PrimaryKeyBad, error.to_string()))?;
        revoked.push(tsk.certificate());
    }
    material::write_certificates(&revoked, args.armoring.armor())
}

/// `extract-cert`.
pub(super) fn extract(args: &Armoring) -> Result<()> {
    let certificates: Vec<Certificate> = material::stdin_tsks()?.iter().map(LockedTsk::certificate).collect();
    material::write_certificates(&certificates, args.armor())
}

/// `update-key`.
pub(super) fn update(context: &Context, args: &UpdateKey) -> Result<()> {
    let passwords = password::to_try(&args.with_key_password)?;
    let news = material::certificates(&args.merge_certs)?;
    let refresh =
        Refresh { add_encryption_subkey: !args.signing_only, add_capabilities: !args.no_added_capabilities };
    let mut updated = Vec::new();
    for mut locked in material::stdin_tsks()? {
        let fingerprint = locked.fingerprint();
        for certificate in news.iter().filter(|certificate| certificate.fingerprint() == fingerprint) {
            locked = locked.merge(certificate.clone())?;
        }
        // Locked again under the password that opened it; without one it stays as open as it was.
        let was_locked = locked.is_locked();
        let (tsk, password) = unlock_with_one(locked, &passwords)?;
        let tsk = tsk.refresh(&refresh, &context.policy, context.now);
        let tsk = tsk.map_err(|error| Failure::new(Code::PrimaryKeyBad, error.to_string()))?;
        updated.push(tsk.lock(password.filter(|_| was_locked))?);
    }
    material::write_tsks(&updated, args.armoring.armor())
}

/// Unlocks, and says which password did it. Keys under several passwords end under one of them.
fn unlock_with_one(
    locked: LockedTsk,
    passwords: &[plombe_core::secret::Passphrase],
) -> Result<(Tsk, Option<&plombe_core::secret::Passphrase>)> {
    for password in passwords {
        if let Ok(tsk) = locked.clone().unlock(Some(password)) {
            return Ok((tsk, Some(password)));
        }
    }
    Ok((locked.unlock_with(passwords)?, passwords.first()))
}

/// `merge-certs`: what comes in on standard input decides what goes out; the named files only add to it.
pub(super) fn merge(args: &MergeCerts) -> Result<()> {
    let news = material::certificates(&args.certs)?;
    let mut merged = Certificate::merge_all(material::parse_certificates(&read_stdin()?)?);
    for certificate in &mut merged {
        let fingerprint = certificate.fingerprint();
        for news in news.iter().filter(|news| news.fingerprint() == fingerprint) {
            *certificate = certificate.clone().merge(news.clone())?;
        }
    }
    material::write_certificates(&merged, args.armoring.armor())
}
