// SPDX-License-Identifier: LGPL-2.0-or-later
//! Folders and certificates: there, readable, and private where they have to be.

use std::path::Path;

use super::{Finding, Level, mode, unreadable};
use crate::{app::App, terminal::printable_line};

pub(super) fn check(app: &App<'_>) -> Vec<Finding> {
    let paths = &app.config.paths;
    let mut findings = Vec::new();
    findings.extend(private_folder("keys", &paths.tsks));
    findings.extend(private_folder("revocations", &paths.revocations));
    findings.extend(private_folder("autocrypt", &paths.autocrypt));
    findings.push(certificates(app));
    match app.certificates.broken() {
        Ok(broken) => findings.extend(broken.iter().map(|name| {
            Finding::new(
                "certificates",
                Level::Warning,
                format!("certificate {} is damaged, and ignored", printable_line(name)),
                "fetch or import it again; until then, remove its file",
            )
        })),
        Err(error) => findings.push(unreadable("certificates", &error)),
    }
    findings
}

fn certificates(app: &App<'_>) -> Finding {
    let directory = app.certificates.directory().display();
    match app.certificates.count() {
        Ok(0) => Finding::new(
            "certificates",
            Level::Note,
            format!("there are no certificates in {directory} yet"),
            "`plombe key generate you@example.org` makes one, `plombe key import FILE` brings some in",
        ),
        Ok(count) => Finding::ok("certificates", format!("{count} certificates in {directory}")),
        Err(error) => unreadable("certificates", &error),
    }
}

pub(super) fn private_folder(check: &'static str, path: &Path) -> Option<Finding> {
    if !path.exists() {
        return None;
    }
    let shown = path.display();
    Some(match mode(path) {
        Ok(mode) if mode & 0o077 == 0 => Finding::ok(check, format!("{shown} is for your eyes only")),
        Ok(mode) => Finding::new(
            check,
            Level::Error,
            format!("others on this machine may look into {shown} (mode {mode:03o})"),
            format!("chmod 700 {shown}"),
        ),
        Err(error) => unreadable(check, &error),
    })
}
