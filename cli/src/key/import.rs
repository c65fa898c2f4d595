// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key import`: certificates, TSKs and revocation certificates from a file, armored or binary.

use std::path::PathBuf;

use plombe_core::cert::{CertError, Certificate, LockedTsk};
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    app::App,
    exit::{Exit, Failure},
    input, output,
    store::Stored,
    terminal::Tone,
    who,
};

/// From where.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files with certificates or secret keys; standard input if left out
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// One line of the answer.
struct Imported {
    certificate: Certificate,
    stored: Stored,
    secret: bool,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let files = if args.files.is_empty() { vec![PathBuf::from("-")] } else { args.files };
    // All files are read before anything is stored: a bad one among them leaves things as they were.
    let mut contents = Vec::new();
    for file in &files {
        contents.push((file, Zeroizing::new(input::read_small(file, app.terminal)?)));
    }
    let mut imported = Vec::new();
    for (file, content) in &contents {
        imported.extend(
            import(app, content)
                .map_err(|error| error.context(format!("cannot import {}", file.display())))?,
        );
    }
    if app.terminal.json {
        let list: Vec<_> = imported.iter().map(to_json).collect();
        return output::print_json(&json!({"imported": list}));
    }
    for one in &imported {
        let kind = if one.secret { "secret key" } else { "certificate" };
        let change = match one.stored {
            Stored::New => "",
            Stored::Updated => ", updated",
            Stored::Unchanged => ", nothing new",
        };
        let text = format!(
            "{kind} of {} ({}){change}",
            who::name(app, &one.certificate),
            one.certificate.fingerprint()
        );
        app.terminal.note(Tone::Good, "imported", &text);
    }
    Ok(())
}

fn to_json(one: &Imported) -> serde_json::Value {
    let change = match one.stored {
        Stored::New => "new",
        Stored::Updated => "updated",
        Stored::Unchanged => "unchanged",
    };
    json!({"fingerprint": one.certificate.fingerprint().to_hex(), "secret": one.secret, "change": change})
}

fn import(app: &App<'_>, content: &[u8]) -> anyhow::Result<Vec<Imported>> {
    let certificates = match Certificate::parse_all(content) {
        Ok(certificates) => certificates,
        // A bare revocation certificate is not a certificate; whoever imports one means it.
        Err(error @ CertError::Malformed) => {
            return import_revocation(app, content).map_err(|_| error.into());
        }
        Err(error) => return Err(error.into()),
    };
    let tsks = match LockedTsk::parse_all(content) {
        Ok(tsks) => tsks,
        Err(CertError::NoSecretKey) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let mut imported = Vec::new();
    for certificate in certificates {
        let fingerprint = certificate.fingerprint();
        let tsk = tsks.iter().find(|tsk| tsk.fingerprint() == fingerprint);
        if let Some(tsk) = tsk {
            store_tsk(app, tsk)?;
        }
        let stored = app.certificates.store(&certificate)?;
        imported.push(Imported { certificate, stored, secret: tsk.is_some() });
    }
    Ok(imported)
}

/// A secret key that is here already stays as it is, passphrase included; what the file has beyond it is added.
fn store_tsk(app: &App<'_>, tsk: &LockedTsk) -> anyhow::Result<()> {
    let merged = match app.tsks.by_fingerprint(&tsk.fingerprint())? {
        Some(present) => present.merge_secret(tsk.clone())?,
        None => tsk.clone(),
    };
    app.tsks.store(&merged)
}

fn import_revocation(app: &App<'_>, content: &[u8]) -> anyhow::Result<Vec<Imported>> {
    for issuer in Certificate::unverified_revocation_issuers(content)? {
        for certificate in app.certificates.by_key(&issuer)? {
            let revoked = certificate.apply_revocation(content)?;
            let stored = app.certificates.store(&revoked)?;
            return Ok(vec![Imported { certificate: revoked, stored, secret: false }]);
        }
    }
    Err(Failure::new(Exit::CertificateUnusable, "the certificate that this revokes is not here").into())
}
