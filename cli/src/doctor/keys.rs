// SPDX-License-Identifier: LGPL-2.0-or-later
//! Our own keys: private, readable, usable for some time to come.

use std::path::Path;

use plombe_core::cert::{LockedTsk, Severity};

use super::{Finding, Level, mode, unreadable};
use crate::{app::App, date, who};

pub(super) fn check(app: &App<'_>) -> Vec<Finding> {
    let files = match app.tsks.files() {
        Ok(files) => files,
        Err(error) => return vec![unreadable("secret-key", &error)],
    };
    files.iter().flat_map(|file| check_file(app, file)).collect()
}

fn check_file(app: &App<'_>, file: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    match mode(file) {
        Ok(mode) if mode & 0o077 != 0 => findings.push(Finding::new(
            "secret-key-mode",
            Level::Error,
            format!("others on this machine may read the secret key {} (mode {mode:03o})", file.display()),
            format!("chmod 600 {}; if somebody may have read it, `plombe key rotate`", file.display()),
        )),
        Ok(_) => {}
        Err(error) => findings.push(unreadable("secret-key-mode", &error)),
    }
    match app.tsks.read(file) {
        Ok(Some(tsk)) => {
            let named_right = file.file_stem().is_some_and(|stem| *stem == *tsk.fingerprint().to_hex());
            if !named_right {
                findings.push(Finding::new(
                    "secret-key-name",
                    Level::Error,
                    format!(
                        "{} holds another key, {}, and is not found under it",
                        file.display(),
                        tsk.fingerprint()
                    ),
                    format!("`plombe key import {}`, then remove it", file.display()),
                ));
            }
            findings.extend(check_tsk(app, &tsk));
        }
        Ok(None) => {}
        Err(error) => findings.push(Finding::new(
            "secret-key",
            Level::Error,
            crate::exit::sentence(&error),
            "restore it from a copy; until then move it away, since it stops other commands",
        )),
    }
    findings
}

fn check_tsk(app: &App<'_>, tsk: &LockedTsk) -> Vec<Finding> {
    let mut certificate = tsk.certificate();
    // The certificate store may know more: a revocation, a later expiry.
    if let Ok(Some(stored)) = app.certificates.by_fingerprint(&tsk.fingerprint()) {
        certificate = certificate.clone().merge(stored).unwrap_or(certificate);
    }
    let name = format!("the key of {} ({})", who::name(app, &certificate), certificate.fingerprint());
    let mut findings = Vec::new();
    for finding in certificate.check(&app.policy, app.now) {
        let level = match finding.severity() {
            Severity::Note => Level::Note,
            Severity::Warning => Level::Warning,
            // An own key that has ended is history, not a fault.
            Severity::Error if matches!(finding.code(), "revoked") => Level::Note,
            Severity::Error => Level::Error,
        };
        let when = finding.when().map_or(String::new(), |when| format!(" ({})", date::day(when)));
        let remedy = match finding.code() {
            "expired" | "expires-soon" => format!("`plombe key expire {} 3y`", certificate.fingerprint()),
            "revoked" => "old messages still open; for new ones `plombe key generate`".to_owned(),
            _ => format!("`plombe key show {}` tells more", certificate.fingerprint()),
        };
        findings.push(Finding::new("secret-key", level, format!("{name}: {finding}{when}"), remedy));
    }
    if !app.tsks.revocation_path(&tsk.fingerprint()).exists() {
        findings.push(Finding::new(
            "revocation",
            Level::Note,
            format!("{name} has no revocation certificate here"),
            "keep one elsewhere, or you cannot end the certificate when the key is lost",
        ));
    }
    if !tsk.is_locked() {
        findings.push(Finding::new(
            "passphrase",
            Level::Note,
            format!("{name} has no passphrase: whoever can read its file has it"),
            format!("`plombe key passphrase {}` puts one on it", certificate.fingerprint()),
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok("secret-key", format!("{name} is in order")));
    }
    findings
}
