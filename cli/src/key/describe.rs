// SPDX-License-Identifier: LGPL-2.0-or-later
//! A certificate for people and for programs: one description for `list`, `show` and whatever changes one.

use plombe_core::cert::Certificate;
use serde_json::json;

use crate::{app::App, date};

/// How the secret part lies here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secret {
    None,
    Locked,
    Open,
}

impl Secret {
    pub(super) fn of(app: &App<'_>, certificate: &Certificate) -> anyhow::Result<Self> {
        Ok(match app.tsks.by_fingerprint(&certificate.fingerprint())? {
            None => Self::None,
            Some(tsk) if tsk.is_locked() => Self::Locked,
            Some(_) => Self::Open,
        })
    }

    fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Locked => "locked",
            Self::Open => "open",
        }
    }
}

/// The documented JSON form of a certificate.
pub(super) fn json(app: &App<'_>, certificate: &Certificate) -> anyhow::Result<serde_json::Value> {
    Ok(json!({
        "fingerprint": certificate.fingerprint().to_hex(),
        "version": certificate.version(),
        "created": date::rfc3339(certificate.created()),
        "user_ids": certificate.unverified_user_ids(),
        "addresses": certificate.addresses(&app.policy, app.now),
        "secret": Secret::of(app, certificate)?.code(),
    }))
}

/// In a few words: what it can be used for, or why not.
pub(super) fn state(app: &App<'_>, certificate: &Certificate) -> String {
    let encrypts = certificate.can_encrypt(&app.policy, app.now);
    let signs = certificate.can_sign(&app.policy, app.now);
    match (encrypts, signs) {
        (Ok(()), Ok(())) => "encrypts and signs".to_owned(),
        (Ok(()), Err(_)) => "encrypts".to_owned(),
        (Err(_), Ok(())) => "signs".to_owned(),
        (Err(reason), Err(_)) => format!("unusable: {reason}"),
    }
}

/// Everything, for people.
pub(super) fn text(app: &App<'_>, certificate: &Certificate) -> anyhow::Result<String> {
    let mut text = format!("{}\n", certificate.fingerprint().to_hex());
    text.push_str(&format!("  state     {}\n", state(app, certificate)));
    Ok(text)
}
