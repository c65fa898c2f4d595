// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key import`: certificates, TSKs and revocation certificates from a file, armored or binary.

mod into_keystore;

use std::path::PathBuf;

use anyhow::Context as _;
use plombe_core::cert::{CertError, Certificate, LockedTsk, SetAside, Severity};
use serde_json::json;
use zeroize::Zeroizing;

use super::custody::Custody;
use crate::{
    app::App,
    args::PassphraseArgs,
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
    /// Where the secret keys go: on this machine, as they are; or into the keystore that it is logged in at, unlocked
    #[arg(long, value_enum, default_value = "local")]
    custody: Custody,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// One line of the answer.
struct Imported {
    certificate: Certificate,
    stored: Stored,
    secret: bool,
    never_used: Vec<SetAside>,
}

/// What a file holds, read and not yet stored.
enum Content {
    Certificates {
        certificates: Vec<Certificate>,
        tsks: Vec<LockedTsk>,
    },
    /// A bare revocation certificate; whoever imports one means it.
    Revocation(Box<Certificate>),
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let files = if args.files.is_empty() { vec![PathBuf::from("-")] } else { args.files };
    // All files are read before anything is stored: a bad one among them leaves things as they were.
    let mut contents = Vec::new();
    for file in &files {
        let bytes = Zeroizing::new(input::read_small(file, app.terminal)?);
        contents.push(read(app, &bytes).with_context(|| format!("cannot import {}", file.display()))?);
    }
    if args.custody == Custody::Keystore {
        return into_keystore::run(app, contents, &args.passphrase);
    }
    if args.passphrase.is_given() {
        return Err(Failure::usage("a secret key comes here as it is, under the passphrase that it has")
            .hint("`plombe key passphrase` changes it afterwards")
            .into());
    }
    let mut imported = Vec::new();
    for content in contents {
        imported.extend(store(app, content)?);
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
        tell_limits(app, one);
    }
    Ok(())
}

/// Whoever imports a key wants to know now, and not at the first message, that it will not do.
fn tell_limits(app: &App<'_>, one: &Imported) {
    for aside in &one.never_used {
        let SetAside { fingerprint, algorithm, reason } = aside;
        let text = format!("secret key {fingerprint} ({algorithm}) is kept but never used: {reason}");
        app.terminal.note(Tone::Doubtful, "note", &text);
    }
    let findings = one.certificate.check(&app.policy, app.now);
    for finding in findings.iter().filter(|finding| finding.severity() == Severity::Error) {
        app.terminal.note(Tone::Doubtful, "note", &finding.to_string());
    }
}

fn to_json(one: &Imported) -> serde_json::Value {
    let change = match one.stored {
        Stored::New => "new",
        Stored::Updated => "updated",
        Stored::Unchanged => "unchanged",
    };
    let never_used = one.never_used.iter().map(|aside| {
        json!({"fingerprint": aside.fingerprint.to_hex(), "algorithm": aside.algorithm, "reason": aside.reason})
    });
    json!({
        "fingerprint": one.certificate.fingerprint().to_hex(),
        "secret": one.secret,
        "change": change,
        "never_used": never_used.collect::<Vec<_>>(),
    })
}

fn read(app: &App<'_>, bytes: &[u8]) -> anyhow::Result<Content> {
    let certificates = match Certificate::parse_all(bytes) {
        Ok(certificates) => certificates,
        Err(CertError::Malformed) => return read_revocation(app, bytes),
        Err(error) => return Err(error.into()),
    };
    let tsks = match LockedTsk::parse_all(bytes) {
        Err(CertError::NoSecretKey) => Vec::new(),
        other => other?,
    };
    Ok(Content::Certificates { certificates, tsks })
}

fn read_revocation(app: &App<'_>, bytes: &[u8]) -> anyhow::Result<Content> {
    let issuers = Certificate::unverified_revocation_issuers(bytes).map_err(|_| CertError::Malformed)?;
    for issuer in issuers {
        if let Some(certificate) = app.certificates.by_key(&issuer)?.into_iter().next() {
            return Ok(Content::Revocation(Box::new(certificate.apply_revocation(bytes)?)));
        }
    }
    Err(Failure::new(Exit::CertificateUnusable, "the certificate that this revokes is not here")
        .hint("import that certificate first")
        .into())
}

fn store(app: &App<'_>, content: Content) -> anyhow::Result<Vec<Imported>> {
    let (certificates, tsks) = match content {
        Content::Certificates { certificates, tsks } => (certificates, tsks),
        Content::Revocation(certificate) => (vec![*certificate], Vec::new()),
    };
    let mut imported = Vec::new();
    for certificate in certificates {
        let fingerprint = certificate.fingerprint();
        let tsk = tsks.iter().find(|tsk| tsk.fingerprint() == fingerprint);
        // The certificate first: a key without one would be found by nobody.
        let stored = app.certificates.store(&certificate)?;
        if let Some(tsk) = tsk {
            store_tsk(app, tsk)?;
        }
        let never_used = tsk.map_or_else(Vec::new, LockedTsk::never_used);
        imported.push(Imported { certificate, stored, secret: tsk.is_some(), never_used });
    }
    Ok(imported)
}

/// A secret key that is here already stays as it is, passphrase included; what the file has beyond it is added.
pub(super) fn store_tsk(app: &App<'_>, tsk: &LockedTsk) -> anyhow::Result<()> {
    let merged = match app.tsks.by_fingerprint(&tsk.fingerprint())? {
        Some(present) => present.merge_secret(tsk.clone())?,
        None => tsk.clone(),
    };
    app.tsks.store(&merged)
}
