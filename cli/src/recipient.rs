// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which certificate a message to somebody is sealed for.

use plombe_core::cert::Certificate;

use crate::{
    app::App,
    exit::{Exit, Failure},
    keyring::hint_for,
    who::Who,
};

/// Certificates for everybody, or one failure that names everybody for whom there is none.
pub(crate) fn all(app: &App<'_>, wanted: &[Who]) -> anyhow::Result<Vec<Certificate>> {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for who in wanted {
        match one(app, who)? {
            Some(certificate) => found.push(certificate),
            None => missing.push(who.to_string()),
        }
    }
    if missing.is_empty() { Ok(found) } else { Err(no_certificates(&missing)) }
}

/// The certificate for one recipient. `None` when there is none at all; an error when there is one that cannot be
/// used, or a conflict.
fn one(app: &App<'_>, who: &Who) -> anyhow::Result<Option<Certificate>> {
    let candidates = who.certificates(app)?;
    let Some(first) = candidates.first() else { return Ok(None) };
    let named = |certificate: &&Certificate| match who {
        Who::Address(address) => certificate.has_address(address, &app.policy, app.now),
        Who::Key(_) => true,
    };
    let mut usable: Vec<&Certificate> = candidates
        .iter()
        .filter(|certificate| certificate.can_encrypt(&app.policy, app.now).is_ok())
        .filter(named)
        .collect();
    if usable.len() > 1 {
        let own: Vec<_> = who.tsks(app)?.iter().map(|tsk| tsk.fingerprint()).collect();
        if !own.is_empty() {
            usable.retain(|certificate| own.contains(&certificate.fingerprint()));
        }
    }
    match usable.as_slice() {
        [certificate] => Ok(Some((*certificate).clone())),
        [] => Err(unusable(app, who, first)),
        several => {
            let list: Vec<String> =
                several.iter().map(|certificate| certificate.fingerprint().to_hex()).collect();
            let message = format!("there are several certificates for {who}: {}", list.join(", "));
            Err(Failure::new(Exit::Conflict, message)
                .hint(format!("find out which one is right, then `plombe key trust {who} FINGERPRINT`"))
                .into())
        }
    }
}

fn unusable(app: &App<'_>, who: &Who, certificate: &Certificate) -> anyhow::Error {
    let fingerprint = certificate.fingerprint();
    match certificate.can_encrypt(&app.policy, app.now) {
        Err(reason) => {
            let message =
                format!("the certificate of {who} ({fingerprint}) cannot receive messages: {reason}");
            let own = app.tsks.by_fingerprint(&fingerprint).ok().flatten().is_some();
            let hint = match own {
                true => hint_for(reason, &who.to_string()),
                false => format!("ask {who} for a new certificate, or try `plombe key find {who}`"),
            };
            Failure::new(Exit::CertificateUnusable, message).hint(hint).into()
        }
        Ok(()) => Failure::new(
            Exit::CertificateUnusable,
            format!("certificate {fingerprint} names {who}, but not in a user ID that is valid"),
        )
        .hint(format!("ask {who} for a new certificate, or try `plombe key find {who}`"))
        .into(),
    }
}

fn no_certificates(missing: &[String]) -> anyhow::Error {
    let commands: Vec<String> = missing.iter().map(|who| format!("`plombe key find {who}`")).collect();
    Failure::new(Exit::CertificateUnusable, format!("there is no certificate for {}", missing.join(", ")))
        .hint(format!("{}, or `plombe key import FILE`", commands.join(", ")))
        .into()
}
