// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key import --custody keystore`: a key that was made elsewhere is unlocked here and taken into custody there.

use plombe_core::{
    Fingerprint,
    cert::{Certificate, LockedTsk},
    custody,
    keystore::{
        SecretBytes,
        calls::keys::{ImportKey, KeyInCustody},
    },
};
use serde_json::json;

use super::Content;
use crate::{
    app::App,
    args::PassphraseArgs,
    exit::{Exit, Failure},
    keystore::Account,
    output,
    passphrase::Passphrases,
    terminal::Tone,
    who,
};

/// One key that now is in custody.
struct Entered {
    certificate: Certificate,
    /// The copy of this machine, which is still used first.
    copy: Option<std::path::PathBuf>,
}

pub(super) fn run(app: &App<'_>, contents: Vec<Content>, passphrase: &PassphraseArgs) -> anyhow::Result<()> {
    let tsks = secret_keys(contents)?;
    let mut passphrases = Passphrases::from_args(passphrase)?;
    let mut entered = Vec::new();
    for tsk in tsks {
        entered.push(enter(app, tsk, &mut passphrases)?);
    }
    if app.terminal.json {
        let list: Vec<_> = entered
            .iter()
            .map(|one| json!({"fingerprint": one.certificate.fingerprint().to_hex(), "secret": true, "copy": one.copy}))
            .collect();
        return output::print_json(&json!({"imported": list, "custody": "keystore"}));
    }
    for one in &entered {
        let name = who::name(app, &one.certificate);
        let text = format!("secret key of {name} ({}) into the keystore", one.certificate.fingerprint());
        app.terminal.note(Tone::Good, "imported", &text);
        if let Some(copy) = &one.copy {
            let text = format!("{} is still used first on this machine", copy.display());
            app.terminal.note(Tone::Doubtful, "note", &text);
        }
    }
    let text = "the keystore decides and records only its own uses of a key. Destroy every other copy: the file that it came from, backups of it, and copies in other programs";
    app.terminal.note(Tone::Doubtful, "destroy", text);
    Ok(())
}

/// Only secret keys go into a keystore, and a file without one is a mistake.
fn secret_keys(contents: Vec<Content>) -> anyhow::Result<Vec<LockedTsk>> {
    let mut all = Vec::new();
    for content in contents {
        let tsks = match content {
            Content::Certificates { tsks, .. } => tsks,
            Content::Revocation(_) => Vec::new(),
        };
        if tsks.is_empty() {
            return Err(Failure::new(Exit::Damaged, "there is no secret key in it; only secret keys go into the keystore")
                .hint("`plombe key import FILE` takes in certificates; `plombe key export --secret` writes a secret key")
                .into());
        }
        all.extend(tsks);
    }
    Ok(all)
}

fn enter(app: &App<'_>, tsk: LockedTsk, passphrases: &mut Passphrases) -> anyhow::Result<Entered> {
    let name = who::name(app, &tsk.certificate());
    let (tsk, _) = passphrases.unlock(tsk, &name)?;
    let call = ImportKey { tsk: SecretBytes::new(custody::to_bytes(&tsk)?.to_vec()) };
    let KeyInCustody { key, .. } = Account::new(app).enter_key(&call)?;
    let certificate = Certificate::parse(&key.certificate.0)?;
    app.certificates.store(&certificate)?;
    Ok(Entered { copy: copy_here(app, &certificate.fingerprint())?, certificate })
}

fn copy_here(app: &App<'_>, fingerprint: &Fingerprint) -> anyhow::Result<Option<std::path::PathBuf>> {
    Ok(app.tsks.by_fingerprint(fingerprint)?.map(|_| app.tsks.path(fingerprint)))
}
