// SPDX-License-Identifier: LGPL-2.0-or-later
//! A certificate for people and for programs: one description for `list`, `show` and whatever changes one.

use std::fmt::Write as _;

use plombe_core::cert::{Capabilities, Certificate, Description, KeyDescription, Unusable};
use serde_json::{Value, json};

use crate::{app::App, date, keystore::Account, terminal::printable_line};

/// How the secret part lies here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secret {
    None,
    Locked,
    Open,
    Keystore,
    /// In the keystore, somebody else's, who lets this machine's person use it.
    Shared,
}

impl Secret {
    pub(super) fn of(app: &App<'_>, certificate: &Certificate) -> anyhow::Result<Self> {
        let fingerprint = certificate.fingerprint();
        Ok(match app.tsks.by_fingerprint(&fingerprint)? {
            None => match Account::new(app).key(&fingerprint)? {
                None => Self::None,
                Some(key) if key.grant.is_some() => Self::Shared,
                Some(_) => Self::Keystore,
            },
            Some(tsk) if tsk.is_locked() => Self::Locked,
            Some(_) => Self::Open,
        })
    }

    fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Locked => "locked",
            Self::Open => "open",
            Self::Keystore => "keystore",
            Self::Shared => "shared",
        }
    }
}

/// The documented JSON form of a certificate.
pub(super) fn json(app: &App<'_>, certificate: &Certificate) -> anyhow::Result<Value> {
    let about = certificate.describe(&app.policy, app.now);
    let user_ids = about.user_ids.iter().map(|user_id| {
        json!({
            "text": user_id.text,
            "address": user_id.address.as_ref().map(ToString::to_string),
            "unusable": reason(&user_id.state),
        })
    });
    let findings = certificate.check(&app.policy, app.now).into_iter();
    let findings = findings.map(|finding| json!({"code": finding.code(), "text": finding.to_string()}));
    Ok(json!({
        "fingerprint": about.fingerprint.to_hex(),
        "version": about.version,
        "created": date::rfc3339(about.created),
        "expires": about.expires.map(date::rfc3339),
        "unusable": reason(&about.state),
        "can_encrypt": certificate.can_encrypt(&app.policy, app.now).is_ok(),
        "can_sign": certificate.can_sign(&app.policy, app.now).is_ok(),
        "reads_seipdv2": about.reads_seipdv2,
        "addresses": certificate.addresses(&app.policy, app.now),
        "user_ids": user_ids.collect::<Vec<_>>(),
        "keys": about.keys.iter().map(key_json).collect::<Vec<_>>(),
        "secret": Secret::of(app, certificate)?.code(),
        "findings": findings.collect::<Vec<_>>(),
    }))
}

fn key_json(key: &KeyDescription) -> Value {
    json!({
        "fingerprint": key.fingerprint.to_hex(),
        "algorithm": key.algorithm,
        "created": date::rfc3339(key.created),
        "expires": key.expires.map(date::rfc3339),
        "capabilities": capabilities(key.capabilities),
        "unusable": reason(&key.state),
    })
}

fn reason(state: &Result<(), Unusable>) -> Option<String> {
    state.as_ref().err().map(ToString::to_string)
}

fn capabilities(able: Capabilities) -> Vec<&'static str> {
    let all = [
        (able.certify, "certify"),
        (able.sign, "sign"),
        (able.encrypt, "encrypt"),
        (able.authenticate, "authenticate"),
    ];
    all.into_iter().filter_map(|(able, word)| able.then_some(word)).collect()
}

/// In a few words: until when it is good, or why it is not.
pub(super) fn state(app: &App<'_>, certificate: &Certificate, about: &Description) -> String {
    if let Err(reason) = about.state {
        return format!("unusable: {reason}");
    }
    let end = about.expires.map_or("without end".to_owned(), |end| format!("until {}", date::day(end)));
    let encrypts = certificate.can_encrypt(&app.policy, app.now);
    let signs = certificate.can_sign(&app.policy, app.now);
    match (encrypts, signs) {
        (Ok(()), Ok(())) => end,
        (Ok(()), Err(_)) => format!("{end}, cannot sign"),
        (Err(_), Ok(())) => format!("{end}, signs only"),
        (Err(reason), Err(_)) => format!("unusable: {reason}"),
    }
}

/// Everything, for people.
pub(super) fn text(app: &App<'_>, certificate: &Certificate) -> anyhow::Result<String> {
    let about = certificate.describe(&app.policy, app.now);
    let mut text = String::new();
    let secret = match Secret::of(app, certificate)? {
        Secret::None => "not here",
        Secret::Locked => "here, under a passphrase",
        Secret::Open => "here, without a passphrase",
        Secret::Keystore => "in the keystore",
        Secret::Shared => "in the keystore, its owner's; you may use it (`plombe key shares`)",
    };
    let aead = if about.reads_seipdv2 { ", reads AEAD (SEIPDv2)" } else { "" };
    let _ = writeln!(text, "certificate  {}", spaced(&about.fingerprint.to_hex()));
    let _ = writeln!(text, "  version    {}{aead}", about.version);
    let _ = writeln!(text, "  made       {}", date::day(about.created));
    let _ = writeln!(text, "  valid      {}", state(app, certificate, &about));
    let _ = writeln!(text, "  secret     {secret}");
    for user_id in &about.user_ids {
        let unusable = reason(&user_id.state).map_or(String::new(), |reason| format!("  ({reason})"));
        let _ = writeln!(text, "  user ID    {}{unusable}", printable_line(&user_id.text));
    }
    for key in &about.keys {
        let able = capabilities(key.capabilities).join(", ");
        let end = key.expires.map_or(String::new(), |end| format!(", until {}", date::day(end)));
        let unusable = reason(&key.state).map_or(String::new(), |reason| format!("  ({reason})"));
        let _ = writeln!(text, "  key        {}", key.fingerprint.to_hex());
        let _ = writeln!(text, "             {}, {able}{end}{unusable}", key.algorithm);
    }
    for finding in certificate.check(&app.policy, app.now) {
        let _ = writeln!(text, "  note       {}", printable_line(&finding.to_string()));
    }
    Ok(text)
}

/// In groups of four, as it is compared on the telephone.
fn spaced(hex: &str) -> String {
    hex.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group)).collect::<Vec<_>>().join(" ")
}
