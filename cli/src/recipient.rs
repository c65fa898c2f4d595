// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which certificate a message to somebody is sealed for.

use plombe_core::{
    cert::Certificate,
    recipients::{Explanation, NotUsed, Outcome},
};

use crate::{
    app::App,
    contacts,
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
/// used, or a conflict. Sealing looks on this machine only: who writes a mail decides when the network is asked.
fn one(app: &App<'_>, who: &Who) -> anyhow::Result<Option<Certificate>> {
    match who {
        Who::Address(address) => {
            let choice = contacts::decide(app, address, contacts::candidates(app, address)?)?;
            match choice.outcome {
                Outcome::Use { certificate, first_use } => {
                    first_use.iter().for_each(|pin| contacts::tell_first_use(app, pin));
                    Ok(Some(*certificate))
                }
                Outcome::Conflict(conflict) => Err(contacts::undecided(&conflict)),
                Outcome::None => match choice.explanations.first() {
                    Some(best) => Err(not_used(app, who, best)?),
                    None => Ok(None),
                },
            }
        }
        // Whoever names a fingerprint has decided.
        Who::Key(_) => {
            let candidates = who.certificates(app)?;
            let usable = |certificate: &&Certificate| certificate.can_encrypt(&app.policy, app.now).is_ok();
            match (candidates.iter().find(usable), candidates.first()) {
                (Some(certificate), _) => Ok(Some(certificate.clone())),
                (None, Some(first)) => Err(unusable(app, who, first)),
                (None, None) => Ok(None),
            }
        }
    }
}

fn not_used(app: &App<'_>, who: &Who, best: &Explanation) -> anyhow::Result<anyhow::Error> {
    let fingerprint = &best.fingerprint;
    match (app.certificates.by_fingerprint(fingerprint)?, &best.result) {
        (Some(certificate), Err(NotUsed::Unusable(_) | NotUsed::AddressMissing) | Ok(())) => {
            Ok(unusable(app, who, &certificate))
        }
        (_, result) => {
            let reason = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
            let message = format!("the certificate {fingerprint} is not used for {who}: {reason}");
            Ok(Failure::new(Exit::CertificateUnusable, message)
                .hint(format!("`plombe key find {who} --explain` says more"))
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
